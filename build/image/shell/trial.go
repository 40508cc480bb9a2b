package shell

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/manymage/manymage/platforms"
)

// round is the word that a loop is at, in its variable, of all that it goes through.
type round struct {
	name, word string
	all        []string
}

// probed takes a program that is only tried as one that does not run.
func (w *walker) probed(words []string) bool {
	_, own := w.tries(w.host.Innermost(words))
	if own == "" {
		return false
	}
	f := w.frame
	f.Soft, f.Dir, f.Put = true, w.dir, w.places()[0]
	w.host.Try(words, own, f)
	w.status = cannotRun
	return true
}

// soon is how many statements on a variable that holds $? is asked.
const soon = 8

// asked tells whether the statements that follow ask how the one before them ended: by $?, or by a variable that is given it.
func asked(list []*syntax.Stmt) bool {
	if len(list) == 0 || decidedBy(list[0], "?") {
		return len(list) > 0
	}
	var assigns []*syntax.Assign
	switch c := list[0].Cmd.(type) {
	case *syntax.CallExpr:
		assigns = c.Assigns
	case *syntax.DeclClause:
		assigns = c.Args
	}
	return slices.ContainsFunc(assigns, func(a *syntax.Assign) bool {
		return a.Name != nil && a.Value != nil && mentions(a.Value, "?") &&
			slices.ContainsFunc(list[1:min(soon, len(list))], func(s *syntax.Stmt) bool { return decidedBy(s, a.Name.Value) })
	})
}

// decidedBy tells whether a statement is, or begins with, a condition that reads a variable.
func decidedBy(s *syntax.Stmt, name string) bool {
	switch c := s.Cmd.(type) {
	case *syntax.IfClause:
		return len(c.Cond) > 0 && decidedBy(c.Cond[0], name)
	case *syntax.CaseClause:
		return mentions(c.Word, name)
	case *syntax.BinaryCmd:
		return decidedBy(c.X, name)
	}
	return isTest(s) && mentions(s, name)
}

// mentions tells whether a variable is read anywhere in a node: $x, and x in (( )).
func mentions(n syntax.Node, name string) (is bool) {
	counts := false
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ArithmCmd, *syntax.LetClause:
			counts = true
		case *syntax.Lit:
			is = is || counts && n.Value == name
		case *syntax.ParamExp:
			is = is || n.Param != nil && n.Param.Value == name
		}
		return !is
	})
	return is
}

// guesses tells whether a command that cannot be computed says something of the machine.
func (w *walker) guesses(words []string) bool {
	name, text := path.Base(words[0]), w.frame.Input+" "+strings.Join(words[1:], " ")
	filter := slices.Contains([]string{"awk", "cut", "egrep", "expr", "fgrep", "gawk", "grep", "head", "read", "sed", "tail", "tr", "xargs"}, name)
	tries, _ := w.tries(w.host.Innermost(words))
	return tries || slices.Contains([]string{"file", "ldd", "lscpu", "objdump", "readelf"}, name) || filter && (strings.Contains(text, guessed) || w.ofMachine(w.frame.Input) || slices.ContainsFunc(words[1:], w.ofMachine))
}

// tries tells whether a program is asked that is there once for each machine, by its name or in the turns of a loop, to see which of them runs;
// and where that for the declared machine is, if it is another one.
func (w *walker) tries(words []string) (is bool, own string) {
	name := words[0]
	if !w.trial || !strings.Contains(name, "/") || !Known(name) {
		return false, ""
	}
	if is, own = w.triedInTurn(name); is {
		return is, own
	}
	for _, part := range regexp.MustCompile("[0-9A-Za-z_]+").FindAllString(name, -1) {
		if _, err := platforms.Parse(part); err != nil {
			continue
		}
		for _, own := range Machines(w.declared) {
			if part == own {
				return true, ""
			}
			if beside := Absolute(w.dir, strings.Replace(name, part, own, 1)); w.fits(beside) {
				return true, beside
			}
		}
	}
	if asksVersion(words) && w.isForeign(name) {
		return true, path.Base(name)
	}
	return false, ""
}

// surelyRuns tells whether of programs that are tried in turn one for the declared machine is asked for no more than its version.
func (w *walker) surelyRuns(words []string) bool {
	if !w.trial || !asksVersion(words) {
		return false
	}
	is, own := w.triedInTurn(words[0])
	return is && own == ""
}

func asksVersion(words []string) bool {
	return len(words) == 2 && slices.Contains([]string{"-version", "--version", "-v", "-V", "version"}, words[1])
}

// triedInTurn is what tries tells of a program whose name has the word in it that a loop is at.
func (w *walker) triedInTurn(name string) (is bool, own string) {
	for _, r := range w.rounds {
		if !strings.Contains(name, r.word) {
			continue
		}
		for _, word := range r.all {
			beside := Absolute(w.dir, strings.Replace(name, r.word, word, 1))
			if is = is || w.isForeign(beside); w.fits(beside) {
				own = beside
			}
		}
		if is = is && own != ""; is {
			break
		}
	}
	if !w.isForeign(name) { // it runs itself
		own = ""
	}
	return is, own
}

// fits tells whether a program is there that is for the declared machine.
func (w *walker) fits(name string) bool {
	own, _, err := w.host.Machine(name)
	w.failed(err)
	return own
}

// isForeign tells whether one is there that is for another machine.
func (w *walker) isForeign(name string) bool {
	_, other, err := w.host.Machine(Absolute(w.dir, name))
	w.failed(err)
	return other
}
