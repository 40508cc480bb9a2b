package targets

import (
	"errors"
	"strings"
	"testing"
)

// listed is a program of which -l prints this.
type listed struct {
	program1
	text string
	wide int
}

func (l listed) listing() (string, error) { return l.text, nil }

func (l listed) columns() int { return l.wide }

// A bare call lists the targets with the knobs and examples; a default target is Mage's to run.
func TestABareCall(t *testing.T) {
	const own, imported = "Targets:\n  build  makes\n  push   brings\n", "Targets:\n  image:build  makes\n  image:push   brings\n"
	for _, c := range []struct {
		args, listing string
		says          []string
	}{
		{"", own, []string{"build  makes", "ARCHES", `ARCHES="amd64 arm64 arm/v7"`, "build push IMG=", "verify -ref="}},
		{"IMG=a/b", own, []string{"build  makes", "RETRY=30s"}},
		{"", imported, []string{"image:build image:push IMG=", "image:verify -ref="}},
		{"", "Targets:\n  deploy  is theirs\n", []string{"deploy  is theirs", "VERSION=1.2.0"}},
		{"", "Targets:\n  build*  makes\n\n* default target\n", nil},
		{"-l", own, nil},
	} {
		_, err := readLine(words(c.args), listed{ours, c.listing, 0}, noEnv)
		var said *answer
		if errors.As(err, &said) != (c.says != nil) {
			t.Errorf("%q with %q: %v", c.args, c.listing, err)
			continue
		}
		for _, text := range c.says {
			if said.code != 0 || !strings.Contains(said.text, text) {
				t.Errorf("%q with %q does not say %q: %d %s", c.args, c.listing, text, said.code, said.text)
			}
		}
	}
}

// A terminal of 100 columns has no room for the examples, and wraps nothing then.
func TestABareCallOnATerminal(t *testing.T) {
	_, err := readLine(nil, listed{ours, "Targets:\n  build  makes\n", 100}, noEnv)
	var said *answer
	if !errors.As(err, &said) || !strings.Contains(said.text, "ARCHES") || strings.Contains(said.text, "RETRY=30s") {
		t.Fatalf("%v", err)
	}
	for line := range strings.Lines(said.text) {
		if len(line) > 100 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}
