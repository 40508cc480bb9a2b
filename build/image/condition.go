package image

import (
	"path"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"mvdan.cc/sh/v3/syntax"

	"github.com/manymage/manymage/platforms"
)

// certain tells what a condition gives, where that is the same whenever the image runs: true, false, and what asks for the
// machine, so that an image may hold programs for several.
func (w *walker) certain(list ...*syntax.Stmt) (yes, certain bool) {
	if len(list) != 1 || list[0].Background || list[0].Coprocess {
		return false, false
	}
	switch cmd := list[0].Cmd.(type) {
	case *syntax.CallExpr:
		yes, certain = w.answer(cmd)
	case *syntax.TestClause:
		yes, certain = w.test(cmd.X)
	case *syntax.BinaryCmd:
		if cmd.Op != syntax.AndStmt && cmd.Op != syntax.OrStmt {
			return false, false
		}
		x, xCertain := w.certain(cmd.X)
		y, yCertain := w.certain(cmd.Y)
		yes, certain = both(cmd.Op == syntax.OrStmt, x, xCertain, y, yCertain)
	}
	return yes != list[0].Negated, certain
}

// both is what && and || give of two conditions: one may settle it, whatever the other gives.
func both(settles, x, xCertain, y, yCertain bool) (yes, certain bool) {
	if xCertain && x == settles || yCertain && y == settles {
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
	case name == "[" && len(c.Args) == 5 && c.Args[4].Lit() == "]", name == "test" && len(c.Args) == 4:
		return w.compare(c.Args[2].Lit(), c.Args[1], &syntax.Word{Parts: []syntax.WordPart{&syntax.DblQuoted{Parts: c.Args[3].Parts}}})
	}
	return false, false
}

// test is the answer of [[ ]].
func (w *walker) test(x syntax.TestExpr) (yes, certain bool) {
	switch x := x.(type) {
	case *syntax.ParenTest:
		return w.test(x.X)
	case *syntax.UnaryTest:
		yes, certain = w.test(x.X)
		return !yes, certain && x.Op == syntax.TsNot
	case *syntax.BinaryTest:
		if x.Op == syntax.AndTest || x.Op == syntax.OrTest {
			a, aCertain := w.test(x.X)
			b, bCertain := w.test(x.Y)
			return both(x.Op == syntax.OrTest, a, aCertain, b, bCertain)
		}
		left, ok := x.X.(*syntax.Word)
		right, also := x.Y.(*syntax.Word)
		if ok && also {
			return w.compare(x.Op.String(), left, right)
		}
	}
	return false, false
}

// compare is the answer to whether a word is another, or matches a pattern. One of them has to be the machine's name: other
// words are often those of whoever runs the image.
func (w *walker) compare(op string, word, pattern *syntax.Word) (yes, certain bool) {
	if op != "=" && op != "==" && op != "!=" {
		return false, false
	}
	first := true
	w.worlds(func(e *expansion) {
		text, glob := e.text(word), e.pattern(pattern)
		match, err := path.Match(glob, text)
		known := err == nil && !strings.Contains(text+glob, unknown) && (w.isMachine(text) || w.isMachine(glob))
		certain = known && (first || certain && yes == match)
		yes, first = match, false
	})
	return yes != (op == "!="), certain
}

// isMachine tells whether a word names the declared architecture as uname, dpkg, apk or Go do.
func (w *walker) isMachine(word string) bool {
	return word != "" && slices.Contains([]string{platforms.Uname(w.declared), platforms.Debian(w.declared), alpine(w.declared), w.declared.Architecture}, word)
}

// alpine is what apk calls a platform: as uname does, but for 32 bits.
func alpine(p ocispec.Platform) string {
	switch name := platforms.Uname(p); name {
	case "armv7l":
		return "armv7"
	case "armv5l", "armv5tel", "armv6l":
		return "armhf"
	case "i386", "i686":
		return "x86"
	default:
		return name
	}
}

// pattern is what a word matches; what is quoted in it stands for itself.
func (e *expansion) pattern(word *syntax.Word) string {
	var b strings.Builder
	for _, part := range word.Parts {
		switch lit := part.(type) {
		case *syntax.Lit:
			b.WriteString(strings.NewReplacer("[!", "[^", unknownRune, unknown).Replace(lit.Value))
			continue
		case *syntax.ParamExp, *syntax.CmdSubst, *syntax.SglQuoted, *syntax.DblQuoted:
			text := e.text(&syntax.Word{Parts: []syntax.WordPart{part}})
			b.WriteString(strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(text))
			continue
		}
		return unknown
	}
	return b.String()
}
