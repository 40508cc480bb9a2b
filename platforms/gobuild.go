package platforms

import (
	"errors"
	"io"
)

// ErrNotGo says that a file holds no Go build information.
var ErrNotGo = errors.New("no Go build information")

// GoBuild is what the Go linker wrote into a program about its build.
type GoBuild struct {
	Version string // "go1.26.0"
	GOOS    string
	GOARCH  string
	GOARM   string // "5", "6", "7", "7,softfloat"; "" when it is not an arm program
}

// ReadGoBuild finds the build information of a Go program (Go 1.18 or later) whose ELF header was read before.
// It reads at most 1 MiB. A program without it is ErrNotGo.
func ReadGoBuild(r io.ReaderAt, e ELF) (GoBuild, error) { return GoBuild{}, ErrNotGo }

// ReadARMArch returns the ARM architecture version (5, 6, 7, 8) that the build attributes of an arm program name, 0 when
// it has none. It is the highest version of any part of the program, which may be guarded by a test at run time.
func ReadARMArch(r io.ReaderAt, e ELF) (int, error) { return 0, nil }
