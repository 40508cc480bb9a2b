package shell

import (
	"maps"
	"slices"
	"strings"
)

// choice walks ways of which one happens by the last answer.
func (w *walker) choice(ways ...func()) {
	if !w.guess {
		w.either(ways...)
		return
	}
	for _, r := range w.rounds { // the loop goes on, or ends, with what was asked about
		w.chosen[r.name] = true
	}
	before := maps.Clone(w.files)
	w.choosing(true, func() { w.either(ways...) })
	for name, sources := range maps.Clone(w.files) { // as what is changed in a way that is not followed
		if !slices.Equal(sources, before[name]) {
			w.edit([]string{strings.TrimPrefix(name, edited)})
		}
	}
}

// leaning are two ways of which an answer decides.
func (w *walker) leaning(is answer, then, otherwise func()) []func() {
	return []func(){w.leans(is, then), w.leans(is.not(), otherwise)}
}

// leans is a way by what is known of whether it is gone: where nobody gives other words than the image does, it surely is, or nobody comes there.
func (w *walker) leans(is answer, way func()) func() {
	unsure := w.unsure
	return func() {
		if w.off = w.off || is == unlikely; is.leans() == yes {
			w.unsure = unsure
		}
		way()
	}
}

// choosing walks what happens, or does not, by a choice that was not followed.
func (w *walker) choosing(is bool, walk func()) {
	outer := w.frame.Chosen
	w.frame.Chosen = outer || is
	walk()
	w.frame.Chosen = outer
}

// either walks ways of which one happens.
func (w *walker) either(ways ...func()) {
	if len(ways) == 1 {
		ways[0]()
		return
	}
	before, wild := w.state, w.wild
	var after state
	for i, way := range ways {
		w.state = before
		w.state = w.clone()
		outer := w.wild
		w.wild = wild // what one way does is not seen by another
		if w.softly(way); i > 0 {
			w.state = after.join(w.state)
		}
		after, w.wild = w.state, w.wild || outer
	}
}

// repeat walks what happens once or more often, as far as it knows, or not at all: twice, the second time with what the first one left.
func (w *walker) repeat(body func()) {
	before, again := w.printed, func() { w.turn(body) }
	during(&w.often, func() {
		first := w.leans(likely, again)
		w.looped(func() { w.either(func() {}, func() { first(); w.either(func() {}, again) }) })
	})
	if w.status = maybe; !slices.EqualFunc(before, w.printed, sameValue) {
		w.printed = []value{{Unknown}}
	}
}

// looped walks a loop.
func (w *walker) looped(walk func()) {
	outer, inner := w.loops, closed()
	w.loops = append(slices.Clip(outer), &inner)
	walk()
	w.loops, w.state = outer, w.state.join(inner.whole)
}

// turn walks the body of the innermost loop once.
func (w *walker) turn(body func()) { w.until(&w.loops[len(w.loops)-1].part, body) }

// doors are the states in which a text and function, or a loop and a turn of it, was left before its end. One that nobody went
// through has ended.
type doors struct{ whole, part state }

func closed() doors { return doors{state{ended: true}, state{ended: true}} }

// leave ends the way that is walked. Who is behind the door goes on with its state, too.
func (w *walker) leave(door *state) {
	*door = door.join(w.clone())
	w.ended = true
}

// until walks what is left through a door: a function, a loop.
func (w *walker) until(door *state, body func()) {
	outer := *door
	*door = state{ended: true}
	body()
	w.state = w.state.join(*door)
	*door = outer
}

// fork walks what happens in another process, which leaves files behind, what it printed and whether it succeeded.
func (w *walker) fork(walk func()) {
	outer, outside, loops := w.state, w.doors, w.loops
	w.state, w.doors, w.loops = w.clone(), closed(), nil
	for range loops {
		inner := closed()
		w.loops = append(w.loops, &inner)
	}
	walk()
	behind := w.state
	for _, left := range append(w.loops, &w.doors) {
		behind = behind.join(left.whole).join(left.part)
	}
	w.state, w.doors, w.loops = outer, outside, loops
	w.status, w.files, w.printed = behind.status, behind.files, behind.printed
}

// capture walks what happens in another process and returns all that it may print.
func (w *walker) capture(walk func()) []value {
	outer := w.printed
	w.printed = []value{{""}}
	w.fork(walk)
	all := w.printed
	w.printed = outer
	return all
}

// print adds to what the text has printed, where that is read.
func (w *walker) print(text string) {
	var all []value
	for _, v := range w.printed {
		if len(v[0])+len(text) > maxWord || !w.afford(len(text)) {
			v, text = value{""}, Unknown
		}
		all = append(all, value{v[0] + text})
	}
	w.printed = alternatives(all)
}
