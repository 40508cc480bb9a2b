package platforms

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// What ReadELF says of a file that it cannot use.
var (
	ErrNotELF = errors.New("not an ELF file")
	ErrBadELF = errors.New("damaged ELF file")
)

const (
	// headSize is the first read: the header and, in practice, all program headers and the loader's name.
	headSize = 4 << 10
	// maxProgramHeaders is the kernel's own bound on the table (binfmt_elf.c: load_elf_phdrs).
	maxProgramHeaders = 64 << 10
	// maxInterp is the kernel's own bound on the loader's name (PATH_MAX).
	maxInterp = 4 << 10
)

// Types of ELF files (e_type) and program headers (p_type).
const (
	typeRelocatable = 1
	typeExecutable  = 2
	typeShared      = 3
	typeCore        = 4

	segmentLoad    = 1
	segmentDynamic = 2
	segmentInterp  = 3
)

// ELF is what the header of an ELF file says about where it runs. The zero value is no file at all.
type ELF struct {
	Bits      int    // 32 or 64
	BigEndian bool   // byte order of the data
	OSABI     byte   // EI_OSABI
	Type      uint16 // e_type
	Machine   uint16 // e_machine
	Flags     uint32 // e_flags
	Interp    string // PT_INTERP, the loader that the kernel starts; "" for a static program
	Go        bool   // it bears the build ID that the Go linker writes, unless told not to: ReadGoBuild says more
	Dynamic   bool   // it has a dynamic section: ReadDynamic says more

	shoff           uint64
	shnum, shstrndx uint16
}

// ReadELF reads the header, the program headers and the loader's name, and nothing else: at most three reads and
// 72 KiB whatever the file claims. Nearly every file needs only the single read of its first 4 KiB.
// A file with another magic number is ErrNotELF, one that ends early or contradicts itself is ErrBadELF.
func ReadELF(r io.ReaderAt) (ELF, error) {
	w, err := openWindow(r)
	if err != nil {
		return ELF{}, err
	}
	e, err := w.header()
	if err != nil || !e.Executable() {
		return e, err
	}
	segments, err := w.segments(e)
	if err != nil {
		return e, err
	}
	e.Go = w.goNote(e)
	e.Dynamic = slices.ContainsFunc(segments, func(s segment) bool { return s.kind == segmentDynamic })
	for _, s := range segments {
		if s.kind == segmentInterp {
			e.Interp, err = w.interp(s)
			break // the kernel, too, takes the first
		}
	}
	return e, err
}

// ReadELFHeader reads what the first 64 bytes say: everything but what the program headers lead to.
func ReadELFHeader(r io.ReaderAt) (ELF, error) {
	head := make([]byte, 64)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return ELF{}, fmt.Errorf("reading the head of the file: %w", err)
	}
	return (&window{r: r, head: head[:n]}).header()
}

// window reads a file through its first bytes, which are read once.
type window struct {
	r    io.ReaderAt
	head []byte
}

func openWindow(r io.ReaderAt) (*window, error) {
	head := make([]byte, headSize)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the head of the file: %w", err)
	}
	return &window{r: r, head: head[:n]}, nil
}

// upTo returns n bytes from off, or fewer where the file ends before.
func (w *window) upTo(off, n uint64) ([]byte, error) {
	if off > math.MaxInt64-n {
		return nil, fmt.Errorf("%w: it points behind any file", ErrBadELF)
	}
	if off+n <= uint64(len(w.head)) {
		return w.head[off : off+n], nil
	}
	b := make([]byte, n)
	got, err := w.r.ReadAt(b, int64(off))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the file at %d: %w", off, err)
	}
	return b[:got], nil
}

// bytes returns n bytes from off; the caller bounds n. A file that ends before is damaged.
func (w *window) bytes(off, n uint64) ([]byte, error) {
	b, err := w.upTo(off, n)
	if err == nil && uint64(len(b)) < n {
		err = fmt.Errorf("%w: it ends too early", ErrBadELF)
	}
	return b, err
}

// header reads the identification and the ELF header.
func (w *window) header() (ELF, error) {
	if len(w.head) < 4 || string(w.head[:4]) != "\x7fELF" {
		return ELF{}, ErrNotELF
	}
	if len(w.head) < 52 {
		return ELF{}, fmt.Errorf("%w: its header is cut short", ErrBadELF)
	}
	class, data, version := w.head[4], w.head[5], w.head[6]
	if class < 1 || class > 2 || data < 1 || data > 2 || version != 1 {
		return ELF{}, fmt.Errorf("%w: class %d, byte order %d, version %d do not exist", ErrBadELF, class, data, version)
	}
	e := ELF{Bits: 32 * int(class), BigEndian: data == 2, OSABI: w.head[7]}
	if e.Bits == 64 && len(w.head) < 64 {
		return ELF{}, fmt.Errorf("%w: its header is cut short", ErrBadELF)
	}
	f := e.fields(w.head)
	e.Type, e.Machine = f.u16(16), f.u16(18)
	if e.Bits == 32 {
		e.Flags, e.shoff, e.shnum, e.shstrndx = f.u32(36), uint64(f.u32(32)), f.u16(48), f.u16(50)
	} else {
		e.Flags, e.shoff, e.shnum, e.shstrndx = f.u32(48), f.u64(40), f.u16(60), f.u16(62)
	}
	return e, nil
}

// segment is one program header.
type segment struct {
	kind, flags     uint32
	off, addr, size uint64 // size is that in the file
}

// segments reads the program headers.
func (w *window) segments(e ELF) ([]segment, error) {
	f := e.fields(w.head)
	var off, entry, count uint64 = 0, 32, 0
	claimed := f.u16(42)
	if e.Bits == 32 {
		off, count = uint64(f.u32(28)), uint64(f.u16(44))
	} else {
		off, entry, count, claimed = f.u64(32), 56, uint64(f.u16(56)), f.u16(54)
	}
	if count == 0 || uint64(claimed) != entry || entry*count > maxProgramHeaders {
		return nil, fmt.Errorf("%w: %d program headers of %d bytes", ErrBadELF, count, claimed)
	}
	table, err := w.bytes(off, entry*count)
	if err != nil {
		return nil, err
	}
	list := make([]segment, count)
	for i := range list {
		list[i] = e.segment(table[uint64(i)*entry:])
	}
	return list, nil
}

// data tells whether a program's variables are in the segment.
func (s segment) data() bool {
	const execute, write = 1, 2
	return s.kind == segmentLoad && s.flags&(execute|write) == write
}

func (e ELF) segment(b []byte) segment {
	f := e.fields(b)
	if e.Bits == 32 {
		return segment{kind: f.u32(0), off: uint64(f.u32(4)), addr: uint64(f.u32(8)), size: uint64(f.u32(16)), flags: f.u32(24)}
	}
	return segment{kind: f.u32(0), flags: f.u32(4), off: f.u64(8), addr: f.u64(16), size: f.u64(32)}
}

// interp reads the loader's name under the kernel's own conditions.
func (w *window) interp(s segment) (string, error) {
	if s.size < 2 || s.size > maxInterp {
		return "", fmt.Errorf("%w: its loader's name has %d bytes", ErrBadELF, s.size)
	}
	b, err := w.bytes(s.off, s.size)
	if err != nil {
		return "", err
	}
	if b[len(b)-1] != 0 {
		return "", fmt.Errorf("%w: its loader's name does not end", ErrBadELF)
	}
	name, _, _ := strings.Cut(string(b), "\x00")
	if name == "" {
		return "", fmt.Errorf("%w: its loader has no name", ErrBadELF)
	}
	return name, nil
}

// fields reads numbers in the byte order of a file.
type fields struct {
	b     []byte
	order binary.ByteOrder
}

func (e ELF) fields(b []byte) fields {
	if e.BigEndian {
		return fields{b, binary.BigEndian}
	}
	return fields{b, binary.LittleEndian}
}

func (f fields) u16(at int) uint16 { return f.order.Uint16(f.b[at:]) }
func (f fields) u32(at int) uint32 { return f.order.Uint32(f.b[at:]) }
func (f fields) u64(at int) uint64 { return f.order.Uint64(f.b[at:]) }

// Executable tells whether the file is of a type that a kernel starts: a program, position-independent or not.
// A shared library has the same type as the latter.
func (e ELF) Executable() bool { return e.Type == typeExecutable || e.Type == typeShared }

// Kind says for people what type of file it is: "a program", "an object file".
func (e ELF) Kind() string {
	switch e.Type {
	case typeExecutable, typeShared:
		return "a program"
	case typeRelocatable:
		return "an object file"
	case typeCore:
		return "a core dump"
	}
	return "an ELF file of an unknown type"
}
