package lists

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
)

// Tags for all releases of a series, such as 1.4: one that names a newer release goes on naming it.

// Version is what a list says of its version: its annotation org.opencontainers.image.version or, as few builders annotate lists, that
// label of its first image. Empty: neither says it.
func Version(ctx context.Context, c Reader, repo reference.Named, ix index.Index) (string, error) {
	if said := ix.Version(); said != "" {
		return said, nil
	}
	ix, err := unfold(ctx, c, repo, ix)
	if err != nil {
		return "", err
	}
	first := slices.IndexFunc(ix.Entries, func(e index.Entry) bool { return index.IsImage(e.MediaType) && !e.IsAttestation() })
	if first < 0 {
		return "", nil
	}
	m, err := listed(ctx, c, reference.TrimNamed(repo), ix.Entries[first].Descriptor)
	if err != nil {
		return "", unlessUnusable(err)
	}
	doc, err := readImage(m)
	if err != nil || !isImageConfig(doc.Config.MediaType) {
		return "", nil // what nobody can read
	}
	config, err := c.Config(ctx, reference.TrimNamed(repo), doc.Config)
	return image.Labels(config)[ocispec.AnnotationVersion], unlessUnusable(err)
}

// tag gives Tags to where the first target is; what of them is left out is said. A list with tags of a series says its version, so that
// whoever publishes the next can compare. Docker's has no place for it: the label of its images has to say it.
func (o *CreateOptions) tag(first *destination) (note string, err error) {
	named, err := config.TagsOf(first.tags[0], slices.Concat(first.tags, o.Tags), "tags")
	if err != nil {
		return "", usage("%w", err)
	}
	if first.tags = named.Tags; len(named.Series) > 0 {
		o.Publish.Series, o.Publish.Version = named.StaysOf(), named.Version
	}
	if len(named.Series) > 0 && o.MediaType != index.DockerList {
		o.Annotations = over(map[string]string{ocispec.AnnotationVersion: named.Version}, o.Annotations)
	}
	return named.LeftOut("the tag "), nil
}

// unsaid is what is to be told of a Docker list with tags of a series whose images do not say its version.
func (o CreateOptions) unsaid(first []byte) string {
	says := image.Labels(first)[ocispec.AnnotationVersion]
	if len(o.Publish.Series) == 0 || o.MediaType != index.DockerList || says == o.Publish.Version {
		return ""
	}
	return fmt.Sprintf("a Docker list has no place for its version, and its first image's label %s is %q: a list that is made later cannot be compared with %s",
		ocispec.AnnotationVersion, says, o.Publish.Version)
}

func unlessUnusable(err error) error {
	if unusable(err) {
		return nil
	}
	return err
}

// version is what the list says of its version, else what its maker says.
func (p *publication) version() string { return cmp.Or(p.payload.index.Version(), p.opts.Version) }

// series tells whether a tag is one of a series.
func (p *publication) series(i int) bool { return p.opts.Series[p.tags[i].ref.Tag()] != nil }

// keep notes the newer release that a tag of a series goes on naming.
func (p *publication) keep(ctx context.Context, i int) error {
	if !p.series(i) || p.has(i) {
		return nil
	}
	has, err := Version(ctx, p.client, p.repo, p.tags[i].was.index)
	if err != nil {
		return fmt.Errorf("%s: its version cannot be compared: %w", reference.FamiliarString(p.tags[i].ref), err)
	}
	if p.opts.Series[p.tags[i].ref.Tag()](has, p.version()) {
		p.out.Tags[i].Kept = has
	}
	return nil
}

// overtaken is what to do where somebody else has moved a tag after this run: nothing where it is on a newer release of its series, and
// to move it once more where it is on an older one. Every other tag is theirs, and lost. It tells whether there is no more to be done.
func (p *publication) overtaken(ctx context.Context, i int, found digest.Digest) (done bool, err error) {
	tag := &p.tags[i]
	lost := &MovedError{Tag: reference.FamiliarString(tag.ref), Expected: p.payload.desc.Digest, Found: found, After: true}
	if !p.series(i) {
		return false, lost
	}
	if tag.was, err = lookAt(ctx, p.client, tag.ref); err != nil {
		return false, err
	}
	if err := p.keep(ctx, i); err != nil {
		return false, err
	}
	if p.out.Tags[i].Kept != "" {
		p.out.Tags[i].Moved = false
		return true, p.guard(ctx, i)
	}
	has, err := Version(ctx, p.client, p.repo, tag.was.index)
	if err != nil || !p.opts.Series[tag.ref.Tag()](p.version(), has) {
		return false, lost
	}
	_, err = p.client.PutManifest(ctx, tag.ref, p.payload.desc.MediaType, p.payload.raw)
	return false, err
}
