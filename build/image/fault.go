package image

import (
	"errors"
	"fmt"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/platforms"
)

// ErrRefused is what every *Refusal is.
var ErrRefused = errors.New("the image does not run on the platform that it declares")

// Kind classifies a fault.
type Kind string

// The kinds of faults.
const (
	Foreign            Kind = "foreign"             // a program of another architecture
	ForeignSystem      Kind = "foreign-system"      // a program of another operating system (Windows, macOS, FreeBSD)
	TooNew             Kind = "too-new"             // right architecture, but a later variant than declared
	ForeignLoader      Kind = "foreign-loader"      // its loader is there but of another architecture
	ForeignLibrary     Kind = "foreign-library"     // a library that it needs is there, but only of another architecture
	ForeignModule      Kind = "foreign-module"      // an extension module of an interpreter is there, but only for another machine
	MissingLoader      Kind = "missing-loader"      // its loader (PT_INTERP) is not in the image
	MissingInterpreter Kind = "missing-interpreter" // a script whose #! names what is not in the image
	Missing            Kind = "missing"             // not in the image
	NotExecutable      Kind = "not-executable"      // no execute bit
	NotRegular         Kind = "not-regular"         // a directory, FIFO, socket or device
	LinkLoop           Kind = "link-loop"           // symbolic links that lead nowhere
	Empty              Kind = "empty"               // a file of no bytes
	NoShebang          Kind = "no-shebang"          // a text without #!
	ShebangCRLF        Kind = "shebang-crlf"        // a #! line with a Windows line end
	ByteOrderMark      Kind = "byte-order-mark"     // a script behind a UTF-8 byte order mark
	NotProgram         Kind = "not-program"         // an ELF file that is no program, or data of an unknown format
	Damaged            Kind = "damaged"             // an ELF header cut short or contradicting itself
)

// Fault is one thing in an image that makes its label a lie.
type Fault struct {
	Kind Kind
	Path string // absolute inside the image
	Role Role   // why it was looked at
	What string // what it is, to stand behind "is": "an amd64 program (x86-64, 64-bit little-endian)"
	Cure string // what to do, a clause in the imperative
}

// String is the fault in one sentence.
func (f Fault) String() string {
	return fmt.Sprintf("%s is %s: %s", shell.Show(f.Path), f.What, f.Cure)
}

// Refusal is the error of an image that declares what it does not hold. It is ErrRefused.
type Refusal struct {
	Declared ocispec.Platform
	Faults   []Fault // sorted by role, then path, none twice, at least one
}

// maxLines is how many faults an error names: a whole foreign base has hundreds, and the first ones tell all.
const maxLines = 10

// Error is one sentence for one fault, and a line for each below a heading when there are more, at most ten of them.
func (r *Refusal) Error() string {
	var lines []string
	if len(r.Faults) > 1 {
		lines = append(lines, fmt.Sprintf("the image has %d faults on %s:", len(r.Faults), platforms.Format(r.Declared)))
	}
	for i, f := range r.Faults {
		if i == maxLines {
			lines = append(lines, fmt.Sprintf("and %d more: is the base image for %s?", len(r.Faults)-i, platforms.Format(r.Declared)))
			break
		}
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

// Is makes the error one with ErrRefused.
func (r *Refusal) Is(target error) bool { return target == ErrRefused }
