package platforms

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ErrNotGo says that a file holds no Go build information.
var ErrNotGo = errors.New("no build information of Go 1.18 or later")

const (
	// buildInfoLead holds the build information of most programs: it lists every module, 100 bytes each.
	buildInfoLead = 16 << 10
	// maxBuildInfo bounds what is read of the others'.
	maxBuildInfo = 1 << 20
)

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
	Level   string // which CPUs of its architecture it needs, of GOAMD64, GOARM64, GOPPC64 or GORISCV64: "v3", "power9", "rva22u64"
}

// goNote tells whether the head of a program holds the Go linker's note of the build ID (type 4, named Go).
func (w *window) goNote(e ELF) bool {
	note := []byte{4, 0, 0, 0, 'G', 'o', 0, 0}
	if e.BigEndian {
		note = []byte{0, 0, 0, 4, 'G', 'o', 0, 0}
	}
	return bytes.Contains(w.head, note)
}

// ReadGoBuild finds the build information of a Go program (Go 1.18 or later, stripped or not, with a build ID or without) whose header
// ReadELF returned. It reads about 1 MiB at most. A program without it is ErrNotGo.
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

// buildInfo returns the part of the file that begins with the blob. Go's own linker puts it at the start of the data, where one
// short read finds it; the linker of C puts it where the section headers say, or anywhere in the data. A program that does not say
// that it is Go's is believed to be none as soon as its section headers know of no such thing.
func (w *window) buildInfo(e ELF) ([]byte, error) {
	segments, err := w.segments(e)
	if err != nil {
		return nil, err
	}
	data := slices.IndexFunc(segments, segment.data)
	likely := data >= 0 && (e.Go || e.shnum == 0)
	if likely {
		b, err := w.upTo(segments[data].off, min(segments[data].size, buildInfoLead))
		if err != nil || wholeBuildInfo(b) {
			return b, err
		}
	}
	list, err := w.sections(e)
	if err != nil {
		return nil, err
	}
	if s, ok := w.named(e, list, ".go.buildinfo"); ok {
		return w.blob(s.off, s.size)
	}
	if likely {
		return w.blob(segments[data].off, segments[data].size)
	}
	return nil, ErrNotGo
}

// wholeBuildInfo tells whether b begins with a blob that is not cut.
func wholeBuildInfo(b []byte) bool {
	if !bytes.HasPrefix(b, []byte(buildInfoMagic)) || len(b) < buildInfoHeader {
		return false
	}
	_, rest, ok := varString(b[buildInfoHeader:])
	if ok {
		_, _, ok = varString(rest)
	}
	return ok
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
		case "GOAMD64", "GOARM64", "GOPPC64", "GORISCV64":
			build.Level, _, _ = strings.Cut(value, ",") // behind it stand optional features
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

// levels are the versions of an architecture that Go compiles for, the lowest first: what images are for that name no variant.
func levels(arch string) []string {
	switch arch {
	case "amd64":
		return []string{"v1", "v2", "v3", "v4"}
	case "arm64":
		return []string{"v8.0", "v8.1", "v8.2", "v8.3", "v8.4", "v8.5", "v8.6", "v8.7", "v8.8", "v8.9", "v9.0", "v9.1", "v9.2", "v9.3", "v9.4", "v9.5"}
	case "ppc64", "ppc64le":
		return []string{"power8", "power9", "power10"}
	case "riscv64":
		return []string{"rva20u64", "rva22u64", "rva23u64"}
	}
	return nil
}

// Beyond tells whether the program needs a later version of p's architecture than p names, or than all machines have where it
// names none. What is not known is not beyond. ARM versions are GOARM's, not looked at here.
func (b GoBuild) Beyond(p ocispec.Platform) bool {
	p = Normalize(p)
	all := levels(p.Architecture)
	need, have := slices.Index(all, b.Level), 0
	if p.Variant != "" {
		have = slices.IndexFunc(all, func(l string) bool { return l == p.Variant || l == p.Variant+".0" })
	}
	return b.GOARCH == p.Architecture && have >= 0 && need > have
}
