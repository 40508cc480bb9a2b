package faults

import (
	"net/http"
	"sync"
	"testing"
)

// Lockstep holds every request of a round until all of the round are there, and then lets them go together. That a client
// gets through shows that it sends each round at once, with no clock involved; one that waits for an answer in the middle
// of a round waits for ever, which its context ends.
type Lockstep struct {
	t testing.TB

	mu     sync.Mutex
	rounds []int // what is still to come
	here   int
	open   chan struct{}
}

// NewLockstep expects as many requests in each round.
func NewLockstep(t testing.TB, rounds ...int) *Lockstep {
	return &Lockstep{t: t, rounds: rounds, open: make(chan struct{})}
}

// Hold is for Proxy.Hold.
func (l *Lockstep) Hold(r *http.Request) {
	l.mu.Lock()
	if len(l.rounds) == 0 {
		l.mu.Unlock()
		l.t.Errorf("one request too many: %s %s", r.Method, r.URL)
		return
	}
	open := l.open
	if l.here++; l.here == l.rounds[0] {
		close(l.open)
		l.rounds, l.here, l.open = l.rounds[1:], 0, make(chan struct{})
	}
	l.mu.Unlock()
	select {
	case <-open:
	case <-r.Context().Done():
	case <-l.t.Context().Done():
	}
}

// Done reports the rounds that never came.
func (l *Lockstep) Done() {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rounds) > 0 {
		l.t.Errorf("rounds of %v requests are still to come, with %d of the first there", l.rounds, l.here)
	}
}
