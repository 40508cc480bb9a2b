package image

import (
	"bytes"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/tree"
)

// bang is a #! line as the kernel takes it: an interpreter and at most one argument with inner blanks.
type bang struct {
	interpreter string
	argument    string
	crlf        bool // the line ends in CR LF, and the CR became part of the last word
}

// readBang reads the #! line at the begin of head.
func readBang(head []byte) bang {
	line, _, _ := bytes.Cut(head[:min(len(head), tree.MaxBang)], []byte("\n"))
	text := strings.TrimPrefix(string(line), "#!")
	crlf := strings.HasSuffix(text, "\r")
	text = strings.Trim(text, " \t")
	cut := strings.IndexAny(text, " \t")
	if cut < 0 {
		return bang{interpreter: strings.TrimSuffix(text, "\r"), crlf: crlf}
	}
	argument := strings.TrimSuffix(strings.Trim(text[cut:], " \t"), "\r")
	return bang{interpreter: text[:cut], argument: argument, crlf: crlf}
}

// shell tells whether a shell reads the script, by itself or behind env or the like.
func (b bang) shell() bool {
	return slices.ContainsFunc(append(strings.Fields(b.argument), b.interpreter), isShell)
}

// words is the command that the kernel makes of the line for a script with these arguments.
func (b bang) words(script string, args []string) []string {
	words := []string{b.interpreter}
	if b.argument != "" {
		words = append(words, b.argument)
	}
	return append(append(words, script), args...)
}
