package early

import (
	"syscall"
	"unsafe"
)

const (
	// chunk is by how much the heap grows, and at which addresses (Go's runtime: pallocChunkBytes).
	chunk = 4 << 20

	// collapse makes one large page of what is there already (madvise(2): MADV_COLLAPSE, Linux 6.1).
	collapse = 25
)

var _ = largePages(unsafe.Pointer(new([1]uintptr)))

// LargePages asks the kernel to give the heap in pages of 2 MB instead of 4 KB, where the heap is about to grow: what was asked for once holds
// until the next time that it does. On systems that have no such pages, or give them to nobody or to all, it does nothing.
//
// A short run fills a few MB, and each page is an exception, which in a virtual machine takes up to 25 µs.
func LargePages() { largePages(unsafe.Pointer(new([1]uintptr))) }

// largePages asks for the heap's chunk around a place and, should it be in use already, the next one; false: the kernel refuses. It gives
// large pages to those who ask, on most systems (/sys/kernel/mm/transparent_hugepage/enabled).
func largePages(place unsafe.Pointer) bool {
	at := uintptr(place) &^ (chunk - 1)
	if !advise(at, syscall.MADV_HUGEPAGE) {
		return false
	}
	advise(at, collapse) // of an older kernel new memory alone comes so
	if advise(at+chunk, syscall.MADV_HUGEPAGE) {
		advise(at+chunk, collapse)
	}
	return true
}

func advise(at uintptr, advice uintptr) bool {
	_, _, failed := syscall.RawSyscall(syscall.SYS_MADVISE, at, chunk, advice)
	return failed == 0
}
