package platforms_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
	"github.com/manymage/manymage/platforms/elftest"
)

func TestReadDynamic(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, test := range []struct {
		options []elftest.Option
		want    platforms.Dynamic
	}{
		{nil, platforms.Dynamic{}},
		{[]elftest.Option{elftest.Needs("libc.so.6")}, platforms.Dynamic{Needed: []string{"libc.so.6"}}},
		{[]elftest.Option{elftest.Needs("a", long), elftest.RPath("/r")}, platforms.Dynamic{Needed: []string{"a", long}, RPath: "/r"}},
		{[]elftest.Option{elftest.RPath("/r"), elftest.RunPath("$ORIGIN"), elftest.Needs("a")}, platforms.Dynamic{Needed: []string{"a"}, RunPath: "$ORIGIN"}},
	} {
		for _, arch := range []string{"amd64", "386", "mips", "s390x", "arm64"} {
			file := elftest.Of(arch, test.options...)
			e := readELF(t, file)
			got, err := platforms.ReadDynamic(bytes.NewReader(file), e)
			if err != nil || !reflect.DeepEqual(got, test.want) || e.Dynamic != (test.options != nil) {
				t.Errorf("%s: %+v, %v, want %+v", arch, got, err, test.want)
			}
		}
	}
}

func TestReadDynamicRefuses(t *testing.T) {
	many := make([]string, 600)
	for name, file := range map[string][]byte{
		"more libraries than there are": elftest.Of("arm64", elftest.Needs(many...)),
		"a name without end":            elftest.Of("arm64", elftest.Needs(strings.Repeat("x", 5000))),
		"cut off":                       elftest.Of("arm64", elftest.Needs("libc.so.6"))[:300],
	} {
		if d, err := platforms.ReadDynamic(bytes.NewReader(file), readELF(t, file)); !errors.Is(err, platforms.ErrBadELF) {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

func TestReadELFHeader(t *testing.T) {
	file := elftest.Of("s390x", elftest.Interp("/lib/ld.so"))
	if e, err := platforms.ReadELFHeader(bytes.NewReader(file[:64])); err != nil || e.Arch() != "s390x" || e.Interp != "" {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := platforms.ReadELFHeader(strings.NewReader("text")); !errors.Is(err, platforms.ErrNotELF) {
		t.Error(err)
	}
}

func TestBeyond(t *testing.T) {
	for _, test := range []struct {
		arch, variant, level string
		want                 bool
	}{
		{"amd64", "", "v1", false},
		{"amd64", "", "v2", true},
		{"amd64", "v1", "v3", true},
		{"amd64", "v2", "v3", true},
		{"amd64", "v3", "v3", false},
		{"amd64", "v4", "v3", false},
		{"amd64", "v5", "v3", false}, // what is not known
		{"amd64", "", "v9", false},
		{"amd64", "", "", false},
		{"arm64", "", "v8.0", false},
		{"arm64", "", "v8.2", true},
		{"arm64", "v8", "v9.0", true},
		{"arm64", "v9", "v9.0", false},
		{"arm64", "v9", "v9.1", true},
		{"ppc64le", "", "power8", false},
		{"ppc64le", "", "power10", true},
		{"riscv64", "", "rva20u64", false},
		{"riscv64", "", "rva22u64", true},
		{"riscv64", "rva23u64", "rva22u64", false},
		{"arm", "v7", "v8.0", false},
		{"s390x", "", "", false},
	} {
		p := ocispec.Platform{OS: "linux", Architecture: test.arch, Variant: test.variant}
		if got := (platforms.GoBuild{GOARCH: test.arch, Level: test.level}).Beyond(p); got != test.want {
			t.Errorf("%s on %s: %v", test.level, platforms.Format(p), got)
		}
	}
	if (platforms.GoBuild{GOARCH: "386", Level: "v3"}).Beyond(ocispec.Platform{OS: "linux", Architecture: "amd64"}) {
		t.Error("a program for another architecture is judged by its level")
	}
}

// Debian's own names: gcc -print-multiarch.
func TestMultiarch(t *testing.T) {
	for name, want := range map[string]string{
		"amd64": "x86_64-linux-gnu", "amd64/v3": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "arm/v7": "arm-linux-gnueabihf", "arm/v6": "arm-linux-gnueabihf",
		"arm/v5": "arm-linux-gnueabi", "386": "i386-linux-gnu", "riscv64": "riscv64-linux-gnu", "ppc64le": "powerpc64le-linux-gnu",
		"ppc64": "powerpc64-linux-gnu", "s390x": "s390x-linux-gnu", "loong64": "loongarch64-linux-gnu", "mips64le": "mips64el-linux-gnuabi64",
		"mips64": "mips64-linux-gnuabi64", "mipsle": "mipsel-linux-gnu", "mips": "mips-linux-gnu", "windows/amd64": "",
	} {
		p, err := platforms.ParseAny(name)
		if got := platforms.Multiarch(p); err != nil || got != want {
			t.Errorf("%s: %q, want %q, %v", name, got, want, err)
		}
	}
}
