package lists

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// Source is an image, or an index of images, that is to go into a list.
type Source struct {
	// Ref is a tag or digest in any registry. An index gives all of its images, with their
	// attestations.
	Ref string
	// Platform declares for which platform the image is; nil takes its config's word. Of an
	// index it chooses that one image.
	Platform *ocispec.Platform
	// Annotations of the entry, beside those that an index gave it.
	Annotations map[string]string
}

const (
	// requestsAtOnce bounds small requests: enough for every list in use to be read in one
	// round, few enough for registries that count connections.
	requestsAtOnce = 64
	// maxNesting is how deep indexes inside indexes are followed; nobody publishes more than one.
	maxNesting = 4
)

// child is one image on its way into a list.
type child struct {
	entry    index.Entry
	from     reference.Named // the repository where it is
	manifest registry.Manifest
	doc      ocispec.Manifest
	config   []byte // nil when it has none that names a platform
	declared *ocispec.Platform
	by       string // who declared it
}

// origin is a source that was read.
type origin struct {
	children    []*child
	annotations map[string]string // of an index
	missing     bool
}

// resolver reads sources.
type resolver struct {
	client        Reader
	ignoreMissing bool
	force         bool // believe the declared platform
	limit         chan struct{}
}

func newResolver(c Reader, ignoreMissing, force bool) *resolver {
	return &resolver{client: c, ignoreMissing: ignoreMissing, force: force, limit: make(chan struct{}, requestsAtOnce)}
}

// resolve reads the manifests of all sources at once. The result is in their order.
func (r *resolver) resolve(ctx context.Context, sources []Source) ([]origin, error) {
	refs := make([]reference.Named, len(sources))
	for i, s := range sources {
		var err error
		if refs[i], err = ParseReference(s.Ref); err != nil {
			return nil, err
		}
	}
	out, errs := make([]origin, len(sources)), make([]error, len(sources))
	var g errgroup.Group
	for i, s := range sources {
		g.Go(func() error {
			out[i], errs[i] = r.source(ctx, s, refs[i])
			return nil // all that is missing is told, not only the first
		})
	}
	_ = g.Wait()
	return out, errors.Join(errs...)
}

func (r *resolver) source(ctx context.Context, s Source, ref reference.Named) (origin, error) {
	m, err := r.limited(ctx, func() (registry.Manifest, error) { return r.client.Manifest(ctx, ref) })
	if errors.Is(err, registry.ErrNotFound) && r.ignoreMissing {
		return origin{missing: true}, nil
	}
	if err != nil {
		return origin{}, fmt.Errorf("source %s: %w", s.Ref, err)
	}
	if index.IsIndex(m.Descriptor.MediaType) {
		return r.index(ctx, s, ref, m)
	}
	c := &child{entry: index.Entry{Descriptor: m.Descriptor, Source: s.Ref}, from: reference.TrimNamed(ref), declared: s.Platform, by: "you"}
	c.entry.Annotations = maps.Clone(s.Annotations)
	return origin{children: []*child{c}}, c.take(m)
}

// limited reads a manifest when it is its turn.
func (r *resolver) limited(ctx context.Context, read func() (registry.Manifest, error)) (registry.Manifest, error) {
	select {
	case r.limit <- struct{}{}:
		defer func() { <-r.limit }()
	case <-ctx.Done():
		return registry.Manifest{}, ctx.Err()
	}
	return read()
}

// index reads the images of an index, all at once.
func (r *resolver) index(ctx context.Context, s Source, ref reference.Named, m registry.Manifest) (origin, error) {
	ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
	if err != nil {
		return origin{}, fmt.Errorf("source %s: %w", s.Ref, err)
	}
	if len(ix.Entries) == 0 {
		return origin{}, fmt.Errorf("source %s: %w: it is a list without images; leave it out", s.Ref, index.ErrInvalid)
	}
	out := origin{annotations: ix.Annotations}
	if out.children, err = r.images(ctx, s, ref, ix); err != nil {
		return origin{}, err
	}
	if s.Platform != nil {
		if out.children, err = r.choose(out.children, s, ix); err != nil {
			return origin{}, err
		}
	}
	for _, c := range out.children {
		c.entry.Annotations = over(c.entry.Annotations, s.Annotations)
	}
	return out, nil
}

// over returns the annotations with others laid over them.
func over(below, above map[string]string) map[string]string {
	if len(above) == 0 {
		return below
	}
	merged := maps.Clone(above)
	for key, value := range below {
		if _, given := merged[key]; !given {
			merged[key] = value
		}
	}
	return merged
}

// images reads the images of an index, all at once, after the indexes inside it.
func (r *resolver) images(ctx context.Context, s Source, ref reference.Named, ix index.Index) ([]*child, error) {
	u := unfolder{client: r.client, repo: reference.TrimNamed(ref), strict: true}
	parts, err := u.entries(ctx, ix.Entries, 0)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.Ref, err)
	}
	entries := slices.Concat(parts...)
	out := make([]*child, len(entries))
	g, ctx := errgroup.WithContext(ctx)
	for i, e := range entries {
		g.Go(func() (err error) {
			out[i], err = r.image(ctx, s, ref, e)
			return err
		})
	}
	return out, g.Wait()
}

// image reads one image of an index.
func (r *resolver) image(ctx context.Context, s Source, ref reference.Named, e index.Entry) (*child, error) {
	e.Source = fmt.Sprintf("%s of %s", entryName(e), s.Ref)
	c := &child{entry: e, from: reference.TrimNamed(ref), by: "its entry in " + s.Ref}
	if e.HasPlatform() {
		c.declared = e.Platform
	}
	if e.IsAttestation() {
		return c, nil
	}
	m, err := r.limited(ctx, func() (registry.Manifest, error) { return listed(ctx, r.client, ref, e.Descriptor) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Source, err)
	}
	return c, c.take(m)
}

func entryName(e index.Entry) string {
	if e.HasPlatform() {
		return platforms.Format(*e.Platform)
	}
	return e.Digest.String()
}

// take gives the child its manifest.
func (c *child) take(m registry.Manifest) (err error) {
	c.manifest = m
	if c.doc, err = readImage(m); err != nil {
		return fmt.Errorf("%s: %w", c.entry.Source, err)
	}
	return nil
}

// choose picks the image of the declared platform out of an index. Of an index of one, which
// is what a build with attestations leaves, a forced platform takes that one.
func (r *resolver) choose(children []*child, s Source, ix index.Index) ([]*child, error) {
	for _, c := range children {
		if c.declared == nil {
			continue
		}
		if p, ok := reconcile(*s.Platform, *c.declared); ok {
			c.entry.Platform, c.declared = &p, &p
			return []*child{c}, nil
		}
	}
	if r.force && len(children) == 1 {
		children[0].declared, children[0].by = s.Platform, "you"
		return children, nil
	}
	return nil, fmt.Errorf("source %s: %w", s.Ref, &index.NotFoundError{Platform: s.Platform, Have: ix.Platforms()})
}

// configs reads the configs of all children at once.
func (r *resolver) configs(ctx context.Context, children []*child) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for _, c := range children {
		if !isImageConfig(c.doc.Config.MediaType) {
			continue
		}
		g.Go(func() (err error) {
			if c.config, err = r.client.Config(ctx, c.from, c.doc.Config); err != nil {
				return fmt.Errorf("%s: its config: %w", c.entry.Source, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// attestations lists the attestations of the child, or the one that it is, which is not read with the images.
func (c *child) attestations() []ocispec.Descriptor {
	var out []ocispec.Descriptor
	if c.entry.IsAttestation() {
		out = append(out, c.entry.Descriptor)
	}
	for _, a := range c.entry.Attestations {
		out = append(out, a.Descriptor)
	}
	return out
}
