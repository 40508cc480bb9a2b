package e2e

import (
	"strings"
	"sync"
	"time"
)

// await polls a condition until it holds or patience ends, and says whether it held.
func await(holds func() bool) bool {
	const interval = 20 * time.Millisecond
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(interval) {
		if holds() {
			return true
		}
	}
	return false
}

// Transcript collects what a program prints while others read it.
type Transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write appends.
func (w *Transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// String is everything so far.
func (w *Transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
