package early

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// The kernel keeps of the heap's memory that large pages are wanted for it.
func TestLargePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("this kernel has no large pages to give: ", err)
	}
	place := unsafe.Pointer(new([1]uintptr))
	if !largePages(place) {
		t.Error("the kernel refuses them")
	}
	if flags := flagsAt(t, uintptr(place)); !slices.Contains(flags, "hg") {
		t.Errorf("the memory there is %v", flags)
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
