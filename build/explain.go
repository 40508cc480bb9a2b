package build

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/manymage/manymage/build/engine"
)

// explain says more of a failed solve than the engine can, which knows nothing of a registry's other platforms, of the Dockerfile's
// stages, and of what it was not sent.
func (p *Pipeline) explain(ctx context.Context, j job, err error) {
	var step *engine.StepError
	var base *engine.BaseError
	switch {
	case !errors.As(err, &step):
	case errors.As(err, &base):
		p.explainBase(ctx, j, step, base)
	case step.Missing != "":
		step.Says, step.Cure = p.context(j.path).Missing(step.Missing)
	}
}

// explainBase finds the line that names the image, and what the image has instead of the platform that is wanted.
func (p *Pipeline) explainBase(ctx context.Context, j job, step *engine.StepError, base *engine.BaseError) {
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
// then alone: where all is well it would be a request for nothing.
func (p *Pipeline) lacking(ctx context.Context, b *wantedBase) error {
	ctx, cancel := context.WithTimeout(ctx, foresightLimit)
	defer cancel()
	found, err := p.offered(ctx, b)
	for _, platform := range b.wanted {
		if err == nil && !found.has(platform) {
			return p.lack(platform, found.list.Platforms())
		}
	}
	return p.lack(b.wanted[len(b.wanted)-1], nil)
}
