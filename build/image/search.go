package image

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// helpers reads every executable in the directories of PATH.
func (c *checker) helpers(f frame) error {
	f.role = Helper
	names, err := c.executables(f)
	if err != nil {
		return err
	}
	needs := make([]string, len(names)) // interpreters that are not there
	if err := tree.Each(len(names), func(i int) (err error) {
		needs[i], err = c.helper(names[i], f)
		return err
	}); err != nil {
		return err
	}
	c.noteMissing(names, needs)
	return nil
}

// executables lists the entries of the directories of PATH, each real directory once, that may be executable.
func (c *checker) executables(f frame) ([]string, error) {
	var dirs []string
	for _, dir := range f.Path {
		if !shell.Known(dir) {
			c.longPath(f)
			continue
		}
		dirs = append(dirs, shell.Absolute(f.Dir, dir))
	}
	return c.Tree.Inside(dirs, func(e fs.DirEntry) bool { return e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0 })
}

// helper judges one entry of a PATH directory. What is merely unusual there (a text, a Windows program for wine or mono,
// an empty file, a link to nowhere) is nobody's claim to run and not at fault.
func (c *checker) helper(name string, f frame) (need string, err error) {
	at, ok, err := c.Tree.Regular(name)
	if !ok || at.Info.Mode()&0o111 == 0 {
		return "", err
	}
	file, err := c.Tree.Read(at.Real, at.Info)
	if err != nil {
		return "", err
	}
	f.Soft = true
	switch {
	case file.Format == tree.FormatELF && file.ELF.Executable(), file.Format == tree.FormatBad:
		return "", c.judge(at, file, f)
	case file.Format == tree.FormatOther && strings.HasPrefix(file.Title, tree.MacProgram):
		return "", c.judge(at, file, f)
	case file.Format == tree.FormatOther:
		c.note(f, "%s on PATH is %s", shell.Show(at.Real), file.Title)
	case file.Format == tree.FormatBang:
		return c.helperScript(at, file, f)
	}
	return "", nil
}

// helperScript judges a script's interpreter, and returns its name when it is not there.
func (c *checker) helperScript(at tree.Found, script tree.File, f frame) (need string, err error) {
	b := readBang(script.Head)
	if b.crlf {
		c.note(f, "%s on PATH is a script with Windows line ends and does not start", shell.Show(at.Real))
		return "", nil
	}
	interpreter, ok, err := c.Tree.Regular(shell.Absolute("/", b.interpreter))
	if err == nil && interpreter.Info == nil {
		return b.interpreter, nil
	}
	if !ok {
		return "", err
	}
	file, err := c.Tree.Read(interpreter.Real, interpreter.Info)
	if err != nil || file.Format != tree.FormatELF {
		return "", err
	}
	return "", c.judge(interpreter, file, f)
}

// noteMissing says, once for each interpreter, how many scripts on PATH miss it.
func (c *checker) noteMissing(names, needs []string) {
	first, count := map[string]string{}, map[string]int{}
	for i, need := range needs {
		if count[need]++; count[need] == 1 {
			first[need] = names[i]
		}
	}
	delete(count, "")
	for need, n := range count {
		scripts := "is a script"
		if n > 1 {
			scripts = fmt.Sprintf("and %d more on PATH are scripts", n-1)
		}
		c.note(frame{}, "%s %s for %s, which is not in the image", shell.Show(first[need]), scripts, shell.Show(need))
	}
}
