package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	bkclient "github.com/moby/buildkit/client"
)

// traces are what a look into an image leaves in the engine: records in
// BuildKit's cache, which keep the layers of an image that is removed later,
// and at times a container, for which the engine refuses to remove the image.
type traces struct {
	cache   cacheKeeper // nil: there was no look
	records []string    // filters, one for each
	boxes   []func() error

	parted, pruned sync.WaitGroup // of the containers, and of the records
	mu             sync.Mutex
	left           error // what could not be removed
}

// cacheKeeper is the part of BuildKit's client that tells of its cache.
type cacheKeeper interface {
	DiskUsage(context.Context, ...bkclient.DiskUsageOption) ([]*bkclient.UsageInfo, error)
	Prune(context.Context, chan bkclient.UsageInfo, ...bkclient.PruneOption) error
	Close() error
}

// fromLocal is what BuildKit writes on a record that stands for a layer of an
// image in the engine.
const fromLocal = "from local "

// noteRecords finds out which records stand for the image, while the solve uses
// them; whoever is interrupted leaves them, too. Where it fails they stay, as
// after a build.
func (t *traces) noteRecords(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), kitPatience)
	defer stop()
	used, err := t.cache.DiskUsage(ctx, bkclient.WithFilter([]string{fmt.Sprintf("description==%q,inuse", fromLocal)}))
	if err != nil {
		return
	}
	for _, record := range used {
		t.records = append(t.records, recordFilter(record.ID))
	}
}

func recordFilter(id string) string { return "id==" + id }

// remove takes the traces away behind the caller's back.
func (t *traces) remove(ctx context.Context) {
	for _, end := range t.boxes {
		t.parted.Go(func() { t.stays(end()) })
	}
	if t.cache == nil {
		return
	}
	t.pruned.Go(func() {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
		defer stop()
		t.prune(ctx)
		_ = t.cache.Close() // nothing is lost with it
	})
}

// stays keeps what could not be removed.
func (t *traces) stays(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.left = errors.Join(t.left, err)
}

// part waits until no container stands on the image.
func (t *traces) part() { t.parted.Wait() }

// The engine lets go of the records in the background when a solve has ended,
// mostly before it is asked to remove them.
const (
	pruneTries = 3
	prunePause = 20 * time.Millisecond
)

// prune removes the records. One that a build uses or stands on stays: the
// engine sees to that.
func (t *traces) prune(ctx context.Context) {
	for try := range pruneTries {
		if len(t.records) == 0 {
			return
		}
		if try > 0 {
			time.Sleep(prunePause)
		}
		if t.pruneOnce(ctx) != nil {
			return
		}
	}
}

// pruneOnce asks for all records, and waits no longer than until it has heard
// of each: what the engine tidies up behind that takes as long again.
func (t *traces) pruneOnce(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	removed, ended := make(chan bkclient.UsageInfo), make(chan error, 1)
	asked := bkclient.WithFilter(slices.Clone(t.records))
	go func() {
		defer close(removed)
		ended <- t.cache.Prune(ctx, removed, bkclient.PruneAll, asked)
	}()
	for record := range removed {
		t.records = slices.DeleteFunc(t.records, func(filter string) bool { return filter == recordFilter(record.ID) })
		if len(t.records) == 0 {
			stop()
		}
	}
	return <-ended
}

// end waits until the traces are gone, and says what stays.
func (t *traces) end() error {
	t.part()
	t.pruned.Wait()
	return t.left
}
