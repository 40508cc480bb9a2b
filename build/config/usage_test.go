package config

import (
	"strings"
	"testing"
)

func TestALoginIsNotRepeated(t *testing.T) {
	for text, want := range map[string]string{
		"ada:secret@ghcr.io/me/app":           "***@ghcr.io/me/app",
		"https://ada:secret@ghcr.io/me/app:1": "https://***@ghcr.io/me/app:1",
		"ghcr.io/me/app:1@sha256:12":          "ghcr.io/me/app:1@sha256:12",
		"git@github.com:me/app":               "git@github.com:me/app",
	} {
		err := &UsageError{Knob: "IMG", Text: text, Problem: "is wrong"}
		if got := err.Error(); strings.Contains(got, "secret") || !strings.Contains(got, want) {
			t.Errorf("%q: %s", text, got)
		}
	}
}
