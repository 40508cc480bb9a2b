package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Wrong input gets one sentence and its exit code, and nothing is done: no engine is asked for before the input is right.
func TestWrongInput(t *testing.T) {
	nowhere := []string{"DOCKER_HOST=unix:///nowhere/docker.sock"}
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n", "unreadable.yaml": ""})
	empty := Dir(t, Files{})
	for _, test := range []struct {
		words []string
		code  int
		says  []string
		dir   string
	}{
		{words: []string{"build", "psh"}, code: 2, says: []string{"psh", "push"}},
		{words: []string{"build", "-platfrom=x"}, code: 2, says: []string{"-platfrom"}},
		{words: []string{"build", "ARCHES=amd46"}, code: 2, says: []string{"amd46", "amd64"}},
		{words: []string{"build", "ARCHES="}, code: 2, says: []string{"ARCHES"}},
		{words: []string{"build", "ARCHES=amd64 arm64 x86_64"}, code: 2, says: []string{"amd64", "same platform"}},
		{words: []string{"build", "IMG=app"}, code: 2, says: []string{"IMG=app", "REGISTRY"}},
		{words: []string{"build", "IMG=127.0.0.1:5000/UPPER/app"}, code: 2, says: []string{"UPPER"}},
		{words: []string{"build", "VERSION=1 2"}, code: 2, says: []string{"VERSION"}},
		{words: []string{"build", "GOARCH=arm64"}, code: 2, says: []string{"GOARCH"}},
		{words: []string{"build", "STRATEGY=guess"}, code: 2, says: []string{"STRATEGY", "guess"}},
		{words: []string{"build", "BUILD_ARGS=API_TOKEN=abc"}, code: 2, says: []string{"API_TOKEN", "secret"}},
		{words: []string{"build", "DOCKERFILE=Dockerfiel"}, code: 2, says: []string{"Dockerfiel"}},
		{words: []string{"build", "CONTEXT=nowhere"}, code: 2, says: []string{"nowhere"}},
		{words: []string{"build", "IMG=127.0.0.1:5000/me/app"}, code: 2, says: []string{"Dockerfile"}, dir: empty},
		{words: []string{"build", "IMG=127.0.0.1:5000/me/app"}, code: 5, says: []string{"/nowhere/docker.sock"}},
	} {
		t.Run(strings.Join(test.words, " "), func(t *testing.T) {
			if test.dir == "" {
				test.dir = dir
			}
			Run(t, test.dir, nowhere, test.words...).Exits(t, test.code).Says(t, test.says...)
			if _, err := os.Stat(filepath.Join(test.dir, "dist")); err == nil {
				t.Error("it left a dist folder")
			}
		})
	}
}

// A failing step ends the run with what it printed, its platform and its line, and publishes nothing.
func TestFailingStep(t *testing.T) {
	EachEngine(t, Dockers(), func(t *testing.T, e *EngineUnderTest) {
		reg := Plain(t)
		dir := Dir(t, Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nCOPY Dockerfile /\nRUN echo last words; exit 3\nCMD [\"sh\"]\n"})
		repo := reg.Repo(t)
		Run(t, dir, With(e), "build", "push", "IMG="+repo, "VERSION=1", "ARCHES=amd64").Exits(t, 1).
			Says(t, "last words", "linux/amd64", "Dockerfile:3")
		if reg.Writes(repo) != 0 || e.Docker(t, "images", "-q", repo) != "" {
			t.Error("something is left")
		}
	})
}

// A registry that is not there, or that does not know us, costs no wrong exit code and moves no tag.
func TestRegistryFails(t *testing.T) {
	e := Engine(t, Docker26Graph)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	gone := OwnRegistry(t, "")
	gone.Stop()
	for _, targets := range [][]string{{"build", "push"}, {"push"}} {
		Run(t, dir, With(e), append(targets, "IMG="+gone.Host+"/me/app", "ARCHES=amd64", "RETRY=1s")...).Exits(t, 5).Says(t, gone.Host)
	}
	private := Private(t)
	repo := private.Repo(t)
	Run(t, dir, With(e), "build", "push", "IMG="+repo, "ARCHES=amd64").Exits(t, 1).Says(t, "push to "+repo, "docker login "+private.Host)
	for _, name := range []string{gone.Host + "/me/app", repo} {
		if built := e.Docker(t, "images", "-q", name); built != "" {
			t.Errorf("%s was built for %s, which does not take it", built, name)
		}
	}
}

// SIGINT and SIGTERM end a build, its containers too, and nothing is published.
func TestSignalsEndARun(t *testing.T) {
	const sleep = "86399" // nobody else sleeps so long
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			e, reg := Engine(t, Docker20), Plain(t)
			dir := Dir(t, Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nRUN echo " + signal.String() + " && sleep " + sleep + "\nCMD [\"sh\"]\n"})
			repo := reg.Repo(t)
			r := Start(context.Background(), t, dir, With(e), "build", "push", "IMG="+repo, "VERSION=1", "ARCHES=amd64")
			if !await(func() bool { return sleeping(sleep) }) {
				t.Fatal("the step did not begin")
			}
			if err := r.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if result := Finish(t, r); result.Code != 1 || !strings.Contains(result.Stderr, "stopped before the end: "+signal.String()) {
				t.Errorf("exit code %d\n%s%s", result.Code, result.Stdout, result.Stderr)
			}
			if !await(func() bool { return !sleeping(sleep) }) {
				t.Error("the step still runs")
			}
			if reg.Writes(repo) != 0 || e.Docker(t, "images", "-q", repo) != "" || e.Docker(t, "ps", "-aq") != "" {
				t.Error("something is left")
			}
		})
	}
}

// sleeping tells whether any process of this machine is "sleep SECONDS".
func sleeping(seconds string) bool {
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range commands {
		words, _ := os.ReadFile(path)
		if strings.HasPrefix(string(words), "sleep\x00"+seconds+"\x00") {
			return true
		}
	}
	return false
}
