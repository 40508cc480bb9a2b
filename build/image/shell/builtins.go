package shell

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/manymage/manymage/build/image/options"
)

// skipExec skips the builtins that only introduce a command.
func skipExec(words []string) []string {
	for len(words) > 0 && (words[0] == "exec" || words[0] == "command" || words[0] == "builtin") {
		o, rest := options.Cut(words[1:], "-a") // the name that it gets
		if words = rest; o.Has("-v", "-V") {
			return nil
		}
	}
	return words
}

// builtin takes a command that the shell runs by itself.
func (w *walker) builtin(words []string) bool {
	args := words[1:]
	w.wild = w.wild || changes(words)
	switch words[0] {
	case "cd", "pushd":
		w.dir = w.goal(args)
	case "popd":
		w.dir = Unknown
	case "set":
		w.positional(args)
		w.status = yes
	case "shift":
		w.shift(args)
	case ".", "source":
		w.source(args)
	case "eval":
		w.eval(strings.Join(args, " "))
	case "trap", "alias", "enable", "hash":
		w.renamed(words)
	case "export", "readonly", "local", "declare", "typeset":
		for _, arg := range args {
			if name, val, ok := strings.Cut(arg, "="); ok {
				w.set(name, value{val})
				if words[0] == "export" {
					w.export(name)
				}
			}
		}
	case "exit", "logout":
		w.gives(args)
		w.leave(&w.whole)
	case "return":
		if w.gives(args); w.calls > 0 { // elsewhere it fails, and the script goes on
			w.leave(&w.part)
		}
	case "break", "continue":
		w.leaveLoop(words)
	case "read":
		if !w.line(words) {
			w.overwrite(words)
		}
	case "getopts", "mapfile", "readarray", "unset":
		w.overwrite(words)
	case "printf":
		if len(args) > 1 && args[0] == "-v" {
			w.overwrite(words)
		} else {
			w.answer(words)
		}
	default:
		if !isBuiltin(words[0]) {
			return false
		}
		w.answer(words)
	}
	return true
}

// eval walks a text that was put together.
func (w *walker) eval(text string) {
	if !Known(text) {
		w.frame.Loosen()
	}
	w.stmts(w.parse(text))
}

// changes tells whether a builtin may change variables, now or later, in ways that are not seen.
func changes(words []string) bool {
	return slices.Contains([]string{"alias", "enable", "shopt", "trap"}, words[0]) ||
		slices.Contains([]string{"eval", "export", "mapfile", "printf", "read", "readarray", "readonly", "unset"}, words[0]) && !Known(strings.Join(words, ""))
}

// gives is whether a text or function succeeds that is left with this number.
func (w *walker) gives(args []string) {
	if len(args) == 0 {
		w.status = max(w.last, maybe)
	} else if n, err := strconv.Atoi(args[0]); err == nil {
		w.status = answer(n & 0xff)
	} else if Known(args[0]) {
		w.status = fails
	}
}

// leaveLoop walks break and continue, of as many loops as they say; outside of any nothing is left.
func (w *walker) leaveLoop(words []string) {
	if len(w.loops) == 0 {
		return
	}
	most := len(w.loops)
	n, err := strconv.Atoi(strings.Join(append(words[1:], "1")[:1], ""))
	if n = min(n, most); err != nil || n < 1 { // any number
		n = 1
		w.either(func() {}, func() { w.leaveLoop([]string{words[0], strconv.Itoa(most)}) })
	}
	if loop := w.loops[most-n]; words[0] == "break" {
		w.leave(&loop.whole)
	} else {
		w.leave(&loop.part)
	}
}

func isBuiltin(name string) bool {
	return slices.Contains([]string{".", ":", "[", "alias", "bg", "break", "builtin", "caller", "cd", "command", "compgen", "complete", "compopt", "continue",
		"declare", "dirs", "disown", "echo", "enable", "eval", "exec", "exit", "export", "false", "fc", "fg", "getopts", "hash", "help", "history", "jobs",
		"kill", "let", "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readarray", "readonly", "return", "set", "shift", "shopt",
		"source", "suspend", "test", "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait"}, name)
}

// renamed walks what the shell runs under another name, or when something happens.
func (w *walker) renamed(words []string) {
	_, args := options.Cut(words[1:])
	if words[0] == "trap" {
		if len(args) > 1 && args[0] != "-" {
			w.later(args[0])
		}
		return
	}
	w.frame.Loosen()
	for _, arg := range args {
		if _, text, ok := strings.Cut(arg, "="); ok && words[0] == "alias" {
			w.later(text)
		}
	}
}

// later walks a text that the shell may run when something happens, which is when the functions below are there, too.
func (w *walker) later(text string) {
	w.softly(func() {
		w.fork(func() {
			for _, s := range w.script {
				w.foresee(s)
			}
			w.stmts(w.parse(text))
		})
	})
}

// foresee takes the function that a statement defines, if there is none of its name yet.
func (w *walker) foresee(s *syntax.Stmt) {
	f, ok := s.Cmd.(*syntax.FuncDecl)
	if !ok || f.Name == nil {
		return
	}
	if _, known := w.functions[f.Name.Value]; !known {
		w.define(f)
	}
}

// goal is where cd leads.
func (w *walker) goal(args []string) string {
	if _, args = options.Cut(args); len(args) != 1 || args[0] == "-" || !Known(args[0]) {
		return Unknown
	}
	return Absolute(w.dir, args[0])
}

// positional replaces the positional parameters, where set names any, and takes the option that exports all.
func (w *walker) positional(args []string) {
	o, rest := options.Cut(args, options.OfShells()...)
	for _, o := range o {
		if is := o.Name[:1] == "-"; o.Name[1:] == "a" || o.Name[1:] == "o" && o.Value == "allexport" {
			w.exported["-a"] = []bool{is}
		}
	}
	ended := o.Has("--")
	if len(rest) > 0 && rest[0] == "-" {
		ended, rest = true, rest[1:]
	}
	if ended || len(rest) > 0 {
		w.set("@", append(value{}, rest...))
	}
}

// shift drops the first positional parameters; in a loop, and by a number that is worked out, nobody knows how many.
func (w *walker) shift(args []string) {
	n, err := strconv.Atoi(strings.Join(append(args, "1")[:1], ""))
	var values []value
	for _, v := range w.vars["@"] {
		from := min(max(n, 0), len(v))
		switch {
		case slices.ContainsFunc(v[:from], anything):
			values = append(values, value{Unknown})
		case w.often || err != nil:
			for i := range len(v) - from + 1 {
				values = append(values, v[from+i:])
			}
		default:
			values = append(values, v[from:])
		}
	}
	w.set("@", values...)
}

// overwrite forgets the variables that a builtin writes.
func (w *walker) overwrite(words []string) {
	for _, name := range words[1:] {
		if _, ok := w.vars[name]; !ok && strings.HasPrefix(name, "-") {
			continue
		}
		if words[0] == "unset" {
			w.set(name, value{})
		} else if w.guesses(words) {
			w.set(name, value{guessed})
		} else {
			w.set(name, value{Unknown})
		}
	}
}

// source walks the file that . reads, in this same shell.
func (w *walker) source(args []string) {
	sure := (w.frame.Told || !w.frame.Soft) && w.surely() && !w.caught
	if len(args) == 0 {
		return
	}
	files := w.sourced(args[0])
	if len(files) == 0 || slices.ContainsFunc(files, func(c content) bool { return c.cut || !Known(c.text) }) {
		w.frame.Loosen()
	}
	if w.wild = w.wild || len(files) == 0; len(files) == 0 && sure && path.IsAbs(args[0]) && Known(args[0]) {
		w.note("%s reads %s, which is not in the image", w.frame.Text(), Show(args[0]))
	}
	outer, params := w.frame, w.vars["@"]
	if len(args) > 1 {
		w.set("@", append(value{}, args[1:]...))
	}
	var walks []func()
	for _, file := range files {
		walks = append(walks, func() {
			w.frame.Reading, w.frame.Cut = file.name, file.cut
			w.stmts(w.parse(file.text))
		})
	}
	if len(walks) > 0 {
		w.called(func() { w.either(walks...) })
	}
	w.frame.Reading, w.frame.Cut = outer.Reading, outer.Cut
	if len(args) > 1 {
		w.vars["@"] = params
	}
}

// sourced finds what the file may hold that . names: on PATH, unless it has a slash, and then here.
func (w *walker) sourced(name string) []content {
	dirs := append(w.path(), ".")
	if strings.Contains(name, "/") {
		dirs = []string{"."}
	}
	for _, dir := range dirs {
		full := name
		if !strings.HasPrefix(name, "/") {
			full = Absolute(Absolute(w.dir, dir), name)
		}
		if !Known(name + full) {
			if !w.untold(name) {
				w.note("a shell works out at run time that it reads the script %s: that was not followed", ShowWord(name))
			}
			return nil
		}
		if files := w.held(full); len(files) > 0 {
			return files
		}
	}
	return nil
}

// held is what a file may hold that is there. What is only written at run time is not known, and told of.
func (w *walker) held(name string) (files []content) {
	for _, file := range w.contents(name) {
		if w.wild = w.wild || !Known(file.text); file.text == Unknown {
			w.note("%s reads %s, which is written at run time: it was not followed", w.frame.Text(), Show(name))
			file.text = ""
		}
		if file.there {
			files = append(files, file)
		}
	}
	return files
}
