package image

import (
	"path"
	"strings"
)

// preloads tells of what LD_PRELOAD names for a program and the loader has to go on without: it prints a line each time that a program
// starts, and what the library was for (another allocator, mostly) does not happen. A path that was written for one machine is the usual
// reason.
func (c *checker) preloads(by linked) error {
	given := c.values("LD_PRELOAD", by.frame)
	if by.file.elf.Interp == "" || len(given) != 1 {
		return nil // nobody loads anything, or it may be another list
	}
	for _, name := range strings.FieldsFunc(given[0], func(r rune) bool { return r == ' ' || r == ':' }) {
		if !strings.HasPrefix(name, "/") || strings.ContainsAny(name, unknown+"$") {
			continue // what is searched for, or only the running system knows
		}
		at, elf, fits, err := c.inFolder(path.Dir(name), path.Base(name))
		switch {
		case err != nil:
			return err
		case at.info == nil:
			c.note(by.frame, "LD_PRELOAD names %s, which is not in the image: programs start without it", show(name))
		case !fits:
			c.note(by.frame, "LD_PRELOAD names %s, which is %s: programs start without it", show(name), elf.Describe())
		}
	}
	return nil
}
