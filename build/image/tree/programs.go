package tree

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/manymage/manymage/platforms"
)

// Read returns what a real regular file is, reading it at most once.
func (t *Tree) Read(real string, info fs.FileInfo) (File, error) {
	return once(t, &t.files, real, func() (File, error) {
		defer t.ask()()
		return readFile(t.root, real, info)
	})
}

// Head is what the first bytes of a file say: its ELF header, or what else it is.
type Head struct {
	ELF   platforms.ELF
	Title string
}

// Head reads the first bytes of a file, once.
func (t *Tree) Head(real string, info fs.FileInfo) (Head, error) {
	return once(t, &t.heads, real, func() (h Head, err error) {
		defer t.ask()()
		s, err := open(t.root, real, info.Size(), nil)
		if err != nil {
			return h, err
		}
		defer s.close()
		if err := s.readHead(); err != nil {
			return h, fmt.Errorf("reading %s in the image: %w", real, err)
		}
		if h.ELF, err = platforms.ReadELFHeader(s); errors.Is(err, platforms.ErrNotELF) || errors.Is(err, platforms.ErrBadELF) {
			return Head{Title: otherProgram(s.head)}, nil
		}
		return h, err
	})
}

// Header reads the ELF header of a library, with the errors of platforms.ReadELFHeader.
func (t *Tree) Header(real string, info fs.FileInfo) (platforms.ELF, error) {
	return once(t, &t.headers, real, func() (platforms.ELF, error) {
		defer t.ask()()
		s, err := open(t.root, real, info.Size(), nil)
		if err != nil {
			return platforms.ELF{}, err
		}
		defer s.close()
		return platforms.ReadELFHeader(s)
	})
}

// Dynamic reads what a program or library needs; what cannot be read needs nothing.
func (t *Tree) Dynamic(f File) (platforms.Dynamic, error) {
	if !f.ELF.Dynamic {
		return platforms.Dynamic{}, nil
	}
	return once(t, &t.needs, f.Path, func() (d platforms.Dynamic, err error) {
		err = t.reopened(f, func(s *source) (err error) {
			d, err = platforms.ReadDynamic(s, f.ELF)
			return err
		})
		return d, err
	})
}

// GoBuild is what a Go program says of its build; zero for others. Of one without Go's build ID that was not asked while it was open.
func (t *Tree) GoBuild(f File) (platforms.GoBuild, error) {
	if f.MaybeGo() {
		return f.Build, nil
	}
	return once(t, &t.builds, f.Path, func() (build platforms.GoBuild, err error) {
		err = t.reopened(f, func(s *source) (err error) {
			build, err = platforms.ReadGoBuild(s, f.ELF)
			return err
		})
		return build, err
	})
}

// ARMVersion reads the version of ARM that a program's attributes name, which only one for an older version needs. A loader is asked
// for by every program that needs it.
func (t *Tree) ARMVersion(f File) (int, error) {
	return once(t, &t.arms, f.Path, func() (version int, err error) {
		err = t.reopened(f, func(s *source) (err error) {
			version, err = platforms.ReadARMArch(s, f.ELF)
			return err
		})
		return version, err
	})
}

// reopened opens a file that was read before for what lies behind its head. What is not there, or damaged, is no error.
func (t *Tree) reopened(f File, read func(*source) error) error {
	defer t.ask()()
	s, err := open(t.root, f.Path, f.Size, f.Head)
	if err != nil {
		return err
	}
	defer s.close()
	if err := read(s); err != nil && !notThere(err) {
		return fmt.Errorf("reading %s in the image: %w", f.Path, err)
	}
	return nil
}

// notThere tells whether a file simply does not hold what was looked for.
func notThere(err error) bool {
	return errors.Is(err, platforms.ErrNotGo) || errors.Is(err, platforms.ErrBadELF)
}
