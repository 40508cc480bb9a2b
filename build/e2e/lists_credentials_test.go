package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// CI gives REGISTRY_USER and REGISTRY_PASSWORD and no more: they are for the registry that a target on lists works on.
func TestListsWithTheCredentialsOfCI(t *testing.T) {
	from, to := newListScene(t, Plain(t)), newListScene(t, Private(t))
	env := []string{"REGISTRY_USER=" + User, "REGISTRY_PASSWORD=" + Password}
	for _, args := range [][]string{
		{"manifest:create", to.repo + ":1", to.repo + ":amd64-1," + to.repo + ":arm64-1", "V=1"},
		{"manifest:fromspec", "spec.yaml"},
		{"manifest:copy", from.repo + ":arm64-1", to.repo + ":copy"},
		{"manifest:create", to.repo + ":2", from.repo + ":amd64-1"},
		{"manifest:inspect", to.repo + ":1"},
		{"manifest:ls", to.repo},
		{"setarch", to.repo + ":arm64-1", "arm64", "-registry", "-dry-run"},
		{"manifest:rm", to.repo + ":2", "-manifest", "-yes"},
	} {
		Run(t, to.dir, env, args...).Exits(t, 0).Hides(t, Password, basic(User, Password))
	}
	for tag, want := range map[string]bool{"1": true, "spec": true, "copy": true, "2": false} {
		if got := to.Has(t, to.repo+":"+tag); got != want {
			t.Errorf("%s is there: %v, want %v", tag, got, want)
		}
	}
	wrong := []string{env[0], "REGISTRY_PASSWORD=not-" + Password}
	Run(t, to.dir, wrong, "manifest:inspect", to.repo+":1").Exits(t, 1).Says(t, "docker login "+to.Host).Hides(t, Password)
	Run(t, to.dir, append(env, "IMG="+from.repo), "manifest:inspect", to.repo+":1").Exits(t, 1).Says(t, "there are none")
}

// A helper is asked for the registries that it is configured for, with the name on its stdin; the secret is in no output and no
// process's arguments.
func TestListsWithACredentialHelper(t *testing.T) {
	at := newListScene(t, Private(t))
	bin, called := t.TempDir(), filepath.Join(t.TempDir(), "called")
	helper := fmt.Sprintf("#!/bin/sh\nread server\necho \"$* $server\" >>%s\necho '{\"Username\": %q, \"Secret\": %q}'\n", called, User, Password)
	if err := write(filepath.Join(bin, "docker-credential-e2e*"), helper); err != nil {
		t.Fatal(err)
	}
	for _, config := range []string{`{"credsStore": "e2e"}`, fmt.Sprintf(`{"credHelpers": {%q: "e2e"}}`, at.Host)} {
		env := []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "DOCKER_CONFIG=" + Dir(t, Files{"config.json": config})}
		Run(t, at.dir, env, "manifest:create", at.repo+":1", at.repo+":amd64-1,"+at.repo+":arm64-1", "V=1").Exits(t, 0).Hides(t, Password, basic(User, Password))
	}
	calls := strings.Fields(contentOf(t, called))
	for i := 0; i < len(calls); i += 2 {
		if calls[i] != "get" || calls[i+1] != at.Host {
			t.Errorf("called with %q", calls)
		}
	}
}
