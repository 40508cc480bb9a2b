package shell_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/manymage/manymage/build/image/shell"
)

func TestFields(t *testing.T) {
	for text, want := range map[string][]string{
		`app -x  y`:          {"app", "-x", "y"},
		`app 'a b' "c d"e`:   {"app", "a b", "c de"},
		`app "" ''`:          {"app", "", ""},
		`a\ b "\"" '\'`:      {"a b", `"`, `\`},
		"\tapp\n":            {"app"},
		`open "quote of two`: {"open", "quote of two"},
		``:                   nil,
	} {
		if got := shell.Fields(text); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// What no text holds is unknown, and not another word.
func TestQuoteUnknown(t *testing.T) {
	for _, word := range []string{"a\r\nb", "\xff", shell.Unknown, "a" + shell.Unknown} {
		h, err := followed("app "+shell.Quote(word), files{})
		if err != nil || len(h.words) != 1 || len(h.words[0]) != 2 || shell.Known(h.words[0][1]) {
			t.Errorf("%q starts %q: %v", word, h.words, err)
		}
	}
}

// FuzzQuote: a word that is quoted for a shell is that word for who follows the text.
func FuzzQuote(f *testing.F) {
	for _, word := range []string{"", "a b", "'", `"$HOME"`, "`x`", `\`, "*", "~", "#", "a\nb", "a\tb\x01'", "\u00e4", "-n", "A=b", "{a,b}", "!"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if !utf8.ValidString(word) || strings.ContainsAny(word, "\x00\r\uffff") || len(word) > 1000 {
			return // no shell's text holds it
		}
		quoted := shell.Quote(word)
		h, err := followed("app "+quoted, files{})
		if err != nil || len(h.words) != 1 || !slices.Equal(h.words[0], []string{"app", word}) {
			t.Errorf("%q is quoted as %s, which starts %q: %v", word, quoted, h.words, err)
		}
	})
}
