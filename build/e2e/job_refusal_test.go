package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where no engine answers one sentence says which and what to do, though a script has looked for it.
func TestNoEngineIsOneSentence(t *testing.T) {
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	for _, env := range []string{"DOCKER_HOST=unix:///nowhere/docker.sock", "DOCKER_HOST=tcp://127.0.0.1:1"} {
		r := Run(t, dir, []string{env}, "build", "IMG=127.0.0.1:5000/me/app").Exits(t, 5).Says(t, strings.TrimPrefix(env, "DOCKER_HOST="), "unset DOCKER_HOST")
		if r.Stdout != "" || strings.Count(r.Stderr, "\n") != 1 {
			t.Errorf("more than a sentence: %s%s", r.Stdout, r.Stderr)
		}
	}
}

// A refusal is told of the platform that it is about; the other one is only cancelled.
func TestARefusalIsToldOnce(t *testing.T) {
	e, reg := Engine(t, Docker26Containerd), Plain(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY hello /\nENTRYPOINT [\"/hello\"]\n", "hello*": contentOf(t, Hello(t, "arm64"))})
	repo := reg.Repo(t)
	r := Run(t, dir, With(e, "GITHUB_ACTIONS=true"), "build", "push", "IMG="+repo, "VERSION=1", "ARCHES=arm64 amd64").Exits(t, 3).
		Says(t, "linux/amd64  failed", "linux/arm64  cancelled", "ALLOW_FOREIGN=/hello")
	if n := strings.Count(r.Stderr, "::error"); n != 1 {
		t.Errorf("%d annotations, want 1: %s", n, r.Stderr)
	}
	if reg.Writes(repo) != 0 || e.Docker(t, "images", "-q", repo) != "" {
		t.Error("something is left")
	}
}

// Looking for what was never published says so, and makes no registry for it.
func TestVerifyOfNothing(t *testing.T) {
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	Run(t, dir, nil, "verify").Exits(t, 1).Says(t, "nothing is published from this folder", "build push")
	if _, err := os.Stat(filepath.Join(dir, "dist")); err == nil {
		t.Error("it left a dist folder")
	}
}

// A doctor looks at all engines and at the registry, and leaves all as it is.
func TestDoctorChangesNothing(t *testing.T) {
	reg := Plain(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	for _, kind := range Engines() {
		e, repo := Engine(t, kind), reg.Repo(t)
		r := Run(t, dir, With(e), "doctor", "IMG="+repo, "VERSION=1", "ARCHES=amd64 arm64").Exits(t, 0)
		for _, says := range []string{" at " + e.Host + ", API ", "ok     build     linux/arm64 from Dockerfile", "nothing speaks against pushes to " + repo, repo + ":1 is not there yet"} {
			if !strings.Contains(r.Stdout, says) {
				t.Errorf("%q is not in\n%s", says, r.Stdout)
			}
		}
		if reg.Writes(repo) != 0 || e.Docker(t, "images", "-q", repo) != "" {
			t.Error("something is left")
		}
	}
}
