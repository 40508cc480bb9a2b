package image

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// helpers reads every executable in the directories of PATH.
func (c *checker) helpers(f frame) error {
	f.role = Helper
	names, err := c.executables(f)
	if err != nil {
		return err
	}
	needs := make([]string, len(names)) // interpreters that are not there
	if err := each(len(names), func(i int) (err error) {
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
		if dir == shell.Unknown {
			c.longPath(f)
			continue
		}
		dirs = append(dirs, shell.Absolute(f.Dir, dir))
	}
	return c.inside(dirs, func(e fs.DirEntry) bool { return e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0 })
}

// helper judges one entry of a PATH directory. What is merely unusual there (a text, a Windows program for wine or mono,
// an empty file, a link to nowhere) is nobody's claim to run and not at fault.
func (c *checker) helper(name string, f frame) (need string, err error) {
	at, ok, err := c.regular(name)
	if !ok || at.info.Mode()&0o111 == 0 {
		return "", err
	}
	file, err := c.tree.read(at.real, at.info)
	if err != nil {
		return "", err
	}
	f.Soft = true
	switch {
	case file.format == formatELF && file.elf.Executable(), file.format == formatBad:
		return "", c.judge(at, file, f)
	case file.format == formatOther && strings.HasPrefix(file.title, macProgram):
		return "", c.judge(at, file, f)
	case file.format == formatOther:
		c.note(f, "%s on PATH is %s", shell.Show(at.real), file.title)
	case file.format == formatBang:
		return c.helperScript(at, file, f)
	}
	return "", nil
}

// helperScript judges a script's interpreter, and returns its name when it is not there.
func (c *checker) helperScript(at found, script file, f frame) (need string, err error) {
	b := readBang(script.head)
	if b.crlf {
		c.note(f, "%s on PATH is a script with Windows line ends and does not start", shell.Show(at.real))
		return "", nil
	}
	interpreter, ok, err := c.regular(shell.Absolute("/", b.interpreter))
	if err == nil && interpreter.info == nil {
		return b.interpreter, nil
	}
	if !ok {
		return "", err
	}
	file, err := c.tree.read(interpreter.real, interpreter.info)
	if err != nil || file.format != formatELF {
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
