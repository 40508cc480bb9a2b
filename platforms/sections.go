package platforms

import (
	"fmt"
	"strings"
)

// maxSections bounds the table that is read: Go programs have about 25 sections, large C++ ones 40.
const maxSections = 1024

// maxSectionNames bounds the names' table, a few hundred bytes in practice.
const maxSectionNames = 64 << 10

// section is one section header.
type section struct {
	name, kind uint32
	off, size  uint64
}

// sections reads the section headers; a stripped table is an empty list.
func (w *window) sections(e ELF) ([]section, error) {
	entry := uint64(40)
	if e.Bits == 64 {
		entry = 64
	}
	if e.shoff == 0 || e.shnum == 0 {
		return nil, nil
	}
	if e.shnum > maxSections {
		return nil, fmt.Errorf("%w: %d sections", ErrBadELF, e.shnum)
	}
	table, err := w.bytes(e.shoff, entry*uint64(e.shnum))
	if err != nil {
		return nil, err
	}
	list := make([]section, e.shnum)
	for i := range list {
		list[i] = e.section(table[uint64(i)*entry:])
	}
	return list, nil
}

func (e ELF) section(b []byte) section {
	f := e.fields(b)
	if e.Bits == 32 {
		return section{name: f.u32(0), kind: f.u32(4), off: uint64(f.u32(16)), size: uint64(f.u32(20))}
	}
	return section{name: f.u32(0), kind: f.u32(4), off: f.u64(24), size: f.u64(32)}
}

// named returns the section of that name, whose content is in the file.
func (w *window) named(e ELF, list []section, name string) (section, bool) {
	if int(e.shstrndx) >= len(list) || list[e.shstrndx].size > maxSectionNames {
		return section{}, false
	}
	names, err := w.bytes(list[e.shstrndx].off, list[e.shstrndx].size)
	if err != nil {
		return section{}, false
	}
	for _, s := range list {
		if uint64(s.name) < uint64(len(names)) && strings.HasPrefix(string(names[s.name:min(len(names), int(s.name)+len(name)+1)]), name+"\x00") {
			return s, true
		}
	}
	return section{}, false
}
