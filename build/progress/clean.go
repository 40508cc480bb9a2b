package progress

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/manymage/manymage/build/lines"
)

// Clean makes foreign text safe to print as one line on a terminal or in a log. Control and escape characters become visible
// (\x1b, \r, \n), invalid UTF-8 and characters that reorder text become U+FFFD, tabs stay. What GitHub's runner would take for
// a workflow command ("::" at the start of a line, "##[" anywhere) gets a backslash.
func Clean(s string) string {
	if !printable(s) {
		s = visible(s)
	}
	s = strings.ReplaceAll(s, "##[", `#\#[`)
	if trimmed := strings.TrimLeftFunc(s, unicode.IsSpace); strings.HasPrefix(trimmed, "::") {
		s = s[:len(s)-len(trimmed)] + `\` + trimmed
	}
	return s
}

// CleanLines is Clean for a text of whole lines: their ends stay, and each is bounded.
func CleanLines(text string) string {
	all := strings.Split(text, "\n")
	for i, line := range all {
		if len(line) > lines.Longest {
			line = strings.ToValidUTF8(line[:lines.Longest], "") + "..."
		}
		all[i] = Clean(line)
	}
	return strings.Join(all, "\n")
}

func printable(s string) bool {
	for _, r := range s {
		if r != '\t' && (r < ' ' || r > '~') {
			return false
		}
	}
	return true
}

func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\t':
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ' || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, `\x%02x`, r)
		case reorders(r):
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// reorders tells the bidirectional controls and the separators of Unicode, with which a text can look like another one.
func reorders(r rune) bool {
	return unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// escapes are the sequences of ECMA-48 that programs colour their output with: CSI, and OSC with either end.
var escapes = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)`)

// printed is what a line of a program's output leaves on a terminal: colours are dropped, and what a progress bar has
// overwritten after a carriage return is gone.
func printed(line []byte) string {
	line = bytes.TrimRight(line, "\r")
	if i := bytes.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	return Clean(string(escapes.ReplaceAll(line, nil)))
}
