package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/registry"
)

// pushParallel is how many images are pushed at once: an engine compresses each on one core.
const pushParallel = 4

// child is a platform's image as the registry has it.
type child struct {
	desc    ocispec.Descriptor
	config  ocispec.Descriptor
	size    int64 // of its layers and config, as the registry has them
	present bool  // the registry had it before this run
	blobs   []ocispec.Descriptor
}

// Push builds, brings every image to the registry, and publishes the index over them. With ONLY the images are pushed and the list
// tags stay as they are.
func (p *Pipeline) Push(ctx context.Context) error {
	if err := p.Foresee(ctx); err != nil {
		return err
	}
	if err := p.Build(ctx); err != nil {
		return err
	}
	if p.published != nil {
		return nil
	}
	if err := p.pushAll(ctx); err != nil {
		return err
	}
	err := p.scanPushed(ctx)
	switch {
	case err != nil:
	case p.cfg.Partial():
		p.opts.Show(progress.Notice{Text: "ONLY is set: the images are pushed, the list's tags stay as they are"})
	default:
		err = p.publish(ctx)
	}
	return errors.Join(err, p.record())
}

func (p *Pipeline) pushAll(ctx context.Context) error {
	client, err := p.Registry()
	if err != nil {
		return err
	}
	for _, r := range p.built {
		p.opts.Show(progress.Started{Platform: r.name})
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(pushParallel)
	for i := range p.built {
		g.Go(func() error { return p.push(ctx, client, &p.built[i]) })
	}
	return g.Wait()
}

// push brings one image to the registry, and tells how that ended.
func (p *Pipeline) push(ctx context.Context, client *registry.Client, r *result) error {
	start := time.Now()
	err := p.bring(ctx, client, r)
	r.pushing = time.Since(start)
	outcome := "pushed"
	if r.child.present {
		outcome = "already there"
	}
	p.finish(ctx, r.name, outcome, err)
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	return nil
}

// bring pushes an image unless it is there: its identity is the digest of its config, recorded when it was built.
func (p *Pipeline) bring(ctx context.Context, client *registry.Client, r *result) error {
	ref, err := reference.ParseNormalizedNamed(p.cfg.ChildRef(r.platform))
	if err != nil {
		return err
	}
	found, err := lookup(ctx, client, ref, r.built.Config)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	if found == nil && err == nil {
		found, err = p.hidden(ctx, client, ref, r)
		if err != nil {
			return err
		}
	}
	if found != nil {
		lost, err := missing(ctx, client, ref, found.blobs)
		if err != nil {
			return err
		}
		if len(lost) == 0 {
			found.present = true
			r.child, err = p.revealed(ctx, client, ref, r, *found)
			return err
		}
		p.opts.Show(progress.Warning{Platform: r.name, Text: fmt.Sprintf("the registry has lost %s of this image, which is pushed again", lost[0].Digest)})
	}
	taken := err == nil // by another image
	r.child, err = p.upload(ctx, client, r, ref.(reference.NamedTagged))
	if taken && errors.Is(err, engine.ErrManifestRefused) {
		err = fmt.Errorf("%w: the registry keeps the image that %s has, as it does where tags are immutable: choose another VERSION (%w)",
			lists.ErrPublish, reference.FamiliarString(ref), err)
	}
	if err != nil {
		return err
	}
	p.opts.Show(progress.Published{Reference: reference.FamiliarString(ref), Digest: r.child.desc.Digest.String()})
	return nil
}

// upload lets the engine push the image, and confirms that it is the one that was built.
func (p *Pipeline) upload(ctx context.Context, client *registry.Client, r *result, ref reference.NamedTagged) (child, error) {
	if r.built.Repair != nil {
		return p.pushUnlabelled(ctx, client, r, ref)
	}
	pushed, err := p.send(ctx, r, ref.String())
	if err != nil {
		return child{}, err
	}
	found, err := confirm(ctx, client, ref, pushed.Digest, r.built.Config)
	if err != nil {
		return child{}, err
	}
	return p.revealed(ctx, client, ref, r, found)
}

// send lets the engine push the image under a name, which it is given again where another run took it away: see Engine.Tag.
func (p *Pipeline) send(ctx context.Context, r *result, name string) (engine.Pushed, error) {
	e := p.engines[r.node]
	pushed, err := e.Push(ctx, name, p.watch(r.job))
	if errors.Is(err, engine.ErrNotFound) && e.Tag(ctx, r.built.ID, name) == nil {
		pushed, err = e.Push(ctx, name, p.watch(r.job))
	}
	return pushed, err
}

// confirm reads back by its digest what the engine says it pushed, and requires that it is the image that was built.
func confirm(ctx context.Context, client *registry.Client, ref reference.Named, pushed, config digest.Digest) (child, error) {
	byDigest, err := reference.WithDigest(reference.TrimNamed(ref), pushed)
	if err != nil {
		return child{}, err
	}
	found, err := lookup(ctx, client, byDigest, config)
	if err != nil {
		return child{}, err
	}
	if found == nil {
		return child{}, fmt.Errorf("%w: what was pushed as %s is not the image that was built (its config is not %s): somebody changed the tag in the engine; run again",
			lists.ErrPublish, reference.FamiliarString(ref), config)
	}
	return *found, nil
}

// lookup finds the image with the given config behind a reference: the image itself, or the one inside its index, which is what
// engines push that add attestations. nil: something else is there.
func lookup(ctx context.Context, client *registry.Client, ref reference.Named, config digest.Digest) (*child, error) {
	m, err := client.Manifest(ctx, ref)
	if err != nil {
		return nil, err
	}
	if !index.IsIndex(m.Descriptor.MediaType) {
		return match(m, config)
	}
	ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
	if err != nil {
		return nil, err
	}
	for _, entry := range ix.Entries {
		byDigest, err := reference.WithDigest(reference.TrimNamed(ref), entry.Digest)
		if err != nil {
			return nil, err
		}
		m, err := client.Manifest(ctx, byDigest)
		if err != nil {
			return nil, err
		}
		if found, err := match(m, config); found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

// match gives the child that a manifest is, if its config is the one that was built.
func match(m registry.Manifest, config digest.Digest) (*child, error) {
	var doc ocispec.Manifest
	if err := json.Unmarshal(m.Bytes, &doc); err != nil {
		return nil, fmt.Errorf("the manifest %s is no JSON: %w", m.Descriptor.Digest, err)
	}
	if doc.Config.Digest != config {
		return nil, nil
	}
	return &child{desc: m.Descriptor, config: doc.Config, size: sizeOf(doc), blobs: blobsOf(doc)}, nil
}
