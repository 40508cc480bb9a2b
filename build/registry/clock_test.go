package registry

import (
	"context"
	"sync"
	"time"
)

// clock is time that passes only by being waited for.
type clock struct {
	mu     sync.Mutex
	passed time.Duration
	waits  []time.Duration
}

var epoch = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return epoch.Add(c.passed)
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
	c.waits = append(c.waits, d)
	return ctx.Err()
}

func (c *clock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed, c.waits = 0, nil
}
