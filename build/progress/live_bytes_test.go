package progress

import (
	"strings"
	"testing"
)

// A live line shows what is under way: neither what has arrived nor what has not begun.
func TestBytesUnderWay(t *testing.T) {
	got := play(t, Options{TTY: true},
		Started{"linux/arm64", "target"},
		Step{Platform: "linux/arm64", ID: "1", Name: "COPY . ."},
		Bytes{Platform: "linux/arm64", Name: "transferring context:", Current: 3_000_000, Done: true},
		Bytes{Platform: "linux/arm64", Name: "exporting layers"},
		Bytes{Platform: "linux/arm64", Name: "sha256:1", Current: 7_000_000, Total: 9_000_000},
		Finished{Platform: "linux/arm64"})
	if !strings.Contains(got, "7.0 MB / 9.0 MB") {
		t.Errorf("what is under way is not shown:\n%q", got)
	}
	for _, text := range []string{"0 B", "3.0 MB"} {
		if strings.Contains(got, text) {
			t.Errorf("%s is shown:\n%q", text, got)
		}
	}
}
