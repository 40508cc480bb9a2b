package engine

import (
	"context"
	"time"
)

// rest waits before something is tried again. The error is why the context ended meanwhile.
func rest(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(pause):
		return nil
	}
}
