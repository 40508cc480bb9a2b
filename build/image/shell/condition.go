package shell

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// answer is what a condition gives and a command exits with, where that is the same whenever the image runs.
type answer int16

// What is known of an answer, beside the codes up to 255.
const (
	yes       answer = 0
	no        answer = 1
	cannotRun answer = 126 // a program that is there
	absent    answer = 127
	fails     answer = 256 // with a code that is not known
	maybe     answer = -1
	chance    answer = -2 // of $?: maybe, and it depends on the machine
	likely    answer = -3 // maybe, and yes where nobody gives other words than the image does
	unlikely  answer = -4 // ... and no
)

func answered(is bool) answer {
	if is {
		return yes
	}
	return no
}

// plain is yes, no or maybe.
func (a answer) plain() answer { return min(max(a, maybe), no) }

func (a answer) not() answer {
	switch {
	case a == likely:
		return unlikely
	case a == unlikely:
		return likely
	case a.plain() == maybe:
		return maybe
	}
	return answered(a != yes)
}

// leans tells which answer it is where nobody gives other words than the image does.
func (a answer) leans() answer {
	switch a {
	case likely:
		return yes
	case unlikely:
		return no
	}
	return a.plain()
}

// or is what || gives; one of them may settle it, whatever the other is.
func (a answer) or(b answer) answer {
	switch {
	case a == yes || b == yes:
		return yes
	case a > yes && b > yes:
		return no
	case a == likely || b == likely:
		return likely
	case a.leans() == no && b.leans() == no:
		return unlikely
	}
	return maybe
}

// join is the answer of two ways of which one was gone.
func (a answer) join(b answer) answer {
	switch {
	case a == b:
		return a
	case a > yes && b > yes:
		return fails
	}
	return maybe
}

func (a answer) and(b answer) answer { return a.not().or(b.not()).not() }

// everywhere is the answer that all worlds give.
func (w *walker) everywhere(ask func(*expansion) answer) answer {
	var all []answer
	w.tells = false
	w.worlds(func(e *expansion) {
		e.since = e.outside
		all = append(all, ask(e))
	})
	return w.agreed(all)
}

// agreed is the answer of several. Where one tells of the machine, a variable that somebody may have set instead has no say.
func (w *walker) agreed(all []answer) answer {
	if w.tells {
		all = slices.DeleteFunc(all, func(a answer) bool { return a.plain() == maybe })
	}
	if all = slices.Compact(all); len(all) != 1 {
		return maybe
	}
	return all[0]
}

// bracket is the answer of test and [.
func (w *walker) bracket(words []string) answer {
	if len(words) < 2 {
		return w.filled(strings.Join(words, ""))
	}
	if !w.afford(len(words)) {
		return maybe
	}
	if i := loose(words, "-o"); i >= 0 {
		return w.bracket(words[:i]).or(w.bracket(words[i+1:]))
	}
	if i := loose(words, "-a"); i >= 0 {
		return w.bracket(words[:i]).and(w.bracket(words[i+1:]))
	}
	last := len(words) - 1
	switch {
	case words[0] == "!":
		return w.bracket(words[1:]).not()
	case last == 1 && words[0] == "-n":
		return w.filled(words[1])
	case last == 1 && words[0] == "-z":
		return w.filled(words[1]).not()
	case last == 1 && (words[0] == "-L" || words[0] == "-h") && w.isFile(Absolute(w.dir, words[1])):
		return no
	case last == 1 && words[0] == "-x" && w.isNowhere(words[1]):
		return unlikely
	case last == 1 && IsLoader(words[1]):
		_, _, err := w.image.Resolve(words[1])
		w.failed(err)
		return answered(err == nil)
	case last == 2 && words[0] != "(":
		return w.compare(words[1], words[0], pattern.QuoteMeta(words[2], 0))
	case words[0] == "(" && words[last] == ")":
		return w.bracket(words[1:last])
	}
	return maybe
}

// isNowhere tells whether no file has a name, be it one that was put there.
func (w *walker) isNowhere(word string) bool {
	name := Absolute(w.dir, word)
	return word == "" || Known(name) && !slices.ContainsFunc(w.places(), func(p Put) bool {
		is, err := w.holds(p, name)
		w.failed(err)
		return is
	})
}

// loose is where a word stands outside of parentheses.
func loose(words []string, word string) int {
	depth := 0
	return slices.IndexFunc(words, func(s string) bool {
		switch s {
		case "(":
			depth++
		case ")":
			depth--
		}
		return s == word && depth == 0
	})
}

// filled is the answer to whether there is a text at all.
func (w *walker) filled(text string) answer {
	if !Known(text) {
		return maybe
	}
	return w.settled(answered(text != ""))
}

// settled is an answer that only leans so where any text comes from outside.
func (w *walker) settled(is answer, texts ...string) answer {
	switch {
	case w.decides(texts...):
		return is
	case is == yes:
		return likely
	case is == no:
		return unlikely
	}
	return maybe
}

// test is the answer of [[ ]].
func (e *expansion) test(x syntax.TestExpr) answer {
	switch x := x.(type) {
	case *syntax.ParenTest:
		return e.test(x.X)
	case *syntax.Word:
		e.since = e.outside
		return e.filled(e.text(x))
	case *syntax.UnaryTest:
		switch x.Op {
		case syntax.TsNot, syntax.TsEmpStr:
			return e.test(x.X).not()
		case syntax.TsNempStr:
			return e.test(x.X)
		}
		if name, ok := x.X.(*syntax.Word); ok {
			return e.bracket([]string{x.Op.String(), e.text(name)})
		}
	case *syntax.BinaryTest:
		switch x.Op {
		case syntax.AndTest:
			return e.test(x.X).and(e.test(x.Y))
		case syntax.OrTest:
			return e.test(x.X).or(e.test(x.Y))
		}
		left, ok := x.X.(*syntax.Word)
		right, also := x.Y.(*syntax.Word)
		e.since = e.outside
		switch {
		case ok && also && x.Op == syntax.TsReMatch:
			text, expr := e.text(left), e.pattern(right, regexp.QuoteMeta)
			return e.settled(e.matches(text, expr), text)
		case ok && also:
			return e.compare(x.Op.String(), e.text(left), e.glob(right))
		}
	}
	return maybe
}

// counts is the answer of (( )), where numbers are compared.
func (e *expansion) counts(x syntax.ArithmExpr) answer {
	switch x := x.(type) {
	case *syntax.ParenArithm:
		return e.counts(x.X)
	case *syntax.Word:
		e.since = e.outside
		return e.compare("-ne", e.number(x), "0")
	case *syntax.UnaryArithm:
		if x.Op == syntax.Not {
			return e.counts(x.X).not()
		}
	case *syntax.BinaryArithm:
		switch x.Op {
		case syntax.AndArit:
			return e.counts(x.X).and(e.counts(x.Y))
		case syntax.OrArit:
			return e.counts(x.X).or(e.counts(x.Y))
		}
		left, ok := x.X.(*syntax.Word)
		right, also := x.Y.(*syntax.Word)
		op := map[syntax.BinAritOperator]string{syntax.Eql: "-eq", syntax.Neq: "-ne", syntax.Lss: "-lt", syntax.Leq: "-le", syntax.Gtr: "-gt", syntax.Geq: "-ge"}[x.Op]
		if e.since = e.outside; ok && also {
			return e.compare(op, e.number(left), e.number(right))
		}
	}
	return maybe
}

// number is what stands in (( )), where variables are named without $.
func (e *expansion) number(word *syntax.Word) string {
	if name := word.Lit(); syntax.ValidName(name) {
		return e.value(name).text()
	}
	return e.text(word)
}

// compare is the answer to whether a text matches a pattern. One of them has to tell of the machine, where any comes from outside:
// other words are often those of whoever runs the image.
func (w *walker) compare(op, text, glob string) answer {
	w.guess = w.guess || strings.Contains(text+glob, guessed)
	switch op {
	case "!=", "-ne", "-ge", "-le":
		return w.compare(strings.NewReplacer("!=", "=", "-ne", "-eq", "-ge", "-lt", "-le", "-gt").Replace(op), text, glob).not()
	case "=", "==":
		switch {
		case glob == "*":
			return yes
		case !Known(glob): // the library would take what is before it
			return maybe
		}
		expr, err := pattern.Regexp(glob, pattern.EntireString|pattern.ExtendedOperators)
		if err == nil {
			return w.settled(w.matches(text, expr), text, glob)
		}
	case "-eq", "-lt", "-gt":
		x, err := strconv.Atoi(text)
		y, bad := strconv.Atoi(glob)
		if err == nil && bad == nil {
			return w.settled(answered(op == "-eq" && x == y || op == "-lt" && x < y || op == "-gt" && x > y), text, glob)
		}
	}
	return maybe
}

func (w *walker) matches(text, expr string) answer {
	if re := w.expression(expr, text); re != nil && Known(text) {
		return answered(re.MatchString(text))
	}
	return maybe
}

// expression is one to be looked for in a text, nil where it is none or it would cost too much.
func (w *walker) expression(expr, text string) *regexp.Regexp {
	cost := len(expr) * (1 + len(text))
	if strings.Contains(expr, "{") { // a{1000}
		cost *= repeatCost
	}
	if !Known(expr) || !w.afford(cost) {
		return nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil
	}
	return re
}

// decides tells whether texts are the same whenever the image runs, as one tells of the machine or none comes from outside.
func (w *walker) decides(texts ...string) bool {
	machine := slices.ContainsFunc(texts, w.ofMachine)
	w.tells = w.tells || machine && Known(strings.Join(texts, ""))
	return machine || w.outside == w.since
}
