package lists

import (
	"context"
	"errors"

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
}

// content is what a tag names. The zero value is nothing.
type content struct {
	desc  ocispec.Descriptor
	index index.Index // of an image: the index of one that it amounts to
}

// Digest returns what the tag named, "" when there was nothing.
func (c *Current) Digest(tag string) digest.Digest { return c.tags[tag].desc.Digest }

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
