// Package elftest makes small ELF files for tests: a header, program headers, a loader's name, the libraries that it
// needs, and for arm the build attributes, which is all that anybody here reads. They are real enough for readelf and file(1).
//
//	elftest.Of("arm64")                                    a static program
//	elftest.Of("amd64", elftest.Interp("/lib64/ld-linux-x86-64.so.2"))
//	elftest.Of("arm64", elftest.Needs("libfoo.so.1"), elftest.RunPath("$ORIGIN/../lib"))
//	elftest.Of("arm", elftest.Flags(0x5000400), elftest.ARMArch(7))
package elftest

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// order is a byte order that puts and appends.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// spec is what a file is made of.
type spec struct {
	bits    int
	order   order
	machine uint16
	kind    uint16
	flags   uint32
	osabi   byte
	interp  string
	armArch byte
	arm     []byte
	dynamic []entry
	padding int
	goBuild []string
	bare    bool
}

// entry is one of the dynamic section whose value is a string.
type entry struct {
	tag  int
	text string
}

// Option changes the file.
type Option func(*spec)

// Interp names the loader.
func Interp(name string) Option { return func(s *spec) { s.interp = name } }

// Flags sets e_flags.
func Flags(flags uint32) Option { return func(s *spec) { s.flags = flags } }

// OSABI sets the operating system's number: 9 is FreeBSD.
func OSABI(n byte) Option { return func(s *spec) { s.osabi = n } }

// Type sets e_type: 1 object file, 2 program, 3 position-independent program or library, 4 core dump.
func Type(n uint16) Option { return func(s *spec) { s.kind = n } }

// ARMArch adds build attributes with that value of Tag_CPU_arch: 6 is ARMv6, 10 is ARMv7.
func ARMArch(tag byte) Option { return func(s *spec) { s.armArch = tag } }

// ARMAttributes adds a section of build attributes as it is.
func ARMAttributes(section []byte) Option { return func(s *spec) { s.arm = section } }

// Needs adds names of libraries (DT_NEEDED).
func Needs(names ...string) Option {
	return func(s *spec) {
		for _, name := range names {
			s.dynamic = append(s.dynamic, entry{1, name})
		}
	}
}

// RPath and RunPath set the folders where they are searched (DT_RPATH, DT_RUNPATH).
func RPath(folders string) Option {
	return func(s *spec) { s.dynamic = append(s.dynamic, entry{15, folders}) }
}

// RunPath is the newer one.
func RunPath(folders string) Option {
	return func(s *spec) { s.dynamic = append(s.dynamic, entry{29, folders}) }
}

// Go makes it a Go program with these build settings ("GOARCH=amd64", "GOAMD64=v3").
func Go(settings ...string) Option { return func(s *spec) { s.goBuild = settings } }

// Bare leaves out the build ID of a Go program, and the section headers.
func Bare() Option { return func(s *spec) { s.bare = true } }

// Padding puts n bytes before the dynamic section, as a program's code is.
func Padding(n int) Option { return func(s *spec) { s.padding = n } }

// Machine sets e_machine.
func Machine(n uint16) Option { return func(s *spec) { s.machine = n } }

// Of returns a static program for an architecture by its GOARCH or Debian name. It panics at a name that it does not know.
func Of(arch string, options ...Option) []byte {
	s := &spec{kind: 2}
	s.known(arch)
	for _, o := range options {
		o(s)
	}
	return s.file()
}

// known fills in the machine.
func (s *spec) known(arch string) {
	type row struct {
		bits    int
		order   order
		machine uint16
		flags   uint32
	}
	var little, big order = binary.LittleEndian, binary.BigEndian
	r, ok := map[string]row{
		"386": {32, little, 3, 0}, "amd64": {64, little, 62, 0}, "x32": {32, little, 62, 0},
		"arm": {32, little, 40, 0x5000000}, "armel": {32, little, 40, 0x5000200}, "armhf": {32, little, 40, 0x5000400},
		"armbe": {32, big, 40, 0x5800000}, "arm64": {64, little, 183, 0}, "arm64be": {64, big, 183, 0},
		"loong64": {64, little, 258, 0x43}, "riscv64": {64, little, 243, 5}, "riscv32": {32, little, 243, 5},
		"mips": {32, big, 8, 0x50001004}, "mipsle": {32, little, 8, 0x50001004},
		"mips64": {64, big, 8, 0x20000004}, "mips64le": {64, little, 8, 0x20000004},
		"mipsn32": {32, big, 8, 0x20000024}, "mipsn32el": {32, little, 8, 0x20000024},
		"mipsr6el": {32, little, 8, 0x90001404}, "mips64r6el": {64, little, 8, 0xa0000404},
		"ppc": {32, big, 20, 0}, "ppc64": {64, big, 21, 1}, "ppc64le": {64, little, 21, 2},
		"s390": {32, big, 22, 0}, "s390x": {64, big, 22, 0}, "sparc": {32, big, 2, 0}, "sparc64": {64, big, 43, 0},
		"alpha": {64, little, 0x9026, 0}, "hppa": {32, big, 15, 0x210}, "m68k": {32, big, 4, 0},
		"ia64": {64, little, 50, 0x10}, "sh4": {32, little, 42, 9},
	}[arch]
	if !ok {
		panic(fmt.Sprintf("elftest: no machine %q", arch))
	}
	s.bits, s.order, s.machine, s.flags = r.bits, r.order, r.machine, r.flags
}

// file lays out: header, four program headers, loader, attributes, Go's note, padding, dynamic section and its
// strings, Go's build information, section headers.
func (s *spec) file() []byte {
	header, phentry, shentry := 52, 32, 40
	if s.bits == 64 {
		header, phentry, shentry = 64, 56, 64
	}
	interp := append([]byte(s.interp), 0)
	at := header + 4*phentry
	attributes := s.attributes()
	attributesAt := at + len(interp)
	note, build := s.goInfo()
	noteAt := attributesAt + len(attributes)
	dynamicAt := noteAt + len(note) + s.padding
	dynamic, size := s.dynamicSection(dynamicAt)
	goAt := dynamicAt + len(dynamic)
	sections := goAt + len(build)
	b := make([]byte, sections, sections+2*shentry)
	copy(b, "\x7fELF")
	b[4], b[5], b[6], b[7] = byte(s.bits/32), 1, 1, s.osabi
	if s.order == binary.BigEndian {
		b[5] = 2
	}
	s.order.PutUint16(b[16:], s.kind)
	s.order.PutUint16(b[18:], s.machine)
	s.order.PutUint32(b[20:], 1)
	s.header(b, header, phentry, shentry, sections)
	s.segment(b[header:], 1, 0, sections)
	if s.interp != "" {
		s.segment(b[header+phentry:], 3, at, len(interp))
	}
	if size > 0 {
		s.segment(b[header+2*phentry:], 2, dynamicAt, size)
	}
	if len(build) > 0 {
		s.segment(b[header+3*phentry:], 1, goAt, len(build))
		s.writable(b[header+3*phentry:])
	}
	copy(b[at:], interp)
	copy(b[attributesAt:], attributes)
	copy(b[dynamicAt:], dynamic)
	copy(b[noteAt:], note)
	copy(b[goAt:], build)
	if s.bare {
		return b
	}
	b = append(b, make([]byte, 2*shentry)...)
	if len(attributes) > 0 {
		s.order.PutUint32(b[sections+shentry+4:], 0x70000003)
		s.order.PutUint32(b[sections+shentry+16:], uint32(attributesAt))
		s.order.PutUint32(b[sections+shentry+20:], uint32(len(attributes)))
	}
	return b
}

// goInfo is the note with the build ID, and the blob that debug/buildinfo reads (inline strings).
func (s *spec) goInfo() (note, build []byte) {
	if len(s.goBuild) == 0 {
		return nil, nil
	}
	for _, n := range []uint32{4, 0, 4} {
		note = s.order.AppendUint32(note, n)
	}
	note = append(note, "Go\x00\x00"...)
	if s.bare {
		note = nil
	}
	build = append([]byte("\xff Go buildinf:\x08\x02"), make([]byte, 16)...)
	sentinel := strings.Repeat("-", 16)
	info := sentinel + "build\t" + strings.Join(s.goBuild, "\nbuild\t") + "\n" + sentinel
	for _, text := range []string{"go1.26.0", info} {
		build = append(binary.AppendUvarint(build, uint64(len(text))), text...)
	}
	return note, build
}

// writable changes a segment's flags from those of code to those of data.
func (s *spec) writable(b []byte) {
	at := 4
	if s.bits == 32 {
		at = 24
	}
	s.order.PutUint32(b[at:], 6)
}

// dynamicSection is the table, size bytes of it, and its strings. Addresses are offsets: the one LOAD segment begins at 0.
func (s *spec) dynamicSection(at int) (b []byte, size int) {
	if len(s.dynamic) == 0 {
		return nil, 0
	}
	size = (len(s.dynamic) + 2) * s.bits / 4
	names := []byte{0}
	for _, e := range s.dynamic {
		b = s.word(s.word(b, e.tag), len(names))
		names = append(append(names, e.text...), 0)
	}
	b = s.word(s.word(b, 5), at+size)
	b = s.word(s.word(b, 0), 0)
	return append(b, names...), size
}

func (s *spec) word(b []byte, n int) []byte {
	if s.bits == 32 {
		return s.order.AppendUint32(b, uint32(n))
	}
	return s.order.AppendUint64(b, uint64(n))
}

// header writes what depends on the class.
func (s *spec) header(b []byte, header, phentry, shentry, sections int) {
	at := 40
	if s.bits == 32 {
		s.order.PutUint32(b[28:], uint32(header))
		s.order.PutUint32(b[32:], uint32(sections))
		s.order.PutUint32(b[36:], s.flags)
	} else {
		s.order.PutUint64(b[32:], uint64(header))
		s.order.PutUint64(b[40:], uint64(sections))
		s.order.PutUint32(b[48:], s.flags)
		at = 52
	}
	headers := 2
	if s.bare {
		headers = 0
	}
	for i, n := range []int{header, phentry, 4, shentry, headers, 0} {
		s.order.PutUint16(b[at+2*i:], uint16(n))
	}
}

// segment writes one program header.
func (s *spec) segment(b []byte, kind uint32, off, size int) {
	s.order.PutUint32(b, kind)
	if s.bits == 32 {
		s.order.PutUint32(b[4:], uint32(off))
		s.order.PutUint32(b[16:], uint32(size))
		s.order.PutUint32(b[24:], 5)
		return
	}
	s.order.PutUint32(b[4:], 5)
	s.order.PutUint64(b[8:], uint64(off))
	s.order.PutUint64(b[32:], uint64(size))
}

// attributes is an .ARM.attributes section: CPU name, CPU architecture, and ARM instructions allowed.
func (s *spec) attributes() []byte {
	if s.armArch == 0 {
		return s.arm
	}
	tags := []byte{5, 'C', 'P', 'U', 0, 6, s.armArch, 8, 1}
	file := s.order.AppendUint32([]byte{1}, uint32(5+len(tags)))
	file = append(file, tags...)
	vendor := append([]byte("aeabi\x00"), file...)
	return append(s.order.AppendUint32([]byte{'A'}, uint32(4+len(vendor))), vendor...)
}
