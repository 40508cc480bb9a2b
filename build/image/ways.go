package image

import "slices"

// either walks ways of which one happens.
func (w *walker) either(ways ...func()) {
	before := w.state
	var after state
	for i, way := range ways {
		w.state = before.clone()
		if w.softly(way); i > 0 {
			w.state = after.join(w.state)
		}
		after = w.state
	}
}

// repeat walks what may happen any number of times, twice: the second time it sees what the first one left.
func (w *walker) repeat(body func()) {
	often, before := w.often, w.vars[printed]
	w.often = true
	w.looped(func() {
		again := func() { w.until(&w.nexts, body) }
		w.either(func() {}, func() { again(); w.either(func() {}, again) })
	})
	if w.often, w.status = often, maybe; !slices.EqualFunc(before, w.vars[printed], sameValue) {
		w.set(printed, value{unknown})
	}
}

// looped walks a loop.
func (w *walker) looped(walk func()) {
	outer := w.loop
	w.loop = true
	w.until(&w.breaks, walk)
	w.loop = outer
}

// doors are the states in which what is being walked was left before its end. One that nobody went through has ended.
type doors struct{ exits, returns, breaks, nexts state }

func closed() doors {
	shut := state{ended: true}
	return doors{shut, shut, shut, shut}
}

// leave ends the way that is walked. Who is behind the door goes on with its state, too.
func (w *walker) leave(door *state) {
	*door = door.join(w.state.clone())
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
	outer, outside := w.state, w.doors
	w.state, w.doors = outer.clone(), closed()
	walk()
	behind := w.state
	for _, left := range []state{w.exits, w.returns, w.breaks, w.nexts} {
		behind = behind.join(left)
	}
	w.state, w.doors = outer, outside
	w.status, w.files, w.vars[printed] = behind.status, behind.files, behind.vars[printed]
}

// capture walks what happens in another process and returns all that it may print.
func (w *walker) capture(walk func()) []value {
	outer := w.vars[printed]
	w.vars[printed] = []value{{""}}
	w.fork(walk)
	all := w.vars[printed]
	w.vars[printed] = outer
	return all
}

// print adds to what the text has printed.
func (w *walker) print(text string) {
	var all []value
	for _, v := range w.vars[printed] {
		if !w.afford(len(v[0]) + len(text)) {
			v, text = value{""}, unknown
		}
		all = append(all, value{v[0] + text})
	}
	w.set(printed, all...)
}
