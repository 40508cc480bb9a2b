package modules

import (
	"path"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// preloads tells of what LD_PRELOAD names for a program and the loader has to go on without: it prints a line each time that a program
// starts, and what the library was for (another allocator, mostly) does not happen. A path that was written for one machine is the usual
// reason.
func (c *Checker) preloads(by linked) error {
	if by.File.ELF.Interp == "" {
		return nil // nobody loads anything
	}
	_, err := c.loads("LD_PRELOAD", by.Program)
	return err
}

// loads tells of what a variable names and no program can load; set is false where nothing has it, or it may be another list.
func (c *Checker) loads(variable string, p Program) (set bool, err error) {
	given := c.Values(variable, p.Frame)
	if len(given) != 1 {
		return false, nil
	}
	for _, name := range strings.FieldsFunc(given[0], func(r rune) bool { return r == ' ' || r == ':' }) {
		if !strings.HasPrefix(name, "/") || strings.ContainsAny(name, shell.Unknown+"$") {
			continue // what is searched for, or only the running system knows
		}
		at, elf, fits, err := c.inFolder(path.Dir(name), path.Base(name), p.File.ELF)
		switch {
		case err != nil:
			return true, err
		case at.Info == nil:
			p.note("%s names %s, which is not in the image: programs start without it", variable, shell.Show(name))
		case !fits:
			p.note("%s names %s, which is %s: programs start without it", variable, shell.Show(name), elf.Describe())
		}
	}
	return true, nil
}
