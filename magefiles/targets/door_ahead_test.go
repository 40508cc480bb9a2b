package targets

import (
	"strings"
	"testing"
)

// foreseeing notes what it is asked for beforehand, which costs a process each.
type foreseeing struct {
	binary
	words []string
}

func (a *foreseeing) ahead(words []string) { a.words = words }

func TestReferencesAreNotAskedFor(t *testing.T) {
	var a foreseeing
	(&reader{binary: &a}).ask([]string{"manifest:create", "ghcr.io/me/app:1", "ghcr.io/me/app:a,ghcr.io/me/app:b", "-deep", "PUSH", "a=b"})
	if got := strings.Join(a.words, " "); got != "manifest:create PUSH" {
		t.Errorf("asked for %q", got)
	}
}
