package targets

import (
	"os/exec"
	"testing"
)

// What scripts/mage compiles in a clone is the version of the clone; elsewhere the program knows no better than Go.
func TestVersionOfAClone(t *testing.T) {
	clone := t.TempDir()
	t.Setenv("MANYMAGE_HOME", clone)
	if got := tool(t.Context()); got != devel {
		t.Errorf("%q without a repository", got)
	}
	for _, args := range [][]string{
		{"init", "-q"},
		{"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "a"},
		{"tag", "v1.2.0"},
	} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = clone
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, out)
		}
	}
	if got := tool(t.Context()); got != "v1.2.0" {
		t.Errorf("%q at v1.2.0", got)
	}
}
