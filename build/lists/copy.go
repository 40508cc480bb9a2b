package lists

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// CopyOptions say what Copy takes along. The zero value copies everything, byte for byte.
type CopyOptions struct {
	// Platforms copies only these images of an index, with their attestations; the index is
	// another one then, with another digest. Empty: all, and the index as it is.
	Platforms []ocispec.Platform
	// NoReferrers leaves signatures and the like behind.
	NoReferrers bool
	// Publish says what the tags may lose.
	Publish PublishOptions
	// Progress is told of blobs; nil is silence.
	Progress Progress
}

// Copied is what Copy did.
type Copied struct {
	Source    string        `json:"source"`
	Digest    digest.Digest `json:"digest"`
	MediaType string        `json:"mediaType"`
	Size      int64         `json:"size"`
	Platforms []string      `json:"platforms"`
	Referrers int           `json:"referrers"` // how many were taken along, cosign's tags among them
	Published []Published   `json:"published"` // one for each repository
	Notices   []string      `json:"notices,omitempty"`
}

// Copy brings an image or index, with all that belongs to it, under other names in the same or
// other registries. A target without a tag gets the source's. A blob is taken over inside the
// registry where that is possible and streamed otherwise.
func Copy(ctx context.Context, c Copier, source string, targets []string, opts CopyOptions) (Copied, error) {
	from, err := ParseReference(source)
	if err != nil {
		return Copied{}, err
	}
	dest, err := copyTargets(from, targets)
	if err != nil {
		return Copied{}, err
	}
	ctx = registry.WithPush(ctx, dest.repos()...)
	job := &copying{client: c, from: reference.TrimNamed(from), opts: opts, out: Copied{Source: reference.FamiliarString(from)}}
	if err := job.read(ctx, from); err != nil {
		return job.out, err
	}
	for _, d := range dest {
		if err := job.to(ctx, d); err != nil {
			return job.out, err
		}
	}
	return job.out, nil
}

// Copier is what Copy needs.
type Copier interface {
	Carrier
	Lister
}

// copyTargets gives each target without a tag the source's. A source that has none gives none: latest moves only when it is asked for.
func copyTargets(from reference.Named, targets []string) (destinations, error) {
	tagged, ok := from.(reference.Tagged)
	full := make([]string, len(targets))
	for i, text := range targets {
		full[i] = text
		ref, err := reference.ParseNormalizedNamed(strings.TrimSpace(text))
		switch {
		case err != nil || !reference.IsNameOnly(ref):
		case !ok:
			return nil, usage("%s has no tag; give the target one, as in %s:1.0", reference.FamiliarString(from), reference.FamiliarName(ref))
		default:
			full[i] = ref.Name() + ":" + tagged.Tag()
		}
	}
	return parseTargets(full)
}

// copying is one Copy under way.
type copying struct {
	client Copier
	from   reference.Named
	opts   CopyOptions
	source registry.Manifest
	what   payload
	ix     index.Index // what is copied of an index
	whole  bool
	out    Copied
}

// read decides what is copied.
func (j *copying) read(ctx context.Context, from reference.Named) (err error) {
	if j.source, err = j.client.Manifest(ctx, from); err != nil {
		return err
	}
	j.what, j.whole = payload{desc: j.source.Descriptor, raw: j.source.Bytes}, true
	if !index.IsIndex(j.source.Descriptor.MediaType) {
		if j.what.index, err = indexOfOne(ctx, j.client, j.from, j.source); err != nil {
			return err
		}
		if err = j.only(j.what.index); err != nil {
			return err
		}
	} else if err = j.choose(ctx); err != nil {
		return fmt.Errorf("%s: %w", j.out.Source, err)
	}
	j.out.Digest, j.out.MediaType, j.out.Size = j.what.desc.Digest, j.what.desc.MediaType, j.what.desc.Size
	j.out.Platforms = formatAll(j.what.index.Platforms())
	return nil
}

// only checks that a single image is what was asked for.
func (j *copying) only(one index.Index) error {
	for _, p := range j.opts.Platforms {
		if _, ok := one.Get(p); !ok {
			return fmt.Errorf("%s: %w", j.out.Source, &index.NotFoundError{Platform: &p, Have: one.Platforms()})
		}
	}
	return nil
}

// choose takes the index as it is, or the wanted platforms of it, which may be in lists inside.
func (j *copying) choose(ctx context.Context) (err error) {
	if j.ix, err = index.Parse(j.source.Bytes, j.source.Descriptor.MediaType); err != nil {
		return err
	}
	j.what.index = j.ix
	if len(j.opts.Platforms) == 0 {
		return nil
	}
	j.whole = false
	all, err := unfold(ctx, j.client, j.from, j.ix)
	if err != nil {
		return err
	}
	if note := unfolded(j.ix, all); note != "" {
		j.out.Notices = append(j.out.Notices, note)
	}
	j.ix.Entries = nil
	for _, p := range j.opts.Platforms {
		e, ok := all.Get(p)
		if !ok {
			return &index.NotFoundError{Platform: &p, Have: all.Platforms()}
		}
		j.ix.Entries = append(j.ix.Entries, e)
	}
	fit, notes := index.Fit(j.ix)
	j.ix, j.what.index = fit, fit
	j.out.Notices = append(j.out.Notices, notes...)
	j.what.raw, j.what.desc, err = fit.Marshal()
	return err
}

// to brings everything into one repository, and moves the tags last.
func (j *copying) to(ctx context.Context, d destination) error {
	t := newTransfer(j.client, d.repo, j.opts.Progress)
	if err := j.collect(ctx, t); err != nil {
		return err
	}
	subjects := j.subjects(t)
	found, err := collectReferrers(ctx, j.client, j.from, subjects, t, 0)
	if err != nil {
		return err
	}
	beside, err := collectCompanions(ctx, j.client, j.from, subjects, t)
	if err != nil {
		return err
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	published, err := publish(ctx, j.client, d.repo, d.tags, j.what, j.opts.Publish)
	j.out.Notices = append(j.out.Notices, t.notices...)
	if len(published.Tags) > 0 {
		j.out.Published = append(j.out.Published, published)
	}
	if err != nil {
		return err
	}
	j.out.Referrers = len(found) + len(beside)
	if err := attach(ctx, j.client, d.repo, found); err != nil {
		return err
	}
	notices, err := tagCompanions(ctx, j.client, d.repo, beside)
	j.out.Notices = append(j.out.Notices, notices...)
	return err
}

// collect notes what is below the payload. An image is published by its tag, so that only its
// blobs are noted.
func (j *copying) collect(ctx context.Context, t *transfer) error {
	if !index.IsIndex(j.source.Descriptor.MediaType) {
		err := t.addImage(j.source, j.from)
		t.images = nil
		return err
	}
	return t.below(ctx, j.ix, j.from, 0)
}

// subjects are the manifests whose signatures and the like are to come along; in the same repository they are there.
func (j *copying) subjects(t *transfer) []digest.Digest {
	if j.opts.NoReferrers || j.from.Name() == t.to.Name() {
		return nil
	}
	var subjects []digest.Digest
	if j.whole {
		subjects = append(subjects, j.source.Descriptor.Digest)
	}
	for _, e := range j.ix.Flatten() {
		subjects = append(subjects, e.Digest)
	}
	return subjects
}

// Write prints what was copied and where the tags stand.
func (c Copied) Write(w io.Writer) error {
	for _, p := range c.Published {
		if err := p.Write(w); err != nil {
			return err
		}
	}
	return nil
}
