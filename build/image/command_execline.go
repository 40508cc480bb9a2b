package image

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// execline follows a text in execline's language: one command, in which each program does a thing and becomes the rest of its words. Its
// texts run where they are among many, so that what is absent is nobody's fault.
func (c *checker) execline(at tree.Found, args []string, f frame) error {
	text, err := c.Script(at)
	if err != nil {
		return err
	}
	f.Loosen()
	f.shell, f.Reading = false, at.Name
	return c.run(execlineWords(text, args), f)
}

// What execline's texts are cut into, and what their words may hold. Few images have one.
var (
	execlineWord = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)(?:^|\s)#.*$|"((?:\\.|[^"\\])*)"|(?:\\.|[^\s"\\])+`)
	})
	execlineVariable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$(\{\w+\}|\w+)`) })
)

// execlineWords cuts a text into its words. $@ stands for its arguments; what else $ stands for is unknown.
func execlineWords(text string, args []string) (words []string) {
	for _, m := range execlineWord().FindAllStringSubmatch(text, -1) {
		switch {
		case strings.HasPrefix(m[0], `"`):
			m[0] = m[1]
		case strings.HasPrefix(strings.TrimSpace(m[0]), "#"):
			continue
		case m[0] == "$@":
			words = append(words, args...)
			continue
		}
		words = append(words, execlineVariable().ReplaceAllString(m[0], shell.Unknown))
	}
	return words
}

// blocks follows the commands that a program of execline is given in braces, which it may run, and what stands behind them.
func (c *checker) blocks(words []string, f frame) (some bool, err error) {
	if !slices.Contains([]string{"background", "backtick", "foreground", "if", "ifelse", "ifte", "ifthenelse", "loopwhilex", "pipeline", "runblock", "trap", "tryexec"}, path.Base(words[0])) {
		return false, nil
	}
	rest := words[1:]
	for open := slices.Index(rest, "{"); open == 0 || open > 0 && !some; open = slices.Index(rest, "{") {
		end, deep := open+1, 1
		for ; end < len(rest) && deep > 0; end++ {
			deep += map[string]int{"{": 1, "}": -1}[rest[end]]
		}
		some, err = true, errors.Join(err, c.run(rest[open+1:max(open+1, end-1)], f))
		rest = rest[end:]
	}
	if !some {
		return false, nil
	}
	return true, errors.Join(err, c.run(rest, f))
}
