package shell

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxSteps bounds the statements that are walked in all texts of an image, those of called functions each time.
const maxSteps = 20000

// TooMany is the note of a bound that was reached.
const TooMany = "the image's scripts start so many commands that not all were followed"

// walker walks the tree of a text as the shell would run it. Of conditions it decides those that are the same whenever the
// image runs: what may or may not happen is walked, softly, and what holds behind it is either.
type walker struct {
	*Texts
	host  Host
	frame Frame
	state
	doors
	script  []*syntax.Stmt // the whole text
	outputs map[*syntax.CmdSubst]output
	active  map[string]bool    // calls of functions that are being walked
	locals  map[string][]value // what the function's local variables were before; nil outside of functions
	outside int                // how often expansions have read what comes from outside
	since   int                // ... and had before those of this condition
	picked  int                // how often expansions have read a variable that was chosen by machine
	rounds  []round            // of the loops over words that it is inside of
	guess   bool               // the last answer depends on the machine, and is not known
	tells   bool               // ... or is known by it, in one of the worlds
	wild    bool               // variables may change in ways that are not seen
	calls   int                // how many functions and sourced files deep it is
	soft    bool               // inside of what may not happen
	unsure  bool               // ... even where nobody gives other words than the image does
	trial   bool               // it is asked whether what is walked succeeds
	caught  bool               // ... and something else happens where it does not
	early   bool               // what fails here does not end the text, which goes on behind it
	made    bool               // an earlier command may have put programs into the image
	loops   []*doors           // those that it is inside of
	often   bool               // ... that may happen any number of times
	err     error              // the first failure to read; nothing is walked behind it
}

func newWalker(t *Texts, host Host, f Frame, args []string) *walker {
	vars := map[string][]value{"PATH": {{strings.Join(f.Path, ":")}}, "@": {{}}}
	exported := map[string][]bool{}
	for name, values := range f.env {
		vars[name], exported[name] = values, []bool{true}
	}
	if len(args) > 0 {
		vars["0"], vars["@"] = []value{{args[0]}}, []value{append(value{}, args[1:]...)}
	}
	picked := maps.Clone(f.picked)
	if picked == nil {
		picked = map[string]bool{}
	}
	files := map[string][]string{}
	for name, source := range f.Put {
		files[name] = []string{source}
	}
	functions := map[string][]*syntax.Stmt{}
	if f.Tongue == "bash" {
		for name, bodies := range f.exports {
			functions[name], exported[name+"()"] = bodies, []bool{true}
		}
	}
	return &walker{Texts: t, host: host, frame: f, outputs: map[*syntax.CmdSubst]output{}, active: map[string]bool{}, doors: closed(), wild: tongue(f.Tongue) != syntax.LangBash,
		state: state{vars: vars, fixed: map[string]bool{}, exported: exported, functions: functions, files: files, dir: f.Dir, chosen: picked}}
}

// note keeps one sentence for people.
func (w *walker) note(format string, args ...any) { w.host.Note(fmt.Sprintf(format, args...)) }

func (w *walker) stmts(list []*syntax.Stmt) {
	early, trial, caught := w.early, w.trial, w.caught
	for i, s := range list {
		asked := asked(list[i+1:])
		w.early, w.trial, w.caught = early || i+1 < len(list), trial || asked, caught || asked
		w.stmt(s)
	}
	w.early, w.trial, w.caught = early, trial, caught
}

// during walks while something holds that may have held before.
func during(holds *bool, walk func()) {
	outer := *holds
	*holds = true
	walk()
	*holds = outer
}

// softly walks what may not happen.
func (w *walker) softly(walk func()) { during(&w.soft, func() { during(&w.unsure, walk) }) }

// tried walks what something else happens without.
func (w *walker) tried(walk func()) { during(&w.trial, func() { during(&w.caught, walk) }) }

// surely tells whether what is walked happens where nobody gives other words than the image does: no loop around it may have been left before.
func (w *walker) surely() bool {
	left := func(loop *doors) bool { return !loop.whole.ended || !loop.part.ended }
	return !w.unsure && !w.off && !slices.ContainsFunc(w.loops, left)
}

// step tells whether the walk goes on.
func (w *walker) step() bool {
	if w.steps++; w.Exhausted() {
		w.note(TooMany)
		return false
	}
	return w.err == nil && !w.ended
}

func (w *walker) stmt(s *syntax.Stmt) {
	if !w.step() {
		return
	}
	input, before := w.frame.Input, w.printed
	w.redirect(s.Redirs)
	if slices.ContainsFunc(s.Redirs, away) {
		w.printed = []value{{""}}
	}
	w.status, w.guess = maybe, false
	if s.Background || s.Coprocess {
		w.fork(func() { w.cmd(s.Cmd) })
		w.status = yes
	} else if s.Cmd == nil && slices.ContainsFunc(s.Redirs, func(r *syntax.Redirect) bool { return r.Op == syntax.RdrIn }) { // $(<file)
		w.print(Unknown)
	} else {
		w.cmd(s.Cmd)
	}
	if s.Negated {
		w.status = w.status.not()
	}
	if w.last = w.status; w.status.plain() == maybe && w.guess {
		w.last = chance
	}
	printed := w.printed
	if w.frame.Input = input; slices.ContainsFunc(s.Redirs, away) {
		w.printed = before
	}
	for _, r := range s.Redirs {
		if writes(r) {
			w.made = true
			w.write(s.Cmd, r, printed)
		}
	}
}

// away tells whether a redirection takes away what a command prints.
func away(r *syntax.Redirect) bool {
	return (r.N == nil || r.N.Value == "1") && (r.Op == syntax.DplOut || makesFile(r.Op))
}

// writes tells whether a redirection makes a file.
func writes(r *syntax.Redirect) bool {
	return (makesFile(r.Op) || r.Op == syntax.RdrInOut) && !strings.HasPrefix(r.Word.Lit(), "/dev/")
}

func makesFile(op syntax.RedirOperator) bool {
	return slices.Contains([]syntax.RedirOperator{syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll}, op)
}

// cmd has a case for each kind of command of the grammar.
func (w *walker) cmd(cmd syntax.Command) {
	switch cmd := cmd.(type) {
	case *syntax.CallExpr:
		w.call(cmd)
	case *syntax.BinaryCmd:
		w.binary(cmd)
	case *syntax.IfClause:
		w.ifs(cmd)
	case *syntax.CaseClause:
		w.cases(cmd)
	case *syntax.WhileClause:
		w.while(cmd)
	case *syntax.ForClause:
		w.forEach(cmd)
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
	case *syntax.TestClause:
		w.inside(cmd)
		w.status = w.everywhere(func(e *expansion) answer { return e.test(cmd.X) })
	case *syntax.ArithmCmd:
		w.inside(cmd)
		w.status = w.everywhere(func(e *expansion) answer { return e.counts(cmd.X) })
	case *syntax.LetClause:
		w.inside(cmd)
		w.status = w.everywhere(func(e *expansion) answer { return e.counts(cmd.Exprs[len(cmd.Exprs)-1]) })
	}
}

func (w *walker) define(c *syntax.FuncDecl) {
	names := c.Names
	if c.Name != nil {
		names = append(names, c.Name)
	}
	for _, name := range names {
		w.functions[name.Value] = []*syntax.Stmt{c.Body}
		w.exportAny(name.Value + "()")
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
