package image_test

import (
	"runtime/debug"
	"testing"
)

// TestMain lets garbage lie for longer: thousands of small checks keep next to nothing, and to collect after each of them took a quarter of
// the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	m.Run()
}
