package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// What works on registries starts no process: neither git, which knows nothing of them, nor a credential helper, as long as the
// registry asks nobody who he is.
func TestListsStartNoProcess(t *testing.T) {
	at := newListScene(t, Plain(t))
	Git(t, at.dir, "v1.0.0")
	bin, called := t.TempDir(), filepath.Join(t.TempDir(), "called")
	for _, name := range []string{"git", "docker-credential-e2e"} {
		if err := write(filepath.Join(bin, name+"*"), "#!/bin/sh\necho $0 $* >>"+called+"\nexit 1\n"); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + bin + ":" + os.Getenv("PATH"),
		"DOCKER_CONFIG=" + Dir(t, Files{"config.json": `{"credsStore": "e2e", "credHelpers": {"other.example": "e2e"}, "auths": {"third.example": {}}}`})}
	r := at.repo
	for _, args := range [][]string{
		{"manifest:create", r + ":1", r + ":amd64-1," + r + ":arm64-1"},
		{"manifest:fromspec", "spec.yaml"},
		{"manifest:annotate", r + ":1", "linux/amd64", "-annotations=a=b"},
		{"manifest:copy", r + ":1", r + ":2"},
		{"manifest:diff", r + ":1", r + ":2"},
		{"manifest:ls", r},
		{"inspect", r + ":1"},
		{"fetch", r + ":1", "linux/amd64", "app.tar"},
		{"why", r + ":1", "-platform=linux/amd64"},
	} {
		Run(t, at.dir, env, args...).Exits(t, 0)
	}
	if calls, err := os.ReadFile(called); err == nil {
		t.Errorf("called:\n%s", calls)
	}
	Run(t, at.dir, env, "plan", "IMG="+r+":3")
	if _, err := os.Stat(called); err != nil {
		t.Errorf("a plan does not ask git: %v", err)
	}
}
