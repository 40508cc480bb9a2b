package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// redirect walks what redirections hold, and keeps what becomes the command's input.
func (w *walker) redirect(list []*syntax.Redirect) {
	for _, r := range list {
		w.inside(r)
		if r.N != nil && r.N.Value != "0" {
			continue
		}
		switch r.Op {
		case syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc:
			var texts []string
			w.worlds(func(e *expansion) { texts = append(texts, e.document(r)) })
			if w.frame.Input = texts[0]; slices.ContainsFunc(texts, func(text string) bool { return text != texts[0] }) {
				w.frame.Input = Unknown
			}
		case syntax.RdrIn, syntax.RdrInOut, syntax.DplIn:
			w.frame.Input = Unknown
		}
	}
}

// inside walks the substitutions of a node that is no statement, and its assignments: ${NAME:=value}, ((name++)).
func (w *walker) inside(node syntax.Node) {
	w.spent += int(node.End().Offset()) - int(node.Pos().Offset())
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			w.outputs[n] = w.output(n)
			return false
		case *syntax.ProcSubst:
			w.softly(func() { w.fork(func() { w.stmts(n.Stmts) }) })
			return false
		case *syntax.ParamExp:
			if n.Exp != nil && n.Param != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
				if n.Exp.Word != nil {
					w.inside(n.Exp.Word)
				}
				w.assign(&syntax.Assign{Name: n.Param, Value: &syntax.Word{Parts: []syntax.WordPart{n}}})
				return false
			}
		case *syntax.BinaryArithm:
			if n.Op == syntax.Assgn || n.Op >= syntax.AddAssgn && n.Op <= syntax.PowAssgn {
				w.forget(n.X)
			}
		case *syntax.UnaryArithm:
			if n.Op == syntax.Inc || n.Op == syntax.Dec {
				w.forget(n.X)
			}
		}
		return true
	})
}

// output is all that a substitution may give, and whether that comes from outside.
type output struct {
	values  []value
	outside bool
}

// output walks a substitution.
func (w *walker) output(c *syntax.CmdSubst) output {
	before, all := w.outside, []value(nil)
	w.softly(func() { all = w.capture(func() { w.stmts(c.Stmts) }) })
	for i, v := range all {
		all[i] = value{strings.TrimRight(v[0], "\n")}
	}
	return output{unique(all, sameValue), w.outside > before}
}

func (w *walker) forget(x syntax.ArithmExpr) {
	if word, ok := x.(*syntax.Word); ok {
		w.set(word.Lit(), value{Unknown})
	}
}

// assign gives a variable what it may be from here on.
func (w *walker) assign(a *syntax.Assign) {
	var values []value
	name, before, picked := a.Name.Value, w.outside, w.picked
	w.worlds(func(e *expansion) { values = append(values, e.assigned(a)) })
	w.choosing(w.picked > picked, func() { w.set(name, values...) })
	if _, kept := w.vars[name]; kept && w.outside == before && !w.often && !slices.Contains([]string{"OPTARG", "OPTIND", "RANDOM", "REPLY", "SECONDS"}, name) {
		w.fixed[name] = true
	}
}
