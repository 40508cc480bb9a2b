package tree

import (
	"bytes"
	"encoding/binary"
)

// The titles of other systems' programs.
const (
	WindowsProgram = "a Windows program"
	MacProgram     = "a macOS program"
)

// otherProgram names the formats that people put into images by mistake, "" when head is none of them.
func otherProgram(head []byte) string {
	switch {
	case isPE(head):
		return WindowsProgram + peMachine(head)
	case isMachO(head):
		return MacProgram + machoMachine(head)
	case bytes.HasPrefix(head, []byte("\x00asm")):
		return "a WebAssembly module"
	case bytes.HasPrefix(head, []byte("\xca\xfe\xba\xbe")):
		return "a Java class"
	case bytes.HasPrefix(head, []byte("!<arch>\n")):
		return "a static library"
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "a ZIP archive"
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "a gzip archive"
	}
	return ""
}

// isPE wants the DOS header's pointer to lie where linkers put it, so that a text beginning with MZ is none.
func isPE(head []byte) bool {
	if len(head) < 64 || head[0] != 'M' || head[1] != 'Z' {
		return false
	}
	at := binary.LittleEndian.Uint32(head[60:])
	return uint64(at)+6 > uint64(len(head)) || bytes.HasPrefix(head[at:], []byte("PE\x00\x00"))
}

func peMachine(head []byte) string {
	at := uint64(binary.LittleEndian.Uint32(head[60:]))
	if at+6 > uint64(len(head)) {
		return ""
	}
	if name := PEMachines()[binary.LittleEndian.Uint16(head[at+4:])]; name != "" {
		return " (" + name + ")"
	}
	return ""
}

// PEMachines are the architectures of Windows' machines, by their numbers.
func PEMachines() map[uint16]string {
	return map[uint16]string{0x14c: "386", 0x8664: "amd64", 0xaa64: "arm64", 0x1c4: "arm"}
}

// isMachO knows the thin forms by their magic, and the fat one, whose magic Java classes share, by a
// small number of architectures where those have a version of 45 and more.
func isMachO(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	switch binary.BigEndian.Uint32(head) {
	case 0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe:
		return true
	case 0xcafebabe:
		return binary.BigEndian.Uint32(head[4:]) < 45
	}
	return false
}

func machoMachine(head []byte) string {
	return map[uint32]string{0x01000007: " (amd64)", 0x0100000c: " (arm64)", 7: " (386)"}[binary.LittleEndian.Uint32(head[4:])]
}
