package modules

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// What is published for a runtime identifier says in its header for which machine it is (PlatformTarget follows from -r), although it is
// managed code, and a runtime for another machine does not load it (BadImageFormatException). What is published for none says 386 and means
// any. Code that was compiled ahead of time names the machine and the system in one, and whether what it was compiled from was for any: then
// a runtime for another machine compiles that anew.

// judgeCode compares for which machine an application's own code is published. Its libraries are mostly for any.
func (c *Checker) judgeCode(app, identifier string, in interpreted) error {
	at, err := c.Tree.At(app)
	if err != nil {
		return err
	}
	h, err := c.Tree.Head(at.Real, at.Info)
	if err != nil || h.Title == tree.WindowsProgram+" (386)" {
		return err
	}
	text, err := c.Evidence(app)
	if err != nil {
		return err
	}
	machine := portable(text).machine()
	if machine == "" || machine == c.Declared.Architecture || !slices.Contains(slices.Collect(maps.Values(tree.PEMachines())), c.Declared.Architecture) {
		return nil
	}
	return in.Host.Module(at.Real,
		"an application for "+machine+c.DeclaredAs()+", and "+shell.Show(in.At.Real)+" does not load that",
		"publish it with -r "+identifier+", or for no runtime identifier")
}

// portable is a file in Windows' format for code. What lies outside of it is 0.
type portable string

func (p portable) u16(at uint64) uint64 { return p.u32(at) & 0xffff }

func (p portable) u32(at uint64) uint64 {
	if at+4 > uint64(len(p)) {
		return 0
	}
	return uint64(binary.LittleEndian.Uint32([]byte(p[at : at+4])))
}

// mapped is where what a loader puts at an address lies in the file.
func (p portable) mapped(address uint64) uint64 {
	header := p.u32(60)
	for i := range p.u16(header + 6) {
		section := header + 24 + p.u16(header+20) + 40*i
		if start := p.u32(section + 12); address >= start && address-start < p.u32(section+16) {
			return address - start + p.u32(section+20)
		}
	}
	return uint64(len(p))
}

// machine is the one that managed code is for, "" for any and where there is none.
func (p portable) machine() string {
	const (
		plus     = 0x20b // the magic of the longer form
		cliSize  = 72
		ahead    = 0x525452 // "RTR": compiled ahead of time
		anywhere = 1        // ... from what was for any machine
		linux    = 0x7b79   // ... for Linux: in the machine's number by exclusive or
	)
	header := p.u32(60)
	directory := header + 24 + 96 + 14*8
	if p.u16(header+24) == plus {
		directory += 16
	}
	cli := p.mapped(p.u32(directory))
	compiled := p.mapped(p.u32(cli + 64))
	if p.u32(cli) != cliSize || p.u32(compiled) == ahead && p.u32(compiled+8)&anywhere != 0 {
		return ""
	}
	number := uint16(p.u16(header + 4))
	return cmp.Or(tree.PEMachines()[number], tree.PEMachines()[number^linux])
}
