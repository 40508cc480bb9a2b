package registry

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	defaultRetry = 2 * time.Minute // see Options.Retry

	firstWait = 200 * time.Millisecond // a hiccup is over by then
	maxWait   = 15 * time.Second       // longer and a restarted registry would wait for us

	fewTries     = 4                // what an accident may need, when it may also be lasting
	contactLimit = 10 * time.Second // what a registry that never answered gets: its name is wrong, most often
	noticeAfter  = 5 * time.Second  // a wait that people would ask about
	noticeEvery  = 30 * time.Second

	// waitingAfter is when people begin to ask what is going on; it comes before a silence is over.
	waitingAfter = 3 * time.Second
	// shortSilence is what even a client that never tries again allows for a slow first answer.
	shortSilence = 5 * time.Second

	// slowAnswer is what one that has answered before may take at least: it is there, and may have much to do.
	slowAnswer = 10 * time.Second

	// defaultIdle is how long a connection may stand still. Registries that copy before they answer need some; a
	// line that lost its other end never comes back.
	defaultIdle = 30 * time.Second

	// defaultVerdict is how long a registry may take at most to accept an upload that it has all of: those on object stores copy
	// a blob of gigabytes first.
	defaultVerdict = 10 * time.Minute
	// slowCopy is how many bytes in a second that is thought to be at least, beside defaultIdle: a busy Pi's card has more.
	slowCopy = 1 << 20
)

// run tries an operation until it succeeds, has failed for good, or has failed for too long. The whole operation is
// what is tried again, fetch and verification together.
func (c *Client) run(ctx context.Context, op, ref string, try func(ctx context.Context) error) error {
	return (&tries{client: c, op: op, ref: ref}).run(ctx, try)
}

func (t *tries) run(ctx context.Context, try func(ctx context.Context) error) error {
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if err = t.failed(ctx, err); err != nil {
			return err
		}
	}
}

// tries counts the failures of one operation and the time since the first of them that was waited, not worked.
type tries struct {
	client  *Client
	op, ref string
	count   int
	first   time.Time
	waited  time.Duration // before the first failure, for an answer that did not come
	worked  atomic.Int64  // nanoseconds since the first failure in which content was on its way up
	noticed time.Time
}

// timed is content whose way up counts as work. Between its reads lies no more than a connection may stand still.
func (t *tries) timed(open Open) Open {
	return func() (io.ReadCloser, error) {
		body, err := open()
		return &timedBody{body, t, t.client.now()}, err
	}
}

type timedBody struct {
	io.ReadCloser
	tries *tries
	since time.Time // the last read, or the beginning
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	now := b.tries.client.now()
	b.tries.worked.Add(int64(now.Sub(b.since)))
	b.since = now
	return n, err
}

// failed waits before the next try, or says why there is none.
func (t *tries) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return t.give(&failure{err: context.Cause(ctx)})
	}
	c, f := t.client, asFailure(err)
	now := c.now()
	if t.count++; t.count == 1 {
		t.first, t.waited, t.noticed = now, f.waited, now.Add(noticeAfter-noticeEvery)
		t.worked.Store(0)
	}
	asked, left := retryAfter(f.after, now), t.left(f, now)
	if left <= 0 || asked > left {
		if allowed := max(c.retry, 0); f.again == bounded && asked > allowed {
			f.err = fmt.Errorf("%w; it asks for %s of patience and RETRY allows %s", f.err, asked.Round(time.Second), allowed)
		}
		return t.give(f)
	}
	pause := min(max(backoff(t.count, c.jitter()), asked), left) // the last try comes when the time is up, and not before
	if resume := now.Add(pause); resume.Sub(t.noticed) >= noticeEvery {
		t.noticed = resume
		c.notice(fmt.Sprintf("%s %s: still trying, next in %s: %v", t.op, t.ref, pause.Round(time.Second), f.err))
	}
	if err := c.sleep(ctx, pause); err != nil {
		return t.give(&failure{err: err})
	}
	return nil
}

// left is how long other tries may still be waited for; nothing or less, if there is to be none.
func (t *tries) left(f *failure, now time.Time) time.Duration {
	tried := now.Sub(t.first) - time.Duration(t.worked.Load())
	left := t.client.retry - t.waited - tried
	switch {
	case f.again == never, f.again == few && t.count >= fewTries:
		return 0
	case f.again == contact:
		return min(left, contactLimit-tried)
	}
	return left
}

func (t *tries) give(f *failure) error {
	err := f.err
	if t.count > 1 && f.again != never {
		err = fmt.Errorf("%w (tried %d times in %s)", err, t.count, t.client.now().Sub(t.first).Round(time.Second))
	}
	return &Error{Op: t.op, Ref: t.ref, Status: f.status, Err: err}
}

// backoff doubles from firstWait to maxWait; jitter in [0, 1) takes up to half of it away, so that those who failed together do
// not come back together.
func backoff(count int, jitter float64) time.Duration {
	wait := maxWait
	if shift := count - 1; shift < 10 {
		wait = min(firstWait<<shift, maxWait)
	}
	return wait - time.Duration(jitter*float64(wait)/2)
}

// retryAfter reads the header in both of its forms, seconds and HTTP-date (RFC 9110, 10.2.3); 0 when it has neither.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	date, _ := http.ParseTime(value) // what is none is long ago
	return max(0, date.Sub(now))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func randomJitter() float64 { return rand.Float64() }
