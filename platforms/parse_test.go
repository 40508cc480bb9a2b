package platforms_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

func TestParse(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"amd64", "linux/amd64"},
		{"AMD64", "linux/amd64"},
		{"x86_64", "linux/amd64"},
		{"x86-64", "linux/amd64"},
		{"linux/x86_64", "linux/amd64"},
		{"amd64/v1", "linux/amd64"},
		{"amd64/v3", "linux/amd64/v3"},
		{"amd64/2", "linux/amd64/v2"},
		{"x86-64-v3", "linux/amd64/v3"},
		{"386", "linux/386"},
		{"i386", "linux/386"},
		{"i686", "linux/386"},
		{"arm64", "linux/arm64"},
		{"aarch64", "linux/arm64"},
		{"arm64/v8", "linux/arm64"},
		{"linux/arm64/v8", "linux/arm64"},
		{"arm64/8", "linux/arm64"},
		{"arm64v8", "linux/arm64"},
		{"armv8", "linux/arm64"}, // never 32-bit arm
		{"arm64/v9", "linux/arm64/v9"},
		{"arm", "linux/arm/v7"},
		{"linux/arm", "linux/arm/v7"},
		{"arm/v7", "linux/arm/v7"},
		{"arm/7", "linux/arm/v7"},
		{"armv7", "linux/arm/v7"},
		{"armv7l", "linux/arm/v7"},
		{"arm32v7", "linux/arm/v7"},
		{"armhf", "linux/arm/v7"},
		{"linux/armhf", "linux/arm/v7"},
		{"armv6", "linux/arm/v6"},
		{"armv6l", "linux/arm/v6"},
		{"arm/v6", "linux/arm/v6"},
		{"arm32v5", "linux/arm/v5"},
		{"riscv64", "linux/riscv64"},
		{"riscv64gc", "linux/riscv64"},
		{"ppc64el", "linux/ppc64le"},
		{"powerpc64le", "linux/ppc64le"},
		{"s390x", "linux/s390x"},
		{"loongarch64", "linux/loong64"},
		{"mipsel", "linux/mipsle"},
		{"mips64el", "linux/mips64le"},
		{"windows/amd64", "windows/amd64"},
		{"windows(10.0.17763.1)/amd64", "windows(10.0.17763.1)/amd64"},
		{"freebsd/arm64", "freebsd/arm64"},
		{"wasip1/wasm", "wasip1/wasm"},
	} {
		p, err := platforms.Parse(test.in)
		if got := platforms.Format(p); err != nil || got != test.want {
			t.Errorf("Parse(%q) = %s, %v; want %s", test.in, got, err, test.want)
		}
	}
}

func TestParseSuggests(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"amd46", "amd64"},
		{"amd6", "amd64"},
		{"linux/amd46", "linux/amd64"},
		{"arm46", "arm64"},
		{"amr64", "arm64"},
		{"adm64", "amd64"},
		{"aarm64", "arm64"},
		{"aarch46", "arm64"},
		{"arm/v8", "arm64"},
		{"linux/arm/v8", "linux/arm64"},
		{"arm/v9", "arm/v7"},
		{"amrv7", "arm/v7"},
		{"riscv", "riscv64"},
		{"risc-v64", "riscv64"},
		{"ppc64lee", "ppc64le"},
		{"s390", "s390x"},
		{"armel", "arm/v5 (Debian's armel) or arm/v6 (Docker's)"},
		{"linux/armel", "arm/v5 (Debian's armel) or arm/v6 (Docker's)"},
		{"armv8l", "arm64, or arm/v7 for 32-bit programs"},
		{"linux", "linux/amd64 or linux/arm64"},
		{"darwin/arm64", "linux/arm64"},
		{"lniux/arm64", "linux/arm64"},
		{"windows/amd46", "windows/amd64"},
		{"amd64/v7", "amd64"},
		{"386/v2", "386"},
		{"toaster", ""},
		{"linux/toaster", ""},
	} {
		_, err := platforms.Parse(test.in)
		var unknown *platforms.UnknownError
		if !errors.As(err, &unknown) || !errors.Is(err, platforms.ErrUnknown) || unknown.Suggestion() != test.want {
			t.Errorf("Parse(%q): %v; want suggestion %q", test.in, err, test.want)
		}
	}
}

func TestParseMalformed(t *testing.T) {
	for _, in := range []string{"/", "linux/", "/amd64", "linux//v7", "linux/arm/v7/x", "linux/..", "a b", "amd64*", "linux/*", "-amd64",
		"windows(/amd64", "windows(1.0)x/amd64", "wind*ws(1.0)/amd64", "linux/amd64(1)", "ämd64", strings.Repeat("a", 200), "linux/arm/v7\x00"} {
		if _, err := platforms.ParseAny(in); !errors.Is(err, platforms.ErrMalformed) {
			t.Errorf("ParseAny(%q): %v; want it malformed", in, err)
		}
	}
	if _, err := platforms.Parse(""); !errors.Is(err, platforms.ErrEmpty) {
		t.Errorf("Parse of nothing: %v", err)
	}
}

func TestParseAny(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"linux/alpha", "linux/alpha"},
		{"plan9/arm", "plan9/arm/v7"},
		{"linux/arm/v8", "linux/arm/v8"},
		{"unknown/unknown", "unknown/unknown"},
		{"macos/aarch64", "darwin/arm64"},
		{"windows(10.0.17763.1+win32k)/amd64", "windows(10.0.17763.1+win32k)/amd64"},
		{"linux/mips64le/r6", "linux/mips64le/r6"},
		{"linux/Zzz", "linux/zzz"},
	} {
		p, err := platforms.ParseAny(test.in)
		if got := platforms.Format(p); err != nil || got != test.want {
			t.Errorf("ParseAny(%q) = %s, %v; want %s", test.in, got, err, test.want)
		}
	}
	for _, in := range []string{"toaster", "arm/v7/x"} { // of whose parts none is an operating system
		if p, err := platforms.ParseAny(in); !errors.Is(err, platforms.ErrUnknown) {
			t.Errorf("ParseAny(%q) = %s, %v; want it unknown", in, platforms.Format(p), err)
		}
	}
}

func TestParseList(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"amd64 arm64", "linux/amd64 linux/arm64"},
		{"arm64,amd64", "linux/arm64 linux/amd64"},
		{" riscv64,\tarm/v6 ,, 386\n", "linux/riscv64 linux/arm/v6 linux/386"},
		{"arm/v5 arm/v6 arm/v7", "linux/arm/v5 linux/arm/v6 linux/arm/v7"},
	} {
		list, err := platforms.ParseList(test.in)
		var got []string
		for _, p := range list {
			got = append(got, platforms.Format(p))
		}
		if s := strings.Join(got, " "); err != nil || s != test.want {
			t.Errorf("ParseList(%q) = %s, %v; want %s", test.in, s, err, test.want)
		}
	}
}

func TestParseListRefuses(t *testing.T) {
	for _, test := range []struct {
		in   string
		want error
		says string
	}{
		{"", platforms.ErrEmpty, "list at least one"},
		{" , ", platforms.ErrEmpty, "list at least one"},
		{"amd64 amd64", platforms.ErrDuplicate, "platform amd64 is listed twice: remove one"},
		{"arm64 amd64 linux/arm64/v8", platforms.ErrDuplicate, `"arm64" and "linux/arm64/v8" are the same platform, linux/arm64: remove one`},
		{"arm armv7l", platforms.ErrDuplicate, `"arm" and "armv7l" are the same platform, linux/arm/v7: remove one`},
		{"amd64 amd46", platforms.ErrUnknown, `unknown platform "amd46": did you mean amd64?`},
		{"amd64 toaster", platforms.ErrUnknown, `unknown platform "toaster": write os/arch or arch, such as amd64, arm64 or linux/arm/v7`},
		{"amd64;arm64", platforms.ErrMalformed, "malformed"},
	} {
		_, err := platforms.ParseList(test.in)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("ParseList(%q): %v; want %v saying %q", test.in, err, test.want, test.says)
		}
	}
}

func TestEqual(t *testing.T) {
	p := func(os, arch, variant, version string, features ...string) ocispec.Platform {
		return ocispec.Platform{OS: os, Architecture: arch, Variant: variant, OSVersion: version, OSFeatures: features}
	}
	for _, test := range []struct {
		a, b ocispec.Platform
		want bool
	}{
		{p("linux", "arm64", "", ""), p("linux", "arm64", "v8", ""), true},
		{p("linux", "arm64", "", ""), p("", "aarch64", "", ""), true},
		{p("linux", "arm", "", ""), p("linux", "arm", "v7", ""), true},
		{p("linux", "arm", "v6", ""), p("linux", "arm", "v7", ""), false},
		{p("linux", "arm64", "", ""), p("linux", "arm", "v7", ""), false},
		{p("linux", "amd64", "", ""), p("windows", "amd64", "", ""), false},
		{p("windows", "amd64", "", "10.0.1"), p("windows", "amd64", "", "10.0.2"), false},
		{p("windows", "amd64", "", "", "b", "a"), p("windows", "amd64", "", "", "a", "b"), true},
		{p("windows", "amd64", "", "", "a"), p("windows", "amd64", "", ""), false},
	} {
		if got := platforms.Equal(test.a, test.b); got != test.want {
			t.Errorf("Equal(%v, %v) = %v", test.a, test.b, got)
		}
	}
}

// Who asks for no version and no features of the system means any.
func TestMeets(t *testing.T) {
	full := ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.1", OSFeatures: []string{"win32k"}}
	plain := ocispec.Platform{OS: "windows", Architecture: "amd64"}
	versioned, featured := plain, plain
	versioned.OSVersion, featured.OSFeatures = "10.0.17763.1", []string{"other"}
	for _, test := range []struct {
		p, asked ocispec.Platform
		want     bool
	}{
		{full, full, true}, {full, plain, true}, {full, versioned, false}, {full, featured, false}, {plain, full, false},
	} {
		if got := platforms.Meets(test.p, test.asked); got != test.want {
			t.Errorf("Meets(%v, %v) = %v", test.p, test.asked, got)
		}
	}
}

func TestRuns(t *testing.T) {
	for _, test := range []struct {
		machine, program string
		want             bool
	}{
		{"amd64", "amd64", true},
		{"amd64", "386", true},
		{"amd64", "amd64/v3", true}, // the engine does not tell its CPU's
		{"386", "amd64", false},
		{"amd64", "arm64", false},
		{"arm64", "arm64", true},
		{"arm64", "arm/v7", true},
		{"arm64", "arm/v6", true},
		{"arm/v7", "arm64", false},
		{"arm/v7", "arm/v6", true},
		{"riscv64", "riscv64", true},
		{"amd64", "windows/amd64", false},
	} {
		machine, err := platforms.Parse(test.machine)
		program, err2 := platforms.Parse(test.program)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if got := platforms.Runs(machine, program); got != test.want {
			t.Errorf("Runs(%s, %s) = %v", test.machine, test.program, got)
		}
	}
}

// Who has a platform from elsewhere need not normalise it first.
func TestWhatIsNotNormalised(t *testing.T) {
	arm, aarch64 := ocispec.Platform{Architecture: "armhf"}, ocispec.Platform{OS: "Linux", Architecture: "AARCH64", Variant: "v8"}
	if got := platforms.Short(arm) + " " + platforms.Short(aarch64); got != "armv7 arm64" {
		t.Errorf("Short: %s", got)
	}
	if !platforms.Runs(aarch64, arm) || platforms.Runs(arm, aarch64) {
		t.Errorf("Runs: %v, %v", platforms.Runs(aarch64, arm), platforms.Runs(arm, aarch64))
	}
	if got := platforms.GOARM(arm) + " " + platforms.Uname(aarch64); got != "7 aarch64" {
		t.Errorf("GOARM and uname: %q", got)
	}
	if platforms.Normalize(ocispec.Platform{Architecture: "amd64"}).OS != platforms.Linux {
		t.Error("a platform that names no operating system is not linux")
	}
}

func TestNormalizeLeavesItsArgumentAlone(t *testing.T) {
	features := []string{"b", "a"}
	platforms.Normalize(ocispec.Platform{OSFeatures: features})
	if features[0] != "b" {
		t.Error("Normalize sorted the caller's features")
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct{ in, short, goarm, uname, debian, docker, rust string }{
		{"amd64", "amd64", "", "x86_64", "amd64", "amd64", "x86_64-unknown-linux-gnu"},
		{"amd64/v3", "amd64v3", "", "x86_64", "amd64", "amd64", "x86_64-unknown-linux-gnu"},
		{"arm64", "arm64", "", "aarch64", "arm64", "arm64v8", "aarch64-unknown-linux-gnu"},
		{"arm/v7", "armv7", "7", "armv7l", "armhf", "arm32v7", "armv7-unknown-linux-gnueabihf"},
		{"arm/v6", "armv6", "6", "armv6l", "", "arm32v6", "arm-unknown-linux-gnueabihf"},
		{"arm/v5", "armv5", "5", "armv5tel", "armel", "arm32v5", "armv5te-unknown-linux-gnueabi"},
		{"linux/arm/v8", "armv8", "7", "", "", "", ""},
		{"386", "386", "", "i686", "i386", "i386", "i686-unknown-linux-gnu"},
		{"ppc64le", "ppc64le", "", "ppc64le", "ppc64el", "ppc64le", "powerpc64le-unknown-linux-gnu"},
		{"riscv64", "riscv64", "", "riscv64", "riscv64", "riscv64", "riscv64gc-unknown-linux-gnu"},
		{"loong64", "loong64", "", "loongarch64", "loong64", "loong64", "loongarch64-unknown-linux-gnu"},
		{"windows/amd64", "windows-amd64", "", "", "", "", ""},
		{"linux/mips64le/r6", "mips64le-r6", "", "mips64", "mips64el", "mips64le", "mips64el-unknown-linux-gnuabi64"},
	} {
		p, err := platforms.ParseAny(test.in)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{platforms.Short(p), platforms.GOARM(p), platforms.Uname(p), platforms.Debian(p), platforms.Docker(p), platforms.Rust(p)}
		want := []string{test.short, test.goarm, test.uname, test.debian, test.docker, test.rust}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("names of %s are %q, want %q", test.in, got, want)
		}
	}
}

// Every name by which a platform is called leads back to it.
func TestNamesAreRead(t *testing.T) {
	for _, in := range []string{"amd64", "arm64", "arm/v7", "386", "riscv64", "ppc64le", "s390x", "loong64", "ppc64"} {
		p, err := platforms.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{platforms.Short(p), platforms.Uname(p), platforms.Debian(p), platforms.Docker(p)} {
			if q, err := platforms.Parse(name); err != nil || !platforms.Equal(p, q) {
				t.Errorf("%s is also called %s, which reads as %s, %v", in, name, platforms.Format(q), err)
			}
		}
	}
}

func TestHost(t *testing.T) {
	if p := platforms.Host(); p.OS != "linux" || p.Architecture == "" {
		t.Errorf("Host() = %v", p)
	}
}

// What is read can be printed and read again, and means the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"amd64", "linux/arm/v7", "arm64/v8", "windows(10.0.17763.1+win32k)/amd64", "armel", "linux/..", "a/b/c/d", "", "x86-64-v3",
		"linux(%28)/amd64", "linux(+)/a", "macos/arm", "arm/arm", "386/386/386", "0(%00)/0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := platforms.ParseAny(s)
		if err != nil {
			if _, err := platforms.Parse(s); err == nil {
				t.Fatalf("Parse takes %q, ParseAny does not", s)
			}
			return
		}
		q, err := platforms.ParseAny(platforms.Format(p))
		if err != nil || !platforms.Equal(p, q) {
			t.Fatalf("%q is %#v, printed %q, read again %#v, %v", s, p, platforms.Format(p), q, err)
		}
		if strings.ContainsAny(platforms.Short(p), "/ :@") {
			t.Fatalf("%q has the short name %q, which is no tag", s, platforms.Short(p))
		}
	})
}

func FuzzParseList(f *testing.F) {
	f.Add("amd64 arm64,arm/v7")
	f.Add("arm64 arm64/v8")
	f.Fuzz(func(t *testing.T, s string) {
		list, err := platforms.ParseList(s)
		if (err == nil) != (len(list) > 0) {
			t.Fatalf("ParseList(%q) = %v, %v", s, list, err)
		}
		for i, p := range list {
			for _, q := range list[:i] {
				if platforms.Equal(p, q) {
					t.Fatalf("ParseList(%q) has %v twice", s, p)
				}
			}
		}
	})
}

func TestAsked(t *testing.T) {
	for want, p := range map[string]ocispec.Platform{
		"linux/arm64/v8": {OS: "linux", Architecture: "arm64", Variant: "V8"},
		"linux/arm64":    {OS: "linux", Architecture: "aarch64"},
		"linux/amd64/v1": {OS: "linux", Architecture: "amd64", Variant: "v1"},
		"linux/arm/v7":   {OS: "linux", Architecture: "arm"},
		"linux/arm/v6":   {OS: "linux", Architecture: "arm", Variant: "6"},
		"linux/arm64/v9": {OS: "linux", Architecture: "arm64", Variant: "v9"},
		"unknown":        {},
	} {
		if got := platforms.Asked(p); got != want {
			t.Errorf("%+v: %s, want %s", p, got, want)
		}
	}
}

func ExampleParse() {
	p, _ := platforms.Parse("armv7l")
	fmt.Println(platforms.Format(p), platforms.Short(p))
	_, err := platforms.Parse("amd46")
	fmt.Println(err)
	// Output:
	// linux/arm/v7 armv7
	// unknown platform "amd46": did you mean amd64?
}

func ExampleParseList() {
	_, err := platforms.ParseList("arm64, aarch64")
	fmt.Println(err)
	// Output:
	// "arm64" and "aarch64" are the same platform, linux/arm64: remove one
}
