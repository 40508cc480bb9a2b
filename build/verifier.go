package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/build/rootfs"
	"github.com/manymage/manymage/platforms"
)

// verifyParallel is how many children are verified at once: each streams its layers through one decompressor, and a laptop has a
// few cores.
const verifyParallel = 4

// Verify reads an index or image back from its registry and checks every child: digest and size, the config's platform against
// the entry's, the truth check on the layers, that no platform comes twice or is missing, that every blob is there, and that all
// wanted tags name it. The error is a *FaultyError when something is wrong with what was published, and another one when it could
// not be read.
func Verify(ctx context.Context, c *registry.Client, ref reference.Named, opts image.Options, want Wanted) (Verification, error) {
	v := &verifier{client: c, repo: reference.TrimNamed(ref), opts: opts}
	top, err := v.top(ctx, ref, want.Tags)
	if err != nil {
		return Verification{}, err
	}
	out := Verification{Ref: reference.FamiliarString(ref), Digest: top.Descriptor.Digest}
	children, err := v.children(top)
	if err != nil {
		return out, err
	}
	if out.Faults, err = v.tags(ctx, want, top); err != nil {
		return out, err
	}
	results := make([]childResult, len(children))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(verifyParallel)
	for i, child := range children {
		g.Go(func() (err error) {
			results[i], err = v.child(ctx, child, top)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return out, err
	}
	out.collect(children, results, want)
	if len(out.Faults) > 0 {
		return out, &FaultyError{Ref: out.Ref, Faults: out.Faults}
	}
	return out, nil
}

// collect puts together what was found out about each child.
func (v *Verification) collect(children []index.Entry, results []childResult, want Wanted) {
	var have []ocispec.Platform
	v.Faults = append(v.Faults, duplicates(children)...)
	for _, r := range results {
		v.Faults = append(v.Faults, r.faults...)
		if r.child != nil {
			v.Children = append(v.Children, *r.child)
		}
		if r.platform != nil {
			have = append(have, *r.platform)
		}
	}
	want.compare(have, v)
}

type verifier struct {
	client *registry.Client
	repo   reference.Named
	opts   image.Options
}

type childResult struct {
	child    *VerifiedChild    // nil for an attestation
	platform *ocispec.Platform // its entry's, or its config's where there is no list; nil for an attestation and while unknown
	faults   []PublishedFault
}

// top reads what ref names; where that is not there, what the first of the tags names that is: the missing one is a fault of it.
func (v *verifier) top(ctx context.Context, ref reference.Named, tags []string) (registry.Manifest, error) {
	top, missing := v.client.Manifest(ctx, ref)
	for _, tag := range tags {
		if !errors.Is(missing, registry.ErrNotFound) {
			break
		}
		other, err := reference.WithTag(v.repo, tag)
		if err != nil {
			return top, err
		}
		if top, err = v.client.Manifest(ctx, other); !errors.Is(err, registry.ErrNotFound) {
			return top, err
		}
	}
	return top, missing
}

// tags asks for all tags at once, if there are several, and finds those that do not name top.
func (v *verifier) tags(ctx context.Context, want Wanted, top registry.Manifest) ([]PublishedFault, error) {
	if len(want.Tags) < 2 {
		return nil, nil // it is what was read
	}
	texts := make([]string, len(want.Tags))
	g, ctx := errgroup.WithContext(ctx)
	for i, tag := range want.Tags {
		g.Go(func() (err error) {
			texts[i], err = v.tag(ctx, tag, top, want)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var faults []PublishedFault
	for _, text := range texts {
		if text != "" {
			faults = append(faults, PublishedFault{Text: text})
		}
	}
	return faults, nil
}

// tag says what is wrong with one tag, and nothing when it names top, or as one of a series a newer release.
func (v *verifier) tag(ctx context.Context, tag string, top registry.Manifest, want Wanted) (string, error) {
	ref, err := reference.WithTag(v.repo, tag)
	if err != nil {
		return "", err
	}
	found, err := v.client.Head(ctx, ref)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return fmt.Sprintf("tag %s is not there, and TAGS has it: push again, or correct TAGS", tag), nil
	case err != nil:
		return "", err
	case found.Digest == top.Descriptor.Digest:
		return "", nil
	}
	if stays := want.Series[tag]; stays != nil {
		_, other, err := lists.Now(ctx, v.client, ref)
		if err != nil {
			return "", err
		}
		has, err := lists.Version(ctx, v.client, ref, other)
		if err != nil || stays(has, want.Version) {
			return "", err
		}
	}
	return fmt.Sprintf("tag %s names %s, and not %s as TAGS would have it: push again", tag, found.Digest, top.Descriptor.Digest), nil
}

// children lists what hangs below top: the entries of an index, attestations included, or the image itself.
func (v *verifier) children(top registry.Manifest) ([]index.Entry, error) {
	if !index.IsIndex(top.Descriptor.MediaType) {
		return []index.Entry{{Descriptor: top.Descriptor}}, nil
	}
	ix, err := index.Parse(top.Bytes, top.Descriptor.MediaType)
	if err != nil {
		return nil, err
	}
	return ix.Flatten(), nil
}

func duplicates(entries []index.Entry) []PublishedFault {
	var faults []PublishedFault
	var seen []ocispec.Platform
	for _, e := range entries {
		if e.Platform == nil || e.IsAttestation() {
			continue
		}
		for _, p := range seen {
			if platforms.Equal(p, *e.Platform) {
				faults = append(faults, PublishedFault{platforms.Format(p), "is in the list twice: engines take either one"})
			}
		}
		seen = append(seen, *e.Platform)
	}
	return faults
}

// child checks one entry. A fault of the content is in the result; an error means that it could not be found out.
func (v *verifier) child(ctx context.Context, e index.Entry, top registry.Manifest) (childResult, error) {
	var r childResult
	name := e.Digest.String()
	if e.Platform != nil {
		name = platforms.Format(*e.Platform)
	}
	fault := func(format string, args ...any) {
		r.faults = append(r.faults, PublishedFault{name, fmt.Sprintf(format, args...)})
	}
	if !e.IsAttestation() {
		r.platform = e.Platform
	}
	m, err := v.manifest(ctx, e, top)
	if err != nil {
		err = content(err, fault)
		return r, err
	}
	if e.Size != m.Descriptor.Size {
		fault("the list says %d bytes, its manifest has %d", e.Size, m.Descriptor.Size)
	}
	if index.IsIndex(m.Descriptor.MediaType) {
		fault("is a list inside the list, which Docker 20.10 and Podman refuse: make one list of all its images with manifest:create")
		return r, nil
	}
	var doc ocispec.Manifest
	if err := json.Unmarshal(m.Bytes, &doc); err != nil {
		fault("its manifest is no JSON: %v", err)
		return r, nil
	}
	for _, d := range append(doc.Layers, doc.Config) {
		if err := index.CheckData(d); err != nil {
			fault("its manifest contradicts itself: %v", err)
		}
	}
	lost, err := missing(ctx, v.client, v.repo, blobsOf(doc))
	if err != nil {
		return r, err
	}
	for _, d := range lost {
		fault("blob %s is missing", d.Digest)
	}
	if e.IsAttestation() || len(r.faults) > 0 {
		return r, nil
	}
	r.child = &VerifiedChild{Platform: name, Digest: e.Digest, Size: sizeOf(doc)}
	err = v.truth(ctx, e, doc, &r, fault)
	return r, err
}

// manifest fetches the child's manifest; the top itself is at hand already.
func (v *verifier) manifest(ctx context.Context, e index.Entry, top registry.Manifest) (registry.Manifest, error) {
	if e.Digest == top.Descriptor.Digest {
		return top, nil
	}
	ref, err := reference.WithDigest(v.repo, e.Digest)
	if err != nil {
		return registry.Manifest{}, err
	}
	return v.client.Manifest(ctx, ref)
}

// blobsOf are the blobs that an image's repository has to hold; a foreign layer lives elsewhere by design.
func blobsOf(doc ocispec.Manifest) []ocispec.Descriptor {
	return slices.DeleteFunc(append([]ocispec.Descriptor{doc.Config}, doc.Layers...), func(d ocispec.Descriptor) bool { return !registry.IsDistributed(d) })
}

// missing asks for all blobs at once, and gives those that the repository has not, in order.
func missing(ctx context.Context, client *registry.Client, repo reference.Named, blobs []ocispec.Descriptor) (lost []ocispec.Descriptor, err error) {
	has := make([]bool, len(blobs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(blobsAtOnce)
	for i, d := range blobs {
		g.Go(func() (err error) {
			has[i], err = client.HasBlob(ctx, repo, d)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, d := range blobs {
		if !has[i] {
			lost = append(lost, d)
		}
	}
	return lost, nil
}

// blobsAtOnce spares a registry the storm of an image with a hundred layers.
const blobsAtOnce = 8

// truth compares the config with the entry, and what the layers hold with both.
func (v *verifier) truth(ctx context.Context, e index.Entry, doc ocispec.Manifest, r *childResult, fault func(string, ...any)) error {
	config, err := v.client.Config(ctx, v.repo, doc.Config)
	if err != nil {
		return content(err, fault)
	}
	labelled, err := image.PlatformOf(config)
	if err != nil {
		fault("%v", err)
		return nil
	}
	declared := labelled
	if e.Platform != nil {
		declared = *e.Platform
	}
	r.platform, r.child.Platform = &declared, platforms.Format(declared)
	if !platforms.Meets(labelled, declared) { // an entry may leave to the config what engines read there
		fault("its config says %s", platforms.Format(labelled))
	}
	if note := registry.Elsewhere(doc.Layers); note != "" {
		r.child.Verdict, r.child.Notes = string(image.Unverified), []string{note}
		return nil
	}
	root, err := v.client.Root(ctx, v.repo, doc.Layers)
	if err != nil {
		return content(err, fault)
	}
	defer root.Close()
	report, err := image.Check(config, root, declared, v.opts)
	r.child.Verdict, r.child.Notes = string(report.Verdict), report.Notes
	var refusal *image.Refusal
	if errors.As(err, &refusal) {
		r.child.Verdict = refused
		for _, f := range refusal.Faults {
			fault("%s", f)
		}
		return nil
	}
	return content(err, fault)
}

// content turns an error about what is in the registry into a fault, and hands on every other one.
func content(err error, fault func(string, ...any)) error {
	for _, wrong := range []error{registry.ErrNotFound, registry.ErrCorrupt, registry.ErrUnsupported, rootfs.ErrMalformed, rootfs.ErrTooManyEntries} {
		if errors.Is(err, wrong) {
			fault("%v", err)
			return nil
		}
	}
	return err
}

func sizeOf(doc ocispec.Manifest) int64 {
	n := doc.Config.Size
	for _, l := range doc.Layers {
		n += l.Size
	}
	return n
}
