package image

import (
	"path"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// findText looks a command's first word up among the texts that shells on the way wrote.
func (c *checker) findText(word string, f frame) (name, text string, ok bool, err error) {
	if len(f.Put) == 0 {
		return "", "", false, nil
	}
	names := []string{word}
	if !strings.Contains(word, "/") {
		names = nil
		for _, dir := range f.Path {
			names = append(names, path.Join(dir, word))
		}
	}
	for _, name := range names {
		if name = shell.Absolute(f.Dir, name); !shell.Known(name) {
			continue
		}
		from, _ := c.Texts.Origin(f.Put, name)
		if text, ok := c.Texts.Written(from); ok {
			return name, text, true, nil
		}
		if _, fault, err := c.stat(name, f); err != nil || fault == nil {
			return "", "", false, err
		}
	}
	return "", "", false, nil
}

// ownText follows a text that a shell on the way wrote, as the script that it is for whoever starts it.
func (c *checker) ownText(name, text string, args []string, f frame) error {
	if text == shell.Unknown {
		c.lateText(name, text, f)
		return nil
	}
	f.Soften()
	f.Reading, f.Cut = name, false
	return c.text(text, args, f)
}

// startText starts such a text, which may have a #! line.
func (c *checker) startText(name, text string, words []string, f frame) error {
	if b := readBang([]byte(text)); strings.HasPrefix(text, "#!") && b.interpreter != "" {
		return c.run(b.words(name, words[1:]), f)
	}
	return c.ownText(name, text, append([]string{name}, words[1:]...), f)
}

// lateText notes that some of a file is only written at run time, where it is.
func (c *checker) lateText(name, text string, f frame) {
	if !shell.Known(text) {
		c.note(f, "%s is written at run time by what starts it: it was not followed", shell.Show(name))
	}
}

// heldText is the text of a file as a command has it, with what only comes at run time as unknown, "" where it has none.
func (c *checker) heldText(name string, f frame) (string, error) {
	from, _ := c.Texts.Origin(f.Put, name)
	if text, ok := c.Texts.Written(from); ok {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, shell.Unknown) { // any lines
				c.lateText(name, line, f)
			}
		}
		return text, nil
	}
	at, ok, err := c.Tree.Regular(from)
	if err != nil || !ok || f.Put.Gone(name) {
		return "", err
	}
	text, err := c.Script(at)
	return strings.ReplaceAll(text, shell.Unknown, ""), err // a file that is none
}
