package shell

import (
	"cmp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

func (w *walker) ifs(c *syntax.IfClause) {
	w.softly(func() { w.tried(func() { w.stmts(c.Cond) }) })
	if len(c.Cond) == 0 { // else
		w.stmts(c.Then)
		return
	}
	then, otherwise := func() { w.stmts(c.Then) }, func() {
		if w.status = yes; c.Else != nil {
			w.ifs(c.Else)
		}
	}
	switch w.status.plain() {
	case yes:
		then()
	case no:
		otherwise()
	default:
		w.choice(w.leaning(w.status, then, otherwise)...)
	}
}

func (w *walker) while(c *syntax.WhileClause) {
	w.repeat(func() {
		during(&w.caught, func() { w.stmts(c.Cond) })
		is := w.status
		if c.Until {
			is = is.not()
		}
		if is.plain() == no {
			w.leave(&w.loops[len(w.loops)-1].whole)
		}
		during(&w.unsure, w.leans(is, func() { w.stmts(c.Do) }))
	})
}

func (w *walker) cases(c *syntax.CaseClause) {
	w.inside(c.Word)
	w.choose(c.Word, c.Items)
}

// choose walks the ways that a case may take, and none behind one that it surely takes.
func (w *walker) choose(word *syntax.Word, items []*syntax.CaseItem) {
	if !w.step() { // what goes on behind a way chooses again
		return
	}
	for _, item := range items {
		for _, pattern := range item.Patterns {
			w.inside(pattern)
		}
	}
	var ways []func()
	before := no // whether one of those is gone
	w.guess = false
	for i, item := range items {
		is := w.everywhere(func(e *expansion) (is answer) {
			text := e.text(word)
			is = no
			for _, pattern := range item.Patterns {
				is = is.or(e.compare("=", text, e.glob(pattern)))
			}
			return is
		})
		if is != no {
			ways = append(ways, w.leans(is.and(before.not()), func() { w.way(word, items[i:]) }))
		}
		if is == yes {
			w.choice(ways...)
			return
		}
		before = before.or(is)
	}
	w.choice(append(ways, w.leans(before.not(), func() { w.status = yes }))...)
}

// way walks the first of some ways of a case, and those in which it goes on.
func (w *walker) way(word *syntax.Word, items []*syntax.CaseItem) {
	w.stmts(items[0].Stmts)
	switch rest := items[1:]; {
	case len(rest) == 0 || items[0].Op == syntax.Break:
	case items[0].Op == syntax.Fallthrough:
		w.way(word, rest)
	default: // it looks on
		w.choose(word, rest)
	}
}

// forEach walks a for loop: word by word where it is known which ones there are, else with a variable that may be any of them.
func (w *walker) forEach(c *syntax.ForClause) {
	body := func() { w.stmts(c.Do) }
	words, ok := c.Loop.(*syntax.WordIter)
	if !ok {
		w.inside(c.Loop)
		w.softly(func() { w.repeat(body) })
		return
	}
	items := words.Items
	if !words.InPos.IsValid() {
		items = []*syntax.Word{{Parts: []syntax.WordPart{&syntax.DblQuoted{Parts: []syntax.WordPart{&syntax.ParamExp{Param: &syntax.Lit{Value: "@"}}}}}}}
	}
	for _, item := range items {
		w.inside(item)
	}
	before := w.outside
	var lists [][]string
	w.worlds(func(e *expansion) { lists = append(lists, e.fields(items)) })
	lists = unique(lists, slices.Equal)
	w.wild = w.wild || w.outside > before // other words would come to other ends
	if len(lists) == 1 && len(lists[0]) <= maxValues && !c.Select && Known(strings.Join(lists[0], "")) {
		w.looped(func() {
			outer := w.rounds
			for _, word := range lists[0] {
				w.set(words.Name.Value, value{word})
				w.rounds = append(slices.Clip(outer), round{words.Name.Value, word, lists[0]})
				w.softly(w.leans(likely, func() { w.turn(body) }))
			}
			w.rounds = outer
		})
		return
	}
	var values []value
	for _, word := range slices.Concat(lists...) {
		values = append(values, value{word})
	}
	w.set(words.Name.Value, values...)
	w.softly(func() { w.repeat(body) })
}

func (w *walker) binary(c *syntax.BinaryCmd) {
	if c.Op == syntax.Pipe || c.Op == syntax.PipeAll {
		w.pipe(c)
		return
	}
	and, test := c.Op == syntax.AndStmt, isTest(c.X)
	first, second := func() { w.stmt(c.X) }, func() { w.stmt(c.Y) }
	switch {
	case test:
		w.softly(func() { w.tried(first) })
	case !and:
		during(&w.early, func() { w.tried(first) })
	case w.early:
		w.tried(first)
	default: // behind a failure comes nothing
		during(&w.trial, first)
	}
	switch before := w.clone(); {
	case w.status.plain() == answered(!and): // which settles it
	case w.status.plain() != maybe:
		second()
	case and && !test && !w.guess:
		switch {
		case !w.isOne(c.X):
			w.softly(second)
		case w.status == unlikely:
			during(&w.unsure, second)
		default:
			second()
		}
		if w.ended {
			w.state = before // what stands first may fail
		}
	default:
		skips := func() {
			if w.status = yes; and {
				w.status = fails
			}
		}
		is := w.status
		if and {
			is = is.not()
		}
		w.choice(w.leaning(is, skips, second)...)
	}
}

// pipe walks what runs at once, the second fed by what the first one prints.
func (w *walker) pipe(c *syntax.BinaryCmd) {
	made, input := w.made, w.frame.Input
	var all []value
	during(&w.early, func() { all = w.capture(func() { w.stmt(c.X) }) })
	if w.made, w.frame.Input = made, Unknown; len(all) == 1 {
		w.frame.Input = cmp.Or(all[0][0], "\n") // "" is what nobody feeds, and an empty line as good as nothing
	}
	w.fork(func() { w.stmt(c.Y) })
	w.frame.Input = input
}

// isOne tells whether a statement is one program or builtin, or some in a row, and not what a function or several commands make of a condition.
func (w *walker) isOne(s *syntax.Stmt) bool {
	switch cmd := s.Cmd.(type) {
	case *syntax.BinaryCmd:
		return cmd.Op != syntax.OrStmt && w.isOne(cmd.X) && w.isOne(cmd.Y)
	case *syntax.CallExpr:
		return len(cmd.Args) == 0 || len(w.functions[cmd.Args[0].Lit()]) == 0
	}
	return false
}

// isTest tells whether a command is there to ask something, so that what && puts behind it may well not happen.
func isTest(s *syntax.Stmt) bool {
	switch cmd := s.Cmd.(type) {
	case *syntax.TestClause, *syntax.ArithmCmd, *syntax.LetClause:
		return true
	case *syntax.BinaryCmd:
		return isTest(cmd.Y) || cmd.Op == syntax.AndStmt && isTest(cmd.X)
	case *syntax.CallExpr:
		return s.Negated || len(cmd.Args) > 0 && slices.Contains([]string{"[", "test", "command", "type", "which", "hash", "false", "read",
			"grep", "egrep", "fgrep", "cmp", "diff", "getent", "id", "mountpoint", "pgrep", "pidof"}, cmd.Args[0].Lit())
	}
	return s.Negated
}
