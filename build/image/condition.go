package image

import "mvdan.cc/sh/v3/syntax"

// certain tells what a condition gives, where that is the same whenever the image runs: true and false.
func (w *walker) certain(list ...*syntax.Stmt) (yes, certain bool) {
	if len(list) != 1 || list[0].Background || list[0].Coprocess {
		return false, false
	}
	switch cmd := list[0].Cmd.(type) {
	case *syntax.CallExpr:
		yes, certain = w.answer(cmd)
	case *syntax.BinaryCmd:
		yes, certain = w.both(cmd)
	}
	return yes != list[0].Negated, certain
}

// both is what && and || give of two conditions. One may settle it, whatever the other gives.
func (w *walker) both(c *syntax.BinaryCmd) (yes, certain bool) {
	if c.Op != syntax.AndStmt && c.Op != syntax.OrStmt {
		return false, false
	}
	x, xCertain := w.certain(c.X)
	y, yCertain := w.certain(c.Y)
	settles := c.Op == syntax.OrStmt
	switch {
	case xCertain && x == settles, yCertain && y == settles:
		return settles, true
	}
	return !settles, xCertain && yCertain
}

// answer is that of a simple command.
func (w *walker) answer(c *syntax.CallExpr) (yes, certain bool) {
	if len(c.Args) == 0 {
		return false, false
	}
	switch name := c.Args[0].Lit(); {
	case len(w.functions[name]) > 0:
		return false, false
	case name == "true" || name == ":":
		return true, true
	case name == "false":
		return false, true
	}
	return false, false
}
