package lists

import (
	"context"
	"errors"
	"fmt"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/platforms"
)

// nested is who takes a list inside a list. Docker looks into one since version 23, also with
// graph drivers.
const nested = "containerd and newer Docker look into it, Docker 20.10 and Podman refuse it"

// flatten is what to do about a list inside a list.
func flatten(ref string) string {
	return "make one list of all its images: manifest:create TARGET " + ref
}

// taken is the image at which an engine's way through an index ends.
type taken struct {
	entry  index.Entry
	exact  bool // it is for the platform itself, not for one that runs there, too
	nested bool // it is in an index inside the index
	steps  []string
}

// find resolves a platform in an index as containerd does, which goes on in the indexes inside
// it. Entries without a platform are judged by what is in them, after all others. The steps are
// there when nothing is found, too.
func find(ctx context.Context, c Reader, repo reference.Named, ix index.Index, p ocispec.Platform) (taken, error) {
	w := &walk{client: c, repo: reference.TrimNamed(repo), want: p}
	err := w.index(ctx, ix, 0)
	if errors.Is(err, index.ErrNotFound) {
		err = &index.NotFoundError{Platform: &p, Have: w.have}
	}
	return w.taken, err
}

// walk is one find under way.
type walk struct {
	client Reader
	repo   reference.Named
	want   ocispec.Platform
	have   []ocispec.Platform // what was there instead
	taken
}

func (w *walk) step(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

func (w *walk) index(ctx context.Context, ix index.Index, depth int) error {
	for _, e := range ix.Entries {
		if e.HasPlatform() && !index.IsIndex(e.MediaType) {
			w.have = append(w.have, *e.Platform)
		}
	}
	m, err := ix.Find(w.want)
	w.steps = append(w.steps, m.Steps...)
	if err == nil {
		return w.enter(ctx, m, depth)
	}
	for _, e := range m.Undeclared {
		if err := w.undeclared(ctx, e, depth); !errors.Is(err, index.ErrNotFound) {
			return err
		}
	}
	return err
}

// enter takes the entry that fits, or goes on in it.
func (w *walk) enter(ctx context.Context, m index.Match, depth int) error {
	if index.IsIndex(m.Entry.MediaType) {
		return w.inside(ctx, m.Entry, depth)
	}
	w.entry, w.exact, w.nested = m.Entry, m.Exact, depth > 0
	return nil
}

// inside goes on in an index inside the index.
func (w *walk) inside(ctx context.Context, e index.Entry, depth int) error {
	m, err := listed(ctx, w.client, w.repo, e.Descriptor)
	if err != nil {
		return err
	}
	inner, err := open(w.repo, m, depth+1)
	if err != nil {
		return err
	}
	w.step("%s is a list inside the list: %s", e.Digest, nested)
	return w.index(ctx, inner, depth+1)
}

// undeclared looks into an entry that says nothing of its platform.
func (w *walk) undeclared(ctx context.Context, e index.Entry, depth int) error {
	if index.IsIndex(e.MediaType) {
		return w.inside(ctx, e, depth)
	}
	config, err := configOf(ctx, w.client, w.repo, e)
	if err != nil {
		return err
	}
	has, err := image.PlatformOf(config)
	if err != nil {
		return index.ErrNotFound // it cannot be meant
	}
	e.Platform = &has
	m, err := (index.Index{Entries: []index.Entry{e}}).Find(w.want)
	if err != nil {
		return err
	}
	w.step("the config of %s says %s", e.Digest, platforms.Format(has))
	return w.enter(ctx, m, depth)
}

// configOf reads the config of an image by its descriptor.
func configOf(ctx context.Context, c Reader, repo reference.Named, e index.Entry) ([]byte, error) {
	m, err := listed(ctx, c, repo, e.Descriptor)
	if err != nil {
		return nil, err
	}
	doc, err := readImage(m)
	if err != nil {
		return nil, err
	}
	return c.Config(ctx, reference.TrimNamed(repo), doc.Config)
}
