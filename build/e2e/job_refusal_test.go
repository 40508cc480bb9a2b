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

// What build ends with because of the Dockerfile or the context is what plan says before, on each road, and what it builds plan has nothing against.
func TestPlanSaysWhatBuildSays(t *testing.T) {
	docker, reg := Engine(t, Docker20), Plain(t)
	const links = "FROM scratch\nCOPY hidden /\n"
	for _, test := range []struct{ road, dockerfile, says string }{
		{"1", links, "secret/key is left out of the context by the line secret of .dockerignore; "},
		{"0", links, "secret/key is left out of the context by the line secret of .dockerignore; "},
		{"1", "FROM scratch\nCOPY loop /\n", "a symbolic link on the way leads back to itself; "},
		{"0", "FROM scratch\nCOPY loop /\n", "a symbolic link on the way leads back to itself; "},
		{"1", "FROM scratch\nCOPY \"a b\" /\n", "Dockerfile:2: \"a has a quote without its end: "},
		{"1", "FROM scratch AS x\nCOPY a* z* nothere* /x/\nFROM scratch AS x\nCOPY ../a /\n", ""},
		{"0", "FROM scratch AS x\nCOPY z* /x/\nFROM scratch\nCOPY a /\n", "nothing that is sent of the context "},
		{"0", "FROM scratch AS x\nCOPY a* z* /x/\nFROM scratch AS x\nCOPY a /\n", "Dockerfile:3: there is a stage x above (line 1), "},
		{"0", "FROM scratch AS x\nCOPY a* z* /x/\nFROM scratch\nCOPY ../a /\n", "Dockerfile:4: ../a leads out of the context: "},
		{"0", "FROM scratch\nCOPY a /../b\n", "Dockerfile:2: /../b leads out of the image: "},
		{"0", "FROM scratch\nCOPY hid* /\n", "secret/key is left out of the context by the line secret of .dockerignore; "},
		{"0", "FROM scratch\nCOPY secret/../a* /\n", "nothing that is sent of the context "},
		{"1", "FROM scratch\nWORKDIR ${A:-it's}\n", "Dockerfile:2: ${A:-it's} has a brace without its end, "},
	} {
		dir := Dir(t, Files{"Dockerfile": test.dockerfile, "a": "a", "secret/key": "x", ".dockerignore": "secret\n"})
		for name, to := range map[string]string{"hidden": "secret/key", "loop": "loop"} {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		env, words := With(docker, "DOCKER_BUILDKIT="+test.road), []string{"IMG=" + reg.Repo(t), "VERSION=1", "ARCHES=amd64"}
		planned, built := Run(t, dir, env, append(words, "plan")...).Exits(t, 0), Run(t, dir, env, append(words, "build")...)
		if test.says == "" {
			planned.Hides(t, "will refuse", "will fail")
			built.Exits(t, 0)
			continue
		}
		planned.Says(t, test.says)
		if built.Says(t, test.says); built.Code == 0 {
			t.Errorf("%s was built", test.dockerfile)
		}
	}
}
