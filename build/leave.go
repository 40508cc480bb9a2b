package build

import (
	"context"
	"errors"
	"time"
)

// farewell is how long an engine may take to end a solve that nobody wants any more: Podman is given a minute for the step that it is
// in, others need seconds.
const farewell = 75 * time.Second

// errLeft: an engine has frozen, and ends nothing.
var errLeft = errors.New("does not end a build that was stopped: look into its log, or start it again")

// leave calls do, and when ctx is over waits for its end no longer than limit. It tells whether do has come to its end.
func leave(ctx context.Context, limit time.Duration, do func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-done:
		return true
	case <-late.C:
		return false
	}
}
