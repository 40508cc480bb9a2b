package lists

import (
	"context"
	"fmt"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/platforms"
)

// find resolves a platform in an index as an engine does. Entries without a platform are
// judged by their configs, after all others.
func find(ctx context.Context, c Reader, repo reference.Named, ix index.Index, p ocispec.Platform) (index.Entry, []string, error) {
	m, err := ix.Find(p)
	if err == nil {
		return m.Entry, m.Steps, nil
	}
	for _, e := range m.Undeclared {
		config, readErr := configOf(ctx, c, repo, e)
		if readErr != nil {
			return index.Entry{}, m.Steps, readErr
		}
		have, readErr := image.PlatformOf(config)
		if readErr != nil {
			continue
		}
		e.Platform = &have
		if inner, innerErr := (index.Index{Entries: []index.Entry{e}}).Find(p); innerErr == nil {
			steps := append(m.Steps, fmt.Sprintf("the config of %s says %s", e.Digest, platforms.Format(have)))
			return inner.Entry, steps, nil
		}
	}
	return index.Entry{}, m.Steps, err
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
