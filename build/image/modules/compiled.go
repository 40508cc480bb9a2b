package modules

import (
	"path"
	"strings"
	"unicode"

	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/platforms"
)

// compiled is a file of machine code; what is "" when it is none.
type compiled struct {
	at   tree.Found
	what string
	fits bool
	arch string // of an ELF file
}

// compiled reads for which machine a file is. One that is not there is none.
func (c *Checker) compiled(name string) (compiled, error) {
	at, ok, err := c.Tree.Regular(name)
	if err != nil || !ok {
		return compiled{}, err
	}
	h, err := c.Tree.Head(at.Real, at.Info)
	switch {
	case err != nil:
		return compiled{}, err
	case h.ELF.Bits != 0:
		return compiled{at: at, what: h.ELF.Describe(), fits: !c.Foreign(h.ELF), arch: h.ELF.Arch()}, nil
	case strings.HasPrefix(h.Title, tree.MacProgram), strings.HasPrefix(h.Title, tree.WindowsProgram):
		return compiled{at: at, what: strings.Replace(h.Title, "program", "library", 1)}, nil
	}
	return compiled{}, nil
}

// isLoaded tells by its name whether a file is one that a program loads, and not one that it starts.
func isLoaded(name string) bool { return path.Ext(name) == ".node" || isLibrary(path.Base(name)) }

// sameMachine tells whether a program is of the same machine as what it is to load: one of 64 bits loads none of 32, which may run beside it.
func (c *Checker) sameMachine(in interpreted, what compiled) (bool, error) {
	f, err := c.Tree.Read(in.At.Real, in.At.Info)
	return f.ELF.Arch() == what.arch, err
}

// beside tells whether there is a module of the same name for the right machine, which another installation left.
func (c *Checker) beside(at tree.Found, roots []string) (bool, error) {
	dirs, err := c.portions(at.Real, roots)
	if err != nil {
		return false, err
	}
	base := path.Base(at.Real)
	named := stem(base) + "."
	for _, dir := range dirs {
		real, entries, err := c.Tree.Folder(dir)
		if err != nil {
			return false, err
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), named) || path.Ext(e.Name()) != path.Ext(base) || e.Name() == base || c.unloaded(e.Name()) {
				continue
			}
			if file, err := c.compiled(path.Join(real, e.Name())); err != nil || file.fits {
				return err == nil, err
			}
		}
	}
	return false, nil
}

// machinesIn are the architectures that the words of a name stand for: build_x86_64, linux-x64+arm64, x.cpython-312-aarch64-linux-gnu.so.
func machinesIn(name string) (list []string) {
	words := strings.FieldsFunc(strings.ReplaceAll(name, "x86_64", "amd64"), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, word := range words {
		if p, err := platforms.ParseAny(word); err == nil {
			list = append(list, p.Architecture)
		}
	}
	return list
}
