package platforms

import (
	"errors"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// What ReadELF says of a file that it cannot use.
var (
	ErrNotELF = errors.New("not an ELF file")
	ErrBadELF = errors.New("damaged ELF file")
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
}

// ReadELF reads the header, the program headers and the loader's name, and nothing else: at most three reads and
// 68 KiB whatever the file claims. Most files need a single read of the first 4 KiB.
func ReadELF(r io.ReaderAt) (ELF, error) { return ELF{}, ErrNotELF }

// Arch returns the architecture in GOARCH's spelling ("amd64", "arm64", "mips64le"), Debian's where Go has
// none ("hppa", "alpha"), or "" when the machine is not known by name.
func (e ELF) Arch() string { return "" }

// Describe says for people what the file is: "arm64 (AArch64, 64-bit little-endian)".
func (e ELF) Describe() string { return "" }

// Executable tells whether the file is of a type that a kernel starts: a program, position-independent or not.
func (e ELF) Executable() bool { return false }

// RunsOn tells whether a machine of platform p starts this file: Fit(p) is not Foreign.
func (e ELF) RunsOn(p ocispec.Platform) bool { return e.Fit(p) != Foreign }

// Fit is how well a program goes with a platform.
type Fit int

// Foreign programs do not start there. Compatible ones do, although they are made for another architecture
// (386 on amd64). Native ones are made for it.
const (
	Foreign Fit = iota
	Compatible
	Native
)

// Fit compares class, byte order, machine, operating system and, for arm, the EABI with platform p.
// The ARM version is not in the header: see ReadGoBuild and ReadARMArch.
func (e ELF) Fit(p ocispec.Platform) Fit { return Foreign }
