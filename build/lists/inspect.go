package lists

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// predicateKey is the annotation in which BuildKit says what an attestation's layer states.
const predicateKey = "in-toto.io/predicate-type"

// InspectOptions say what Inspect looks at. The zero value shows everything but referrers.
type InspectOptions struct {
	// Platform resolves one platform's image, as an engine of that platform would.
	Platform *ocispec.Platform
	// RawOnly reads no more than what Raw needs.
	RawOnly bool
	// Referrers also asks the registry what refers to the images, when it implements Lister.
	Referrers Lister
}

// Inspect reads an image or index with the images in it, all at once. A child that is missing
// or broken is told among its Problems.
func Inspect(ctx context.Context, c Reader, ref string, opts InspectOptions) (Tree, error) {
	named, err := ParseReference(ref)
	if err != nil {
		return Tree{}, err
	}
	m, err := c.Manifest(ctx, named)
	if err != nil {
		return Tree{}, err
	}
	i := &inspector{client: c, repo: reference.TrimNamed(named), opts: opts, tree: Tree{
		Reference: reference.FamiliarString(named),
		Digest:    m.Descriptor.Digest, MediaType: m.Descriptor.MediaType, Size: m.Descriptor.Size,
		Raw: m.Bytes, Kind: "image",
	}}
	if index.IsIndex(m.Descriptor.MediaType) {
		err = i.list(ctx, m)
	} else {
		err = i.single(ctx, m)
	}
	if err == nil {
		err = i.referrers(ctx)
	}
	return i.tree, err
}

type inspector struct {
	client Reader
	repo   reference.Named
	opts   InspectOptions
	tree   Tree
}

func (i *inspector) list(ctx context.Context, m registry.Manifest) error {
	i.tree.Kind = "index"
	if i.opts.RawOnly && i.opts.Platform == nil {
		return nil
	}
	ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
	if err != nil {
		return fmt.Errorf("%s: %w", i.tree.Reference, err)
	}
	i.tree.Annotations, i.tree.ArtifactType = ix.Annotations, ix.ArtifactType
	if i.opts.Platform != nil {
		return i.resolve(ctx, ix)
	}
	i.tree.Images = make([]Leaf, len(ix.Entries))
	var g errgroup.Group
	g.SetLimit(requestsAtOnce)
	for n, e := range ix.Entries {
		g.Go(func() error {
			i.tree.Images[n], _ = i.leaf(ctx, e)
			return nil
		})
	}
	_ = g.Wait()
	for _, p := range sharedPlatforms(ix) {
		i.tree.Images[p.at].Problems = append(i.tree.Images[p.at].Problems, p.text)
	}
	return ctx.Err()
}

// shared is a platform that an earlier entry has, too.
type shared struct {
	at   int
	text string
}

func sharedPlatforms(ix index.Index) []shared {
	var out []shared
	first := map[string]bool{}
	for n, e := range ix.Entries {
		if !e.HasPlatform() {
			continue
		}
		name := platforms.Format(*e.Platform)
		if first[name] {
			out = append(out, shared{n, "an earlier entry has the same platform, and engines take that one"})
		}
		first[name] = true
	}
	return out
}

// resolve shows one platform's image and how it was found.
func (i *inspector) resolve(ctx context.Context, ix index.Index) error {
	way, err := find(ctx, i.client, i.repo, ix, *i.opts.Platform)
	i.tree.Steps = way.steps
	if err != nil {
		return fmt.Errorf("%s: %w", i.tree.Reference, err)
	}
	leaf, raw := i.leaf(ctx, way.entry)
	if raw == nil {
		return fmt.Errorf("%s: %s: %s", i.tree.Reference, platforms.Asked(*i.opts.Platform), leaf.Problems[0])
	}
	i.tree.Images, i.tree.Raw = []Leaf{leaf}, raw
	return nil
}

// leaf reads one image of an index. Its bytes are nil when they could not be read.
func (i *inspector) leaf(ctx context.Context, e index.Entry) (Leaf, []byte) {
	l := Leaf{Platform: "unknown", Digest: e.Digest, MediaType: e.MediaType, Annotations: e.Annotations, Size: e.Size}
	if e.HasPlatform() {
		l.Platform = platforms.Format(*e.Platform)
	}
	m, err := listed(ctx, i.client, i.repo, e.Descriptor)
	if err != nil {
		l.Problems = append(l.Problems, reason(err))
		return l, nil
	}
	if index.IsIndex(m.Descriptor.MediaType) {
		l.Problems = append(l.Problems, "a list inside the list: "+nested+"; "+flatten(i.tree.Reference))
		return l, m.Bytes
	}
	i.fill(ctx, &l, m)
	l.compare(e)
	for _, a := range e.Attestations {
		l.Attestations = append(l.Attestations, i.attestation(ctx, a))
	}
	return l, m.Bytes
}

// compare says where the entry and the image disagree.
func (l *Leaf) compare(e index.Entry) {
	if e.HasPlatform() && l.Config != "" {
		config, err := platforms.ParseAny(l.Config)
		if err != nil {
			return
		}
		config.OSVersion, config.OSFeatures = e.Platform.OSVersion, e.Platform.OSFeatures
		if _, ok := reconcile(*e.Platform, config); !ok {
			l.Problems = append(l.Problems, fmt.Sprintf("the entry says %s, the image's config %s", l.Platform, l.Config))
		}
	}
}

// fill adds what the image's manifest and config say.
func (i *inspector) fill(ctx context.Context, l *Leaf, m registry.Manifest) {
	doc, err := readImage(m)
	if err != nil {
		l.Problems = append(l.Problems, err.Error())
		return
	}
	l.ConfigDigest, l.Size = doc.Config.Digest, doc.Config.Size
	for _, d := range doc.Layers {
		l.Layers = append(l.Layers, Layer{d.Digest, d.MediaType, d.Size})
		l.Size += d.Size
	}
	if !isImageConfig(doc.Config.MediaType) {
		return
	}
	config, err := i.client.Config(ctx, i.repo, doc.Config)
	if err != nil {
		l.Problems = append(l.Problems, "its config: "+reason(err))
		return
	}
	facts, err := image.FactsOf(config)
	if err != nil {
		l.Problems = append(l.Problems, err.Error())
		return
	}
	l.Config = formatConfig(facts.Platform)
	l.Entrypoint, l.Cmd, l.User = facts.Entrypoint, facts.Cmd, facts.User
	if len(facts.Labels) > 0 {
		l.Labels = facts.Labels
	}
	if !facts.Created.IsZero() {
		l.Created = &facts.Created
	}
}

// formatConfig is the platform of a config without the system's version, which has its place
// in the entry.
func formatConfig(p ocispec.Platform) string {
	p.OSVersion, p.OSFeatures = "", nil
	return platforms.Format(p)
}

func (i *inspector) attestation(ctx context.Context, e index.Entry) Attestation {
	a := Attestation{Digest: e.Digest, Size: e.Size}
	m, err := listed(ctx, i.client, i.repo, e.Descriptor)
	if err != nil {
		return a
	}
	doc, err := readImage(m)
	if err != nil {
		return a
	}
	for _, d := range doc.Layers {
		a.Size += d.Size
		if p := d.Annotations[predicateKey]; p != "" {
			a.Predicates = append(a.Predicates, p)
		}
	}
	return a
}

// single shows an image that is not in an index.
func (i *inspector) single(ctx context.Context, m registry.Manifest) error {
	if i.opts.Platform != nil {
		i.tree.Steps = []string{"resolved to one image, no index: engines take it whatever its platform is"}
	}
	if i.opts.RawOnly {
		return nil
	}
	l := Leaf{Digest: m.Descriptor.Digest, MediaType: m.Descriptor.MediaType}
	i.fill(ctx, &l, m)
	if doc, err := readImage(m); err == nil {
		i.tree.Annotations, i.tree.ArtifactType = maps.Clone(doc.Annotations), doc.ArtifactType
		if !isImageConfig(doc.Config.MediaType) {
			i.tree.Kind = "artifact"
		}
	}
	l.Platform = l.Config
	if i.opts.Platform != nil {
		i.tree.Steps = append(i.tree.Steps, "its config says "+l.Config)
	}
	i.tree.Images = []Leaf{l}
	return nil
}

// referrers asks what refers to the index and its images.
func (i *inspector) referrers(ctx context.Context) error {
	if i.opts.Referrers == nil || i.opts.RawOnly {
		return nil
	}
	subjects := []ocispec.Descriptor{{Digest: i.tree.Digest}}
	for _, l := range i.tree.Images {
		if l.Digest != i.tree.Digest {
			subjects = append(subjects, ocispec.Descriptor{Digest: l.Digest})
		}
	}
	found := make([][]Referrer, len(subjects))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for n, s := range subjects {
		g.Go(func() error {
			descs, err := i.opts.Referrers.Referrers(ctx, i.repo, s.Digest, "")
			for _, d := range descs {
				found[n] = append(found[n], Referrer{d.Digest, d.ArtifactType, s.Digest, d.Size, d.Annotations})
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, f := range found {
		i.tree.Referrers = append(i.tree.Referrers, f...)
	}
	return nil
}

// reason is an error in few words, for a place that says already what was asked for.
func reason(err error) string {
	if errors.Is(err, registry.ErrNotFound) {
		return "it is not in the registry"
	}
	return err.Error()
}
