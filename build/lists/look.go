package lists

import (
	"context"
	"errors"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// Current is what some tags of a repository named at one moment.
type Current struct {
	repo string
	tags map[string]content
	at   time.Time // when it was asked; zero: nobody knows
}

// content is what a tag names. The zero value is nothing.
type content struct {
	desc  ocispec.Descriptor
	index index.Index // of an image: the index of one that it amounts to

	unfolded *index.Index // see unfold; nil until somebody has asked for it
}

// Look reads what the tags name, all at once. A tag that does not exist is no error.
func Look(ctx context.Context, c Reader, repo reference.Named, tags []string) (*Current, error) {
	found := make([]content, len(tags))
	g, ctx := errgroup.WithContext(ctx)
	for i, tag := range tags {
		g.Go(func() error {
			ref, err := withTag(repo, tag)
			if err == nil {
				found[i], err = lookAt(ctx, c, ref)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := &Current{repo: repo.Name(), tags: map[string]content{}}
	for i, tag := range tags {
		out.tags[tag] = found[i]
	}
	return out, nil
}

// look is a Look that knows when it was.
func (o PublishOptions) look(ctx context.Context, c Reader, repo reference.Named, tags []string) (*Current, error) {
	at := o.clock()
	current, err := Look(ctx, c, repo, tags)
	if err == nil {
		current.at = at
	}
	return current, err
}

func (o PublishOptions) clock() time.Time {
	if o.now == nil {
		return time.Now()
	}
	return o.now()
}

// stale is how long after a look the tags are looked at again before they are written: about a
// round trip, below which nothing is gained by it.
const stale = time.Second

// looksAgain is how often a tag is looked at again before its write, and moved again after it, that is another one each time: mostly
// caches or replicas that lag behind.
const looksAgain = 3

// lookAgain looks at a tag right before it is written, when other work has taken longer than a time since it was looked at. What has
// changed goes through the guard again.
func (p *publication) lookAgain(ctx context.Context, i int, after time.Duration) error {
	for range looksAgain {
		at := p.opts.clock()
		if at.Sub(p.tags[i].at) <= after {
			return nil
		}
		same, err := p.unmoved(ctx, i)
		if err != nil {
			return err
		}
		if p.tags[i].at = at; same {
			return nil
		}
		if p.tags[i].was, err = lookAt(ctx, p.client, p.tags[i].ref); err != nil {
			return err
		}
		if err := p.compare(ctx, i); err != nil {
			return err
		}
		if err := p.guard(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// unmoved asks whether a tag names what it did.
func (p *publication) unmoved(ctx context.Context, i int) (bool, error) {
	desc, err := p.client.Head(ctx, p.tags[i].ref)
	if errors.Is(err, registry.ErrNotFound) {
		err = nil
	}
	return desc.Digest == p.tags[i].was.desc.Digest, err
}

// Now is what a reference names as Publish takes it, with nothing where it is not there: an image is the list of one that it
// amounts to, and a list has what the lists inside of it have.
func Now(ctx context.Context, c Reader, ref reference.Named) (digest.Digest, index.Index, error) {
	found, err := lookAt(ctx, c, ref)
	if err != nil {
		return "", index.Index{}, err
	}
	all, err := unfold(ctx, c, ref, found.index)
	return found.desc.Digest, all, err
}

// lookAt reads one tag. What is there and cannot be understood has no platforms that anybody
// could lose.
func lookAt(ctx context.Context, c Reader, ref reference.Named) (content, error) {
	m, err := c.Manifest(ctx, ref)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return content{}, nil
	case errors.Is(err, registry.ErrUnsupported):
		desc, err := c.Head(ctx, ref)
		return content{desc: desc}, err
	case err != nil:
		return content{}, err
	}
	found := content{desc: m.Descriptor}
	if index.IsIndex(m.Descriptor.MediaType) {
		if ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType); err == nil {
			found.index = ix
		}
		return found, nil
	}
	found.index, err = indexOfOne(ctx, c, ref, m)
	return found, err
}

// indexOfOne is the index that an image amounts to: one entry, with its config's platform. An
// image whose config tells nothing amounts to an empty one.
func indexOfOne(ctx context.Context, c Reader, repo reference.Named, m registry.Manifest) (index.Index, error) {
	doc, err := readImage(m)
	if err != nil {
		return index.Index{}, nil
	}
	if !isImageConfig(doc.Config.MediaType) {
		return index.Index{}, nil
	}
	config, err := c.Config(ctx, reference.TrimNamed(repo), doc.Config)
	if errors.Is(err, registry.ErrNotFound) {
		return index.Index{}, nil
	}
	if err != nil {
		return index.Index{}, err
	}
	p, err := image.PlatformOf(config)
	if err != nil {
		return index.Index{}, nil
	}
	desc := m.Descriptor
	desc.Platform = &p
	return index.Index{Entries: []index.Entry{{Descriptor: desc}}}, nil
}
