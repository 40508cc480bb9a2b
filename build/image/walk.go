package image

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxSteps bounds the statements that are walked in all texts of an image, those of called functions each time.
const maxSteps = 10000

// walker walks the tree of a text as the shell would run it. Of conditions it decides those that are the same whenever the
// image runs: what may or may not happen is walked, softly, and what holds behind it is either.
type walker struct {
	*checker
	frame frame
	state
	exported map[string]bool
	active   map[string]bool    // calls of functions that are being walked
	locals   map[string][]value // what the function's local variables were before; nil outside of functions
	returns  []state            // in which the function or sourced file was left
	calls    int                // how many functions and sourced files deep it is
	soft     bool               // inside of what may not happen
	early    bool               // what fails here does not end the text, which goes on behind it
	made     bool               // an earlier command may have put programs into the image
	loop     bool               // inside of what may happen often
	err      error              // the first failure to read; nothing is walked behind it
}

func newWalker(c *checker, f frame, args []string) *walker {
	vars := map[string][]value{"PATH": {{strings.Join(f.path, ":")}}, "@": {{}}}
	exported := map[string]bool{}
	for name, values := range f.env {
		vars[name], exported[name] = values, true
	}
	if len(args) > 0 {
		vars["0"], vars["@"] = []value{{args[0]}}, []value{append(value{}, args[1:]...)}
	}
	return &walker{checker: c, frame: f, exported: exported, active: map[string]bool{},
		state: state{vars: vars, functions: map[string][]*syntax.Stmt{}, dir: f.dir}}
}

func (w *walker) stmts(list []*syntax.Stmt) {
	outer := w.early
	for i, s := range list {
		w.early = outer || i+1 < len(list)
		w.stmt(s)
	}
	w.early = outer
}

// before walks what something else follows whether it fails or not.
func (w *walker) before(walk func()) {
	outer := w.early
	w.early = true
	walk()
	w.early = outer
}

func (w *walker) stmt(s *syntax.Stmt) {
	if w.steps++; w.steps > maxSteps {
		w.tooMany(w.frame)
		return
	}
	if w.err != nil || w.ended {
		return
	}
	outer := w.frame.input
	w.redirect(s.Redirs)
	if s.Background || s.Coprocess {
		w.fork(func() { w.cmd(s.Cmd) })
	} else {
		w.cmd(s.Cmd)
	}
	w.frame.input = outer
	w.made = w.made || slices.ContainsFunc(s.Redirs, writes)
}

// writes tells whether a redirection makes a file.
func writes(r *syntax.Redirect) bool {
	switch r.Op {
	case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll, syntax.RdrInOut:
		return !strings.HasPrefix(r.Word.Lit(), "/dev/")
	}
	return false
}

// cmd has a case for each kind of command of the grammar.
func (w *walker) cmd(cmd syntax.Command) {
	switch cmd := cmd.(type) {
	case *syntax.CallExpr:
		w.call(cmd)
	case *syntax.BinaryCmd:
		w.binary(cmd)
	case *syntax.IfClause:
		w.softly(func() { w.ifs(cmd) })
	case *syntax.CaseClause:
		w.cases(cmd)
	case *syntax.WhileClause:
		w.while(cmd)
	case *syntax.ForClause:
		w.each(cmd)
	case *syntax.Block:
		w.stmts(cmd.Stmts)
	case *syntax.Subshell:
		w.fork(func() { w.stmts(cmd.Stmts) })
	case *syntax.FuncDecl:
		w.define(cmd)
	case *syntax.DeclClause:
		w.declare(cmd)
	case *syntax.TimeClause:
		w.time(cmd)
	case *syntax.CoprocClause:
		w.fork(func() { w.stmt(cmd.Stmt) })
	case *syntax.TestClause, *syntax.ArithmCmd, *syntax.LetClause:
		w.inside(cmd)
	}
}

// softly walks what may not happen.
func (w *walker) softly(walk func()) {
	outer := w.soft
	w.soft = true
	walk()
	w.soft = outer
}

// either walks ways of which one happens.
func (w *walker) either(ways ...func()) {
	before := w.state
	var after *state
	for _, way := range ways {
		w.state = before.clone()
		w.softly(way)
		behind := w.state
		if after != nil {
			behind = after.join(behind)
		}
		after = &behind
	}
	w.state = *after
}

// repeat walks what may happen any number of times, twice: the second time it sees what the first one left.
func (w *walker) repeat(body func()) {
	outer := w.loop
	w.loop = true
	w.either(func() {}, func() { body(); w.either(func() {}, body) })
	w.loop = outer
}

// fork walks what happens in another process, which leaves nothing behind.
func (w *walker) fork(walk func()) {
	outer, returns := w.state, w.returns
	w.state = outer.clone()
	walk()
	w.state, w.returns = outer, returns
}

// called walks what return leaves: a function or a sourced file.
func (w *walker) called(body func()) {
	outer := w.returns
	w.returns = nil
	body()
	for _, left := range w.returns {
		w.state = w.state.join(left)
	}
	w.returns = outer
}

func (w *walker) ifs(c *syntax.IfClause) {
	w.stmts(c.Cond)
	if len(c.Cond) == 0 { // else
		w.stmts(c.Then)
		return
	}
	otherwise := func() {
		if c.Else != nil {
			w.ifs(c.Else)
		}
	}
	switch yes, certain := w.certain(c.Cond...); {
	case !certain:
		w.either(func() { w.stmts(c.Then) }, otherwise)
	case yes:
		w.stmts(c.Then)
	default:
		otherwise()
	}
}

func (w *walker) while(c *syntax.WhileClause) {
	if yes, certain := w.certain(c.Cond...); certain && yes == c.Until {
		w.softly(func() { w.stmts(c.Cond) })
		return
	}
	w.repeat(func() { w.stmts(c.Cond); w.stmts(c.Do) })
}

func (w *walker) cases(c *syntax.CaseClause) {
	w.inside(c.Word)
	if item, ok := w.ofMachine(c); ok {
		w.softly(func() { w.stmts(item.Stmts) })
		return
	}
	var ways []func()
	all := false
	for _, item := range c.Items {
		all = all || slices.ContainsFunc(item.Patterns, func(p *syntax.Word) bool { return p.Lit() == "*" })
		ways = append(ways, func() { w.stmts(item.Stmts) })
	}
	if !all {
		ways = append(ways, func() {})
	}
	w.either(ways...)
}

// ofMachine is the way that a case for each architecture takes on the declared one, so that an image may hold programs for
// several of them.
func (w *walker) ofMachine(c *syntax.CaseClause) (way *syntax.CaseItem, ok bool) {
	var words []string
	w.worlds(func(e *expansion) { words = append(words, e.text(c.Word)) })
	if len(words) != 1 || !w.isMachine(words[0]) {
		return nil, false
	}
	if slices.ContainsFunc(c.Items[:max(0, len(c.Items)-1)], func(item *syntax.CaseItem) bool { return item.Op != syntax.Break }) {
		return nil, false // a way goes on in the next one
	}
	for _, item := range c.Items {
		for _, pattern := range item.Patterns {
			if yes, certain := w.compare("=", c.Word, pattern); yes || !certain {
				return item, certain
			}
		}
	}
	return &syntax.CaseItem{}, true
}

// each walks a for loop, whose variable may be any of its words.
func (w *walker) each(c *syntax.ForClause) {
	words, ok := c.Loop.(*syntax.WordIter)
	if !ok {
		w.inside(c.Loop)
		w.repeat(func() { w.stmts(c.Do) })
		return
	}
	items := words.Items
	if !words.InPos.IsValid() {
		items = []*syntax.Word{{Parts: []syntax.WordPart{&syntax.DblQuoted{Parts: []syntax.WordPart{&syntax.ParamExp{Param: &syntax.Lit{Value: "@"}}}}}}}
	}
	var values []value
	for _, item := range items {
		w.inside(item)
	}
	w.worlds(func(e *expansion) {
		for _, word := range e.fields(items) {
			values = append(values, value{word})
		}
	})
	w.set(words.Name.Value, values...)
	w.repeat(func() { w.stmts(c.Do) })
}

func (w *walker) binary(c *syntax.BinaryCmd) {
	test := isTest(c.X)
	first := func() { w.stmt(c.X) }
	yes, certain := w.certain(c.X)
	switch {
	case c.Op == syntax.Pipe || c.Op == syntax.PipeAll:
		made := w.made
		w.before(func() { w.fork(first) })
		w.made = made // they run at once
		outer := w.frame.input
		w.frame.input = unknown
		w.fork(func() { w.stmt(c.Y) })
		w.frame.input = outer
	case certain:
		if w.softly(first); yes != (c.Op == syntax.AndStmt) {
			return
		}
		outer := w.soft
		w.soft = outer || test
		w.stmt(c.Y)
		w.soft = outer
	case c.Op == syntax.AndStmt && !test:
		first()
		before := w.state.clone()
		if w.stmt(c.Y); w.ended {
			w.state = before // what stands first may fail
		}
	default:
		if test {
			w.softly(first)
		} else if c.Op == syntax.OrStmt {
			w.before(first)
		} else {
			first()
		}
		w.either(func() {}, func() { w.stmt(c.Y) })
	}
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

func (w *walker) define(c *syntax.FuncDecl) {
	names := c.Names
	if c.Name != nil {
		names = append(names, c.Name)
	}
	for _, name := range names {
		w.functions[name.Value] = []*syntax.Stmt{c.Body}
	}
	if len(names) == 0 { // zsh runs it at once
		w.stmt(c.Body)
	}
}

// time is a word of the grammar in most shells, and a program where an option follows.
func (w *walker) time(c *syntax.TimeClause) {
	if c.Stmt == nil {
		return
	}
	call, ok := c.Stmt.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 || !strings.HasPrefix(call.Args[0].Lit(), "-") {
		w.stmt(c.Stmt)
		return
	}
	program := &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: "time"}}}
	w.call(&syntax.CallExpr{Args: append([]*syntax.Word{program}, call.Args...)})
}

// call walks a simple command.
func (w *walker) call(c *syntax.CallExpr) {
	w.inside(c)
	if len(c.Args) == 0 {
		for _, a := range c.Assigns {
			w.assign(a)
		}
		return
	}
	var ways [][]string // before the assignments, which are not for these words
	w.worlds(func(e *expansion) { ways = append(ways, e.fields(c.Args)) })
	ways = unique(ways, slices.Equal)
	for _, a := range c.Assigns { // for this command alone
		name := a.Name.Value
		outer, there := w.vars[name]
		exported := w.exported[name]
		w.assign(a)
		w.exported[name] = true
		defer func() {
			if w.exported[name] = exported; there {
				w.vars[name] = outer
			} else {
				delete(w.vars, name)
			}
		}()
	}
	if len(ways) == 1 {
		w.command(ways[0])
		return
	}
	var walks []func()
	for _, words := range ways {
		walks = append(walks, func() { w.command(words) })
	}
	w.either(walks...)
}

// command takes words: functions and builtins are walked, programs followed.
func (w *walker) command(words []string) {
	if len(words) == 0 {
		return
	}
	if bodies := w.functions[words[0]]; len(bodies) > 0 {
		w.function(bodies, words)
		return
	}
	exec := slices.Contains(words[:len(words)-len(skipExec(words))], "exec")
	words = skipExec(words)
	if len(words) == 0 {
		return
	}
	if !w.builtin(words) {
		w.program(words, exec)
	}
	if words[0] == unknown { // it may be nothing, as in $SUDO app
		w.softly(func() { w.command(words[1:]) })
	}
	w.ended = w.ended || exec && slices.ContainsFunc(words, func(word string) bool { return word != unknown })
}

// program follows a command that is another process, or takes the shell's place.
func (w *walker) program(words []string, exec bool) {
	f := w.frame
	f.doubt = f.doubt || w.made || w.early && !exec
	f.told = f.told && !w.soft && !w.made && (exec || path.IsAbs(words[0]))
	f.soft, f.dir, f.path = f.soft || w.soft, w.dir, w.path()
	f.env = map[string][]value{}
	for name, values := range w.vars {
		if _, image := w.env[name]; (image || w.exported[name]) && name != "PATH" {
			f.env[name] = values
		}
	}
	w.err = errors.Join(w.err, w.run(words, f))
	w.made = w.made || !w.makesNone(words[0], f)
}

// makesNone tells whether a program puts no other one into the image: it only prepares the way, or is not there itself.
func (w *walker) makesNone(word string, f frame) bool {
	if harmless(word) {
		return true
	}
	_, fault, err := w.find(word, f)
	w.err = errors.Join(w.err, err)
	return fault != nil && !strings.Contains(word, unknown)
}

// harmless tells whether a program neither makes nor starts another one, by its name.
func harmless(name string) bool {
	return slices.Contains([]string{"cat", "chgrp", "chmod", "chown", "date", "hostname", "id", "ls", "mkdir", "rm", "sleep", "sysctl", "touch"}, path.Base(name))
}

// path has the folders of every value of PATH, those of the longest first.
func (w *walker) path() []string {
	var list []string
	for _, v := range slices.SortedStableFunc(slices.Values(w.vars["PATH"]), func(a, b value) int { return len(first(b)) - len(first(a)) }) {
		list = append(list, pathList(first(v))...)
	}
	return pathList(strings.Join(unique(list, func(a, b string) bool { return a == b }), ":"))
}

func first(v value) string {
	if len(v) == 0 {
		return unknown
	}
	return v[0]
}

// function walks the bodies that a function may have. One that calls itself with the same words is not walked again.
func (w *walker) function(bodies []*syntax.Stmt, words []string) {
	key := strings.Join(words, unknown)
	if w.active[key] {
		return
	}
	if w.calls++; w.calls > maxDepth {
		w.tooMany(w.frame)
	} else {
		w.active[key] = true
		args, locals := w.vars["@"], w.locals
		w.vars["@"], w.locals = []value{append(value{}, words[1:]...)}, map[string][]value{}
		var ways []func()
		for _, body := range bodies {
			if body == nil {
				ways = append(ways, func() { w.program(words, false) })
			} else {
				ways = append(ways, func() { w.stmt(body) })
			}
		}
		w.called(func() { w.either(ways...) })
		maps.Copy(w.vars, w.locals)
		w.vars["@"], w.locals = args, locals
		delete(w.active, key)
	}
	w.calls--
}

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
			if w.frame.input = texts[0]; slices.ContainsFunc(texts, func(text string) bool { return text != texts[0] }) {
				w.frame.input = unknown
			}
		case syntax.RdrIn, syntax.RdrInOut, syntax.DplIn:
			w.frame.input = unknown
		}
	}
}

// inside walks the substitutions of a node that is no statement, and its assignments: ${NAME:=value}, ((name++)).
func (w *walker) inside(node syntax.Node) {
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			w.softly(func() { w.fork(func() { w.stmts(n.Stmts) }) })
			return false
		case *syntax.ProcSubst:
			w.softly(func() { w.fork(func() { w.stmts(n.Stmts) }) })
			return false
		case *syntax.ParamExp:
			if n.Exp != nil && n.Param != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) {
				w.assign(&syntax.Assign{Name: n.Param, Value: &syntax.Word{Parts: []syntax.WordPart{n}}})
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

func (w *walker) forget(x syntax.ArithmExpr) {
	if word, ok := x.(*syntax.Word); ok {
		w.set(word.Lit(), value{unknown})
	}
}

// assign gives a variable what it may be from here on.
func (w *walker) assign(a *syntax.Assign) {
	var values []value
	w.worlds(func(e *expansion) { values = append(values, e.assigned(a)) })
	w.set(a.Name.Value, values...)
}

// declare walks export, local and their like.
func (w *walker) declare(c *syntax.DeclClause) {
	w.inside(c)
	export, local := c.Variant.Value == "export", c.Variant.Value != "export" && c.Variant.Value != "readonly"
	reference := c.Variant.Value == "nameref"
	for _, a := range c.Args {
		if a.Name == nil {
			given := map[string][]value{}
			w.worlds(func(e *expansion) {
				for _, word := range e.fields([]*syntax.Word{a.Value}) {
					if name, val, ok := strings.Cut(word, "="); ok && name != "" {
						given[name] = append(given[name], value{val})
					} else if strings.HasPrefix(word, "-") {
						export, reference = export || strings.Contains(word, "x"), reference || strings.Contains(word, "n") && local
						local = local && !strings.Contains(word, "g")
					}
				}
			})
			for name, values := range given {
				w.set(name, values...)
			}
			continue
		}
		name := a.Name.Value
		if _, saved := w.locals[name]; w.locals != nil && local && !saved {
			w.locals[name] = orZero(w.vars[name])
		}
		w.exported[name] = w.exported[name] || export
		switch {
		case reference:
			w.set(name, value{unknown})
		case !a.Naked:
			w.assign(a)
		case local && w.locals != nil:
			w.set(name)
		}
	}
}
