package shell

import (
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Bounds on what is remembered of one shell. What goes beyond is unknown, so that its use ends in a note.
const (
	maxValues = 16  // that one variable may have
	maxApart  = 8   // words by which they are told apart: gosu app tini -- server
	maxNames  = 512 // of variables
	maxFiles  = 128 // that were put into the image
)

// Unknown stands in a word for a part that only the running shell knows. NUL cannot occur in a real word; for the
// parser, which skips it, a noncharacter stands in its place.
const (
	Unknown     = "\x00"
	unknownRune = "\uffff"
	guessed     = Unknown + "\x01" // it depends on the machine
	given       = Unknown + "\x03" // a variable that neither image nor text sets: whoever runs the image may
)

// Known tells whether nothing of a text is unknown.
func Known(text string) bool { return !strings.Contains(text, Unknown) }

// WorkedOut tells whether something of a text is unknown that is not up to whoever runs the image.
func WorkedOut(text string) bool { return !Known(strings.ReplaceAll(text, given, "")) }

// anything tells whether a word may be any, several, or none.
func anything(word string) bool { return word == Unknown || word == given }

// value is what a variable holds: one word, or those of an array, none where the text unsets it. nil: it is not set by the text, so that it is what
// the image says, or, where that says nothing, whoever runs the image may set it.
type value []string

// state is what earlier commands of a text changed for later ones.
type state struct {
	vars      map[string][]value        // all that each may hold; the positional parameters are "@", $0 is "0"
	chosen    map[string]bool           // variables that hold, or may hold, what was chosen by machine in a way that was not followed
	fixed     map[string]bool           // variables that hold what the text alone has given them: nobody outside has a say in that
	printed   []value                   // all that the text may have printed, where something reads that
	exported  map[string][]bool         // whether those that it starts are given a variable, or, with () behind it, a function; -a: all that is set
	functions map[string][]*syntax.Stmt // all that each may be; nil: the program of that name
	files     map[string][]string       // where the image has all that each may be which the text put there; "": what it has there itself; gone; written
	dir       string                    // Unknown when it is not known
	status    answer                    // of the last command: whether it succeeded
	last      answer                    // of the one before, which $? tells
	ended     bool                      // nothing runs behind it: the shell is gone, or left the function or loop
	off       bool                      // nobody comes here who gives no other words than the image does
}

// clone costs the more the more is remembered.
func (w *walker) clone() state {
	s := w.state
	w.spent += cloneCost + len(s.vars) + len(s.files)
	s.vars, s.fixed, s.exported = maps.Clone(s.vars), maps.Clone(s.fixed), maps.Clone(s.exported)
	s.chosen = maps.Clone(s.chosen)
	s.functions, s.files = maps.Clone(s.functions), maps.Clone(s.files)
	return s
}

// join is the state behind two ways of which one was gone. A way that ended leads nowhere.
func (s state) join(other state) state {
	switch {
	case other.ended:
		return s
	case s.ended:
		return other
	}
	if s.dir != other.dir {
		s.dir = Unknown
	}
	s.off = s.off && other.off
	s.status, s.last = s.status.join(other.status), s.last.join(other.last)
	s.vars = joined(s.vars, other.vars, sameValue)
	for name, values := range s.vars {
		if len(values) > maxValues {
			s.vars[name] = alternatives(values)
		}
	}
	s.chosen = maps.Clone(s.chosen)
	maps.Copy(s.chosen, other.chosen)
	s.fixed = maps.Clone(s.fixed)
	maps.DeleteFunc(s.fixed, func(name string, _ bool) bool { return !other.fixed[name] })
	if !slices.EqualFunc(s.printed, other.printed, sameValue) {
		s.printed = alternatives(slices.Concat(s.printed, other.printed))
	}
	s.exported = joined(s.exported, other.exported, same)
	s.functions = joined(s.functions, other.functions, same)
	s.files = joined(s.files, other.files, same)
	for name, sources := range s.files {
		s.files[name] = few(sources)
	}
	return s
}

// joined has all that each name means in one of two maps; what is absent there is zero.
func joined[T any](a, b map[string][]T, same func(T, T) bool) map[string][]T {
	out := make(map[string][]T, max(len(a), len(b)))
	for _, m := range []map[string][]T{a, b} {
		for name := range m {
			x, y := orZero(a[name]), orZero(b[name])
			if _, ok := out[name]; ok {
				continue
			}
			if out[name] = x; !slices.EqualFunc(x, y, same) {
				out[name] = unique(slices.Concat(x, y), same)
			}
		}
	}
	return out
}

func orZero[T any](list []T) []T {
	if list == nil {
		return make([]T, 1)
	}
	return list
}

func same[T comparable](a, b T) bool { return a == b }

func sameValue(a, b value) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }

// alternatives drops what stands twice. Of too many only the words that some of them begin with remain, as many as tell them apart.
func alternatives(values []value) []value {
	if few := grouped(values, MaxWords); few != nil {
		return few
	}
	best := []value{{Unknown}}
	for n := 1; n <= maxApart; n++ {
		few := grouped(values, n)
		if few == nil {
			break
		}
		best = few
	}
	return best
}

// grouped has what those values have in common that begin with the same n words; nil where there are too many.
func grouped(values []value, n int) (few []value) {
	var begins []value
	for _, v := range values {
		begin := v[:min(n, len(v))]
		i := slices.IndexFunc(begins, func(old value) bool { return sameValue(old, begin) })
		switch {
		case i >= 0:
			few[i] = common(few[i], v)
		case len(few) == maxValues:
			return nil
		default:
			begins, few = append(begins, begin), append(few, v)
		}
	}
	return few
}

// common has the words that two values begin with.
func common(a, b value) value {
	if sameValue(a, b) {
		return a
	}
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return append(slices.Clone(a[:n]), Unknown)
}

func unique[T any](list []T, same func(a, b T) bool) []T {
	var out []T
	for _, item := range list {
		if !slices.ContainsFunc(out, func(old T) bool { return same(old, item) }) {
			out = append(out, item)
		}
	}
	return out
}

// export says that what the text starts is given a variable, or a function.
func (s state) export(name string) { s.exported[name] = []bool{true} }

// exportAny exports what comes behind set -a.
func (s state) exportAny(name string) {
	if is := s.exported["-a"]; slices.Contains(is, true) && name != "@" && !slices.Equal(s.exported[name], []bool{true}) {
		s.exported[name] = is
	}
}

// set gives a variable all values that it may now have; without any it is unset.
func (s state) set(name string, values ...value) {
	if len(values) == 0 {
		values = []value{nil}
	}
	delete(s.fixed, name)
	s.exportAny(name)
	if _, ok := s.vars[name]; ok || len(s.vars) < maxNames {
		s.vars[name] = alternatives(values)
	}
}

// set is that of the state, for what may have been chosen by machine.
func (w *walker) set(name string, values ...value) {
	if w.state.set(name, values...); w.vars[name] == nil {
		w.note("%s has so many variables that not all were followed", w.frame.Text())
	}
	if delete(w.chosen, name); w.frame.Chosen {
		w.chosen[name] = true
	}
}
