package shell

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/manymage/manymage/platforms"
)

// value is what a variable holds in this world; nil when it is not set.
func (e *expansion) value(name string) value {
	switch {
	case name == "?" && e.last == chance:
		return value{guessed}
	case name == "?" && e.last >= yes && e.last < fails:
		return value{strconv.Itoa(int(e.last))}
	case name == "#":
		return e.count()
	}
	if e.wild || !e.fixed[name] {
		e.outside++
	}
	if e.chosen[name] {
		e.picked++
	}
	switch name {
	case "PWD":
		return value{e.dir}
	case "*":
		name = "@"
	case "BASH_SOURCE":
		if e.frame.Reading != "" {
			return value{e.frame.Reading}
		}
		name = "0"
	}
	image, there := e.env[name]
	if values, ok := e.vars[name]; ok {
		if !there {
			values = unless(values, nil, value{Unknown})
		}
		if v := e.pick(name, values); v != nil { // else it is what it was before the text
			return v
		}
	}
	if there {
		return value{image}
	}
	switch bash := e.frame.Tongue == "bash"; {
	case name == "HOSTTYPE" && bash:
		return value{platforms.Uname(e.declared)}
	case name == "MACHTYPE" && bash:
		return value{guessed}
	case name != "" && strings.Contains("?$!-_", name):
		return value{Unknown}
	}
	if name == "LD_LIBRARY_PATH" { // texts add to what nobody sets from outside
		return value{""}
	}
	return nil
}

// count is how many positional parameters there are.
func (e *expansion) count() value {
	args := e.value("@")
	if slices.ContainsFunc(args, anything) {
		return value{Unknown}
	}
	return value{strconv.Itoa(len(args))}
}

// unless leaves one of some values out where another is among them, which may be as much: each would be a world of its own.
func unless(values []value, one, other value) []value {
	is := func(this value) func(value) bool { return func(v value) bool { return sameValue(v, this) } }
	if !slices.ContainsFunc(values, is(other)) {
		return values
	}
	return slices.DeleteFunc(slices.Clone(values), is(one))
}

// param puts a variable in.
func (e *expansion) param(b *builder, p *syntax.ParamExp, quoted bool) {
	v := value{Unknown}
	switch {
	case p.Param == nil || p.Excl || p.Width || p.IsSet || p.Flags != nil || p.Names != 0 || len(p.Modifiers) > 0:
	case p.Exp != nil && p.Exp.Op <= syntax.AssignUnsetOrNull:
		e.operate(b, p, e.element(p), quoted)
		return
	case p.Exp != nil || p.Slice != nil || p.Repl != nil || p.Length:
		v = e.computed(p)
	default:
		if v = e.element(p); v == nil {
			v = value{given}
		}
	}
	if quoted && !isSpread(p) {
		v = value{v.text()}
	}
	e.put(b, v, quoted)
}

// element is the value, or the part of it, that an expansion names.
func (e *expansion) element(p *syntax.ParamExp) value {
	name := p.Param.Value
	if n, err := strconv.Atoi(name); err == nil && n > 0 {
		args := e.value("@")
		switch {
		case slices.ContainsFunc(args[:min(n, len(args))], anything):
			return value{Unknown}
		case n > len(args):
			return nil
		}
		return args[n-1 : n]
	}
	v := e.value(name)
	switch {
	case v == nil || isSpread(p) || name == "*" || isStar(p):
		return v
	case p.Index != nil:
		return e.computed(&syntax.ParamExp{Dollar: p.Dollar, Rbrace: p.Rbrace, Param: p.Param, Index: p.Index})
	}
	return v[:min(1, len(v))]
}

// operate puts in what an operator makes of a value: a default, or a part of it.
func (e *expansion) operate(b *builder, p *syntax.ParamExp, v value, quoted bool) {
	op, text := p.Exp.Op, v.text()
	set := len(v) > 0 && (text != "" || op == syntax.DefaultUnset || op == syntax.AssignUnset || op == syntax.AlternateUnset)
	if !Known(text) { // either, by the position of the expansion
		set = e.pick(strconv.Itoa(int(p.Pos().Offset()))+p.Param.Value, []value{{Unknown}, nil}) != nil
	} else if text == "" && e.brings(b, p) {
		set = e.pick(fromOutside+p.Param.Value, []value{nil, {Unknown}}) != nil
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
			v = value{given}
		}
		e.put(b, v, quoted)
	}
}

// fromOutside stands before the name of a variable by which words come in, where it is chosen whether they do. At first they do not.
const fromOutside = "+"

// brings tells whether words come in by an expansion like ${DEBUG:+strace -f} where whoever runs the image gives that variable: they may be what
// is started. Options are not, nor what is put to a list such as ${LIST:+$LIST:}.
func (e *expansion) brings(b *builder, p *syntax.ParamExp) bool {
	name := p.Param.Value
	_, there := e.vars[name]
	_, image := e.env[name]
	if op := p.Exp.Op; op != syntax.AlternateUnset && op != syntax.AlternateUnsetOrNull || there && !image || e.fixed[name] || b.text.Len() > 0 || !syntax.ValidName(name) {
		return false
	}
	word, _, _ := strings.Cut(e.text(p.Exp.Word), " ")
	return Known(word) && word != "" && !strings.ContainsAny(word[:1], "-:")
}

// word puts in the parts of a word inside of an expansion, which blanks outside of quotes cut there, too.
func (e *expansion) word(b *builder, word *syntax.Word, quoted bool) {
	if word == nil {
		return
	}
	for _, part := range word.Parts {
		if lit, ok := part.(*syntax.Lit); ok && !quoted && !homely(lit) && !strings.Contains(lit.Value, `\`) {
			b.split(unescape(lit.Value, false), e.separators())
		} else {
			e.part(b, part, quoted)
		}
	}
}

// computed is what the library makes of an expansion: ${0%/*}, ${list[1]}, ${X/a/b}, ${#X}. All that it reads must be known.
func (e *expansion) computed(p *syntax.ParamExp) value {
	r := &reader{expansion: e, size: int(p.End().Offset()-p.Pos().Offset()) + 1}
	syntax.Walk(p, r.simple)
	if r.blind || !e.afford(r.size) {
		return value{Unknown}
	}
	quoted := &syntax.Word{Parts: []syntax.WordPart{&syntax.DblQuoted{Parts: []syntax.WordPart{p}}}}
	v, err := expand.Fields(&expand.Config{Env: r}, quoted)
	if err != nil || r.blind {
		return value{Unknown}
	}
	return v
}

// reader gives the library what variables hold, as far as that is known and what may be made of it stays small.
type reader struct {
	*expansion
	size  int
	blind bool // it has not seen all
}

// simple refuses what would have to be worked out.
func (r *reader) simple(n syntax.Node) bool {
	switch n := n.(type) {
	case nil, *syntax.Word, *syntax.SglQuoted, *syntax.DblQuoted:
	case *syntax.ParamExp:
		if n.Exp != nil && n.Exp.Op == syntax.OtherParamOps {
			r.blind = r.blind || n.Exp.Word == nil || !slices.Contains(transformations(), n.Exp.Word.Lit())
		}
		if n.Param != nil {
			r.size *= 1 + len(r.holds(n.Param.Value).text())
			r.blind = r.blind || r.size > maxWord
		}
	case *syntax.Lit:
		r.blind = r.blind || strings.Contains(n.Value, unknownRune)
	default:
		r.blind = true
	}
	return !r.blind
}

// transformations are the operators behind @ that the library takes. At any other word it panics.
func transformations() []string { return []string{"Q", "E", "a", "A", "P", "U", "u", "L", "K", "k"} }

// Get is that of expand.Environ.
func (r *reader) Get(name string) expand.Variable {
	before := r.outside
	v := r.holds(name)
	if name == "IFS" {
		v = value{r.separators()}
	}
	if name == "IFS" || name == "PWD" { // which the library asks for by itself
		r.outside = before
	}
	if r.blind = r.blind || v == nil || !Known(v.text()); r.blind {
		return expand.Variable{Set: true, Kind: expand.String}
	}
	if len(v) == 1 && name != "@" {
		return expand.Variable{Set: true, Kind: expand.String, Str: v[0]}
	}
	return expand.Variable{Set: true, Kind: expand.Indexed, List: v}
}

// holds is what a variable or positional parameter holds.
func (r *reader) holds(name string) value {
	if n, err := strconv.Atoi(name); err == nil && n > 0 {
		return r.element(&syntax.ParamExp{Param: &syntax.Lit{Value: name}})
	}
	return r.value(name)
}

// Each is that of expand.Environ, and never asked for.
func (r *reader) Each(func(string, expand.Variable) bool) {}

// isSpread tells whether a part stands for each word of a list: $@, ${list[@]}.
func isSpread(part syntax.WordPart) bool {
	p, ok := part.(*syntax.ParamExp)
	if !ok || p.Param == nil {
		return false
	}
	index, _ := p.Index.(*syntax.Word)
	return p.Param.Value == "@" || index != nil && index.Lit() == "@"
}

func isStar(p *syntax.ParamExp) bool {
	index, _ := p.Index.(*syntax.Word)
	return index != nil && index.Lit() == "*"
}
