package early

import (
	"syscall"
	"unsafe"
)

const (
	// chunk is by how much the heap grows at least, and at which addresses (Go's runtime: pallocChunkBytes).
	chunk = 4 << 20

	// collapse makes one large page of what is there already (madvise(2): MADV_COLLAPSE, Linux 6.1).
	collapse = 25
)

var _ = largePages(unsafe.Pointer(new([1]uintptr)))

// largePages asks the kernel to give the heap's chunk around a place in pages of 2 MB instead of 4 KB; false: it cannot. It does so where
// it gives them to those who ask, as on most systems (/sys/kernel/mm/transparent_hugepage/enabled). Initialisation fills 3 MB, and each page
// is an exception, which in a virtual machine takes up to 25 µs.
func largePages(place unsafe.Pointer) bool {
	at := uintptr(place) &^ (chunk - 1)
	if _, _, failed := syscall.RawSyscall(syscall.SYS_MADVISE, at, chunk, syscall.MADV_HUGEPAGE); failed != 0 {
		return false
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_MADVISE, at, chunk, collapse) // of an older kernel new memory alone comes so
	return true
}
