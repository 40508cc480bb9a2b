package shell

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// MaxWords is how many words a command may have. What has more is not known.
const MaxWords = 4096

// Bounds on what expansions give: a word (the kernel's MAX_ARG_STRLEN), and all of an image's texts together, in bytes.
const (
	maxWord     = 128 << 10
	maxExpanded = 8 << 20
	maxWorlds   = 32 // in which one command is looked at
)

// LookCost is what looking into a folder of PATH costs, in bytes that are expanded in about the same time.
const LookCost = 32

// What else takes time, counted likewise.
const (
	cloneCost  = 16  // a way to be walked, and one for each name
	repeatCost = 100 // a byte of an expression that repeats by number
)

// expansion turns words of the tree into words of a command, in one of the worlds that differ in what variables hold.
// What it cannot know becomes Unknown.
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
	for {
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
}

// pick chooses one of some values, the same one each time in this world. Where there would be too many worlds it is unknown which.
func (e *expansion) pick(of string, values []value) value {
	ways := len(values)
	for _, c := range e.choices {
		if c.of == of {
			return values[c.at]
		}
		ways *= c.is
	}
	switch {
	case len(values) == 1:
		return values[0]
	case ways > maxWorlds:
		return value{Unknown}
	}
	e.choices = append(e.choices, choice{of: of, is: len(values)})
	return values[0]
}

// afford tells whether so many bytes more may be expanded. What is too long is not, and costs nothing; behind the last that may be
// nothing is walked, since what is chosen by machine could not be told there.
func (w *walker) afford(n int) bool {
	if n > maxWord {
		return false
	}
	w.spent += n
	return w.spent <= maxExpanded
}

// fields expands words as those of a command, where blanks and arrays make several of one.
func (e *expansion) fields(words []*syntax.Word) []string {
	b := &builder{files: e.named}
	for _, word := range words {
		for _, part := range word.Parts {
			e.part(b, part, false)
		}
		b.flush()
	}
	return b.words
}

// named lists the files that a pattern names. What earlier commands have made there is not seen.
func (e *expansion) named(glob string) []string {
	glob, here := strings.CutPrefix(glob, "./")
	dir := ""
	if !strings.HasPrefix(glob, "/") {
		dir = strings.TrimSuffix(e.dir, "/") + "/"
	}
	if !Known(dir + glob) {
		return []string{Unknown}
	}
	names, err := e.Glob(dir + glob)
	e.failed(err)
	if len(names) > MaxWords || !e.afford(len(strings.Join(names, " "))) {
		return []string{Unknown}
	}
	for i, name := range names {
		if names[i] = strings.TrimPrefix(name, dir); here {
			names[i] = "./" + names[i]
		}
	}
	return names
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
		return value{Unknown}
	}
	v := value{e.text(a.Value)}
	if a.Array != nil {
		v = value{}
		for _, elem := range a.Array.Elems {
			if elem.Index != nil || elem.Value == nil {
				return value{Unknown}
			}
			v = append(v, e.fields([]*syntax.Word{elem.Value})...)
		}
	}
	if !a.Append {
		return v
	}
	if old := e.value(a.Name.Value); old != nil {
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
		switch text := unescape(part.Value, quoted); {
		case quoted:
			b.add(text)
		case homely(part):
			b.add(Unknown)
		default:
			b.pattern(text, strings.ReplaceAll(part.Value, unknownRune, Unknown))
		}
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
		out, ok := e.outputs[part]
		if !ok {
			out = e.output(part)
		}
		if out.outside {
			e.outside++
		}
		e.put(b, e.pick("$("+strconv.Itoa(int(part.Pos().Offset())), out.values), quoted)
	default: // arithmetic, process substitutions, patterns
		b.add(Unknown)
	}
}

// put puts a value in: each word of a list on its own, and what is not quoted cut at blanks.
func (e *expansion) put(b *builder, v value, quoted bool) {
	if !e.afford(len(v.text())) || len(v)+len(b.words) > MaxWords {
		b.add(Unknown)
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
