package early

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// The kernel keeps of the heap's memory that large pages are wanted for it.
func TestLargePages(t *testing.T) {
	needLargePages(t)
	place := unsafe.Pointer(new([1]uintptr))
	if !largePages(place) {
		t.Error("the kernel refuses them")
	}
	if flags := flagsAt(t, uintptr(place)); !slices.Contains(flags, "hg") {
		t.Errorf("the memory there is %v", flags)
	}
}

// Where the heap has begun its next chunk, the next object may still be in the one before.
func TestLargePagesOfNextChunk(t *testing.T) {
	needLargePages(t)
	memory, err := syscall.Mmap(-1, 0, 3*chunk, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Munmap(memory); err != nil {
			t.Error(err)
		}
	}()
	aligned := chunk - int(uintptr(unsafe.Pointer(&memory[0]))%chunk)
	largePages(unsafe.Pointer(&memory[aligned+chunk/2]))
	for n, what := range []string{"asked for", "behind it"} {
		if flags := flagsAt(t, uintptr(unsafe.Pointer(&memory[aligned+n*chunk]))); !slices.Contains(flags, "hg") {
			t.Errorf("the chunk %s is %v", what, flags)
		}
	}
}

func needLargePages(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("this kernel has no large pages to give: ", err)
	}
}

// flagsAt are the kernel's of the memory at an address (proc_pid_smaps(5): VmFlags).
func flagsAt(t *testing.T, address uintptr) []string {
	t.Helper()
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	inside := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			inside = from <= address && address < to
		}
		if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && inside {
			return strings.Fields(flags)
		}
	}
	t.Fatalf("no memory at %x", address)
	return nil
}
