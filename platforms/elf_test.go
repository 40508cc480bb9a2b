package platforms_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
	"github.com/manymage/manymage/platforms/elftest"
)

func readELF(t *testing.T, b []byte) platforms.ELF {
	t.Helper()
	e, err := platforms.ReadELF(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestReadELFKnowsEveryPort(t *testing.T) {
	for _, test := range []struct{ arch, describes string }{
		{"386", "386 (x86, 32-bit little-endian)"},
		{"amd64", "amd64 (x86-64, 64-bit little-endian)"},
		{"x32", "x32 (x86-64 with 32-bit pointers, 32-bit little-endian)"},
		{"arm", "arm (ARM EABI5, 32-bit little-endian)"},
		{"armel", "arm (ARM EABI5 soft-float, 32-bit little-endian)"},
		{"armhf", "arm (ARM EABI5 hard-float, 32-bit little-endian)"},
		{"armbe", "armbe (ARM EABI5, 32-bit big-endian)"},
		{"arm64", "arm64 (AArch64, 64-bit little-endian)"},
		{"arm64be", "arm64be (AArch64, 64-bit big-endian)"},
		{"loong64", "loong64 (LoongArch, 64-bit little-endian)"},
		{"riscv64", "riscv64 (RISC-V, 64-bit little-endian)"},
		{"riscv32", "riscv32 (RISC-V, 32-bit little-endian)"},
		{"mips", "mips (MIPS, 32-bit big-endian)"},
		{"mipsle", "mipsle (MIPS, 32-bit little-endian)"},
		{"mips64", "mips64 (MIPS, 64-bit big-endian)"},
		{"mips64le", "mips64le (MIPS, 64-bit little-endian)"},
		{"mipsn32", "mipsn32 (MIPS, 32-bit big-endian)"},
		{"mipsn32el", "mipsn32el (MIPS, 32-bit little-endian)"},
		{"mipsr6el", "mipsr6el (MIPS, 32-bit little-endian)"},
		{"mips64r6el", "mips64r6el (MIPS, 64-bit little-endian)"},
		{"ppc", "ppc (PowerPC, 32-bit big-endian)"},
		{"ppc64", "ppc64 (PowerPC, 64-bit big-endian)"},
		{"ppc64le", "ppc64le (PowerPC, 64-bit little-endian)"},
		{"s390", "s390 (IBM S/390, 32-bit big-endian)"},
		{"s390x", "s390x (IBM Z, 64-bit big-endian)"},
		{"sparc", "sparc (SPARC, 32-bit big-endian)"},
		{"sparc64", "sparc64 (SPARC V9, 64-bit big-endian)"},
		{"alpha", "alpha (Alpha, 64-bit little-endian)"},
		{"hppa", "hppa (PA-RISC, 32-bit big-endian)"},
		{"m68k", "m68k (Motorola 68000, 32-bit big-endian)"},
		{"ia64", "ia64 (Itanium, 64-bit little-endian)"},
		{"sh4", "sh4 (SuperH, 32-bit little-endian)"},
	} {
		e := readELF(t, elftest.Of(test.arch, elftest.Interp("/lib/ld.so.1")))
		if e.Describe() != test.describes || e.Interp != "/lib/ld.so.1" || !e.Executable() {
			t.Errorf("%s reads as %s, loader %q", test.arch, e.Describe(), e.Interp)
		}
	}
}

func TestDescribeOthers(t *testing.T) {
	for _, test := range []struct {
		file []byte
		want string
	}{
		{elftest.Of("amd64", elftest.Machine(4711)), "ELF machine 4711 (64-bit little-endian)"},
		{elftest.Of("amd64", elftest.Machine(94)), "ELF machine 94 (Xtensa, 64-bit little-endian)"},
		{elftest.Of("m68k", elftest.Machine(62)), "ELF machine 62 (x86-64, 32-bit big-endian)"},
		{elftest.Of("arm", elftest.Flags(0)), "arm (ARM without EABI, 32-bit little-endian)"},
		{elftest.Of("amd64", elftest.OSABI(9)), "freebsd/amd64 (x86-64, 64-bit little-endian)"},
		{elftest.Of("amd64", elftest.OSABI(3)), "amd64 (x86-64, 64-bit little-endian)"},
		{elftest.Of("riscv64", elftest.Machine(247)), "bpf (Linux BPF, 64-bit little-endian)"},
	} {
		if got := readELF(t, test.file).Describe(); got != test.want {
			t.Errorf("described as %q, want %q", got, test.want)
		}
	}
}

func TestKind(t *testing.T) {
	for kind, want := range map[uint16]string{1: "an object file", 2: "a program", 3: "a program", 4: "a core dump", 9: "an ELF file of an unknown type"} {
		e := readELF(t, elftest.Of("amd64", elftest.Type(kind)))
		if e.Kind() != want || e.Executable() != (want == "a program") {
			t.Errorf("type %d is %s, executable %v", kind, e.Kind(), e.Executable())
		}
	}
}

func TestFit(t *testing.T) {
	for _, test := range []struct {
		file     []byte
		platform string
		want     platforms.Fit
	}{
		{elftest.Of("amd64"), "amd64", platforms.Native},
		{elftest.Of("amd64"), "amd64/v3", platforms.Native},
		{elftest.Of("amd64"), "arm64", platforms.Foreign},
		{elftest.Of("amd64"), "386", platforms.Foreign},
		{elftest.Of("386"), "amd64", platforms.Compatible},
		{elftest.Of("386"), "386", platforms.Native},
		{elftest.Of("x32"), "amd64", platforms.Foreign},
		{elftest.Of("x32"), "386", platforms.Foreign},
		{elftest.Of("arm64"), "arm64/v8", platforms.Native},
		{elftest.Of("arm64be"), "arm64", platforms.Foreign},
		{elftest.Of("armhf"), "arm64", platforms.Foreign}, // many arm64 machines have no AArch32
		{elftest.Of("armhf"), "arm/v7", platforms.Native},
		{elftest.Of("armhf"), "arm/v6", platforms.Native}, // Raspbian; the version is not in the header
		{elftest.Of("armhf"), "arm/v5", platforms.Foreign},
		{elftest.Of("armel"), "arm/v5", platforms.Native},
		{elftest.Of("armel"), "arm/v7", platforms.Native},
		{elftest.Of("arm"), "arm/v5", platforms.Native}, // Go's
		{elftest.Of("arm", elftest.Flags(0)), "arm/v5", platforms.Foreign},
		{elftest.Of("armbe"), "arm/v7", platforms.Foreign},
		{elftest.Of("riscv64"), "riscv64", platforms.Native},
		{elftest.Of("riscv32"), "riscv64", platforms.Foreign},
		{elftest.Of("ppc64"), "ppc64le", platforms.Foreign},
		{elftest.Of("ppc64le"), "ppc64le", platforms.Native},
		{elftest.Of("ppc"), "ppc64", platforms.Compatible},
		{elftest.Of("mips"), "mips64", platforms.Compatible},
		{elftest.Of("mipsn32"), "mips64", platforms.Compatible},
		{elftest.Of("mipsn32"), "mips", platforms.Foreign},
		{elftest.Of("mipsle"), "mips64", platforms.Foreign},
		{elftest.Of("mipsle"), "mips64le", platforms.Compatible},
		{elftest.Of("mipsn32el"), "mips64le", platforms.Compatible},
		{elftest.Of("amd64"), "ppc64", platforms.Foreign},
		{elftest.Of("ppc"), "amd64", platforms.Foreign},
		{elftest.Of("mipsle", elftest.Flags(0x90000000)), "mipsle", platforms.Foreign},
		{elftest.Of("mipsle", elftest.Flags(0x90000000)), "linux/mipsle/r6", platforms.Native},
		{elftest.Of("mips", elftest.Flags(0x90000000)), "linux/mips/r6", platforms.Native},
		{elftest.Of("mips64", elftest.Flags(0xa0000000)), "linux/mips64/r6", platforms.Native},
		{elftest.Of("386", elftest.Flags(0x90000020)), "386", platforms.Native}, // bits of MIPS
		{elftest.Of("armel", elftest.Flags(0x04000000)), "arm/v5", platforms.Native},
		{elftest.Of("armel", elftest.Flags(0x03000000)), "arm/v5", platforms.Foreign},
		{elftest.Of("mips64r6el"), "mips64le", platforms.Foreign},
		{elftest.Of("mips64r6el"), "linux/mips64le/r6", platforms.Native},
		{elftest.Of("s390"), "s390x", platforms.Foreign},
		{elftest.Of("s390x"), "s390x", platforms.Native},
		{elftest.Of("loong64"), "loong64", platforms.Native},
		{elftest.Of("alpha"), "linux/alpha", platforms.Native},
		{elftest.Of("amd64", elftest.OSABI(9)), "amd64", platforms.Foreign},
		{elftest.Of("amd64", elftest.OSABI(9)), "freebsd/amd64", platforms.Native},
		{elftest.Of("amd64", elftest.Machine(4711)), "amd64", platforms.Foreign},
	} {
		p, err := platforms.ParseAny(test.platform)
		if err != nil {
			t.Fatal(err)
		}
		e := readELF(t, test.file)
		if got := e.Fit(p); got != test.want || e.RunsOn(p) != (got != platforms.Foreign) {
			t.Errorf("%s on %s is %v, want %v", e.Describe(), test.platform, got, test.want)
		}
	}
}

// A platform is understood as it is written.
func TestFitNormalizes(t *testing.T) {
	for _, p := range []ocispec.Platform{{OS: "linux", Architecture: "aarch64"}, {OS: "Linux", Architecture: "arm64", Variant: "8"}, {Architecture: "arm64"}} {
		if fit := readELF(t, elftest.Of("arm64")).Fit(p); fit != platforms.Native {
			t.Errorf("arm64 on %+v is %v", p, fit)
		}
	}
}

func TestFitNames(t *testing.T) {
	for fit, want := range map[platforms.Fit]string{platforms.Foreign: "foreign", platforms.Compatible: "compatible", platforms.Native: "native"} {
		if fit.String() != want {
			t.Errorf("%s, want %s", fit, want)
		}
	}
}

// Programs of other systems are none of Linux, and those that name no system may be.
func TestOS(t *testing.T) {
	known := map[byte]string{1: "hpux", 2: "netbsd", 6: "solaris", 7: "aix", 8: "irix", 9: "freebsd", 12: "openbsd"}
	for n := range 256 {
		if e := readELF(t, elftest.Of("amd64", elftest.OSABI(byte(n)))); e.OS() != known[byte(n)] {
			t.Errorf("%d is %q, want %q", n, e.OS(), known[byte(n)])
		}
	}
}

// The kernel takes the first loader that is named.
func TestFirstLoaderCounts(t *testing.T) {
	b := elftest.Of("amd64", elftest.Interp("/lib/second"))
	binary.LittleEndian.PutUint32(b[64:], 3)
	binary.LittleEndian.PutUint64(b[64+8:], uint64(len(b)))
	binary.LittleEndian.PutUint64(b[64+32:], uint64(len("/first\x00")))
	if e := readELF(t, append(b, "/first\x00"...)); e.Interp != "/first" {
		t.Errorf("the loader is %q", e.Interp)
	}
}

func TestReadELFRefuses(t *testing.T) {
	good := elftest.Of("amd64", elftest.Interp("/lib64/ld-linux-x86-64.so.2"))
	with := func(change func(b []byte)) []byte {
		b := bytes.Clone(good)
		change(b)
		return b
	}
	const phoff, phentsize, phnum, interpHeader = 32, 54, 56, 64 + 56
	le := binary.LittleEndian
	for _, test := range []struct {
		what string
		file []byte
		want error
	}{
		{"nothing", nil, platforms.ErrNotELF},
		{"text", []byte("#!/bin/sh\n"), platforms.ErrNotELF},
		{"magic alone", good[:4], platforms.ErrBadELF},
		{"half a header", good[:60], platforms.ErrBadELF},
		{"all but a byte of a header", good[:63], platforms.ErrBadELF},
		{"all but a byte of a header of 32 bits", elftest.Of("386")[:51], platforms.ErrBadELF},
		{"program headers cut off", good[:70], platforms.ErrBadELF},
		{"no program headers", with(func(b []byte) { le.PutUint16(b[phnum:], 0) }), platforms.ErrBadELF}, // nothing of it would be loaded
		{"loader cut off", good[:64+4*56+5], platforms.ErrBadELF},
		{"class 3", with(func(b []byte) { b[4] = 3 }), platforms.ErrBadELF},
		{"byte order 0", with(func(b []byte) { b[5] = 0 }), platforms.ErrBadELF},
		{"version 2", with(func(b []byte) { b[6] = 2 }), platforms.ErrBadELF},
		{"program headers behind any file", with(func(b []byte) { le.PutUint64(b[phoff:], 1<<63) }), platforms.ErrBadELF},
		{"program headers that wrap around", with(func(b []byte) { le.PutUint64(b[phoff:], 1<<64-8) }), platforms.ErrBadELF},
		{"program headers of another size", with(func(b []byte) { le.PutUint16(b[phentsize:], 32) }), platforms.ErrBadELF},
		{"65535 program headers", with(func(b []byte) { le.PutUint16(b[phnum:], 0xffff) }), platforms.ErrBadELF},
		{"a loader's name of 1 GB", with(func(b []byte) { le.PutUint64(b[interpHeader+32:], 1<<30) }), platforms.ErrBadELF},
		{"a loader's name of no byte", with(func(b []byte) { le.PutUint64(b[interpHeader+32:], 0) }), platforms.ErrBadELF},
		{"a loader's name of zeros", with(func(b []byte) { clear(b[64+4*56:][:len("/lib64/ld-linux-x86-64.so.2")]) }), platforms.ErrBadELF},
		{"an empty loader's name", with(func(b []byte) { le.PutUint64(b[interpHeader+32:], 1) }), platforms.ErrBadELF},
		{"a loader's name without end", with(func(b []byte) { le.PutUint64(b[interpHeader+32:], 5) }), platforms.ErrBadELF},
	} {
		if _, err := platforms.ReadELF(bytes.NewReader(test.file)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.what, err, test.want)
		}
	}
}

// countingReader counts reads and bytes.
type countingReader struct {
	io.ReaderAt
	reads, bytes int
}

func (r *countingReader) ReadAt(b []byte, off int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(b, off)
	r.reads++
	r.bytes += n
	return n, err
}

func TestReadELFReadsOnce(t *testing.T) {
	r := &countingReader{ReaderAt: bytes.NewReader(append(elftest.Of("arm64", elftest.Interp("/lib/ld")), make([]byte, 1<<20)...))}
	if _, err := platforms.ReadELF(r); err != nil || r.reads != 1 || r.bytes != 4096 {
		t.Errorf("%d reads of %d bytes, %v", r.reads, r.bytes, err)
	}
}

func TestReadELFReportsFailuresToRead(t *testing.T) {
	broken := errors.New("connection lost")
	_, err := platforms.ReadELF(failing{broken})
	if !errors.Is(err, broken) || errors.Is(err, platforms.ErrBadELF) {
		t.Errorf("a failure to read is %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestReadARMArch(t *testing.T) {
	for tag, want := range map[byte]int{1: 4, 2: 4, 3: 5, 4: 5, 5: 5, 6: 6, 7: 6, 8: 6, 9: 6, 10: 7, 11: 6, 12: 6, 13: 7, 14: 8, 22: 8, 23: 0, 99: 0} {
		b := elftest.Of("armhf", elftest.ARMArch(tag))
		if got, err := platforms.ReadARMArch(bytes.NewReader(b), readELF(t, b)); got != want || err != nil {
			t.Errorf("attribute %d is ARMv%d, %v; want %d", tag, got, err, want)
		}
	}
	b := elftest.Of("riscv32", elftest.ARMArch(10)) // whose attributes are a section of the same type
	if got, err := platforms.ReadARMArch(bytes.NewReader(b), readELF(t, b)); got != 0 || err != nil {
		t.Errorf("a RISC-V program is ARMv%d, %v", got, err)
	}
}

// Build attributes as compilers write them, and as nobody should: what cannot be followed says nothing.
func TestARMAttributes(t *testing.T) {
	sized := func(before []byte, body []byte) []byte { // the size counts what is before it, and itself
		return append(binary.LittleEndian.AppendUint32(before, uint32(len(before)+4+len(body))), body...)
	}
	file := func(tags ...byte) []byte { return sized([]byte{1}, tags) }
	vendor := func(name string, body []byte) []byte { return sized(nil, append([]byte(name+"\x00"), body...)) }
	section := func(vendors ...[]byte) []byte { return append([]byte{'A'}, bytes.Join(vendors, nil)...) }
	v7 := file(6, 10)
	for what, test := range map[string]struct {
		section []byte
		want    int
	}{
		"alone":                  {section(vendor("aeabi", v7)), 7},
		"behind a name":          {section(vendor("aeabi", file(5, '7', '-', 'A', 0, 6, 10))), 7},
		"behind a raw name":      {section(vendor("aeabi", file(4, 'C', 0, 6, 10))), 7},
		"behind a compatibility": {section(vendor("aeabi", file(32, 1, 6, 8, 0, 6, 10))), 7}, // 6, 8 would be ARMv6
		"behind the first text":  {section(vendor("aeabi", file(33, 6, 8, 0, 6, 10))), 7},
		"behind a later text":    {section(vendor("aeabi", file(67, 6, 8, 0, 6, 10))), 7},
		"behind a later number":  {section(vendor("aeabi", file(34, 6, 8, 1, 6, 10))), 7},
		"behind an open text":    {section(vendor("aeabi", file(32, 1, 6, 10))), 0},
		"behind another vendor":  {section(vendor("gnu", file(6, 14)), vendor("aeabi", v7)), 7},
		"of another vendor":      {section(vendor("gnu", v7)), 0},
		"of a section":           {section(vendor("aeabi", sized([]byte{2}, []byte{6, 10}))), 0},
		"of another version":     {append([]byte{'B'}, vendor("aeabi", v7)...), 0},
		"none":                   {section(), 0},
		"no tags":                {section(vendor("aeabi", file())), 0},
		"a name without end":     {section(vendor("aeabi", file(5, 'x'))), 0},
		"a tag without value":    {section(vendor("aeabi", file(6))), 0},
		"a tag without end":      {section(vendor("aeabi", file(0x80))), 0},
		"a vendor too long":      {section([]byte{200, 0, 0, 0, 'a'}), 0},
		"a vendor of no size":    {section([]byte{0, 0, 0, 0, 'a'}), 0},
		"a vendor without end":   {section(sized(nil, []byte("aeabi"))), 0},
		"a file too long":        {section(vendor("aeabi", []byte{1, 200, 0, 0, 0, 6, 10})), 0},
		"a file of no size":      {section(vendor("aeabi", []byte{1, 0, 0, 0, 0, 6, 10})), 0},
		"a file cut short":       {section(vendor("aeabi", []byte{1, 5, 0})), 0},
	} {
		b := elftest.Of("armhf", elftest.ARMAttributes(test.section))
		if got, err := platforms.ReadARMArch(bytes.NewReader(b), readELF(t, b)); got != test.want || err != nil {
			t.Errorf("%s: ARMv%d, %v; want %d", what, got, err, test.want)
		}
	}
}

// hello builds a real Go program.
func hello(t *testing.T, env []string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module hello\n\ngo 1.22\n", "main.go": "package main\n\nfunc main() { println(\"hello\") }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", append([]string{"build", "-o", "hello"}, append(flags, ".")...)...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return filepath.Join(dir, "hello")
}

func TestRealGoPrograms(t *testing.T) {
	for _, test := range []struct {
		platform, env, flags, goarm, level string
		reads                              int  // for the build information, the head's among them
		bare                               bool // without a build ID
	}{
		{"arm/v6", "GOARCH=arm GOARM=6", "-ldflags=-s", "6", "", 2, false},
		{"arm/v7", "GOARCH=arm GOARM=7", "", "7", "", 2, false},
		{"arm/v7", "GOARCH=arm GOARM=7", "-trimpath -ldflags=-buildid=", "7", "", 4, true},
		{"arm64", "GOARCH=arm64 GOARM64=v8.2,lse", "-buildmode=pie", "", "v8.2", 4, false},
		{"riscv64", "GOARCH=riscv64", "", "", "rva20u64", 2, false},
	} {
		p, err := platforms.Parse(test.platform)
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(hello(t, append(strings.Fields(test.env), "GOOS=linux"), strings.Fields(test.flags)...))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		e, err := platforms.ReadELF(file)
		if err != nil || e.Fit(p) != platforms.Native || e.Go == test.bare {
			t.Errorf("%s: %s (Go: %v) fits as %v, %v", test.env, e.Describe(), e.Go, e.Fit(p), err)
		}
		r := &countingReader{ReaderAt: file}
		build, err := platforms.ReadGoBuild(r, e)
		if r.reads > test.reads {
			t.Errorf("%s: %d reads for the build information", test.env, r.reads)
		}
		if err != nil || build.GOOS != "linux" || build.GOARCH != p.Architecture || build.GOARM != test.goarm || build.Level != test.level || !strings.HasPrefix(build.Version, "go1.") {
			t.Errorf("%s: build %+v, %v", test.env, build, err)
		}
	}
}

// A program of many modules says more than is read at first.
func TestReadLongGoBuild(t *testing.T) {
	b := elftest.Of("arm64", elftest.Go(append(slices.Repeat([]string{"dep"}, 10_000), "GOARM64=v8.2")...))
	if build, err := platforms.ReadGoBuild(bytes.NewReader(b), readELF(t, b)); err != nil || build.Level != "v8.2" {
		t.Errorf("read as %+v, %v", build, err)
	}
}

func TestReadGoBuildOfOthers(t *testing.T) {
	b := elftest.Of("armhf", elftest.ARMArch(10))
	if build, err := platforms.ReadGoBuild(bytes.NewReader(b), readELF(t, b)); !errors.Is(err, platforms.ErrNotGo) {
		t.Errorf("a program not by Go was built %+v, %v", build, err)
	}
}

// Whatever the bytes are, little of them is read, nothing panics, and what is read is consistent.
func FuzzReadELF(f *testing.F) {
	for _, arch := range []string{"amd64", "386", "armhf", "s390x", "mips64le", "mipsn32"} {
		f.Add(elftest.Of(arch, elftest.Interp("/lib/ld.so.1"), elftest.ARMArch(10), elftest.Needs("libc.so.6"), elftest.RunPath("$ORIGIN")))
	}
	f.Add([]byte("\x7fELF"))
	f.Add(append(elftest.Of("arm"), "\xff Go buildinf:\x04\x02................\x08go1.26.0\x20................................"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &countingReader{ReaderAt: bytes.NewReader(b)}
		e, err := platforms.ReadELF(r)
		if r.reads > 3 || r.bytes > 72<<10 {
			t.Fatalf("%d reads of %d bytes", r.reads, r.bytes)
		}
		if err != nil && !errors.Is(err, platforms.ErrNotELF) && !errors.Is(err, platforms.ErrBadELF) {
			t.Fatalf("an untyped error: %v", err)
		}
		if strings.Contains(e.Interp, "\x00") || err != nil && e.Interp != "" {
			t.Fatalf("loader %q, %v", e.Interp, err)
		}
		if err != nil {
			return
		}
		if e.Describe() == "" || e.Bits != 32 && e.Bits != 64 {
			t.Fatalf("read as %+v", e)
		}
		again := &countingReader{ReaderAt: bytes.NewReader(b)}
		if build, err := platforms.ReadGoBuild(again, e); err == nil && build.Version == "" {
			t.Fatal("a Go program of no version")
		}
		if again.bytes > 2<<20 {
			t.Fatalf("%d bytes were read for the build information", again.bytes)
		}
		if v, err := platforms.ReadARMArch(bytes.NewReader(b), e); err == nil && (v < 0 || v > 8) {
			t.Fatalf("ARMv%d", v)
		}
	})
}

func ExampleReadELF() {
	e, _ := platforms.ReadELF(bytes.NewReader(elftest.Of("arm64", elftest.Interp("/lib/ld-musl-aarch64.so.1"))))
	amd64, _ := platforms.Parse("amd64")
	fmt.Println(e.Describe(), e.Interp, e.RunsOn(amd64))
	// Output:
	// arm64 (AArch64, 64-bit little-endian) /lib/ld-musl-aarch64.so.1 false
}
