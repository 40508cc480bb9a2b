package lists

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// CreateOptions say how a list is made. The zero value refuses what looks wrong.
type CreateOptions struct {
	// Annotations of the index. Those of indexes among the sources are kept beside them.
	Annotations map[string]string
	// MediaType forces index.OCIIndex or index.DockerList; empty follows the images.
	MediaType string
	// Tags are more tags in the repository of the first target, whose own tag is the version for {version}, {major} and {minor} in
	// them. Those of a series never go back, which takes an annotation of the version; without it, one is made.
	Tags []string
	// IgnoreMissing leaves out sources that the registry does not have (404, nothing else).
	IgnoreMissing bool
	// ForcePlatform believes declared platforms against the image's config; the config is not
	// changed, and engines may complain.
	ForcePlatform bool
	// Deep looks at the programs in the images' layers, too, and refuses those that do not run
	// on their platform.
	Deep bool
	// AllowForeign are paths in the images that may be of another architecture (for Deep).
	AllowForeign []string
	// Publish says what the tags may lose.
	Publish PublishOptions
	// Progress is told of blobs that are copied; nil is silence.
	Progress Progress
}

// Created is a list that was made.
type Created struct {
	Digest    string      `json:"digest"`
	MediaType string      `json:"mediaType"`
	Size      int64       `json:"size"`
	Entries   []Made      `json:"entries"`
	Published []Published `json:"published"` // one for each repository
	Notices   []string    `json:"notices,omitempty"`
}

// Made is one entry of a list that was made.
type Made struct {
	Platform     string `json:"platform"`
	Digest       string `json:"digest"`
	Source       string `json:"source"`
	Attestations int    `json:"attestations,omitempty"`
	Verdict      string `json:"verdict,omitempty"` // of Deep: "verified" or "unverified"
}

// Creator is what Create needs.
type Creator interface {
	Publisher
	Mover
	Streamer
}

// Create makes one list of the sources and publishes it under the targets. With the images in
// the target's repository that is three rounds, whatever their number:
//
//	all manifests | all configs, and what the tag names today | the list
//
// The registry's answer to the last names the digest that it has taken, and is believed: to look
// at the tag once more would be a fourth round. Where there are more rounds anyway, for images
// that are copied, for Deep, or for several tags, each tag is read back.
// Images from other repositories are mounted or copied first. Nothing is published when
// anything is missing or wrong.
//
// Errors: ErrUsage, registry.ErrNotFound for a missing source, *MismatchError,
// *index.DuplicateError, an image.ErrRefused of Deep, and those of Publish.
func Create(ctx context.Context, c Creator, targets []string, sources []Source, opts CreateOptions) (Created, error) {
	dest, err := parseTargets(targets)
	if err != nil {
		return Created{}, err
	}
	note, err := opts.tag(&dest[0])
	if err != nil {
		return Created{}, err
	}
	if len(sources) == 0 {
		return Created{}, usage("no sources are given for %s; name the images that are to be in the list", targets[0])
	}
	ctx = registry.WithPush(ctx, dest.repos()...)
	opts.Publish.TrustAnswer = true
	b := &builder{client: c, opts: opts, dest: dest, out: Created{Notices: nonEmpty(note)}}
	if err := b.gather(ctx, sources); err != nil {
		return b.out, err
	}
	if err := b.assemble(ctx); err != nil {
		return b.out, err
	}
	err = b.publish(ctx)
	return b.out, err
}

// builder is one Create under way.
type builder struct {
	client      Creator
	opts        CreateOptions
	dest        destinations
	children    []*child
	annotations map[string]string
	index       index.Index
	current     []*Current // of each destination, when looked at together with the configs
	out         Created
}

// gather reads the sources: their manifests, then their configs and what the tags name.
func (b *builder) gather(ctx context.Context, sources []Source) error {
	r := newResolver(b.client, b.opts.IgnoreMissing, b.opts.ForcePlatform)
	origins, err := r.resolve(ctx, sources)
	if err != nil {
		return err
	}
	b.annotations = maps.Clone(b.opts.Annotations)
	for i, o := range origins {
		if o.missing {
			b.note("%s is not there and was left out", sources[i].Ref)
		}
		b.children = append(b.children, o.children...)
		b.inherit(sources[i].Ref, o.annotations)
	}
	if len(b.children) == 0 {
		return fmt.Errorf("none of the sources is there; a list of nothing is not published: %w", registry.ErrNotFound)
	}
	b.current = make([]*Current, len(b.dest))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.configs(ctx, b.children) })
	g.Go(func() error { return b.attested(ctx) })
	for i, d := range b.dest {
		if b.slow(d) {
			continue // Publish looks afterwards
		}
		g.Go(func() (err error) {
			b.current[i], err = b.opts.Publish.look(ctx, b.client, d.repo, d.tags)
			return err
		})
	}
	return g.Wait()
}

// inherit keeps the annotations of an index among the sources, unless they contradict others.
func (b *builder) inherit(source string, annotations map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		have, taken := b.annotations[key]
		switch {
		case !taken:
			if b.annotations == nil {
				b.annotations = map[string]string{}
			}
			b.annotations[key] = annotations[key]
		case have != annotations[key]:
			b.note("annotation %s is %q; %s has %q", key, have, source, annotations[key])
		}
	}
}

// attested looks at the attestations that are listed and, as nothing is copied, not read: one that is missing or has another
// size than its entry says would break the list.
func (b *builder) attested(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for _, c := range b.children {
		if slices.ContainsFunc(b.dest, func(d destination) bool { return c.from.Name() != d.repo.Name() }) {
			continue // which are read on their way
		}
		for _, a := range c.attestations() {
			g.Go(func() error {
				is, err := b.client.Head(ctx, withDigest(c.from, a.Digest))
				if err == nil {
					err = sameSize(c.from, a, is)
				}
				if err != nil {
					return fmt.Errorf("%s: its attestation: %w", c.entry.Source, err)
				}
				return nil
			})
		}
	}
	return g.Wait()
}

func (b *builder) needsCopy(d destination) bool {
	return slices.ContainsFunc(b.children, func(c *child) bool { return c.from.Name() != d.repo.Name() })
}

// slow reports whether so much lies between reading the sources and publishing that the tags
// have to be looked at again.
func (b *builder) slow(d destination) bool { return b.opts.Deep || b.needsCopy(d) }

// assemble checks the children and makes the index.
func (b *builder) assemble(ctx context.Context) error {
	var errs []error
	for _, c := range b.children {
		note, err := c.settle(b.opts.ForcePlatform)
		if note != "" {
			b.note("%s", note)
		}
		if c.declared != nil {
			b.remark(*c.declared)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	entries := make([]index.Entry, len(b.children))
	for i, c := range b.children {
		entries[i] = c.entry
	}
	ix, notes, err := index.New(entries, index.Options{MediaType: b.opts.MediaType, Annotations: b.annotations})
	if err != nil {
		return err
	}
	b.index = ix
	b.out.Notices = append(b.out.Notices, append(notes, nonEmpty(b.opts.unsaid(b.children[0].config))...)...)
	verdicts, err := b.deep(ctx)
	if err != nil {
		return err
	}
	for i, c := range b.children {
		b.out.Entries = append(b.out.Entries, Made{
			Platform: entryName(c.entry), Digest: c.entry.Digest.String(), Source: c.entry.Source,
			Attestations: len(c.entry.Attestations), Verdict: verdicts[i],
		})
	}
	return nil
}

// remark tells of a declared platform that may be misspelt.
func (b *builder) remark(p ocispec.Platform) {
	if strange := unusual(p); strange != "" {
		b.note("%s", strange)
	}
}

// believe takes what was declared of a child that says nothing itself.
func (c *child) believe() error {
	switch {
	case c.declared != nil:
		p := platforms.Normalize(*c.declared)
		c.entry.Platform = &p
	case c.entry.Platform == nil && !c.entry.IsAttestation():
		return usage("%s is no image but %s, which names no platform; leave it out, or declare one, as in linux/amd64=%s",
			c.entry.Source, cmp.Or(c.doc.ArtifactType, c.doc.Config.MediaType), c.reference())
	}
	return nil
}

// reference is how the child is named on a command line.
func (c *child) reference() string {
	if _, err := ParseReference(c.entry.Source); err != nil { // one of a list, in words
		return at(c.from, c.entry.Digest)
	}
	return c.entry.Source
}

// settle decides the child's platform.
func (c *child) settle(force bool) (note string, err error) {
	if c.config == nil {
		return "", c.believe()
	}
	config, err := image.PlatformOf(c.config)
	if err != nil {
		return "", fmt.Errorf("%s: %w", c.entry.Source, err)
	}
	if c.declared == nil && config.Architecture == "" {
		return "", usage("%s: its config names no architecture; declare its platform, as in linux/amd64=%s", c.entry.Source, c.reference())
	}
	if c.declared == nil {
		p := platforms.Normalize(config)
		c.entry.Platform = &p
		return "", nil
	}
	p, ok := reconcile(*c.declared, config)
	c.entry.Platform = &p
	mismatch := &MismatchError{Source: c.entry.Source, By: c.by, Declared: *c.declared, Config: config}
	switch {
	case ok:
		return "", nil
	case force:
		return "forced: " + fmt.Sprintf("%s is listed as %s although its config says %s", c.entry.Source, platforms.Format(p), platforms.Format(config)), nil
	}
	return "", mismatch
}

// publish puts the list into every repository, with what it needs.
func (b *builder) publish(ctx context.Context) error {
	for i, d := range b.dest {
		if b.needsCopy(d) {
			t := newTransfer(b.client, d.repo, b.opts.Progress)
			if err := t.children(ctx, b.children); err != nil {
				return err
			}
			b.out.Notices = append(b.out.Notices, t.notices...)
		}
		opts := b.opts.Publish
		if !b.slow(d) {
			opts.Current = b.current[i]
		}
		if i > 0 {
			opts.Series = nil // which are of the first
		}
		opts.TrustAnswer = opts.TrustAnswer && !b.slow(d) && len(d.tags) == 1
		published, err := Publish(ctx, b.client, d.repo, d.tags, b.index, opts)
		b.out.Digest, b.out.MediaType, b.out.Size = published.Digest.String(), published.MediaType, published.Size
		if err != nil && len(published.Tags) == 0 {
			return err
		}
		b.out.Published = append(b.out.Published, published)
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) note(format string, args ...any) {
	b.out.Notices = append(b.out.Notices, fmt.Sprintf(format, args...))
}

// deepAtOnce is how many images are unpacked at once: decompression is what it costs.
const deepAtOnce = 2

// deep looks at the programs in every image. The verdicts are by child, empty without Deep.
func (b *builder) deep(ctx context.Context) ([]string, error) {
	verdicts, errs := make([]string, len(b.children)), make([]error, len(b.children))
	names, notes := make([]string, len(b.children)), make([][]string, len(b.children))
	if !b.opts.Deep {
		return verdicts, nil
	}
	var g errgroup.Group
	g.SetLimit(deepAtOnce)
	for i, c := range b.children {
		if c.config == nil {
			continue
		}
		g.Go(func() error {
			report, err := checkLayers(ctx, b.client, c.from, c, b.opts.AllowForeign)
			verdicts[i], names[i], notes[i] = string(report.Verdict), entryName(c.entry), report.Notes
			if err != nil {
				errs[i] = fmt.Errorf("%s (%s): %w", c.entry.Source, names[i], err)
			}
			return nil // every lie is told, not only the first
		})
	}
	_ = g.Wait()
	b.out.Notices = append(b.out.Notices, image.Remarks(names, notes)...)
	return verdicts, errors.Join(errs...)
}

// checkLayers is the truth check of an image in its registry.
func checkLayers(ctx context.Context, c Streamer, repo reference.Named, of *child, allow []string) (image.Report, error) {
	if note := registry.Elsewhere(of.doc.Layers); note != "" {
		return image.Report{Verdict: image.Unverified, Notes: []string{note}}, nil
	}
	root, err := c.Root(ctx, repo, of.doc.Layers)
	if err != nil {
		return image.Report{}, err
	}
	defer root.Close()
	return image.Check(of.config, root, *of.entry.Platform, image.Options{AllowForeign: allow})
}

// Write prints the list for people: an entry a line, then what happened to the tags.
func (c Created) Write(w io.Writer) error {
	rows := [][]string{}
	for _, e := range c.Entries {
		rows = append(rows, []string{e.Platform, e.Digest, e.Source, e.Verdict})
	}
	if err := columns(w, rows); err != nil {
		return err
	}
	for _, p := range c.Published {
		if err := p.Write(w); err != nil {
			return err
		}
	}
	return nil
}
