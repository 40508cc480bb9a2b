package image

import (
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/platforms"
)

// elsewhere is the check of an image for another system than Linux. Its own programs are not judged; an ELF program for
// Linux, as what the image starts or as the interpreter of that, makes the label a lie.
func (c *checker) elsewhere(facts Facts) error {
	f := c.first(facts)
	c.note(f, "programs for %s are not judged, only those for linux", c.Platform())
	words := slices.Concat(facts.Entrypoint, facts.Cmd)
	if len(words) == 0 || words[0] == "" {
		return nil
	}
	at, fault, err := c.find(words[0], f)
	if err != nil || fault != nil || at.Info == nil {
		return err // what is missing may well be there in the words of that system
	}
	program, err := c.Tree.Read(at.Real, at.Info)
	if err == nil && program.Format == tree.FormatBang {
		at, fault, err = c.stat(shell.Absolute("/", readBang(program.Head).interpreter), f)
		if err != nil || fault != nil {
			return err
		}
		program, err = c.Tree.Read(at.Real, at.Info)
	}
	if err != nil || program.Format != tree.FormatELF || !program.ELF.Executable() || !linuxOnly(program.ELF, c.Declared.OS) {
		return err
	}
	c.program(at, program, f)
	return c.add(f, Fault{
		Kind: ForeignSystem, Path: at.Real, What: "a Linux program (" + program.ELF.Describe() + ")" + c.DeclaredAs(),
		Cure: "build it for " + c.Platform() + ", or label the image for linux",
	}, at.Name)
}

// linuxOnly tells whether another system does not start a program that names no system: what Linux programs do. Systems
// whose own programs do so as well are told apart by the loader.
func linuxOnly(elf platforms.ELF, system string) bool {
	if elf.OS() != "" {
		return false
	}
	switch system {
	case "windows", "darwin", "ios", "plan9", "aix", "js", "wasip1", "freebsd":
		return true
	}
	loader := path.Base(elf.Interp)
	return strings.HasPrefix(loader, "ld-linux") || strings.HasPrefix(loader, "ld-musl")
}
