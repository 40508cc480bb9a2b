package image

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/manymage/manymage/build/image/options"
)

// Bounds on a text. The parser's time grows with the square of the brackets that are open at once; real scripts have ten.
const (
	maxScript = 64 << 10
	maxOpen   = 500
	maxDeep   = 2000 // levels of its tree; each of a pipe or elif has two, and keeps what was known before
)

// shell follows a shell's command line: sh -c text, sh file, or a text as its input.
func (c *checker) shell(words []string, f frame) error {
	o, rest := options.Cut(words[1:], options.OfShells()...)
	if len(rest) > 0 && rest[0] == "-" { // as --, which is taken itself
		rest = rest[1:]
	}
	if _, env := c.env["BASH_ENV"]; env || o.Has("-l", "-i", "--login") { // profiles change PATH and what names mean
		f.loosen()
	}
	f.tongue = path.Base(words[0])
	switch {
	case len(rest) == 0 || o.Has("-s") && !o.Has("-c"):
		return c.input(rest, f)
	case o.Has("-c"):
		return c.text(rest[0], rest[1:], f)
	}
	return c.scriptFile(rest[0], rest, f)
}

// input follows the here-document that a shell reads its commands from.
func (c *checker) input(args []string, f frame) error {
	switch f.input {
	case "": // it is interactive
		return nil
	case unknown:
		c.note(f, "a shell in the image reads commands that only come at run time: they were not followed")
		return nil
	}
	return c.text(f.input, append([]string{f.tongue}, args...), f)
}

// scriptFile follows the script that a shell was given, which must be there.
func (c *checker) scriptFile(word string, args []string, f frame) error {
	if !known(word) || f.dir == unknown && !strings.HasPrefix(word, "/") {
		c.note(f, "a shell works out at run time that it reads the script %s: that was not followed", shown(word))
		return nil
	}
	from, _ := f.origin(absolute(f.dir, word))
	if text, ok := c.wrote(from); ok {
		return c.ownText(absolute(f.dir, word), text, args, f)
	}
	at, err := c.resolve(from)
	switch {
	case nowhere(err):
		f.script = ""
		return c.addIf(f, missing(absolute(f.dir, word), "not in the image", f))
	case err != nil:
		return err
	case !at.info.Mode().IsRegular():
		return c.add(f, Fault{Kind: NotRegular, Path: at.name, What: "a " + kindOf(at.info.Mode()) + " and no script", Cure: "name a script in " + f.source()})
	}
	return c.script(at, args, f)
}

// script follows the commands of a script that is there; args begin with its name. They are only hints: what they reach
// must not be foreign, but may be absent.
func (c *checker) script(at found, args []string, f frame) error {
	src, err := c.tree.text(at.real, at.info.Size())
	if err != nil {
		return err
	}
	if f.role == Interpreter {
		f.role = Entry
	}
	f.told = f.told || !f.soft
	src, packed := unpacked(src)
	f.soft, f.reading, f.cut = true, at.name, at.info.Size() > maxScript && !packed
	return c.text(src, args, f)
}

// unpacked is a script without the data behind it, as one has that unpacks itself: a line with NUL, and those before that are no text either.
func unpacked(src string) (text string, packed bool) {
	end := strings.IndexByte(src, 0)
	if end < 0 {
		return src, false
	}
	lines := strings.SplitAfter(src[:end], "\n")
	for lines = lines[:len(lines)-1]; len(lines) > 0 && !isText([]byte(lines[len(lines)-1])); {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, ""), true
}

// text follows the commands of a shell text; args begin with $0.
func (c *checker) text(src string, args []string, f frame) error {
	f.shell, f.script, f.input = true, "", ""
	if f.role == Interpreter {
		f.role = Entry
	}
	itself := sha256.Sum256([]byte(src))
	if c.again(src, args, f, c.active[itself]) {
		return nil
	}
	c.active[itself]++
	defer func() { c.active[itself]-- }()
	w := newWalker(c, f, args)
	w.stmts(w.parse(src))
	if f.cut { // what calls its functions may lie behind
		for _, name := range slices.Sorted(maps.Keys(w.functions)) {
			w.function(w.functions[name], [][]string{{name}})
		}
	}
	return w.err
}

// again tells whether a text need not be followed: it was in the same situation before, or has started itself, with the words that it had
// then, in whatever order and number, or for the third time.
func (c *checker) again(src string, args []string, f frame, active int) bool {
	f.depth = 0
	all := fmt.Appendf(nil, "%q %q %+v", src, args, f)
	c.spent += len(all) - len(src) // a long environment
	seen := sha256.Sum256(all)
	f.told, f.doubt = false, false
	alike := sha256.Sum256(fmt.Appendf(nil, "%q %q %+v", src, slices.Compact(slices.Sorted(slices.Values(args))), f))
	if c.texts[seen] || active > 0 && c.texts[alike] {
		return true
	}
	if c.texts[seen], c.texts[alike] = true, true; active >= 3 {
		c.note(f, "a script in the image that starts itself was followed only three times")
	}
	return active >= 3
}

// parse returns the statements of a text. Of one that the parser does not take to its end it returns what comes before,
// as a shell would run it; what was cut off is completed, so that the begin of an open block is followed.
func (w *walker) parse(src string) []*syntax.Stmt {
	src = strings.ToValidUTF8(strings.ReplaceAll(src, unknown, unknownRune), "?") // a comment in Latin-1
	stmts, err := w.read(src)
	if w.frame.cut {
		stmts, _ = statements(src, tongue(w.frame.tongue), syntax.RecoverErrors(maxOpen))
		err = fmt.Errorf("it is longer than %d KiB", maxScript>>10)
	}
	switch {
	case err == nil:
	case strings.Contains(src, unknownRune): // what is not known may be what completes it
		w.checker.note(w.frame, "%s works out at run time what it evaluates: not all of that was followed", w.frame.text())
	default:
		w.checker.note(w.frame, "%s was followed only in part: %s", w.frame.text(), shown(err.Error()))
	}
	return stmts
}

// text names the text that is followed.
func (f frame) text() string {
	if f.reading == "" {
		return "a shell text in the image"
	}
	return show(f.reading)
}

// loosen says that from here on names may mean anything.
func (f *frame) loosen() { f.soft, f.told = true, false }

// read parses in the shell's own tongue, or another that takes all of the text: /bin/sh may be any shell.
func (w *walker) read(src string) (best []*syntax.Stmt, first error) {
	if tooOpen(src) {
		return nil, errors.New("its brackets are nested too deeply")
	}
	for _, lang := range []syntax.LangVariant{tongue(w.frame.tongue), syntax.LangBash, syntax.LangPOSIX, syntax.LangMirBSDKorn, syntax.LangZsh} {
		stmts, err := statements(src, lang)
		if err == nil {
			return stmts, nil
		}
		if first == nil {
			best, first = stmts, err
		}
	}
	return best, first
}

func statements(src string, lang syntax.LangVariant, options ...syntax.ParserOption) (list []*syntax.Stmt, err error) {
	parser := syntax.NewParser(append(options, syntax.Variant(lang))...)
	for stmt, failure := range parser.StmtsSeq(strings.NewReader(src)) { // not left early: it goes on behind a failure
		if failure == nil && tooDeep(stmt) {
			failure = errors.New("a command is nested too deeply")
		}
		if failure != nil {
			err = failure
		}
		if err == nil {
			list = append(list, stmt)
		}
	}
	return list, err
}

func tongue(shell string) syntax.LangVariant {
	switch shell {
	case "zsh":
		return syntax.LangZsh
	case "ksh", "mksh":
		return syntax.LangMirBSDKorn
	}
	return syntax.LangBash
}

func tooDeep(stmt *syntax.Stmt) (is bool) {
	level := 0
	syntax.Walk(stmt, func(n syntax.Node) bool {
		if level++; n == nil { // that was one
			level -= 2
		}
		is = is || level > maxDeep
		return !is
	})
	return is
}

func tooOpen(src string) bool {
	open := 0
	for _, b := range []byte(src) {
		switch b {
		case '(', '[', '{':
			open++
		case ')', ']', '}':
			open = max(0, open-1)
		}
		if open > maxOpen {
			return true
		}
	}
	return false
}
