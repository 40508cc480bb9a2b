package lists

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// unfold says of every image of a list for which platform it is: a list inside gives way to its
// images, which have more to say than it has, and an image without a platform gets its
// config's. What is not in the registry, or cannot be understood, stays as it is: nobody can
// pull it. Lists without such entries, which most are, cost no request.
func unfold(ctx context.Context, c Reader, repo reference.Named, ix index.Index) (index.Index, error) {
	parts, err := unfoldEach(ctx, c, repo, ix)
	ix.Entries = slices.Concat(parts...)
	return ix, err
}

// unfoldEach is unfold with what comes of each entry apart.
func unfoldEach(ctx context.Context, c Reader, repo reference.Named, ix index.Index) ([][]index.Entry, error) {
	u := unfolder{client: c, repo: reference.TrimNamed(repo)}
	return u.entries(ctx, ix.Entries, 0)
}

// open reads a list inside a list, which lies at a depth.
func open(repo reference.Named, m registry.Manifest, depth int) (index.Index, error) {
	name := at(reference.TrimNamed(repo), m.Descriptor.Digest)
	if depth > maxNesting {
		return index.Index{}, fmt.Errorf("%s: lists inside lists, more than %d deep; give the images instead", name, maxNesting)
	}
	inner, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
	if err != nil {
		return index.Index{}, fmt.Errorf("%s: %w", name, err)
	}
	return inner, nil
}

// inside names the lists inside a list.
func inside(ix index.Index) []digest.Digest {
	var out []digest.Digest
	for _, e := range ix.Entries {
		if index.IsIndex(e.MediaType) {
			out = append(out, e.Digest)
		}
	}
	return out
}

// unfolded tells of the lists inside a list that have given way to their images, "" of none.
func unfolded(before, after index.Index) string {
	gone := inside(before)
	gone = slices.DeleteFunc(gone, func(d digest.Digest) bool { return slices.Contains(inside(after), d) })
	if len(gone) == 0 {
		return ""
	}
	names := make([]string, len(gone))
	for i, d := range gone {
		names[i] = d.String()
	}
	return "lists inside the list are flattened, and their images stand in the list itself: " + strings.Join(names, ", ")
}

// unfolder is one unfold under way.
type unfolder struct {
	client Reader
	repo   reference.Named
	strict bool // for a new list: lists inside must be readable, and its images are read afterwards anyway
}

func (u unfolder) entries(ctx context.Context, entries []index.Entry, depth int) ([][]index.Entry, error) {
	parts := make([][]index.Entry, len(entries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for i, e := range entries {
		parts[i] = []index.Entry{e}
		undeclared := e.Platform == nil && index.IsImage(e.MediaType) && !e.IsAttestation()
		if index.IsIndex(e.MediaType) || undeclared && !u.strict {
			g.Go(func() (err error) {
				parts[i], err = u.entry(ctx, e, depth)
				return err
			})
		}
	}
	return parts, g.Wait()
}

func (u unfolder) entry(ctx context.Context, e index.Entry, depth int) ([]index.Entry, error) {
	as := []index.Entry{e}
	m, err := listed(ctx, u.client, u.repo, e.Descriptor)
	switch {
	case unusable(err) && !u.strict:
		return as, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", entryName(e), err)
	case index.IsIndex(m.Descriptor.MediaType):
		return u.list(ctx, e, m, depth+1)
	}
	one, err := indexOfOne(ctx, u.client, u.repo, m)
	if err != nil && !unusable(err) {
		return nil, fmt.Errorf("%s: %w", entryName(e), err)
	}
	if p := one.Platforms(); len(p) == 1 {
		has := platforms.Normalize(p[0])
		as[0].Platform = &has
	}
	return as, nil
}

// unusable reports whether the registry has answered, for good, with nothing that could be pulled.
func unusable(err error) bool {
	return errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrUnsupported) || errors.Is(err, registry.ErrCorrupt)
}

// list gives the images of a list inside the list, named by it.
func (u unfolder) list(ctx context.Context, e index.Entry, m registry.Manifest, depth int) ([]index.Entry, error) {
	inner, err := open(u.repo, m, depth)
	switch {
	case err != nil && u.strict:
		return nil, err
	case err != nil:
		return []index.Entry{e}, nil
	}
	parts, err := u.entries(ctx, inner.Entries, depth)
	out := slices.Concat(parts...)
	for i := range out {
		if out[i].Source == "" {
			out[i].Source = fmt.Sprintf("%s of %s", entryName(out[i]), at(u.repo, e.Digest))
		}
	}
	return out, err
}
