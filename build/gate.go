package build

import (
	"context"
	"sync"
)

// gate holds everybody who arrives until all have: no image is stored before every image was found good, so that a refusal leaves
// nothing half-built behind.
type gate struct {
	mu      sync.Mutex
	waiting map[int]bool
	open    chan struct{}
}

// newGate makes a gate for n who number themselves from 0.
func newGate(n int) *gate {
	g := &gate{waiting: make(map[int]bool, n), open: make(chan struct{})}
	for i := range n {
		g.waiting[i] = true
	}
	return g
}

// pass waits for the others. Who arrives twice counts once.
func (g *gate) pass(ctx context.Context, i int) error {
	g.mu.Lock()
	if g.waiting[i] {
		delete(g.waiting, i)
		if len(g.waiting) == 0 {
			close(g.open)
		}
	}
	g.mu.Unlock()
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
