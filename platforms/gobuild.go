package platforms

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// ErrNotGo says that a file holds no Go build information.
var ErrNotGo = errors.New("no build information of Go 1.18 or later")

// maxBuildInfo bounds what is read of the build information: it lists every module, 100 bytes each.
const maxBuildInfo = 1 << 20

// Layout of the blob (debug/buildinfo, since Go 1.18): 16 bytes of magic, pointer size and flags, 16 unused ones,
// then version and module information, each behind its length as a varint.
const (
	buildInfoMagic  = "\xff Go buildinf:"
	buildInfoAlign  = 16
	buildInfoHeader = 32
	buildInfoFlags  = 15
	buildInfoInline = 2
	// infoFrame is the length of the sentinels around the module information.
	infoFrame = 16
)

// GoBuild is what the Go linker wrote into a program about its build.
type GoBuild struct {
	Version string // "go1.26.0"
	GOOS    string
	GOARCH  string
	GOARM   string // "5", "6", "7", "7,softfloat"; "" when it is not an arm program
}

// ReadGoBuild finds the build information of a Go program (Go 1.18 or later, stripped or not) whose header ReadELF
// returned. It reads about 1 MiB at most. A program without it is ErrNotGo.
func ReadGoBuild(r io.ReaderAt, e ELF) (GoBuild, error) {
	w, err := openWindow(r)
	if err != nil {
		return GoBuild{}, err
	}
	blob, err := w.buildInfo(e)
	if err != nil {
		return GoBuild{}, err
	}
	return parseBuildInfo(blob)
}

// buildInfo returns the part of the file that begins with the blob.
func (w *window) buildInfo(e ELF) ([]byte, error) {
	list, err := w.sections(e)
	if err != nil {
		return nil, err
	}
	if s, ok := w.named(e, list, ".go.buildinfo"); ok {
		return w.blob(s.off, s.size)
	}
	segments, err := w.segments(e)
	if err != nil {
		return nil, err
	}
	for _, s := range segments {
		const execute, write = 1, 2
		if s.kind == segmentLoad && s.flags&(execute|write) == write {
			return w.blob(s.off, s.size)
		}
	}
	return nil, ErrNotGo
}

// blob reads a stretch of the file and cuts off what is before the blob.
func (w *window) blob(off, size uint64) ([]byte, error) {
	b, err := w.bytes(off, min(size, maxBuildInfo))
	if err != nil {
		return nil, err
	}
	for rest := b; ; {
		i := bytes.Index(rest, []byte(buildInfoMagic))
		if i < 0 {
			return nil, ErrNotGo
		}
		if at := len(b) - len(rest) + i; at%buildInfoAlign == 0 {
			return b[at:], nil
		}
		rest = rest[i+1:]
	}
}

// parseBuildInfo reads the settings out of a blob.
func parseBuildInfo(b []byte) (GoBuild, error) {
	if len(b) < buildInfoHeader || b[buildInfoFlags]&buildInfoInline == 0 {
		return GoBuild{}, ErrNotGo
	}
	version, rest, ok := varString(b[buildInfoHeader:])
	if !ok || version == "" {
		return GoBuild{}, ErrNotGo
	}
	build := GoBuild{Version: version}
	info, _, ok := varString(rest)
	if !ok || len(info) < 2*infoFrame {
		return build, nil
	}
	for line := range strings.SplitSeq(info[infoFrame:len(info)-infoFrame], "\n") {
		setting, _ := strings.CutPrefix(line, "build\t")
		key, value, _ := strings.Cut(setting, "=")
		switch key {
		case "GOOS":
			build.GOOS = value
		case "GOARCH":
			build.GOARCH = value
		case "GOARM":
			build.GOARM = value
		}
	}
	return build, nil
}

// varString reads a string behind its length.
func varString(b []byte) (s string, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return "", nil, false
	}
	end := used + int(n)
	return string(b[used:end]), b[end:], true
}
