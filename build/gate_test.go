package build

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestGateHoldsUntilAllArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2)
		passed := make(chan error, 1)
		go func() { passed <- g.pass(t.Context(), 0) }()
		synctest.Wait()
		select {
		case err := <-passed:
			t.Fatalf("the first passed alone: %v", err)
		default:
		}
		if err := g.pass(t.Context(), 1); err != nil {
			t.Fatalf("the last is held: %v", err)
		}
		if err := <-passed; err != nil {
			t.Fatalf("the first is turned away: %v", err)
		}
	})
}

func TestGateCountsWhoComesTwiceOnce(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("another platform was refused")
	cancel(stop)
	g := newGate(2)
	for range 2 {
		if err := g.pass(ctx, 0); !errors.Is(err, stop) {
			t.Fatalf("pass = %v, want the reason of the cancellation", err)
		}
	}
}
