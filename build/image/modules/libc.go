package modules

import (
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// A module that is loaded into Node has Node's C library, and one that was linked with another does not start: what an Alpine stage has installed fails on
// Debian, and the other way round where it asks for glibc's own loader, as most do. Without that musl takes itself for glibc.

// clib is the C library of an interpreter, "" where that is not known.
func (c *Checker) clib(in interpreted) (string, error) {
	f, err := c.Tree.Read(in.At.Real, in.At.Info)
	if name, _ := LibC(f.ELF.Interp); err == nil && f.ELF.Interp != "" && (name == "musl" || name == "glibc") {
		return name, nil
	}
	return "", err
}

// strange is the C library of a module or program for the right machine that does not find it in the image, "" where it starts.
func (c *Checker) strange(name string, in interpreted) (string, error) {
	ours, err := c.clib(in)
	if err != nil || ours == "" {
		return "", err
	}
	at, _, err := c.Tree.Regular(name)
	if err != nil {
		return "", err
	}
	f, err := c.Tree.Read(at.Real, at.Info)
	if err != nil {
		return "", err
	}
	if f.ELF.Interp != "" && !isLoaded(name) {
		_, there, err := c.Tree.Regular(shell.Absolute("/", f.ELF.Interp))
		if theirs, _ := LibC(f.ELF.Interp); !there {
			return theirs, err
		}
		return "", err
	}
	d, err := c.Tree.Dynamic(f)
	for _, needed := range d.Needed {
		theirs, _ := LibC("/" + needed)
		if needed == "libc.so" || strings.HasPrefix(needed, "libc.musl-") {
			theirs = "musl"
		}
		if theirs == ours || theirs != "musl" && theirs != "glibc" {
			continue
		}
		if there, err := c.hasLibrary(needed, in); err != nil || !there {
			return theirs, err
		}
	}
	return "", err
}

// hasLibrary tells whether loaders find a library in the system's folders.
func (c *Checker) hasLibrary(name string, in interpreted) (bool, error) {
	for _, dir := range c.systemFolders() {
		at, elf, ok, err := c.inFolder(dir, name, in.File.ELF)
		if err != nil || ok && at.Info != nil && elf.Bits != 0 { // and no linker's script
			return err == nil, err
		}
	}
	return false, nil
}

// apart is the fault of a package that is there for another C library alone. One that brings the same wherever it is installed may do without.
func (c *Checker) apart(p modules, name, theirs string, in interpreted) (*fault, error) {
	ours, err := c.clib(in)
	if p.brought != "" && err == nil {
		instead, err := c.Tree.Under(p.brought, "fallback.js")
		if len(instead) == 0 {
			in.note("%s is for %s, where %s has %s, and none was compiled: what needs it fails", shell.Show(name), theirs, shell.Show(in.At.Real), ours)
		}
		return nil, err
	}
	why := " and finds no other module of " + shell.Show(p.name)
	if p.by != "" {
		why = ", and " + p.sought(in)
	}
	return &fault{
		name: name,
		what: "for " + theirs + ", where " + shell.Show(in.At.Real) + " has " + ours + why,
		cure: "install it in a stage of the image's own base" + strings.ReplaceAll(p.also, "--os and --cpu", "--libc="+ours),
	}, err
}
