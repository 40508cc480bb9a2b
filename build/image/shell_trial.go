package image

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/manymage/manymage/platforms"
)

// probe is another machine's program that a text tries to run. That tells no lie where the text starts in the end what lies beside it for
// the declared machine, which only shows when all is followed.
type probe struct {
	words []string
	frame frame
	own   string // what lies beside it
}

// probed takes a program that is only tried as one that does not run.
func (w *walker) probed(words []string) bool {
	_, own := w.tries(innermost(words)[0])
	if own == "" {
		return false
	}
	f := w.frame
	f.soft, f.dir, f.put = true, w.dir, w.places()[0]
	w.probes, w.status = append(w.probes, probe{words, f, own}), cannotRun
	return true
}

// judgeProbes follows what was only tried, which may itself be a text that tries some.
func (c *checker) judgeProbes() (err error) {
	for i := 0; i < len(c.probes); i++ {
		p := c.probes[i]
		own, failed := c.resolve(p.own)
		_, started := c.programs[own.real]
		p.frame.chosen = p.frame.chosen || started
		err = errors.Join(err, failed, c.run(p.words, p.frame))
	}
	return err
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
	name, text := path.Base(words[0]), w.frame.input+" "+strings.Join(words[1:], " ")
	filter := slices.Contains([]string{"awk", "cut", "egrep", "expr", "fgrep", "gawk", "grep", "head", "read", "sed", "tail", "tr", "xargs"}, name)
	tries, _ := w.tries(innermost(words)[0])
	return tries || name == "lscpu" || filter && (strings.Contains(text, guessed) || w.ofMachine(w.frame.input) || slices.ContainsFunc(words[1:], w.ofMachine))
}

// tries tells whether a program is asked that is there once for each machine, by its name, to see which of them runs; and where that for
// the declared machine is, if it is another one.
func (w *walker) tries(name string) (is bool, own string) {
	if !w.trial || !strings.Contains(name, "/") || !known(name) {
		return false, ""
	}
	for _, part := range regexp.MustCompile("[0-9A-Za-z_]+").FindAllString(name, -1) {
		if _, err := platforms.Parse(part); err != nil {
			continue
		}
		for _, own := range machines(w.declared) {
			if part == own {
				return true, ""
			}
			if beside := absolute(w.dir, strings.Replace(name, part, own, 1)); w.fits(beside) {
				return true, beside
			}
		}
	}
	return false, ""
}

// fits tells whether a program is there that is for the declared machine.
func (w *walker) fits(name string) bool {
	at, ok, err := w.regular(name)
	if w.failed(err); !ok {
		return false
	}
	file, err := w.tree.read(at.real, at.info)
	w.failed(err)
	return err == nil && file.format == formatELF && !w.foreign(file.elf)
}
