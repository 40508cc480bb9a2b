package image

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/manymage/manymage/platforms"
)

// Bounds on what expansions give: a word (the kernel's MAX_ARG_STRLEN), and all of an image's texts together, in bytes.
const (
	maxWord     = 128 << 10
	maxExpanded = 8 << 20
	maxWorlds   = 32 // in which one command is looked at
)

// expansion turns words of the tree into words of a command, in one of the worlds that differ in what variables hold.
// What it cannot know becomes unknown.
type expansion struct {
	*walker
	choices []choice // in the order in which they were first asked for
}

type choice struct {
	of     string
	at, is int // of so many
}

// worlds calls do for each combination of values that what do expands may have.
func (w *walker) worlds(do func(*expansion)) {
	e := &expansion{walker: w}
	for range maxWorlds {
		do(e)
		last := len(e.choices) - 1
		for last >= 0 && e.choices[last].at+1 == e.choices[last].is {
			last--
		}
		if e.choices = e.choices[:last+1]; last < 0 {
			return
		}
		e.choices[last].at++
	}
	w.tooMany(w.frame)
}

// pick chooses one of n ways, the same one each time in this world.
func (e *expansion) pick(of string, n int) int {
	for _, c := range e.choices {
		if c.of == of {
			return c.at
		}
	}
	if n > 1 {
		e.choices = append(e.choices, choice{of: of, is: n})
	}
	return 0
}

// afford tells whether so many bytes more may be expanded.
func (e *expansion) afford(n int) bool {
	e.spent += n
	return n <= maxWord && e.spent <= maxExpanded
}

// fields expands words as those of a command, where blanks and arrays make several of one.
func (e *expansion) fields(words []*syntax.Word) []string {
	b := &builder{}
	for _, word := range words {
		for _, part := range word.Parts {
			e.part(b, part, false)
		}
		b.flush()
	}
	return b.words
}

// text expands a word to one, as assignments do.
func (e *expansion) text(word *syntax.Word) string {
	if word == nil {
		return ""
	}
	b := &builder{}
	for _, part := range word.Parts {
		if lit, ok := part.(*syntax.Lit); ok {
			b.add(unescape(lit.Value, false))
		} else {
			e.part(b, part, true)
		}
	}
	b.flush()
	return strings.Join(b.words, " ")
}

// assigned is the value that an assignment gives.
func (e *expansion) assigned(a *syntax.Assign) value {
	if a.Index != nil {
		return value{unknown}
	}
	v := value{e.text(a.Value)}
	if a.Array != nil {
		v = value{}
		for _, elem := range a.Array.Elems {
			if elem.Index != nil || elem.Value == nil {
				return value{unknown}
			}
			v = append(v, e.fields([]*syntax.Word{elem.Value})...)
		}
	}
	if old := e.value(a.Name.Value); a.Append && old != nil {
		if a.Array == nil {
			return append(value{old[:min(1, len(old))].text() + v[0]}, old[min(1, len(old)):]...)
		}
		return append(slices.Clone(old), v...)
	}
	return v
}

func (v value) text() string { return strings.Join(v, " ") }

// document is the input that a here-document gives. A quoted delimiter means that nothing in it is expanded.
func (e *expansion) document(r *syntax.Redirect) string {
	if r.Op == syntax.WordHdoc {
		return e.text(r.Word)
	}
	if r.Hdoc == nil {
		return ""
	}
	if lit := r.Word.Lit(); lit == "" || strings.Contains(lit, `\`) {
		return r.Hdoc.Lit()
	}
	b := &builder{}
	for _, part := range r.Hdoc.Parts {
		e.part(b, part, true)
	}
	b.flush()
	return strings.Join(b.words, "")
}

// part has a case for each kind of part that a word of the grammar has.
func (e *expansion) part(b *builder, part syntax.WordPart, quoted bool) {
	switch part := part.(type) {
	case *syntax.Lit:
		if text := unescape(part.Value, quoted); quoted || !patterned(part.Value) {
			b.add(text)
			return
		}
		b.add(unknown)
	case *syntax.SglQuoted:
		b.add(single(part))
	case *syntax.DblQuoted:
		if len(part.Parts) != 1 || !isSpread(part.Parts[0]) {
			b.add("")
		}
		for _, p := range part.Parts {
			e.part(b, p, true)
		}
	case *syntax.ParamExp:
		e.param(b, part, quoted)
	case *syntax.CmdSubst:
		e.put(b, value{e.output(part.Stmts)}, quoted)
	default: // arithmetic, process substitutions, patterns
		b.add(unknown)
	}
}

// put puts a value in: each word of a list on its own, and what is not quoted cut at blanks.
func (e *expansion) put(b *builder, v value, quoted bool) {
	if !e.afford(len(v.text())) || len(v)+len(b.words) > maxWords {
		b.add(unknown)
		return
	}
	for i, word := range v {
		if i > 0 {
			b.flush()
		}
		if quoted {
			b.add(word)
			continue
		}
		b.split(word, e.separators())
	}
}

// separators is IFS where the text has set it.
func (e *expansion) separators() string {
	if values := e.vars["IFS"]; len(values) == 1 && len(values[0]) == 1 {
		return values[0][0]
	}
	return " \t\n"
}

// unescape takes the backslashes away that the shell would.
func unescape(lit string, quoted bool) string {
	lit = strings.ReplaceAll(lit, unknownRune, unknown)
	if !strings.Contains(lit, `\`) {
		return lit
	}
	var b strings.Builder
	for i := 0; i < len(lit); i++ {
		if lit[i] == '\\' && i+1 < len(lit) && (!quoted || strings.IndexByte("$`\"\\\n", lit[i+1]) >= 0) {
			i++
		}
		b.WriteByte(lit[i])
	}
	return b.String()
}

// patterned tells whether the shell would make other words of one: by a pattern, braces or a home folder.
func patterned(lit string) bool {
	braces := strings.Index(lit, "{")
	bracket := strings.Index(lit, "[")
	return strings.HasPrefix(lit, "~") || strings.ContainsAny(strings.NewReplacer(`\\`, "", `\*`, "", `\?`, "").Replace(lit), "*?") ||
		bracket >= 0 && strings.Contains(lit[bracket+1:], "]") && !strings.Contains(lit, `\[`) ||
		braces >= 0 && strings.Contains(lit[braces:], "}") && (strings.Contains(lit[braces:], ",") || strings.Contains(lit[braces:], ".."))
}

// single is the text of '...', or of $'...' with the escapes that Go knows as well.
func single(q *syntax.SglQuoted) string {
	text := strings.ReplaceAll(q.Value, unknownRune, unknown)
	if !q.Dollar || !strings.Contains(text, `\`) {
		return text
	}
	text = strings.NewReplacer(`\'`, "'", `"`, `\"`, "\n", `\n`, `\e`, `\x1b`, `\\`, `\\`, `\"`, `\"`).Replace(text)
	if plain, err := strconv.Unquote(`"` + text + `"`); err == nil {
		return plain
	}
	return unknown
}

// isSpread tells whether a part stands for each word of a list: $@, ${list[@]}.
func isSpread(part syntax.WordPart) bool {
	p, ok := part.(*syntax.ParamExp)
	if !ok || p.Param == nil {
		return false
	}
	index, _ := p.Index.(*syntax.Word)
	return p.Param.Value == "@" || index != nil && index.Lit() == "@"
}

// value is what a variable holds in this world; nil when it is not set.
func (e *expansion) value(name string) value {
	switch name {
	case "PWD":
		return value{e.dir}
	case "*":
		name = "@"
	case "BASH_SOURCE":
		if e.frame.reading != "" {
			return value{e.frame.reading}
		}
		name = "0"
	}
	if values, ok := e.vars[name]; ok {
		if v := values[e.pick(name, len(values))]; v != nil || name != "LD_LIBRARY_PATH" {
			return v
		}
	}
	if v, ok := e.env[name]; ok {
		return value{v}
	}
	if name != "" && strings.Contains("#?$!-_", name) {
		return value{unknown}
	}
	if name == "LD_LIBRARY_PATH" { // texts add to what nobody sets from outside
		return value{""}
	}
	return nil
}

// param puts a variable in.
func (e *expansion) param(b *builder, p *syntax.ParamExp, quoted bool) {
	if p.Param == nil || p.Excl || p.Length || p.Width || p.IsSet || p.Flags != nil || p.Names != 0 || p.Repl != nil || len(p.Modifiers) > 0 {
		b.add(unknown)
		return
	}
	v := e.element(p)
	if v != nil && p.Slice != nil {
		v = sliced(v, p)
	}
	switch {
	case p.Exp != nil:
		e.operate(b, p, v, quoted)
	case v == nil:
		e.put(b, value{unknown}, quoted)
	case quoted && !isSpread(p):
		e.put(b, value{v.text()}, quoted)
	default:
		e.put(b, v, quoted)
	}
}

// element is the value, or the part of it, that an expansion names.
func (e *expansion) element(p *syntax.ParamExp) value {
	name := p.Param.Value
	if n, err := strconv.Atoi(name); err == nil && n > 0 {
		if args := e.value("@"); n <= len(args) && !slices.Contains(args[:n], unknown) {
			return value{args[n-1]}
		} else if slices.Contains(args, unknown) {
			return value{unknown}
		}
		return nil
	}
	v := e.value(name)
	if name == "@" || name == "*" || v == nil {
		return v
	}
	index, n := "0", 0
	if word, ok := p.Index.(*syntax.Word); ok {
		index = word.Lit()
	} else if p.Index != nil {
		return value{unknown}
	}
	if index == "@" || index == "*" {
		return v
	}
	n, err := strconv.Atoi(index)
	switch {
	case err != nil || n < 0 || slices.Contains(v[:min(n, len(v))], unknown):
		return value{unknown}
	case n >= len(v):
		return nil
	}
	return v[n : n+1]
}

// sliced is ${@:2}, ${list[@]:0:1}.
func sliced(v value, p *syntax.ParamExp) value {
	from, ok := number(p.Slice.Offset)
	count, bounded := number(p.Slice.Length)
	if p.Param.Value == "@" || p.Param.Value == "*" {
		from--
	}
	if !isSpread(p) && p.Param.Value != "*" || !ok || from < 0 || p.Slice.Length != nil && (!bounded || count < 0) || slices.Contains(v, unknown) {
		return value{unknown}
	}
	v = v[min(from, len(v)):]
	if bounded {
		v = v[:min(count, len(v))]
	}
	return v
}

func number(x syntax.ArithmExpr) (int, bool) {
	word, ok := x.(*syntax.Word)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(word.Lit())
	return n, err == nil
}

// operate puts in what an operator makes of a value: a default, or a part of it.
func (e *expansion) operate(b *builder, p *syntax.ParamExp, v value, quoted bool) {
	op, text := p.Exp.Op, v.text()
	set := v != nil && (text != "" || op == syntax.DefaultUnset || op == syntax.AssignUnset || op == syntax.AlternateUnset)
	if strings.Contains(text, unknown) { // either, by the position of the expansion
		set = e.pick(strconv.Itoa(int(p.Pos().Offset()))+p.Param.Value, 2) == 0
	}
	switch op {
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull:
		if set {
			e.put(b, v, quoted)
			return
		}
		e.word(b, p.Exp.Word, quoted)
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		if set {
			e.word(b, p.Exp.Word, quoted)
		}
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		if v == nil {
			v = value{unknown}
		}
		e.put(b, v, quoted)
	default:
		e.put(b, value{e.trim(op, v, p.Exp.Word)}, quoted)
	}
}

// word puts in the parts of a word inside of an expansion.
func (e *expansion) word(b *builder, word *syntax.Word, quoted bool) {
	if word == nil {
		return
	}
	for _, part := range word.Parts {
		e.part(b, part, quoted)
	}
}

// trim takes a pattern away from an end of a value: ${0%/*}, ${1#-}.
func (e *expansion) trim(op syntax.ParExpOperator, v value, word *syntax.Word) string {
	if len(v) != 1 || strings.Contains(v[0], unknown) || word == nil || word.Lit() == "" || !e.afford(len(v[0])*len(v[0])) {
		return unknown
	}
	text, n := v[0], len(v[0])
	matches := func(s string) bool { // to a shell, * and ? take slashes as well
		ok, _ := path.Match(strings.ReplaceAll(word.Lit(), "/", "\x01"), strings.ReplaceAll(s, "/", "\x01"))
		return ok
	}
	for i := range n + 1 {
		switch {
		case op == syntax.RemSmallPrefix && matches(text[:i]):
			return text[i:]
		case op == syntax.RemLargePrefix && matches(text[:n-i]):
			return text[n-i:]
		case op == syntax.RemSmallSuffix && matches(text[n-i:]):
			return text[:n-i]
		case op == syntax.RemLargeSuffix && matches(text[i:]):
			return text[:i]
		case op < syntax.RemSmallSuffix || op > syntax.RemLargePrefix:
			return unknown
		}
	}
	return text
}

// output is what a substitution prints, where that follows from the image alone.
func (e *expansion) output(list []*syntax.Stmt) string {
	dir := e.dir
	for _, words := range e.simple(list) {
		last := words[len(words)-1]
		if strings.Contains(strings.Join(words, ""), unknown) {
			return unknown
		}
		switch path.Base(words[0]) {
		case "cd":
			dir = absolute(dir, last)
			continue
		case "pwd":
			return dir
		case "dirname":
			return path.Dir(last)
		case "basename":
			if len(words) == 2 {
				return path.Base(last)
			}
		case "echo":
			if len(words) < 2 || !strings.HasPrefix(words[1], "-") {
				return strings.Join(words[1:], " ")
			}
		case "readlink", "realpath":
			if at, err := e.resolve(absolute(dir, last)); err == nil && dir != unknown {
				return at.real
			}
		case "command", "which", "type":
			f := e.frame
			f.path, f.dir = e.path(), dir
			if at, fault, err := e.find(last, f); err == nil && fault == nil && at.info != nil {
				return at.name
			}
		case "uname", "arch":
			if last == "-m" || last == "arch" {
				return platforms.Uname(e.declared)
			}
		case "dpkg":
			if last == "--print-architecture" {
				return platforms.Debian(e.declared)
			}
		case "apk":
			if last == "--print-arch" {
				return alpine(e.declared)
			}
		}
		return unknown
	}
	return unknown
}

// simple returns the commands of a list that is nothing but simple commands, one behind the other.
func (e *expansion) simple(list []*syntax.Stmt) (all [][]string) {
	for _, s := range list {
		switch cmd := s.Cmd.(type) {
		case *syntax.CallExpr:
			if words := e.fields(cmd.Args); len(words) > 0 && !s.Negated {
				all = append(all, words)
				continue
			}
		case *syntax.BinaryCmd:
			first, second := e.simple([]*syntax.Stmt{cmd.X}), e.simple([]*syntax.Stmt{cmd.Y})
			if cmd.Op == syntax.AndStmt && first != nil && second != nil {
				all = append(append(all, first...), second...)
				continue
			}
		}
		return nil
	}
	return all
}

// builder collects the words that words of the tree expand to.
type builder struct {
	words []string
	text  strings.Builder
	some  bool // there is a word although it may be empty
}

func (b *builder) add(s string) {
	if b.text.Len()+len(s) > maxWord {
		s = unknown
	}
	b.text.WriteString(s)
	b.some = true
}

// split puts in a value that its separators cut into words.
func (b *builder) split(text, separators string) {
	list := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) })
	if len(b.words)+len(list) > maxWords {
		list = []string{unknown}
	}
	for i, word := range list {
		if i > 0 || strings.ContainsAny(text[:1], separators) {
			b.flush()
		}
		b.add(word)
	}
	if n := len(text); n > 0 && strings.ContainsAny(text[n-1:], separators) {
		b.flush()
	}
}

func (b *builder) flush() {
	if b.some {
		b.words = append(b.words, b.text.String())
	}
	b.text.Reset()
	b.some = false
}
