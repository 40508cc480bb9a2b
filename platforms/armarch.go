package platforms

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Build attributes of arm programs: "Addenda to, and Errata in, the ABI for the Arm Architecture", section 3.
const (
	sectionARMAttributes = 0x70000003
	maxARMAttributes     = 4 << 10 // about 60 bytes in practice

	tagFile      = 1
	tagCPURaw    = 4
	tagCPUName   = 5
	tagCPUArch   = 6
	tagCompat    = 32
	firstGeneric = 33 // from here on odd tags hold strings, even ones numbers
)

// ReadARMArch returns the ARM architecture version (4, 5, 6, 7, 8) that the build attributes of an arm program name, 0
// when it has none. It is the highest version of any part of the program; a part may be guarded by a test at
// run time, so a version above the declared one is a hint and no proof.
func ReadARMArch(r io.ReaderAt, e ELF) (int, error) {
	if e.Machine != emARM {
		return 0, nil
	}
	w, err := openWindow(r)
	if err != nil {
		return 0, err
	}
	list, err := w.sections(e)
	if err != nil {
		return 0, err
	}
	for _, s := range list {
		if s.kind == sectionARMAttributes {
			b, err := w.bytes(s.off, min(s.size, maxARMAttributes))
			if err != nil {
				return 0, err
			}
			return armArch(cpuArch(e, b)), nil
		}
	}
	return 0, nil
}

// armArch turns a value of Tag_CPU_arch into the architecture's version.
func armArch(tag uint64) int {
	switch {
	case tag == 1 || tag == 2:
		return 4
	case tag >= 3 && tag <= 5:
		return 5
	case tag >= 6 && tag <= 9 || tag == 11 || tag == 12: // 11, 12: v6-M
		return 6
	case tag == 10 || tag == 13:
		return 7
	case tag >= 14 && tag <= 22:
		return 8
	}
	return 0
}

// cpuArch returns the value of Tag_CPU_arch for the whole file, 0 when it is not there.
func cpuArch(e ELF, b []byte) uint64 {
	if len(b) < 5 || b[0] != 'A' {
		return 0
	}
	for b = b[1:]; len(b) > 4; {
		size := uint64(e.fields(b).u32(0))
		if size < 4 || size > uint64(len(b)) {
			return 0
		}
		if vendor, attributes, ok := bytes.Cut(b[4:size], []byte{0}); ok && string(vendor) == "aeabi" {
			return fileArch(e, attributes)
		}
		b = b[size:]
	}
	return 0
}

// fileArch looks into the first sub-subsection, which holds for the whole file.
func fileArch(e ELF, b []byte) uint64 {
	if len(b) < 5 || b[0] != tagFile {
		return 0
	}
	size := uint64(e.fields(b).u32(1))
	if size < 5 || size > uint64(len(b)) {
		return 0
	}
	for b = b[5:size]; len(b) > 0; {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return 0
		}
		b = b[n:]
		value, n := attribute(tag, b)
		if n <= 0 || tag == tagCPUArch {
			return value
		}
		b = b[n:]
	}
	return 0
}

// attribute reads the value of a tag; n is its length in bytes, 0 when it is cut short.
func attribute(tag uint64, b []byte) (value uint64, n int) {
	text := tag == tagCPURaw || tag == tagCPUName || tag >= firstGeneric && tag%2 == 1
	if !text {
		if value, n = binary.Uvarint(b); n <= 0 || tag != tagCompat {
			return value, n
		}
	}
	end := bytes.IndexByte(b[n:], 0)
	if end < 0 {
		return 0, 0
	}
	return value, n + end + 1
}
