package engine

import (
	"context"
	"time"
)

// nameTaken is how a containerd store says that another solve gave the name away between its own look for it and its own taking it. The
// name can be moved as soon as it is there.
var nameTaken = pattern(`image "[^"]+": already exists`)

// namePause is the pause before the second try, which finds all steps cached; it doubles. Two runs that meet once seldom meet again.
const (
	nameTries = 5
	namePause = 20 * time.Millisecond
)

// again makes an attempt anew for as long as its end was that another run took the image's name at that very moment.
func (r *kitSolve) again(ctx context.Context, attempt func(context.Context) (map[string]string, error)) (map[string]string, error) {
	for try, pause := 1, namePause; ; try, pause = try+1, 2*pause {
		stored, err := attempt(ctx)
		if err == nil || try == nameTries || ctx.Err() != nil || r.verdict != nil || !nameTaken().MatchString(err.Error()) {
			return stored, err
		}
		if err := rest(ctx, pause); err != nil {
			return nil, err
		}
		r.steps.reset()
	}
}
