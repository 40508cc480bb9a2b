package shell

import (
	"maps"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// call walks a simple command.
func (w *walker) call(c *syntax.CallExpr) {
	w.status = yes // of assignments alone, unless a substitution in them fails
	w.inside(c)
	if len(c.Args) == 0 {
		for _, a := range c.Assigns {
			w.assign(a)
		}
		return
	}
	before, picked := w.outside, w.picked
	var ways [][]string // before the assignments, which are not for these words
	own := true         // the first of them is that of the image itself
	w.worlds(func(e *expansion) {
		ways = append(ways, e.fields(c.Args))
		own = own && !slices.ContainsFunc(e.choices, func(c choice) bool { return !strings.HasPrefix(c.of, fromOutside) })
	})
	ways = unique(ways, slices.Equal)
	reads := w.outside - before
	for _, a := range c.Assigns { // for this command alone
		name := a.Name.Value
		outer, there := w.vars[name]
		exported := w.exported[name]
		w.assign(a)
		w.export(name)
		defer func() {
			delete(w.fixed, name)
			if w.exported[name] = exported; there {
				w.vars[name] = outer
			} else {
				delete(w.vars, name)
			}
		}()
	}
	var walks []func()
	for _, calls := range w.alike(ways) {
		walks = append(walks, func() {
			w.since = w.outside - reads
			w.command(calls...)
		})
	}
	if own {
		walks[0] = w.leans(likely, walks[0])
	}
	w.choosing(w.picked > picked, func() { w.either(walks...) })
}

// alike puts together the words that call the same function, or test.
func (w *walker) alike(ways [][]string) (groups [][][]string) {
	for _, words := range ways {
		i := slices.IndexFunc(groups, func(g [][]string) bool {
			return len(words) > 0 && len(g[0]) > 0 && g[0][0] == words[0] && (len(w.functions[words[0]]) > 0 || words[0] == "[" || words[0] == "test")
		})
		if i < 0 {
			groups = append(groups, [][]string{words})
		} else {
			groups[i] = append(groups[i], words)
		}
	}
	return groups
}

// command takes words: functions and builtins are walked, programs followed. Where there are several, they call one function or test.
func (w *walker) command(ways ...[]string) {
	words := ways[0]
	if w.status = maybe; len(words) == 0 {
		return
	}
	if bodies := w.functions[words[0]]; len(bodies) > 0 {
		w.function(bodies, ways)
		return
	}
	if len(ways) > 1 {
		w.asks(ways)
		return
	}
	rest := skipExec(words)
	exec := slices.Contains(words[:len(words)-len(rest)], "exec")
	if len(rest) == 0 {
		if exec { // what is printed from here on goes where it says
			w.print(Unknown)
		} else {
			w.answer(words)
		}
		return
	}
	if words = rest; !w.builtin(words) && (exec || !w.probed(words)) {
		w.launch(words, exec)
		w.answer(words)
	}
	if anything(words[0]) { // it may be nothing, as in $SUDO app
		w.softly(func() { w.command(words[1:]) })
	}
	if exec && slices.ContainsFunc(words, func(word string) bool { return !anything(word) }) {
		w.leave(&w.whole)
	}
}

// answer takes what a command says. A program that is not in the image says nothing, and fails, unless it comes from outside.
func (w *walker) answer(words []string) {
	text, status, ok := w.says(words)
	if !ok && w.surelyRuns(w.host.Innermost(words)) {
		text, status, ok = Unknown, yes, true
	}
	said := func() { w.status = status; w.print(text) }
	if !ok {
		if !quiet(words[0]) {
			text = Unknown
		}
		if w.guess = w.guesses(words); w.guess {
			text = guessed
		} else if w.trial && w.isAbsent(words[0]) {
			status = unlikely
		}
		said()
		return
	}
	switch _, is := w.lookUp(words[0]); is {
	case yes:
		said()
	case no:
		w.status = absent
	default:
		w.either(said, func() { w.status = absent })
	}
}

// isAbsent tells whether neither the image nor the shell has a command, and nothing on the way may have brought it.
func (w *walker) isAbsent(name string) bool {
	_, is := w.lookUp(name)
	return is == no && !w.made && Known(name) && (path.IsAbs(name) || w.foreseen(name))
}

// launch follows a program that is another process, or takes the shell's place.
func (w *walker) launch(words []string, exec bool) {
	if inner := w.host.Innermost(words); w.untold(inner[0]) {
		if words, w.made = words[:len(words)-len(inner)], true; len(words) == 0 {
			return
		}
	}
	f := w.frame
	f.Doubt = f.Doubt || w.made || w.early && !exec
	f.Told = (f.Told || !f.Soft) && w.surely() && (exec || path.IsAbs(words[0]) || !w.caught && w.foreseen(words[0]))
	f.Soft, f.Dir, f.Path = f.Soft || w.soft || w.off, w.dir, w.path()
	f.env, f.exports = w.environment()
	f.picked = maps.Clone(w.chosen)
	for _, f.Put = range w.places() {
		w.failed(w.host.Run(words, f))
	}
	w.put(w.host.Innermost(words))
	w.made = w.made || !w.makesNone(words[0], f)
}

// untold tells whether nothing is said of a command that is not known, as it is whoever runs the image that may give what it is named by: all of
// it, or the folder; nor of a stream. That something else is known of which it may be instead is no reason: this one is started all the same.
func (w *walker) untold(name string) bool {
	return isStream(name) || w.soft && (name == given || !w.wild && strings.HasPrefix(name, given))
}

// isStream tells whether a name is what a process has its standard input, output or error under, where texts let logs go: that is no program.
func isStream(name string) bool {
	is, err := path.Match("/proc/*/fd/[012]", name)
	return is && err == nil
}

// foreseen tells whether a name that no folder of PATH has is no command of the shell's own, either. Busybox may have its tools in itself where
// none is linked.
func (w *walker) foreseen(name string) bool {
	if !slices.Contains([]string{"sh", "ash", "dash", "bash"}, w.frame.Tongue) || name == "bind" || name == "chdir" || len(w.functions["command_not_found_handle"]) > 0 {
		return false
	}
	shell, _, err := w.image.Resolve("/bin/sh")
	w.failed(err)
	_, linked := w.lookUp("ls")
	return err == nil && (!IsBox(shell) || linked == yes)
}

// environment is what a program is given: variables, and functions where it is bash. One that may be exported or not may be unset.
func (w *walker) environment() (map[string][]value, map[string][]*syntax.Stmt) {
	env, functions := map[string][]value{}, maps.Clone(w.frame.exports)
	for name, values := range w.vars {
		if _, image := w.env[name]; image {
			env[name] = values
		} else if is := w.exported[name]; slices.Contains(is, true) {
			env[name] = values
			if slices.Contains(is, false) {
				env[name] = alternatives(append(slices.Clip(values), nil))
			}
		}
	}
	delete(env, "PATH")
	for name, bodies := range w.functions {
		if slices.Contains(w.exported[name+"()"], true) {
			if functions == nil {
				functions = map[string][]*syntax.Stmt{}
			}
			functions[name] = bodies
		}
	}
	return env, functions
}

// makesNone tells whether a program puts no other one into the image: it only prepares the way, or is not there itself.
func (w *walker) makesNone(word string, f Frame) bool {
	if Harmless(word) {
		return true
	}
	name, sure, err := w.host.Find(word, f)
	w.failed(err)
	return name == "" && sure && Known(word)
}

// Harmless tells whether a program neither makes nor starts another one, by its name.
func Harmless(name string) bool {
	return quiet(name) || slices.Contains([]string{"cat", "date", "hostname", "id", "ls", "sysctl"}, path.Base(name))
}

// IsBox tells whether a program's first argument names what it is: busybox sh.
func IsBox(name string) bool {
	return slices.Contains([]string{"busybox", "toybox", "busybox.static"}, path.Base(name))
}

// quiet tells whether a harmless program prints nothing, either.
func quiet(name string) bool {
	return slices.Contains([]string{"chgrp", "chmod", "chown", "mkdir", "rm", "sleep", "touch"}, path.Base(name))
}

// path has the folders of every value of PATH, those of the longest first.
func (w *walker) path() []string {
	var list []string
	for _, v := range slices.SortedStableFunc(slices.Values(w.vars["PATH"]), func(a, b value) int { return len(first(b)) - len(first(a)) }) {
		list = append(list, PathList(first(v))...)
	}
	return PathList(strings.Join(unique(list, same), ":"))
}

func first(v value) string {
	if len(v) == 0 {
		return Unknown
	}
	return v[0]
}

// maxCalls bounds how deep functions and sourced files call each other.
const maxCalls = 24

// function walks the bodies that a function may have, with all words that it may be called with. One that calls itself with the same
// words is not walked again.
func (w *walker) function(bodies []*syntax.Stmt, ways [][]string) {
	var params []value
	key := ""
	for _, words := range ways {
		params = append(params, append(value{}, words[1:]...))
		key += strings.Join(words, Unknown) + "\n"
	}
	if w.active[key] {
		w.print(Unknown)
		w.wild = true
		return
	}
	w.active[key] = true
	args, locals, loops, trial, caught := w.vars["@"], w.locals, w.loops, w.trial, w.caught
	w.vars["@"], w.locals, w.loops, w.trial, w.caught = alternatives(params), map[string][]value{}, nil, false, false
	var walks []func()
	for _, body := range bodies {
		if body != nil {
			walks = append(walks, func() { w.stmt(body) })
			continue
		}
		for _, words := range ways {
			walks = append(walks, func() { w.launch(words, false) })
		}
	}
	w.called(func() { w.either(walks...) })
	maps.Copy(w.vars, w.locals)
	for name := range w.locals {
		delete(w.fixed, name)
	}
	w.vars["@"], w.locals, w.loops, w.trial, w.caught = args, locals, loops, trial, caught
	delete(w.active, key)
}

// called walks what may return: a function, a file that is sourced.
func (w *walker) called(body func()) {
	if w.calls++; w.calls > maxCalls {
		w.note(TooMany)
	} else {
		w.until(&w.part, body)
	}
	w.calls--
}
