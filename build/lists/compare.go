package lists

import (
	"context"
	"fmt"
	"io"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// Comparison is what lies between two images or indexes.
type Comparison struct {
	A       Side          `json:"a"`
	B       Side          `json:"b"`
	Same    bool          `json:"same"` // the very same bytes
	Changes index.Changes `json:"changes"`
}

// Side is one of the two.
type Side struct {
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`
	MediaType string        `json:"mediaType"`
}

// Diff compares what two references name. An image counts as an index of one.
func Diff(ctx context.Context, c Reader, a, b string) (Comparison, error) {
	var sides [2]Side
	var contents [2]content
	g, ctx := errgroup.WithContext(ctx)
	for i, text := range []string{a, b} {
		g.Go(func() error {
			ref, err := ParseReference(text)
			if err != nil {
				return err
			}
			found, err := lookAt(ctx, c, ref)
			if err != nil {
				return err
			}
			if found.desc.Digest == "" {
				return fmt.Errorf("%s: %w", reference.FamiliarString(ref), registry.ErrNotFound)
			}
			contents[i] = found
			sides[i] = Side{reference.FamiliarString(ref), found.desc.Digest, found.desc.MediaType}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return Comparison{}, err
	}
	return Comparison{A: sides[0], B: sides[1], Same: sides[0].Digest == sides[1].Digest,
		Changes: index.Diff(contents[0].index, contents[1].index)}, nil
}

// Write prints the difference, a line for each change.
func (c Comparison) Write(w io.Writer) error {
	d := &drawing{w: w}
	d.line(0, "a %s %s", c.A.Reference, c.A.Digest)
	d.line(0, "b %s %s", c.B.Reference, c.B.Digest)
	for _, line := range c.Changes.Lines() {
		d.line(0, "%s", line)
	}
	switch {
	case !c.Changes.Empty():
	case c.Same:
		d.line(0, "they are the same")
	default:
		d.line(0, "they say the same in different bytes")
	}
	return d.err
}
