package platforms

import (
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// name is what one architecture is called by whom.
type name struct {
	arch, variant string // image-spec and GOARCH
	uname         string
	debian        string
	rust          string   // the triple with glibc, where Rust ships one
	aliases       []string // further names by which people call it
}

// names are the architectures that images are built for, the more usual first: those of Go's linux ports.
// uname is that of a kernel on such a machine, Debian's name that of the port with the same baseline.
var names = []name{
	{"amd64", "", "x86_64", "amd64", "x86_64-unknown-linux-gnu", []string{"x86-64", "x64", "amd64v1"}},
	{"arm64", "", "aarch64", "arm64", "aarch64-unknown-linux-gnu", []string{"arm64v8", "armv8", "armv8a", "armv8-a"}},
	{"arm", "v7", "armv7l", "armhf", "armv7-unknown-linux-gnueabihf", []string{"arm32v7", "armv7", "armv7a", "armv7-a", "armv7hl"}},
	{"arm", "v6", "armv6l", "", "arm-unknown-linux-gnueabihf", []string{"arm32v6", "armv6", "armv6hl"}},
	{"arm", "v5", "armv5tel", "armel", "armv5te-unknown-linux-gnueabi", []string{"arm32v5", "armv5", "armv5te", "armv5l", "armv5tejl"}},
	{"386", "", "i686", "i386", "i686-unknown-linux-gnu", []string{"x86", "i486", "i586", "ia32"}},
	{"riscv64", "", "riscv64", "riscv64", "riscv64gc-unknown-linux-gnu", []string{"riscv64gc", "rv64gc"}},
	{"ppc64le", "", "ppc64le", "ppc64el", "powerpc64le-unknown-linux-gnu", []string{"powerpc64le"}},
	{"s390x", "", "s390x", "s390x", "s390x-unknown-linux-gnu", nil},
	{"loong64", "", "loongarch64", "loong64", "loongarch64-unknown-linux-gnu", nil},
	{"ppc64", "", "ppc64", "ppc64", "powerpc64-unknown-linux-gnu", []string{"powerpc64"}},
	{"mips64le", "", "mips64", "mips64el", "mips64el-unknown-linux-gnuabi64", nil},
	{"mips64", "", "mips64", "mips64", "mips64-unknown-linux-gnuabi64", nil},
	{"mipsle", "", "mips", "mipsel", "mipsel-unknown-linux-gnu", nil},
	{"mips", "", "mips", "mips", "mips-unknown-linux-gnu", nil},
}

// called tells whether s is one of the names of n.
func (n name) called(s string) bool {
	cpu, _, _ := strings.Cut(n.rust, "-")
	return s == n.uname || s == n.debian || slices.Contains(n.aliases, s) || s == cpu && s != "arm"
}

// alias returns GOARCH's name, and the variant that goes with it, of an architecture by any of its names. An unknown name
// is returned as it is.
func alias(s string) (arch, variant string) {
	for _, n := range names {
		if s == n.arch {
			return n.arch, ""
		}
	}
	for _, n := range names {
		if n.called(s) {
			return n.arch, n.variant
		}
	}
	for _, level := range []string{"v2", "v3", "v4"} {
		if s == "amd64"+level || s == "x86-64-"+level || s == "x86_64-"+level || s == "x86_64_"+level {
			return "amd64", level
		}
	}
	return s, ""
}

// unclear names are read in two ways by the tools of this field: Debian's armel is arm/v5 where containerd
// says arm/v6, and armv8l is the 32-bit half of an arm64 kernel.
func unclear(s string) bool { return s == "armel" || s == "armv8l" }

// knownArch tells whether s, alone, names an architecture.
func knownArch(s string) bool {
	arch, _ := alias(s)
	return unclear(s) || slices.ContainsFunc(names, func(n name) bool { return n.arch == arch })
}

// buildable tells whether images for p exist: known system, architecture and variant.
func buildable(p ocispec.Platform) bool {
	switch p.OS {
	case Linux:
		return knownArch(p.Architecture) && knownVariant(p.Architecture, p.Variant)
	case "windows", "freebsd":
		return slices.Contains([]string{"amd64", "arm64", "386", "arm"}, p.Architecture) && knownVariant(p.Architecture, p.Variant) ||
			p.OS == "freebsd" && p.Architecture == "riscv64"
	case "wasi", "wasip1":
		return strings.HasPrefix(p.Architecture, "wasm")
	}
	return false
}

// knownVariant tells whether a variant is one that compilers and engines give a meaning to. arm/v8, 32-bit programs
// for an arm64 machine, is left to ParseAny: who writes it for a build nearly always wants arm64.
func knownVariant(arch, variant string) bool {
	switch arch {
	case "arm":
		return slices.Contains([]string{"v5", "v6", "v7"}, variant)
	case "arm64":
		return variant == "" || strings.HasPrefix(variant, "v8.") || variant == "v9" || strings.HasPrefix(variant, "v9.")
	case "amd64":
		return slices.Contains([]string{"", "v2", "v3", "v4"}, variant)
	case "riscv64":
		return slices.Contains([]string{"", "rva20u64", "rva22u64", "rva23u64"}, variant)
	case "ppc64", "ppc64le":
		return slices.Contains([]string{"", "power8", "power9", "power10"}, variant)
	}
	return variant == ""
}

// find returns the row of p; a variant without a row of its own (amd64/v3) has the row of its architecture.
func find(p ocispec.Platform) name {
	p = Normalize(p)
	for _, n := range names {
		if p.OS == Linux && n.arch == p.Architecture && (n.variant == "" || n.variant == p.Variant) {
			return n
		}
	}
	return name{}
}

// GOARM returns the value of GOARM for p: "5", "6", "7" for linux/arm, "" for every other architecture.
// arm/v8 is "7", the highest that Go knows.
func GOARM(p ocispec.Platform) string {
	p = Normalize(p)
	if p.Architecture != "arm" {
		return ""
	}
	if p.Variant == "v8" {
		return "7"
	}
	return strings.TrimPrefix(p.Variant, "v")
}

// Uname returns what `uname -m` says on p: "x86_64", "aarch64", "armv7l"; "" when there is no such name.
func Uname(p ocispec.Platform) string { return find(p).uname }

// Debian returns Debian's name of p's architecture: "amd64", "armhf", "ppc64el"; "" when Debian has no such port
// (arm/v6 is Raspbian's).
func Debian(p ocispec.Platform) string { return find(p).debian }

// Rust returns the Rust target with glibc of p: "x86_64-unknown-linux-gnu"; "" when there is none.
func Rust(p ocispec.Platform) string { return find(p).rust }

// Docker returns the name under which Docker Hub has the official images of p alone: "amd64", "arm64v8" and "arm32v7" as in
// arm32v7/alpine; "" when there is none.
func Docker(p ocispec.Platform) string {
	n := find(p)
	for _, name := range append([]string{n.debian}, n.aliases...) {
		if strings.HasPrefix(name, "arm32v") || name == "arm64v8" || name == "i386" {
			return name
		}
	}
	return n.arch
}

// HomeAssistant returns Home Assistant's name of p's architecture, as its add-ons have it in BUILD_ARCH and in the names of their bases:
// "amd64", "aarch64", "armv7", "armhf" (ARMv6), "i386"; of others Go's name.
func HomeAssistant(p ocispec.Platform) string {
	switch p = Normalize(p); p.Architecture + p.Variant {
	case "arm64":
		return "aarch64"
	case "armv7":
		return "armv7"
	case "armv6":
		return "armhf"
	case "386":
		return "i386"
	}
	return p.Architecture
}

// Multiarch returns the folder below lib in which Debian and its like put p's libraries: "x86_64-linux-gnu",
// "arm-linux-gnueabihf"; "" when there is none.
func Multiarch(p ocispec.Platform) string {
	arch, rest, _ := strings.Cut(Rust(p), "-unknown")
	switch arch {
	case "armv7", "armv5te":
		arch = "arm"
	case "i686":
		arch = "i386"
	case "riscv64gc":
		arch = "riscv64"
	}
	return arch + rest
}
