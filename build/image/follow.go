package image

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// Bounds on what a hostile image can make of following it. Real ones need a depth of five or six, and some dozens of
// commands.
const (
	maxDepth    = 24
	maxCommands = 4000
)

// frame is the situation in which a command is started, and what the check makes of it.
type frame struct {
	shell.Frame
	role   Role
	shell  bool   // started by a shell, which runs a text without #! itself
	script string // the script whose #! line this command is
	depth  int    // of programs and scripts that started each other
}

// run follows a command: it finds the program, judges it and goes on with what the program starts.
func (c *checker) run(words []string, f frame) error {
	if len(words) == 0 || words[0] == "" {
		return nil
	}
	if c.commands++; c.commands > maxCommands || len(words) > shell.MaxWords {
		c.tooMany(f)
		return nil
	}
	if f.depth++; f.depth > maxDepth {
		if f.Soft { // what may well not be run is nobody's fault
			c.tooMany(f)
			return nil
		}
		return c.add(f, Fault{Kind: LinkLoop, Path: words[0], What: "started by a chain of more than 20 programs and scripts", Cure: "end the circle"})
	}
	if !shell.Known(words[0]) {
		c.note(f, "%s works out at run time what it starts as %s: that program was not followed", f.Text(), shell.ShowWord(words[0]))
		return nil
	}
	f.Soft = f.Soft || slices.ContainsFunc(f.Path, unknown) && !strings.Contains(words[0], "/")
	switch name, text, ok, err := c.findText(words[0], f); {
	case err != nil:
		return err
	case ok:
		return c.startText(name, text, words, f)
	}
	at, fault, err := c.find(words[0], f)
	if err != nil || fault != nil {
		return errors.Join(err, c.addIf(f, fault))
	}
	if at.Info == nil {
		c.note(f, "%s lies in a folder that only the running shell knows: it was not followed", shell.ShowWord(words[0]))
		return nil
	}
	if f.shadowed(words[0], at.Name) {
		c.note(f, "%s works out at run time in which folder it looks for programs first: what lies there was not followed", f.Text())
	}
	return c.start(at, words, f)
}

// tooMany says that a bound was reached.
func (c *checker) tooMany(f frame) {
	c.note(f, shell.TooMany)
}

// longPath says that a PATH was not followed to its end.
func (c *checker) longPath(f frame) {
	c.note(f, "PATH has more than %d folders: those behind were not looked into", shell.MaxPathDirs)
}

// source names where in the Dockerfile the command is written.
func (f frame) source() string {
	if f.role == Health {
		return "HEALTHCHECK"
	}
	return "ENTRYPOINT or CMD"
}

// start judges a program that was found and follows what it starts in turn.
func (c *checker) start(at tree.Found, words []string, f frame) error {
	file, err := c.Tree.Read(at.Real, at.Info)
	if err != nil {
		return err
	}
	if file.Format == tree.FormatBang {
		return c.bang(at, file, words, f)
	}
	if file.Format == tree.FormatText && f.shell {
		return c.script(at, append([]string{at.Name}, words[1:]...), f)
	}
	if err := c.judge(at, file, f); err != nil || file.Format != tree.FormatELF {
		return err
	}
	c.loads.Interpret(c.loading(at, file, f), words[1:])
	return c.through(words, f)
}

// bang follows a script to its interpreter, and on with the script as the interpreter's argument.
func (c *checker) bang(at tree.Found, script tree.File, words []string, f frame) error {
	b := readBang(script.Head)
	if b.crlf {
		return c.add(f, Fault{Kind: ShebangCRLF, Path: at.Real, What: "a script with Windows line ends, whose #! line the kernel cannot follow", Cure: "save it with LF line ends (sed -i 's/\\r$//')"}, at.Name)
	}
	if b.interpreter == "" {
		return c.add(f, Fault{Kind: NoShebang, Path: at.Real, What: "a script whose #! line names no interpreter", Cure: "write #!/bin/sh"}, at.Name)
	}
	c.program(at, script, f)
	inner := f
	inner.script, inner.shell = at.Name, false
	if f.role == Entry {
		inner.role = Interpreter
	}
	if inner.depth++; inner.depth > maxDepth {
		return c.add(f, Fault{Kind: LinkLoop, Path: at.Real, What: "a script that is its own interpreter", Cure: "correct the #! line"}, at.Name)
	}
	interpreter, fault, err := c.stat(shell.Absolute(orRoot(f.Dir), b.interpreter), inner)
	if err != nil || fault != nil {
		return errors.Join(err, c.addIf(inner, fault, at.Real, at.Name))
	}
	if script, err := c.initScript(at.Real, words); script != nil || err != nil {
		return errors.Join(err, c.run(script, f))
	}
	if b.shell() {
		if _, err := c.behind(words, f); err != nil {
			return err
		}
	}
	command := b.words(at.Name, words[1:])
	if path.Base(b.interpreter) == "execlineb" {
		if err := c.execline(at, words[1:], f); err != nil {
			return err
		}
		command = b.words(at.Name, nil)
	}
	switch alone, err := c.launched(at, words, f); {
	case err != nil:
		return err
	case alone:
		command = b.words("-c", []string{":"})
	}
	if err := c.start(interpreter, command, inner); err != nil {
		return err
	}
	if b.shell() && path.Base(at.Name) != "init" { // it was followed itself
		_, err := c.scripted(words, f)
		return err
	}
	return c.wrapped(append([]string{at.Name}, words[1:]...), f)
}

// through goes on behind a program that starts another one.
func (c *checker) through(words []string, f frame) error {
	if shell.IsBox(words[0]) && len(words) > 1 {
		words = words[1:]
	}
	switch {
	case path.Base(words[0]) == "env":
		rest, inner := throughEnv(words[1:], f)
		return c.run(rest, inner)
	case isShell(words[0]):
		return c.shell(words, f)
	case path.Base(words[0]) == "su" || path.Base(words[0]) == "runuser":
		if text, rest, ok := asUser(words); ok && text != "" {
			f.Soft, f.Tongue = true, "" // the user's own shell, with his PATH
			return c.text(text, rest, f)
		} else if ok {
			return c.run(rest, f)
		}
	case path.Base(words[0]) == "start-stop-daemon":
		if rest, inner, ok := asDaemon(words, f); ok {
			return c.run(rest, inner)
		}
	case path.Base(words[0]) == "cd" && len(words) > 2: // execline's
		if f.Dir = shell.Absolute(f.Dir, words[1]); !shell.Known(f.Dir) {
			f.Dir = shell.Unknown
		}
		return c.run(words[2:], f)
	case path.Base(words[0]) == "find":
		f.Soft, f.shell = true, false
		for _, command := range perFile(words) {
			if err := c.run(command, f); err != nil {
				return err
			}
		}
		return nil
	}
	return c.wrapped(words, f)
}

// wrapped goes on behind a program by what is known of how it is called.
func (c *checker) wrapped(words []string, f frame) error {
	f.shell = false
	rest, ok := unwrap(words)
	if !ok {
		return c.other(words, f)
	}
	if i := slices.Index(words[:len(words)-len(rest)], "--library-path"); i > 0 { // of a loader
		f.Frame = f.With("LD_LIBRARY_PATH", strings.Join(words[i+1:i+2], ""))
	}
	if len(rest) > 1 && path.Base(words[0]) == "flock" && (rest[0] == "-c" || rest[0] == "--command") {
		return c.text(rest[1], nil, f)
	}
	return c.run(rest, f)
}

// other goes on behind a program that is no known wrapper.
func (c *checker) other(words []string, f frame) error {
	if some, err := c.services(words, f); some || err != nil {
		return err
	}
	if some, err := c.blocks(words, f); some || err != nil {
		return err
	}
	if some, err := c.project(words, f); some || err != nil {
		return err
	}
	if some, err := c.scripted(words, f); some || err != nil {
		return err
	}
	if texts, err := c.several(words, f); len(texts) > 0 || err != nil {
		return errors.Join(err, c.allOf(texts, f))
	}
	if isOpaque(words[0]) {
		c.note(f, "what %s starts was not followed", path.Base(words[0]))
		return nil
	}
	if reads(words[0]) {
		return nil
	}
	if started, err := c.behind(words, f); started || err != nil {
		return err
	}
	return c.given(words, f)
}

// behind follows what stands behind --, if that is a program: it is surely what is started.
func (c *checker) behind(words []string, f frame) (started bool, err error) {
	i := slices.Index(words, "--") + 1
	if i == 0 || i == len(words) || !shell.Known(words[i]) {
		return false, nil
	}
	at, fault, err := c.find(words[i], f)
	if err != nil || fault != nil || at.Info == nil {
		return false, err
	}
	return true, c.run(words[i:], f)
}

// given notes an argument that names a program of another architecture: many programs start what they are given.
func (c *checker) given(words []string, f frame) error {
	for _, word := range words[1:] {
		name := shell.Absolute(f.Dir, word)
		if !strings.Contains(word, "/") || !shell.Known(name) {
			continue
		}
		at, fault, err := c.stat(name, f)
		if err != nil {
			return err
		}
		if fault != nil {
			continue
		}
		file, err := c.Tree.Read(at.Real, at.Info)
		if err != nil {
			return err
		}
		if file.Format == tree.FormatELF && file.ELF.Executable() && c.Foreign(file.ELF) {
			c.note(f, "%s is given %s, which is %s: if it starts it, it will not run", path.Base(words[0]), shell.Show(name), file.ELF.Arch())
		}
	}
	return nil
}
