package platforms

import "sync"

// machine is one row of what ELF headers call a machine. Numbers are those of the System V ABI registry
// (sco.com/developers/gabi) and of binutils' elf/common.h.
type machine struct {
	em    uint16
	bits  int  // 0: any class
	order byte // 'L', 'B', or 0: any order
	arch  string
	title string
}

// machines returns the machines that Go and Debian have ports for, then others that are only named. Every program of an image is asked
// for its own, several times.
var machines = sync.OnceValue(func() []machine {
	return []machine{
		{3, 32, 'L', "386", "x86"},
		{62, 64, 'L', "amd64", "x86-64"},
		{62, 32, 'L', "x32", "x86-64 with 32-bit pointers"},
		{40, 32, 'L', "arm", "ARM"},
		{40, 32, 'B', "armbe", "ARM"},
		{183, 64, 'L', "arm64", "AArch64"},
		{183, 64, 'B', "arm64be", "AArch64"},
		{183, 32, 'L', "arm64ilp32", "AArch64 with 32-bit pointers"},
		{258, 64, 'L', "loong64", "LoongArch"},
		{258, 32, 'L', "loong32", "LoongArch"},
		{8, 32, 'B', "mips", "MIPS"},
		{8, 32, 'L', "mipsle", "MIPS"},
		{8, 64, 'B', "mips64", "MIPS"},
		{8, 64, 'L', "mips64le", "MIPS"},
		{20, 32, 'B', "ppc", "PowerPC"},
		{20, 32, 'L', "ppcle", "PowerPC"},
		{21, 64, 'B', "ppc64", "PowerPC"},
		{21, 64, 'L', "ppc64le", "PowerPC"},
		{243, 64, 'L', "riscv64", "RISC-V"},
		{243, 32, 'L', "riscv32", "RISC-V"},
		{22, 64, 'B', "s390x", "IBM Z"},
		{22, 32, 'B', "s390", "IBM S/390"},
		{43, 64, 'B', "sparc64", "SPARC V9"},
		{18, 32, 'B', "sparc", "SPARC V8+"},
		{2, 32, 'B', "sparc", "SPARC"},
		{0x9026, 64, 'L', "alpha", "Alpha"},
		{15, 32, 'B', "hppa", "PA-RISC"},
		{15, 64, 'B', "hppa64", "PA-RISC"},
		{4, 32, 'B', "m68k", "Motorola 68000"},
		{50, 64, 'L', "ia64", "Itanium"},
		{42, 32, 'L', "sh4", "SuperH"},
		{42, 32, 'B', "sh4eb", "SuperH"},
		{195, 32, 'L', "arc", "ARC"},
		{252, 32, 'L', "csky", "C-SKY"},
		{92, 32, 'B', "or1k", "OpenRISC"},
		{94, 32, 0, "xtensa", "Xtensa"},
		{189, 32, 0, "microblaze", "MicroBlaze"},
		{113, 32, 'L', "nios2", "Nios II"},
		{6, 0, 0, "iamcu", "Intel MCU"},
		{44, 0, 0, "tricore", "TriCore"},
		{75, 0, 0, "vax", "VAX"},
		{76, 0, 0, "cris", "CRIS"},
		{83, 0, 0, "avr", "AVR"},
		{88, 0, 0, "m32r", "M32R"},
		{93, 0, 0, "arc", "ARCompact"},
		{105, 0, 0, "msp430", "MSP430"},
		{106, 0, 0, "blackfin", "Blackfin"},
		{164, 0, 0, "hexagon", "Hexagon"},
		{188, 0, 0, "tilepro", "TILEPro"},
		{191, 0, 0, "tilegx", "TILE-Gx"},
		{190, 0, 0, "cuda", "NVIDIA CUDA"},
		{220, 0, 0, "z80", "Z80"},
		{224, 0, 0, "amdgpu", "AMD GPU"},
		{244, 0, 0, "lanai", "Lanai"},
		{247, 0, 0, "bpf", "Linux BPF"},
		{251, 0, 0, "ve", "NEC VE"},
	}
})

// machine returns e's row. A machine with a class or order that it does not have keeps its title alone.
func (e ELF) machine() machine {
	order := byte('L')
	if e.BigEndian {
		order = 'B'
	}
	title := ""
	for _, m := range machines() {
		if m.em != e.Machine {
			continue
		}
		if (m.bits == 0 || m.bits == e.Bits) && (m.order == 0 || m.order == order) {
			return m
		}
		if title == "" {
			title = m.title
		}
	}
	return machine{em: e.Machine, title: title}
}

// OS returns the operating system that EI_OSABI names, "" when it names none: most Linux programs say
// "System V", some "GNU", and old ARM ones "ARM".
func (e ELF) OS() string {
	switch e.OSABI {
	case 1:
		return "hpux"
	case 2:
		return "netbsd"
	case 6:
		return "solaris"
	case 7:
		return "aix"
	case 8:
		return "irix"
	case 9:
		return "freebsd"
	case 12:
		return "openbsd"
	}
	return ""
}
