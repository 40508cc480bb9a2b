package lists

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/registry"
)

const (
	defaultWait = 30 * time.Second
	firstPause  = 100 * time.Millisecond // doubled after each look
	maxPause    = 3 * time.Second
)

// readBack asks the registry what the written tags name, all at once.
func (p *publication) readBack(ctx context.Context, written []int) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, i := range written {
		if p.out.Tags[i].Kept != "" {
			continue // a newer release was there when it was to be written
		}
		g.Go(func() error { return p.confirm(ctx, i) })
	}
	return g.Wait()
}

// confirm waits until the tag names the payload. What it was before means that a replica lags;
// anything else, that somebody published after us.
func (p *publication) confirm(ctx context.Context, i int) error {
	ref, before := p.tags[i].ref, p.out.Tags[i].Previous
	wait := p.opts.Wait
	if wait == 0 {
		wait = defaultWait
	}
	deadline, moves := time.Now().Add(wait), 0
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		desc, err := p.client.Head(ctx, ref)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return fmt.Errorf("%s was published but could not be read back: %w", reference.FamiliarString(ref), err)
		}
		switch {
		case desc.Digest == p.payload.desc.Digest:
			return nil
		case desc.Digest != before && desc.Digest != "":
			before = desc.Digest
			if moves++; moves > looksAgain {
				return &MovedError{Tag: reference.FamiliarString(ref), Expected: p.payload.desc.Digest, Found: before, After: true}
			}
			if done, err := p.overtaken(ctx, i, before); done || err != nil {
				return err
			}
		case time.Now().Add(pause).After(deadline):
			return fmt.Errorf("%s was published as %s, but the registry still serves %s after %s; look again later before anybody relies on it",
				reference.FamiliarString(ref), p.payload.desc.Digest, orNothing(before), wait)
		}
		if err := rest(ctx, pause); err != nil {
			return err
		}
	}
}

func orNothing(d digest.Digest) string {
	if d == "" {
		return "nothing"
	}
	return d.String()
}

// rest waits, or returns early with the context's error.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
