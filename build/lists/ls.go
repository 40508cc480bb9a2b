package lists

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// tagsAtOnce bounds Ls: repositories have thousands of tags, and registries count requests.
const tagsAtOnce = 16

// Listing is what is in a repository.
type Listing struct {
	Repository string   `json:"repository"`
	Tags       []Tagged `json:"tags"` // in the order of their names
}

// Tagged is one tag.
type Tagged struct {
	Tag       string        `json:"tag"`
	Digest    digest.Digest `json:"digest,omitempty"`
	Kind      string        `json:"kind,omitempty"` // "index", "image", "artifact" or "unknown"; empty of a name alone
	Platforms []string      `json:"platforms,omitempty"`
	Created   *time.Time    `json:"created,omitempty"` // of the first image, or the annotation's word
	Problem   string        `json:"problem,omitempty"`
}

// manyTags are more than are read while somebody waits without a word.
const manyTags = 200

// LsOptions say what Ls tells. The zero value is everything.
type LsOptions struct {
	// Names leaves it at the names of the tags: one request for a thousand of them, and not two for each.
	Names bool
	// Notice is told that it will take long; nil: nobody is.
	Notice func(string)
}

// Ls lists the tags of a repository with what they name. A tag that cannot be read says so in
// its line; when none of them can be read, that is the error.
func Ls(ctx context.Context, c LsClient, repository string, opts LsOptions) (Listing, error) {
	repo, err := ParseRepository(repository)
	if err != nil {
		return Listing{}, err
	}
	tags, err := c.Tags(ctx, repo)
	if err != nil {
		return Listing{}, err
	}
	out := Listing{Repository: reference.FamiliarName(repo), Tags: make([]Tagged, len(tags))}
	if opts.Names {
		for i, tag := range tags {
			out.Tags[i].Tag = tag
		}
		return out, nil
	}
	if len(tags) > manyTags && opts.Notice != nil {
		opts.Notice(fmt.Sprintf("%s has %d tags, each of which is read; -names lists them alone", out.Repository, len(tags)))
	}
	errs := make([]error, len(tags))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(tagsAtOnce)
	ls := &lister{c: c, repo: repo, seen: map[digest.Digest]func() (Tagged, error){}}
	for i, tag := range tags {
		g.Go(func() error {
			out.Tags[i], errs[i] = ls.tag(ctx, tag)
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return Listing{}, err
	}
	if len(errs) > 0 && !slices.Contains(errs, nil) {
		return out, fmt.Errorf("no tag of %s can be read: %w", out.Repository, errs[0])
	}
	return out, nil
}

// LsClient is what Ls needs.
type LsClient interface {
	Reader
	Lister
}

// lister describes tags. Several are mostly names of the same: 1, 1.2, 1.2.3 and latest.
type lister struct {
	c    Reader
	repo reference.Named

	mu   sync.Mutex
	seen map[digest.Digest]func() (Tagged, error)
}

func (l *lister) tag(ctx context.Context, tag string) (Tagged, error) {
	t := Tagged{Kind: "unknown"}
	ref, err := withTag(l.repo, tag)
	var m registry.Manifest
	if err == nil {
		m, err = l.c.Manifest(ctx, ref)
	}
	if err == nil {
		t, err = l.once(m.Descriptor.Digest, func() (Tagged, error) {
			t := Tagged{Kind: "unknown", Digest: m.Descriptor.Digest}
			err := t.read(ctx, l.c, ref, m)
			return t, err
		})
	}
	t.Tag = tag
	if err != nil {
		t.Problem = reason(err)
	}
	return t, err
}

// once describes what several tags name, whichever is first.
func (l *lister) once(d digest.Digest, read func() (Tagged, error)) (Tagged, error) {
	l.mu.Lock()
	get, ok := l.seen[d]
	if !ok {
		get = sync.OnceValues(read)
		l.seen[d] = get
	}
	l.mu.Unlock()
	return get()
}

func (t *Tagged) read(ctx context.Context, c Reader, ref reference.NamedTagged, m registry.Manifest) error {
	if !index.IsIndex(m.Descriptor.MediaType) {
		return t.readOne(ctx, c, ref, m)
	}
	t.Kind = "index"
	ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
	if err != nil {
		return err
	}
	t.Platforms = formatAll(ix.Platforms())
	if t.dated(ix.Annotations) || len(ix.Entries) == 0 || !index.IsImage(ix.Entries[0].MediaType) {
		return nil
	}
	config, err := configOf(ctx, c, ref, ix.Entries[0])
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	return t.take(config, false)
}

func (t *Tagged) readOne(ctx context.Context, c Reader, ref reference.NamedTagged, m registry.Manifest) error {
	doc, err := readImage(m)
	if err != nil {
		return err
	}
	t.Kind = "artifact"
	if !isImageConfig(doc.Config.MediaType) {
		t.dated(doc.Annotations)
		return nil
	}
	t.Kind = "image"
	config, err := c.Config(ctx, reference.TrimNamed(ref), doc.Config)
	if err != nil {
		return err
	}
	return t.take(config, true)
}

// take reads the date, and the platform of a single image, out of a config.
func (t *Tagged) take(config []byte, platform bool) error {
	if config == nil {
		return nil
	}
	facts, err := image.FactsOf(config)
	if err != nil {
		return err
	}
	if !facts.Created.IsZero() {
		t.Created = &facts.Created
	}
	if platform {
		t.Platforms = formatAll([]ocispec.Platform{facts.Platform})
	}
	return nil
}

func (t *Tagged) dated(annotations map[string]string) bool {
	created, err := time.Parse(time.RFC3339, annotations[ocispec.AnnotationCreated])
	if err != nil {
		return false
	}
	t.Created = &created
	return true
}

// Write prints a tag a line.
func (l Listing) Write(w io.Writer) error {
	if len(l.Tags) == 0 {
		_, err := fmt.Fprintf(w, "%s has no tags\n", l.Repository)
		return err
	}
	if l.Tags[0].Kind == "" {
		for _, t := range l.Tags {
			if _, err := fmt.Fprintln(w, t.Tag); err != nil {
				return err
			}
		}
		return nil
	}
	rows := [][]string{{"TAG", "KIND", "CREATED", "DIGEST", "PLATFORMS"}}
	for _, t := range l.Tags {
		created := ""
		if t.Created != nil {
			created = t.Created.UTC().Format("2006-01-02 15:04")
		}
		about := strings.Join(t.Platforms, " ")
		if t.Problem != "" {
			about = "PROBLEM " + brief(t.Problem)
		}
		rows = append(rows, []string{t.Tag, t.Kind, created, t.Digest.String(), about})
	}
	return columns(w, rows)
}
