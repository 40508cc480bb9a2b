package platforms

import (
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Bits of e_flags: "ELF for the ARM Architecture" and the MIPS psABI.
const (
	armEABIShift = 24
	armSoftFloat = 0x200
	armHardFloat = 0x400

	mipsN32      = 0x20 // EF_MIPS_ABI2
	mipsArchMask = 0xf0000000
	mips32r6     = 0x90000000
	mips64r6     = 0xa0000000
)

// emMIPS and emARM are the machines whose flags decide.
const (
	emMIPS = 8
	emARM  = 40
)

// Fit is how well a program goes with a platform.
type Fit int

// Foreign programs do not start there. Compatible ones do, although they are made for another architecture
// (386 on amd64). Native ones are made for it.
const (
	Foreign Fit = iota
	Compatible
	Native
)

func (f Fit) String() string {
	return [...]string{"foreign", "compatible", "native"}[f]
}

// Arch returns the architecture in GOARCH's spelling ("amd64", "arm64", "mips64le"), Debian's where Go has
// none ("hppa", "alpha", "x32", "mipsn32el"), or "" when the machine is not known by name.
func (e ELF) Arch() string {
	arch := e.machine().arch
	if e.Machine != emMIPS {
		return arch
	}
	suffix := ""
	if !e.BigEndian {
		suffix = "el"
	}
	r6 := ""
	if a := e.Flags & mipsArchMask; a == mips32r6 || a == mips64r6 {
		r6 = "r6"
	}
	switch {
	case e.Bits == 32 && e.Flags&mipsN32 != 0:
		return "mipsn32" + r6 + suffix
	case r6 != "" && e.Bits == 64:
		return "mips64r6" + suffix
	case r6 != "":
		return "mipsr6" + suffix
	}
	return arch
}

// Describe says for people what the file is: "arm64 (AArch64, 64-bit little-endian)",
// "arm (ARM EABI5 hard-float, 32-bit little-endian)".
func (e ELF) Describe() string {
	m, arch := e.machine(), e.Arch()
	if arch == "" {
		arch = fmt.Sprintf("ELF machine %d", e.Machine)
	}
	detail := fmt.Sprintf("%d-bit %s", e.Bits, e.order())
	if title := m.title + e.abi(); title != "" {
		detail = title + ", " + detail
	}
	if s := e.OS(); s != "" {
		return s + "/" + arch + " (" + detail + ")"
	}
	return arch + " (" + detail + ")"
}

func (e ELF) order() string {
	if e.BigEndian {
		return "big-endian"
	}
	return "little-endian"
}

// abi is the part of the description that e_flags give.
func (e ELF) abi() string {
	if e.Machine != emARM {
		return ""
	}
	s := " without EABI"
	if v := e.Flags >> armEABIShift; v != 0 {
		s = fmt.Sprintf(" EABI%d", v)
	}
	switch {
	case e.Flags&armHardFloat != 0:
		s += " hard-float"
	case e.Flags&armSoftFloat != 0:
		s += " soft-float"
	}
	return s
}

// RunsOn tells whether a machine of platform p starts this file: Fit(p) is not Foreign.
func (e ELF) RunsOn(p ocispec.Platform) bool { return e.Fit(p) != Foreign }

// Fit compares operating system, class, byte order, machine and, for arm, the EABI with platform p.
// The ARM version is not in the header: see ReadGoBuild and ReadARMArch.
//
// A 32-bit program is Compatible with the 64-bit kernels that always run it (386 on amd64, mips on mips64, ppc
// on ppc64). It is Foreign where many machines cannot: arm on arm64 (no AArch32 on servers), x32 on amd64 (off in
// distributions' kernels), s390 on s390x.
func (e ELF) Fit(p ocispec.Platform) Fit {
	p = Normalize(p)
	if s := e.OS(); s != "" && s != p.OS {
		return Foreign
	}
	arch, want := e.Arch(), p.Architecture
	switch {
	case arch == "" || arch == "arm" && !e.armABI(p.Variant):
		return Foreign
	case arch == want:
		return Native
	case arch == "386" && want == "amd64", arch == "ppc" && want == "ppc64",
		(arch == "mips" || arch == "mipsn32") && want == "mips64",
		(arch == "mipsle" || arch == "mipsn32el") && want == "mips64le":
		return Compatible
	case p.Variant == "r6" && arch == debianMIPSr6(want):
		return Native
	}
	return Foreign
}

// armABI tells whether an arm program's EABI goes with the variant: today's kernels run EABI 4 and 5 alone, and
// arm/v5 machines have no floating point registers for hard-float calls.
func (e ELF) armABI(variant string) bool {
	v := e.Flags >> armEABIShift
	return (v == 4 || v == 5) && (variant != "v5" || e.Flags&armHardFloat == 0)
}

func debianMIPSr6(arch string) string {
	switch arch {
	case "mips":
		return "mipsr6"
	case "mipsle":
		return "mipsr6el"
	case "mips64":
		return "mips64r6"
	case "mips64le":
		return "mips64r6el"
	}
	return "-"
}
