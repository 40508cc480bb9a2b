package targets

import (
	"runtime"
	"testing"
)

// The first collection is late, and gives back what was there before it; who has set GOGC is not meddled with.
func TestTheFirstCollectionIsLate(t *testing.T) {
	percents := make(chan int, 2)
	set := func(percent int) int {
		percents <- percent
		return 100
	}
	lateCollection(func(string) string { return "50" }, set)
	lateCollection(func(string) string { return "" }, set)
	if got := <-percents; got != 200 {
		t.Errorf("before the first collection the heap may grow by %d %%", got)
	}
	runtime.GC()
	if got := <-percents; got != 100 {
		t.Errorf("behind it by %d %%", got)
	}
}
