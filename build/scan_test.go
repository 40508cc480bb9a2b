package build

import (
	"context"
	"testing"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/progress"
)

// What GitHub shows beside a run says who spoke against what: an exit status alone is nobody's.
func TestAnnotationNamesTheScanner(t *testing.T) {
	var told []string
	p := Pipeline{cfg: config.Config{Dir: t.TempDir()}, opts: Options{Show: func(e progress.Event) {
		if problem, is := e.(progress.Problem); is {
			told = append(told, problem.Platform+": "+problem.Text)
		}
	}}}
	if err := p.scanOne(context.Background(), "linux/arm64", []string{"sh", "-c", "exit 3"}); err == nil || err.Error() != "exit status 3" {
		t.Errorf("got %v", err)
	}
	if want := "linux/arm64: the scanner sh does not pass the image (exit status 3)"; len(told) != 1 || told[0] != want {
		t.Errorf("got %q, want %q", told, want)
	}
}
