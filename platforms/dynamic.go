package platforms

import (
	"bytes"
	"fmt"
	"io"
)

// Bounds on what is read of a dynamic section: large C++ libraries have 60 entries and need 30 libraries.
const (
	maxDynamic = 16 << 10
	maxNeeded  = 512
	// shortName is what nearly every name of a library fits in, so that little is read.
	shortName = 64
	maxString = 4 << 10
)

// Tags of dynamic entries.
const (
	dynamicNull    = 0
	dynamicNeeded  = 1
	dynamicStrings = 5
	dynamicRPath   = 15
	dynamicRunPath = 29
)

// Dynamic is what a program or library tells the loader about the libraries that it needs.
type Dynamic struct {
	Needed  []string // names as they are looked up ("libc.so.6"), in order
	RPath   string   // folders, separated by colons, that are searched for it and for what it loads; "" when RunPath is there
	RunPath string   // folders that are searched for its own names
}

// ReadDynamic reads the dynamic section of a file whose header ReadELF returned. A static program has none: the zero
// Dynamic. It reads 16 KiB and the names.
func ReadDynamic(r io.ReaderAt, e ELF) (Dynamic, error) {
	w, err := openWindow(r)
	if err != nil {
		return Dynamic{}, err
	}
	segments, err := w.segments(e)
	if err != nil {
		return Dynamic{}, err
	}
	for _, s := range segments {
		if s.kind == segmentDynamic {
			return w.dynamic(e, s, segments)
		}
	}
	return Dynamic{}, nil
}

// dynamic reads the table, then the strings that it points to.
func (w *window) dynamic(e ELF, s segment, segments []segment) (d Dynamic, err error) {
	table, err := w.bytes(s.off, min(s.size, maxDynamic))
	if err != nil {
		return d, err
	}
	entries := e.entries(table)
	base, ok := offset(segments, first(entries, dynamicStrings))
	if !ok {
		return d, fmt.Errorf("%w: the names of its libraries lie in no segment", ErrBadELF)
	}
	for _, entry := range entries {
		switch entry.tag {
		case dynamicNeeded, dynamicRPath, dynamicRunPath:
		default:
			continue
		}
		text, err := w.text(base + entry.value)
		if err != nil {
			return d, err
		}
		d.take(entry.tag, text)
	}
	if d.RunPath != "" {
		d.RPath = ""
	}
	if len(d.Needed) > maxNeeded {
		return d, fmt.Errorf("%w: it needs %d libraries", ErrBadELF, len(d.Needed))
	}
	return d, nil
}

func (d *Dynamic) take(tag uint64, text string) {
	switch tag {
	case dynamicNeeded:
		d.Needed = append(d.Needed, text)
	case dynamicRPath:
		d.RPath = text
	case dynamicRunPath:
		d.RunPath = text
	}
}

// dynamicEntry is one row of the dynamic section.
type dynamicEntry struct{ tag, value uint64 }

func (e ELF) entries(table []byte) (list []dynamicEntry) {
	size := e.Bits / 4
	for ; len(table) >= size; table = table[size:] {
		f := e.fields(table)
		entry := dynamicEntry{uint64(f.u32(0)), uint64(f.u32(4))}
		if e.Bits == 64 {
			entry = dynamicEntry{f.u64(0), f.u64(8)}
		}
		if entry.tag == dynamicNull {
			break
		}
		list = append(list, entry)
	}
	return list
}

// first returns the value of the first entry with that tag, 0 when there is none.
func first(entries []dynamicEntry, tag uint64) uint64 {
	for _, entry := range entries {
		if entry.tag == tag {
			return entry.value
		}
	}
	return 0
}

// offset finds where in the file an address of the running program comes from.
func offset(segments []segment, address uint64) (uint64, bool) {
	for _, s := range segments {
		if s.kind == segmentLoad && address >= s.addr && address-s.addr < s.size {
			return s.off + address - s.addr, true
		}
	}
	return 0, false
}

// text reads a string up to its end.
func (w *window) text(off uint64) (string, error) {
	for _, n := range []uint64{shortName, maxString} {
		b, err := w.upTo(off, n)
		if err != nil {
			return "", err
		}
		if i := bytes.IndexByte(b, 0); i >= 0 {
			return string(b[:i]), nil
		}
	}
	return "", fmt.Errorf("%w: the name of a library does not end", ErrBadELF)
}
