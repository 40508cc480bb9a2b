package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// basesParallel is how many registries are asked at once: most Dockerfiles have one base or two.
const basesParallel = 4

// basesHealth is whether the base images are there, for the platforms that are built.
func (p *Pipeline) basesHealth(ctx context.Context, jobs []job) ([]Checked, error) {
	bases := p.basesOf(jobs)
	if len(bases) == 0 {
		return nil, nil
	}
	out := make([]Checked, len(bases))
	offers := p.offers(ctx, bases)
	var g errgroup.Group
	g.SetLimit(basesParallel)
	for i, b := range bases {
		g.Go(func() error {
			out[i] = p.baseHealth(ctx, b, offers[b.image])
			return nil
		})
	}
	_ = g.Wait() // what is wrong is in out
	return out, ctx.Err()
}

// offers ask for each image once, however many engines want it.
func (p *Pipeline) offers(ctx context.Context, bases bases) map[string]func() (offer, error) {
	out := make(map[string]func() (offer, error))
	for _, b := range bases {
		out[b.image] = sync.OnceValues(func() (offer, error) { return p.offered(ctx, b) })
	}
	return out
}

// baseHealth is whether an engine will find a base for all platforms that are wanted of it.
func (p *Pipeline) baseHealth(ctx context.Context, b *wantedBase, ask func() (offer, error)) Checked {
	if err := p.refusesBase(ctx, b); err != nil {
		return wrong("base", err)
	}
	at := fmt.Sprintf("%s (%s)%s", b.image, b.where, p.on(b.node))
	found, err := ask()
	if err != nil {
		return p.hiddenHealth(ctx, b, at, err)
	}
	have := found.list.Platforms()
	var others []ocispec.Platform
	for _, platform := range b.wanted {
		switch {
		case found.plain && !p.classic(b.node):
			if !platforms.Equal(have[0], platform) {
				others = append(others, platform)
			}
		case !found.has(platform):
			return wrong("base", fmt.Errorf("%s %w", at, p.lack(platform, have)))
		}
	}
	switch foreign := slices.ContainsFunc(b.wanted, found.foreign); {
	case !found.plain && foreign:
		return noted("base", "%s has %s, another machine's programs, which are refused in the image", at, found.matched(b.wanted))
	case len(others) > 0:
		return noted("base", "%s is an image for %s, and will be taken for %s, too", at, platforms.Format(have[0]), strings.Join(formatted(others), " "))
	case found.plain:
		return fine("base", "%s is an image for %s", at, platforms.Format(have[0]))
	}
	return fine("base", "%s has %s", at, found.matched(b.wanted))
}

// hiddenHealth is that of a base that no registry shows: an engine may have it, by its name for one platform.
func (p *Pipeline) hiddenHealth(ctx context.Context, b *wantedBase, at string, err error) Checked {
	lacks := func(platform ocispec.Platform) bool { return !p.keeps(ctx, b, platform, err) }
	lack := slices.IndexFunc(b.wanted, lacks)
	if lack < 0 {
		return noted("base", "%s is in the engine, and nowhere else: %v", at, err)
	}
	if kept, found := p.inEngine(ctx, b); found {
		return wrong("base", fmt.Errorf("%s is the image for %s in the engine, and its registry has to have it for %s: %w; push it there for all platforms",
			at, platforms.Format(kept), platforms.Format(b.wanted[lack]), err))
	}
	if b.hint != "" {
		at = fmt.Sprintf("%s%s: %s, and the image %s", b.where, p.on(b.node), b.hint, b.image)
	}
	var said *engine.BaseError // of an engine that found no more, which says what to do
	switch {
	case errors.As(err, &said):
		return wrong("base", fmt.Errorf("%s: %w", at, err))
	case errors.Is(err, registry.ErrUnreachable):
		return noted("base", "%s: %v; the engine may have a mirror", at, err)
	case errors.Is(err, registry.ErrNotFound):
		err = engine.NoImage(b.image)
	}
	return wrong("base", fmt.Errorf("%s: %w", at, err))
}

// keeps tells whether an engine has a base for a platform, and builds on it though asking the registry ended with this error.
func (p *Pipeline) keeps(ctx context.Context, b *wantedBase, platform ocispec.Platform, err error) bool {
	if kept, found := p.inEngine(ctx, b); found && offerOf([]ocispec.Platform{kept}, true).has(platform) {
		return true
	}
	return p.classic(b.node) && !errors.Is(err, registry.ErrNotFound) && p.engines[b.node].Remembered(ctx, b.image, platform, err).ID != ""
}

// inEngine is what an engine has an image for, if it has it.
func (p *Pipeline) inEngine(ctx context.Context, b *wantedBase) (ocispec.Platform, bool) {
	e := p.engines[b.node]
	if e == nil {
		return ocispec.Platform{}, false
	}
	kept, err := e.Inspect(ctx, b.image)
	return kept.Platform, err == nil
}
