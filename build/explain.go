package build

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/manymage/manymage/build/engine"
)

// explain says more of an image that a solve did not get than the engine can, which knows nothing of a registry's other platforms and of
// the Dockerfile's stages: the line that names it, and what there is instead.
func (p *Pipeline) explain(ctx context.Context, j job, err error) {
	var step *engine.StepError
	var base *engine.BaseError
	if !errors.As(err, &step) || !errors.As(err, &base) {
		return
	}
	all := p.basesOf([]job{j})
	i := slices.IndexFunc(all, func(b *wantedBase) bool { return b.image == base.Image })
	if i < 0 {
		return
	}
	b := all[i]
	if step.Line == 0 {
		step.Line = b.line
	}
	switch {
	case errors.Is(base, engine.ErrNoPlatform):
		step.Says = fmt.Sprintf("the image %s %v", b.image, p.lacking(ctx, b))
	case b.hint != "":
		step.Says = fmt.Sprintf("%s, and the image %s: %v", b.hint, b.image, base)
	}
}

// lacking asks the registry, or the engine to do so, what there is of a base that an engine did not find for a platform. It is asked
// then alone: where all is well it would be a request for nothing. Each has a time of its own, so that the silence of the registry does
// not keep the engine from being asked.
func (p *Pipeline) lacking(ctx context.Context, b *wantedBase) error {
	found, err := inTime(ctx, func(ctx context.Context) (offer, error) { return p.inRegistry(ctx, b) })
	found, err = p.orEngine(ctx, b, found, err)
	for _, platform := range b.wanted {
		if err == nil && !found.has(platform) {
			return p.lack(platform, found.list.Platforms())
		}
	}
	return p.lack(b.wanted[len(b.wanted)-1], nil)
}
