package build

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/progress"
)

// explain says more of an image that a solve did not get than the engine can, which knows nothing of a registry's other platforms and of
// the Dockerfile's stages: the line that names it, and what there is instead. Of an image that was refused it tells the bases that may have
// brought what is wrong with it.
func (p *Pipeline) explain(ctx context.Context, j job, err error) {
	if errors.Is(err, image.ErrRefused) {
		p.tellForeign(ctx, j)
		return
	}
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

// tellForeign warns of bases that have another machine's programs for the platform. The registries are asked then alone, all in the time
// that a build waits for one.
func (p *Pipeline) tellForeign(ctx context.Context, j job) {
	ctx, cancel := context.WithTimeout(ctx, foresightLimit)
	defer cancel()
	for _, b := range p.basesOf([]job{j}) {
		found, err := p.offered(ctx, b)
		if err == nil && !found.plain && slices.ContainsFunc(b.wanted, found.foreign) {
			p.opts.Show(progress.Warning{Platform: j.name, Text: fmt.Sprintf("the base %s (%s) has %s, another machine's programs: take another base, or leave the platform out of ARCHES",
				b.image, b.where, found.matched(b.wanted))})
		}
	}
}
