package engine

import (
	"context"
	"sync"
	"time"
)

// An Event is something that happened during a Solve or a Push: a Step, an
// Output, Bytes, a Notice or a Warning.
type Event interface{ event() }

// State is where a step stands.
type State int

// The states of a step. All but Running end it; BuildKit may begin it again.
const (
	Running State = iota
	Done
	Cached
	Failed   // by itself
	Canceled // stopped because another step failed, or because the caller wanted it so
)

// Step says that a step of the build begins or ends. Of one that waits for
// others nothing is said.
type Step struct {
	ID    string
	Name  string // as people know it: "[build 2/4] RUN make"
	State State
	Took  time.Duration // of one that has ended, by the engine's clock; 0: it does not say
	Error string        // of a Failed one
	Line  int           // in the Dockerfile; 0: not known
}

// ended is the step after an error, or none.
func (s Step) ended(ctx context.Context, err error) Step {
	switch {
	case err == nil:
		s.State = Done
	case ctx.Err() != nil:
		s.State = Canceled
	default:
		s.State, s.Error = Failed, err.Error()
	}
	return s
}

// Output is what a step printed, in any portions.
type Output struct {
	Step string // its ID
	Text string
}

// Bytes says how far a transfer is, all its layers together. Events come until
// one that is Done; there is none if the transfer fails.
type Bytes struct {
	Name    string // "push", "pull", "pull alpine:3", "context"
	Current int64
	Total   int64 // of what is known so far; 0: nothing is
	Done    bool
}

// Notice is something that the user should be told once.
type Notice struct{ Text string }

// Warning is something about the Dockerfile that may be a mistake. Warnings
// are not in the order of the steps.
type Warning struct {
	Text string
	Line int // 0: not known
}

func (Step) event()    {}
func (Output) event()  {}
func (Bytes) event()   {}
func (Notice) event()  {}
func (Warning) event() {}

// serial keeps callers on several goroutines out of each other's way. nil is
// for a caller that wants to be told nothing.
func serial(emit func(Event)) func(Event) {
	if emit == nil {
		return func(Event) {}
	}
	var mu sync.Mutex
	return func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		emit(e)
	}
}
