package build

import (
	"context"
	"errors"
	"time"

	"github.com/distribution/reference"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/registry"
)

// foresightLimit is how long a build waits for its registry to say whether it takes pushes; a push waits longer, and decides.
const foresightLimit = 5 * time.Second

// foresight is a look at the image's registry, on its way while the build is prepared. A nil one sees nothing.
type foresight struct {
	cancel context.CancelFunc
	seen   chan struct{} // closed when err is known
	err    error
	gone   chan struct{} // closed when nothing is left of it in the registry
}

// Foresee begins to look at the image's registry, before a build that Push follows: a run does not build for an hour and only then
// find nobody there, or no right to push. Build ends with what it finds before anything is built. Tags and images are Push's
// business, being others by then.
func (p *Pipeline) Foresee(ctx context.Context) error {
	if _, err := p.scanner(); err != nil {
		return err
	}
	if p.foresight != nil || p.built != nil || p.cfg.Embedded { // which this process serves
		return nil
	}
	ref, err := reference.ParseNormalizedNamed(p.cfg.ListRefs()[0])
	if err != nil {
		return err
	}
	client, err := p.Registry()
	if err != nil {
		return err
	}
	p.foresight = foresee(ctx, client, ref)
	return nil
}

func foresee(ctx context.Context, client *registry.Client, ref reference.Named) *foresight {
	f := &foresight{seen: make(chan struct{}), gone: make(chan struct{})}
	ctx, f.cancel = context.WithCancel(ctx)
	go func() {
		defer close(f.gone)
		var tidy func(context.Context)
		tidy, f.err = look(ctx, client, ref)
		close(f.seen)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), foresightLimit)
		defer cancel()
		tidy(ctx)
	}()
	return f
}

// look asks at once whether the registry is there and whether it takes pushes. tidy, never nil, takes back what asking has left.
func look(ctx context.Context, client *registry.Client, ref reference.Named) (tidy func(context.Context), err error) {
	g, ctx := errgroup.WithContext(registry.WithPush(ctx, ref))
	g.Go(func() error {
		if _, err := client.Head(ctx, ref); errors.Is(err, registry.ErrUnreachable) {
			return err
		}
		return nil
	})
	g.Go(func() (err error) {
		ctx, cancel := context.WithTimeout(ctx, foresightLimit)
		defer cancel()
		tidy, err = client.MayPush(ctx, ref)
		return err
	})
	err = g.Wait()
	return tidy, err
}

// wait gives what the look has found to be in the way of a push.
func (f *foresight) wait(ctx context.Context) error {
	if f == nil {
		return nil
	}
	select {
	case <-f.seen:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end ends a look that nobody waits for any more, and leaves nothing in the registry.
func (f *foresight) end() {
	if f != nil {
		f.cancel()
		<-f.gone
	}
}
