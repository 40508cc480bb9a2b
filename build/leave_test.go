package build

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manymage/manymage/build/engine"
)

// slowBuilder ends a solve so long after its context, and its own close after as long.
type slowBuilder struct {
	engine.Builder
	after time.Duration
}

func (b slowBuilder) Solve(ctx context.Context, _ engine.Solve, _ engine.Hook, _ func(engine.Event)) (engine.Built, error) {
	<-ctx.Done()
	time.Sleep(b.after)
	return engine.Built{}, ctx.Err()
}

func (b slowBuilder) Close() error {
	time.Sleep(b.after)
	return nil
}

// When a run is over it waits for engines that end in good order, and not for ever for one that has frozen.
func TestAFrozenEngineIsLeft(t *testing.T) {
	for name, test := range map[string]struct {
		after, waits time.Duration
		want         error
	}{
		"ends":      {5 * time.Second, 10 * time.Second, context.Canceled},
		"is frozen": {time.Hour, farewell + tidyLimit, errLeft},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New(Options{})
				p.engines[""] = &engine.Engine{}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				begun := time.Now()
				_, err := p.solve(ctx, slowBuilder{after: test.after}, job{}, nil, nil)
				closeAll(map[source]engine.Builder{{}: slowBuilder{after: test.after}})
				if took := time.Since(begun); !errors.Is(err, test.want) || took != test.waits {
					t.Errorf("%v after %s", err, took)
				}
				time.Sleep(2 * time.Hour) // what was left alone ends with the test
			})
		})
	}
}
