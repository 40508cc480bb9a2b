package image

import (
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// A module that is loaded into Node has Node's C library, and one that was linked with another does not start: what an Alpine stage has installed fails on
// Debian, and the other way round where it asks for glibc's own loader, as most do. Without that musl takes itself for glibc.

// clib is the C library of an interpreter, "" where that is not known.
func (c *checker) clib(in interpreted) (string, error) {
	f, err := c.tree.Read(in.at.Real, in.at.Info)
	if name, _ := libc(f.ELF.Interp); err == nil && f.ELF.Interp != "" && (name == "musl" || name == "glibc") {
		return name, nil
	}
	return "", err
}

// strange is the C library of a module or program for the right machine that does not find it in the image, "" where it starts.
func (c *checker) strange(name string, in interpreted) (string, error) {
	ours, err := c.clib(in)
	if err != nil || ours == "" {
		return "", err
	}
	at, _, err := c.tree.Regular(name)
	if err != nil {
		return "", err
	}
	f, err := c.tree.Read(at.Real, at.Info)
	if err != nil {
		return "", err
	}
	if f.ELF.Interp != "" && !isLoaded(name) {
		_, there, err := c.tree.Regular(shell.Absolute("/", f.ELF.Interp))
		if theirs, _ := libc(f.ELF.Interp); !there {
			return theirs, err
		}
		return "", err
	}
	d, err := c.tree.Dynamic(f)
	for _, needed := range d.Needed {
		theirs, _ := libc("/" + needed)
		if needed == "libc.so" || strings.HasPrefix(needed, "libc.musl-") {
			theirs = "musl"
		}
		if theirs == ours || theirs != "musl" && theirs != "glibc" {
			continue
		}
		if there, err := c.hasLibrary(needed); err != nil || !there {
			return theirs, err
		}
	}
	return "", err
}

// hasLibrary tells whether loaders find a library in the system's folders.
func (c *checker) hasLibrary(name string) (bool, error) {
	for _, dir := range c.systemFolders() {
		at, elf, ok, err := c.inFolder(dir, name)
		if err != nil || ok && at.Info != nil && elf.Bits != 0 { // and no linker's script
			return err == nil, err
		}
	}
	return false, nil
}

// apart is the fault of a package that is there for another C library alone. One that brings the same wherever it is installed may do without.
func (c *checker) apart(p modules, name, theirs string, in interpreted) (*Fault, error) {
	ours, err := c.clib(in)
	if p.brought != "" && err == nil {
		instead, err := c.tree.Under(p.brought, "fallback.js")
		if len(instead) == 0 {
			c.note(in.frame, "%s is for %s, where %s has %s, and none was compiled: what needs it fails", shell.Show(name), theirs, shell.Show(in.at.Real), ours)
		}
		return nil, err
	}
	why := " and finds no other module of " + shell.Show(p.name)
	if p.by != "" {
		why = ", and " + p.sought(in)
	}
	return &Fault{
		Kind: ForeignModule, Path: name,
		What: "for " + theirs + ", where " + shell.Show(in.at.Real) + " has " + ours + why,
		Cure: "install it in a stage of the image's own base" + strings.ReplaceAll(p.also, "--os and --cpu", "--libc="+ours),
	}, err
}
