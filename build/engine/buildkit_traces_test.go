package engine

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	bkclient "github.com/moby/buildkit/client"
)

// cacheDouble is a cache whose records are let go of one after the other, each
// time somebody prunes; one named "kept" never is. It tidies up for as long as
// anybody waits once none is left.
type cacheDouble struct {
	records []string
	prunes  int
	closed  atomic.Bool // asked while the records are removed
}

func (c *cacheDouble) DiskUsage(ctx context.Context, _ ...bkclient.DiskUsageOption) ([]*bkclient.UsageInfo, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var out []*bkclient.UsageInfo
	for _, id := range c.records {
		out = append(out, &bkclient.UsageInfo{ID: id})
	}
	return out, nil
}

func (c *cacheDouble) Prune(ctx context.Context, removed chan bkclient.UsageInfo, opts ...bkclient.PruneOption) error {
	c.prunes++
	var asked bkclient.PruneInfo
	for _, opt := range opts {
		opt.SetPruneOption(&asked)
	}
	for i, id := range c.records {
		if id != "kept" && slices.Contains(asked.Filter, "id=="+id) {
			removed <- bkclient.UsageInfo{ID: id}
			c.records = slices.Delete(c.records, i, i+1)
			break
		}
	}
	if len(c.records) == 0 {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (c *cacheDouble) Close() error { c.closed.Store(true); return nil }

func TestTracesAreRemoved(t *testing.T) {
	for name, test := range map[string]struct {
		records, later, left []string
		prunes               int
	}{
		"none":                       {},
		"one":                        {records: []string{"a"}, prunes: 1},
		"two, let go of in turn":     {records: []string{"a", "b"}, prunes: 2},
		"one that a build stands on": {records: []string{"a", "kept"}, left: []string{"kept"}, prunes: pruneTries},
		"what others made meanwhile": {records: []string{"a"}, later: []string{"b"}, left: []string{"b"}, prunes: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			cache := &cacheDouble{records: test.records}
			traces := traces{cache: cache}
			traces.noteRecords(t.Context())
			cache.records = append(cache.records, test.later...)
			traces.remove(t.Context())
			if err := traces.end(); err != nil || !slices.Equal(cache.records, test.left) || cache.prunes != test.prunes || !cache.closed.Load() {
				t.Errorf("%s: %q are left after %d prunes, closed %t, %v", name, cache.records, cache.prunes, cache.closed.Load(), err)
			}
		})
	}
}

// The engine keeps an image as long as a container stands on it, whatever else is slow; what stays of either is told.
func TestContainersPartFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := errors.New("it stays")
		var parted bool
		traces := traces{cache: &cacheDouble{records: []string{"kept"}}, boxes: []func() error{
			func() error { time.Sleep(prunePause / 2); parted = true; return nil },
			func() error { return left },
		}}
		traces.noteRecords(t.Context())
		traces.remove(t.Context())
		traces.part()
		if closed := traces.cache.(*cacheDouble).closed.Load(); !parted || closed {
			t.Errorf("parted %t, and waited for the records: %t", parted, closed)
		}
		if err := traces.end(); !errors.Is(err, left) {
			t.Errorf("at the end: %v", err)
		}
	})
}
