package shell

import (
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// unescape takes the backslashes away that the shell would.
func unescape(lit string, quoted bool) string {
	lit = strings.ReplaceAll(lit, unknownRune, Unknown)
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

// homely tells whether the shell would make other words of one by a home folder or braces.
func homely(lit *syntax.Lit) bool {
	return strings.HasPrefix(lit.Value, "~") || syntax.SplitBraces(&syntax.Word{Parts: []syntax.WordPart{lit}})
}

// single is the text of '...', or of $'...' with its escapes.
func single(q *syntax.SglQuoted) string {
	text := q.Value
	if q.Dollar {
		text, _, _ = expand.Format(&expand.Config{}, text, nil)
	}
	return strings.ReplaceAll(text, unknownRune, Unknown)
}

// glob is the pattern that a word stands for.
func (e *expansion) glob(word *syntax.Word) string {
	return e.pattern(word, func(s string) string { return pattern.QuoteMeta(s, 0) })
}

// pattern is a word in which what is quoted stands for itself.
func (e *expansion) pattern(word *syntax.Word, quote func(string) string) string {
	var b strings.Builder
	for _, part := range word.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			b.WriteString(strings.ReplaceAll(part.Value, unknownRune, Unknown))
		case *syntax.ExtGlob:
			b.WriteString(part.Op.String() + part.Pattern.Value + ")")
		case *syntax.SglQuoted, *syntax.DblQuoted:
			b.WriteString(quote(e.text(&syntax.Word{Parts: []syntax.WordPart{part}})))
		default:
			b.WriteString(e.text(&syntax.Word{Parts: []syntax.WordPart{part}}))
		}
	}
	return b.String()
}

// Quote is a word as a text for sh has it, Unknown where no text that is followed holds it.
func Quote(word string) string {
	if !utf8.ValidString(word) || strings.Contains(word, "\r") {
		word = Unknown
	}
	if quoted, err := syntax.Quote(word, syntax.LangPOSIX); err == nil {
		return quoted
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" // line feeds and the like
}

// Fields cuts a text into words at blanks outside of quotes, as env -S does.
func Fields(text string) (words []string) {
	b, quote := &builder{}, byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			b.add(text[i : i+1])
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
			b.add("")
		case quote == c && quote != 0:
			quote = 0
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n'):
			b.flush()
		default:
			b.add(text[i : i+1])
		}
	}
	b.flush()
	return b.words
}
