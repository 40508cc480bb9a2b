package image

import (
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// shell follows a shell's command line: sh -c text, sh file, or a text as its input.
func (c *checker) shell(words []string, f frame) error {
	o, rest := options.Cut(words[1:], options.OfShells()...)
	if len(rest) > 0 && rest[0] == "-" { // as --, which options.Cut takes itself
		rest = rest[1:]
	}
	if _, env := c.Env["BASH_ENV"]; env || o.Has("-l", "-i", "--login") { // profiles change PATH and what names mean
		f.Loosen()
	}
	f.Tongue = path.Base(words[0])
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
	switch f.Input {
	case "": // it is interactive
		return nil
	case shell.Unknown:
		c.note(f, "a shell in the image reads commands that only come at run time: they were not followed")
		return nil
	}
	return c.text(f.Input, append([]string{f.Tongue}, args...), f)
}

// scriptFile follows the script that a shell was given, which must be there.
func (c *checker) scriptFile(word string, args []string, f frame) error {
	if !shell.Known(word) || f.Dir == shell.Unknown && !strings.HasPrefix(word, "/") {
		c.note(f, "a shell works out at run time that it reads the script %s: that was not followed", shell.ShowWord(word))
		return nil
	}
	from, _ := c.Texts.Origin(f.Put, shell.Absolute(f.Dir, word))
	if text, ok := c.Texts.Written(from); ok {
		return c.ownText(shell.Absolute(f.Dir, word), text, args, f)
	}
	at, err := c.Tree.At(from)
	switch {
	case nowhere(err):
		f.script = ""
		return c.addIf(f, missing(shell.Absolute(f.Dir, word), "not in the image", f))
	case err != nil:
		return err
	case !at.Info.Mode().IsRegular():
		return c.add(f, Fault{Kind: NotRegular, Path: at.Name, What: "a " + kindOf(at.Info.Mode()) + " and no script", Cure: "name a script in " + f.source()})
	}
	return c.script(at, args, f)
}

// script follows the commands of a script that is there; args begin with its name. They are only hints: what they reach
// must not be foreign, but may be absent.
func (c *checker) script(at tree.Found, args []string, f frame) error {
	src, err := c.Tree.Text(at.Real, at.Info.Size(), shell.MaxText)
	if err != nil {
		return err
	}
	src, packed := unpacked(src)
	f.Soften()
	f.Reading, f.Cut = at.Name, at.Info.Size() > shell.MaxText && !packed
	return c.text(src, args, f)
}

// unpacked is a script without the data behind it, as one has that unpacks itself: a line with NUL, and those before that are no text either.
func unpacked(src string) (text string, packed bool) {
	end := strings.IndexByte(src, 0)
	if end < 0 {
		return src, false
	}
	lines := strings.SplitAfter(src[:end], "\n")
	for lines = lines[:len(lines)-1]; len(lines) > 0 && !tree.IsText([]byte(lines[len(lines)-1])); {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, ""), true
}

// text follows the commands of a shell text; args begin with $0.
func (c *checker) text(src string, args []string, f frame) error {
	f.shell, f.script, f.Input = true, "", ""
	if f.role == Interpreter {
		f.role = Entry
	}
	itself := sha256.Sum256([]byte(src))
	if c.again(src, args, f, c.active[itself]) {
		return nil
	}
	c.active[itself]++
	defer func() { c.active[itself]-- }()
	return c.Texts.Follow(src, args, f.Frame, host{c, f})
}

// again tells whether a text need not be followed: it was in the same situation before, or has started itself, with the words that it had
// then, in whatever order and number, or for the third time.
func (c *checker) again(src string, args []string, f frame, active int) bool {
	f.depth = 0
	all := fmt.Appendf(nil, "%q %q %+v", src, args, f)
	c.Texts.Spend(len(all) - len(src)) // a long environment
	seen := sha256.Sum256(all)
	f.Told, f.Doubt = false, false
	alike := sha256.Sum256(fmt.Appendf(nil, "%q %q %+v", src, slices.Compact(slices.Sorted(slices.Values(args))), f))
	if c.texts[seen] || active > 0 && c.texts[alike] {
		return true
	}
	if c.texts[seen], c.texts[alike] = true, true; active >= 3 {
		c.note(f, "a script in the image that starts itself was followed only three times")
	}
	return active >= 3
}
