package progress

import (
	"slices"
	"time"

	"github.com/manymage/manymage/build/lines"
)

// board knows what every platform is doing: the state that events change and displays draw.
type board struct {
	lanes  []*lane // in order of appearance; the run's own lane, if any, has no platform
	failed []*step // in order of failure
}

// lane is one platform.
type lane struct {
	platform string
	strategy string
	began    time.Time
	steps    map[string]*step
	running  []*step     // the newest last
	moving   []*transfer // under way
	verdict  string
	ended    bool
	took     time.Duration
	err      string
	outcome  string
}

// step is one step of a lane, and the end of what it has printed.
type step struct {
	Step
	began time.Time
	pace  pace
	known bool // an event has told of it; output alone may come first
	out   tail
	lines lines.Splitter // of output that is shown as it comes
}

// transfer is one that is under way.
type transfer struct {
	Bytes
	began time.Time
	pace  pace
}

// lane finds or makes the lane of a platform.
func (b *board) lane(platform string, now time.Time) *lane {
	for _, l := range b.lanes {
		if l.platform == platform {
			return l
		}
	}
	l := &lane{platform: platform, began: now, steps: map[string]*step{}}
	b.lanes = append(b.lanes, l)
	return l
}

// step finds or makes a step of a lane.
func (l *lane) step(id, name string, now time.Time) *step {
	s, ok := l.steps[id]
	if !ok {
		s = &step{Step: Step{Platform: l.platform, ID: id, Name: name}, began: now}
		l.steps[id] = s
	}
	return s
}

// start makes a lane ready for work: for a build, and again for a push.
func (b *board) start(e Started, now time.Time) {
	l := b.lane(e.Platform, now)
	if !l.ended {
		l.strategy = e.Strategy
		return
	}
	if l.err == "" { // it got over what failed
		b.failed = slices.DeleteFunc(b.failed, func(s *step) bool { return s.Platform == l.platform })
	}
	*l = lane{platform: l.platform, strategy: e.Strategy, began: now, steps: map[string]*step{}}
}

// apply takes a step's event into account, and gives the step back with the time that it took, and whether this is news: a
// step that runs already, or that ended in this very way, is none.
func (b *board) apply(e Step, now time.Time) (s *step, news bool) {
	l := b.lane(e.Platform, now)
	s = l.step(e.ID, e.Name, now)
	news = !s.known || s.State != e.State
	s.known = true
	if e.Name == "" {
		e.Name = s.Name
	}
	s.Step = e
	l.running = slices.DeleteFunc(l.running, func(r *step) bool { return r == s })
	switch e.State {
	case Running:
		if news {
			s.began, s.pace = now, pace{now.Add(longStep), longStep}
		}
		l.running = append(l.running, s)
		return s, news
	case Failed:
		if news {
			b.failed = append(b.failed, s)
		}
	default:
		s.out = tail{}
	}
	if s.Took == 0 {
		s.Took = now.Sub(s.began)
	}
	return s, news
}

// transfer takes a transfer's event into account, and gives the transfer.
func (b *board) transfer(e Bytes, now time.Time) *transfer {
	l := b.lane(e.Platform, now)
	i := slices.IndexFunc(l.moving, func(m *transfer) bool { return m.Name == e.Name })
	if i < 0 {
		i = len(l.moving)
		l.moving = append(l.moving, &transfer{began: now, pace: pace{now.Add(longTransfer), longTransfer}})
	}
	t := l.moving[i]
	t.Bytes = e
	if e.Done {
		l.moving = slices.Delete(l.moving, i, i+1)
	}
	return t
}

// pace is when a log tells of what goes on: when it has taken a while, then after pauses that grow, as people lose interest, to
// less than what makes a CI system take the job for dead.
type pace struct {
	due   time.Time
	pause time.Duration // until the line behind that
}

const (
	longTransfer = 10 * time.Second
	longStep     = 30 * time.Second
	longestPause = 5 * time.Minute
)

// isDue tells whether a line is due, and settles when the next one will be.
func (p *pace) isDue(now time.Time) bool {
	if now.Before(p.due) {
		return false
	}
	p.pause = min(2*p.pause, longestPause)
	p.due = now.Add(p.pause)
	return true
}

// finish ends a lane.
func (b *board) finish(e Finished, now time.Time) *lane {
	l := b.lane(e.Platform, now)
	l.ended, l.err, l.outcome, l.took = true, e.Error, e.Outcome, now.Sub(l.began)
	l.running, l.moving = nil, nil
	return l
}

// failures are the failed steps of platforms that did not get over them: where a frontend image could not be had, say, and the
// engine did without it, there is none. A step that several platforms share has failed once, for all of them.
func (b *board) failures() []step {
	var out []step
	for _, s := range b.failed {
		if slices.ContainsFunc(b.lanes, func(l *lane) bool { return l.platform == s.Platform && l.ended && l.err == "" }) {
			continue
		}
		i := slices.IndexFunc(out, func(o step) bool { return o.ID == s.ID && o.Name == s.Name && o.Error == s.Error })
		if i < 0 {
			out = append(out, *s)
			continue
		}
		out[i].Platform += ", " + s.Platform
	}
	return out
}

// names is the width of the widest platform.
func (b *board) names() int {
	n := 0
	for _, l := range b.lanes {
		n = max(n, columns(l.platform))
	}
	return n
}
