package image

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// maxScript is how much of a shell script is read.
const maxScript = 64 << 10

// shell follows a shell's command line: sh -c text, or sh file.
func (c *checker) shell(words []string, f frame) error {
	text, login, rest := shellWords(words[1:])
	if len(rest) == 0 {
		return nil // interactive, or reading its input
	}
	_, env := c.env["BASH_ENV"]
	f.soft = f.soft || login || env // profiles change PATH and what names mean
	if text {
		args := rest[1:]
		if len(args) > 0 {
			args = args[1:] // the first is $0
		}
		return c.text(rest[0], args, f)
	}
	return c.scriptFile(rest[0], rest[1:], f)
}

// shellWords skips a shell's options; text tells whether the next word is the program itself (-c), login whether the shell
// reads the user's files first.
func shellWords(words []string) (text, login bool, rest []string) {
	for len(words) > 0 && len(words[0]) > 1 && (words[0][0] == '-' || words[0][0] == '+') {
		word := words[0]
		words = words[1:]
		if word == "--" {
			break
		}
		if strings.HasPrefix(word, "--") {
			login = login || word == "--login"
			if (word == "--rcfile" || word == "--init-file") && len(words) > 0 {
				words = words[1:]
			}
			continue
		}
		text = text || strings.Contains(word, "c")
		login = login || strings.ContainsAny(word, "li")
		if strings.HasSuffix(word, "o") && len(words) > 0 {
			words = words[1:] // -o pipefail
		}
	}
	return text, login, words
}

// scriptFile follows the commands of a script that a shell was given. The script itself must be there, its commands
// are only hints: what they reach must not be foreign, but may be absent.
func (c *checker) scriptFile(word string, args []string, f frame) error {
	if strings.Contains(word, unknown) || f.dir == unknown && !strings.HasPrefix(word, "/") {
		return nil
	}
	at, err := c.resolve(absolute(f.dir, word))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errLoop):
		f.script = ""
		return c.add(f, *missing(absolute(f.dir, word), "not in the image", f))
	case err != nil:
		return err
	case !at.info.Mode().IsRegular():
		return c.add(f, Fault{Kind: NotRegular, Path: at.name, What: "a " + kindOf(at.info.Mode()) + " and no script", Cure: "name a script in " + f.source()})
	}
	text, err := c.tree.text(at.real, at.info.Size())
	if err != nil {
		return err
	}
	if f.role == Interpreter {
		f.role = Entry
	}
	f.soft, f.script = true, ""
	return c.text(text, args, f)
}

// text reads the begin of a script.
func (t *tree) text(real string, size int64) (string, error) {
	s, err := open(t.root, real, size, nil)
	if err != nil {
		return "", err
	}
	defer s.close()
	b := make([]byte, min(size, maxScript))
	n, err := s.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading %s in the image: %w", real, err)
	}
	return string(b[:n]), nil
}

// text follows the simple commands of a shell text.
func (c *checker) text(src string, args []string, f frame) error {
	seen := sha256.Sum256([]byte(src + unknown + strings.Join(args, unknown)))
	if c.texts[seen] {
		return nil
	}
	c.texts[seen] = true
	f.shell, f.script = true, ""
	if f.role == Interpreter {
		f.role = Entry
	}
	sh := &shellState{checker: c, frame: f, vars: map[string]string{}}
	s := &script{lexer: lexer{text: src, value: sh.value, args: args}, functions: map[string]bool{}}
	for {
		cmd, ok, err := s.next()
		if err != nil {
			c.note(f, "a shell text in the image was followed only in part: %v", err)
			return nil
		}
		if !ok {
			return nil
		}
		if err := sh.simple(cmd); err != nil {
			return err
		}
	}
}

// shellState is what earlier commands of a text changed for later ones.
type shellState struct {
	checker *checker
	frame   frame
	vars    map[string]string // assigned in the text; unknown when the value is not known
}

// value is that of a variable: set in the text, or in the image's Env. Others may come at run time.
func (s *shellState) value(name string) (string, bool) {
	v, ok := s.vars[name]
	if !ok {
		v, ok = s.checker.env[name]
	}
	return v, ok && v != unknown
}

// simple takes one command: assignments and builtins change the state, everything else is followed.
func (s *shellState) simple(cmd command) error {
	words, f := cmd.words, s.frame
	f.soft = f.soft || cmd.conditional
	for len(words) > 0 && isAssignment(words[0]) {
		name, value, _ := strings.Cut(words[0], "=")
		words = words[1:]
		if name == "PATH" {
			f.path = pathList(value)
		}
		if len(words) == 0 || s.onlyAssignments(words) {
			s.assign(name, value, cmd.conditional)
		}
	}
	words = skipExec(words)
	if len(words) == 0 {
		return nil
	}
	if s.builtin(words, cmd.conditional) {
		return nil
	}
	return s.checker.run(words, f)
}

func (s *shellState) onlyAssignments(words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !isAssignment(w) })
}

// assign remembers a variable; one that may or may not be set is not known any more.
func (s *shellState) assign(name, value string, conditional bool) {
	if conditional || strings.Contains(value, unknown) || len(value) > maxWord {
		value = unknown
	}
	s.vars[name] = value
	if name == "PATH" {
		s.frame.path = pathList(value)
	}
}

// isAssignment tells whether a word is NAME=value.
func isAssignment(word string) bool {
	n := nameLen(word)
	return n > 0 && n < len(word) && word[n] == '='
}

// skipExec skips the builtins that only introduce a command.
func skipExec(words []string) []string {
	for len(words) > 0 && (words[0] == "exec" || words[0] == "command" || words[0] == "builtin") {
		words = words[1:]
		for len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' {
			if words[0] == "-v" || words[0] == "-V" {
				return nil
			}
			if words[0] == "-a" && len(words) > 1 {
				words = words[1:]
			}
			words = words[1:]
		}
	}
	return words
}

// builtin takes a command that the shell runs by itself.
func (s *shellState) builtin(words []string, conditional bool) bool {
	switch words[0] {
	case "cd", "pushd":
		dir := unknown
		if len(words) == 2 && !conditional && !strings.Contains(words[1], unknown) && words[1] != "-" {
			dir = absolute(s.frame.dir, words[1])
		}
		s.frame.dir = dir
	case "export", "readonly", "local", "declare", "typeset":
		for _, w := range words[1:] {
			if isAssignment(w) {
				name, value, _ := strings.Cut(w, "=")
				s.assign(name, value, conditional)
			}
		}
	case ".", "source", "eval", "alias", "enable", "hash":
		s.frame.soft = true // from here on names may mean anything
	case "read", "getopts", "mapfile", "unset":
		for _, w := range words[1:] {
			s.vars[w] = unknown
		}
	default:
		return isBuiltin(words[0])
	}
	return true
}

func isBuiltin(name string) bool {
	return slices.Contains([]string{":", "[", "bg", "break", "continue", "dirs", "disown", "echo", "exit", "false", "fc", "fg", "help",
		"jobs", "kill", "let", "popd", "printf", "pwd", "return", "set", "shift", "shopt", "suspend", "test", "times", "trap", "true",
		"type", "ulimit", "umask", "unalias", "wait"}, name)
}
