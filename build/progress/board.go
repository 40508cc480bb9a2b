package progress

import (
	"slices"
	"time"
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
	running  []*step // the newest last
	moving   []Bytes // transfers under way
	verdict  string
	ended    bool
	took     time.Duration
	err      string
}

// step is one step of a lane, and the end of what it has printed.
type step struct {
	Step
	began time.Time
	known bool // an event has told of it; output alone may come first
	out   tail
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

// transfer takes a transfer's event into account.
func (b *board) transfer(e Bytes, now time.Time) {
	l := b.lane(e.Platform, now)
	i := slices.IndexFunc(l.moving, func(m Bytes) bool { return m.Name == e.Name })
	switch {
	case i < 0 && !e.Done:
		l.moving = append(l.moving, e)
	case i >= 0 && e.Done:
		l.moving = slices.Delete(l.moving, i, i+1)
	case i >= 0:
		l.moving[i] = e
	}
}

// finish ends a lane.
func (b *board) finish(e Finished, now time.Time) *lane {
	l := b.lane(e.Platform, now)
	l.ended, l.err, l.took = true, e.Error, now.Sub(l.began)
	l.running, l.moving = nil, nil
	return l
}

// failures are the failed steps of platforms that did not get over them: where a frontend image could not be had, say, and the
// engine did without it, there is none.
func (b *board) failures() []*step {
	return slices.DeleteFunc(slices.Clone(b.failed), func(s *step) bool {
		return slices.ContainsFunc(b.lanes, func(l *lane) bool { return l.platform == s.Platform && l.ended && l.err == "" })
	})
}

// names is the width of the widest platform.
func (b *board) names() int {
	n := 0
	for _, l := range b.lanes {
		n = max(n, columns(l.platform))
	}
	return n
}
