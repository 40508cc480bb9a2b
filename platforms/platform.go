// Package platforms names, normalises and compares the platforms of images, knows what other
// tools call them, and recognises them in the headers of ELF files.
//
// A platform is written
//
//	platform := [os "/"] arch ["/" variant]      linux/arm/v7, arm64, windows/amd64
//	arch     := a GOARCH name, or an alias       aarch64, x86_64, armv7, armhf, i386, ppc64el ...
//
// An operating system that is not written is linux, never that of this machine. What the parsers
// return is normalised: arm64/v8 is arm64, amd64/v1 is amd64, and arm is arm/v7. ("armhf" is arm/v7
// and "armel" is arm/v5, as Debian has them; "armv8" is arm64.)
package platforms

import (
	"runtime"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Linux is the operating system of a platform that names none.
const Linux = "linux"

// Normalize returns p with the spelling that this package compares and prints: names in lower case,
// aliases resolved, the default variant of an architecture removed (arm64/v8, amd64/v1) or, for arm,
// where the field always shows it, added (v7). An empty operating system becomes linux.
// OSFeatures are copied and sorted, each once; p itself is not changed.
func Normalize(p ocispec.Platform) ocispec.Platform {
	if p.OS == "" {
		p.OS = Linux
	}
	return platforms.Normalize(p)
}

// Equal tells whether a and b are the same platform after normalisation, version and features of the
// operating system included. Unlike a matcher it never takes a lesser variant for a greater one.
func Equal(a, b ocispec.Platform) bool {
	a, b = Normalize(a), Normalize(b)
	return a.OS == b.OS && a.Architecture == b.Architecture && a.Variant == b.Variant &&
		a.OSVersion == b.OSVersion && slices.Equal(a.OSFeatures, b.OSFeatures)
}

// Meets tells whether p is the platform that was asked for, as Equal does, but for the version and the features of the operating
// system where none are asked for.
func Meets(p, asked ocispec.Platform) bool {
	if asked.OSVersion == "" {
		p.OSVersion = ""
	}
	if len(asked.OSFeatures) == 0 {
		p.OSFeatures = nil
	}
	return Equal(p, asked)
}

// Runs tells whether a machine of the platform m runs programs for p without an emulator: those of its own architecture, whatever
// the variant, as nobody tells what a CPU can do, and those of its smaller kin, as arm64 does for arm and amd64 for 386.
func Runs(m, p ocispec.Platform) bool {
	m, p = Normalize(m), Normalize(p)
	return m.OS == p.OS && m.Architecture == p.Architecture || platforms.Only(m).Match(p)
}

// Format returns p normalised and written in full: "linux/arm/v7", "linux/arm64", and with a version of the
// operating system "windows(10.0.17763.1)/amd64", containerd's form. A platform without architecture is "unknown".
func Format(p ocispec.Platform) string {
	if p.Architecture == "" {
		return "unknown"
	}
	return platforms.FormatAll(Normalize(p))
}

// Asked returns p as Format does and with a default variant that was asked for, which Format leaves out: "linux/arm64/v8".
func Asked(p ocispec.Platform) string {
	if name := Format(p); Normalize(p).Variant == "" && p.Variant != "" {
		return name + "/" + strings.ToLower(p.Variant)
	}
	return Format(p)
}

// Short returns the name that stands for p in tags ({arch}): "amd64", "arm64", "armv7". Another operating
// system than linux is put in front: "windows-amd64".
func Short(p ocispec.Platform) string {
	p = Normalize(p)
	arch := p.Architecture + p.Variant
	if p.Variant != "" && !strings.HasPrefix(p.Variant, "v") {
		arch = p.Architecture + "-" + p.Variant
	}
	if p.OS == Linux {
		return arch
	}
	return p.OS + "-" + arch
}

// Host returns linux on the architecture that this process was compiled for: what a local Linux engine builds
// by default. It is not the engine's own answer; ask the engine where there is one.
func Host() ocispec.Platform {
	return Normalize(ocispec.Platform{OS: Linux, Architecture: runtime.GOARCH})
}
