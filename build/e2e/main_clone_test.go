package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/manymage/manymage/build/record"
)

// The README's way: from a fresh clone to an image of this project that others run, with the registry that is in the program.
func TestFreshClone(t *testing.T) {
	e := Engine(t, Docker20)
	Emulation(t)
	t.Parallel()
	clone := filepath.Join(t.TempDir(), "manymage")
	if _, err := output(nil, "git", "-c", "safe.directory=*", "clone", "-q", suite.clone, clone); err != nil {
		t.Fatal(err)
	}
	env := With(e, "HOME="+os.Getenv("HOME"), "DOCKER_CONFIG="+suite.home)
	ref := reference(t, fromClone(t, clone, env, "build", "push"))
	again := fromClone(t, clone, env, "build", "push")
	if got := reference(t, again); got != ref {
		t.Errorf("the second run ends with %s, the first with %s", got, ref)
	}
	fromClone(t, clone, env, "verify")

	serving := Start(context.Background(), t, clone, With(e), "registry")
	t.Cleanup(func() { _ = serving.Process.Kill() })
	serving.Until(t, "serving")
	for _, p := range Targets() {
		if got := e.Says(t, ref, p.Platform, "version"); !strings.HasPrefix(got, "manymage ") {
			t.Errorf("on %s it says %q", p.Platform, got)
		}
	}
	if err := serving.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if r := Finish(t, serving); r.Code != 0 {
		t.Errorf("Ctrl-C is how a registry ends, yet: exit code %d\n%s", r.Code, r.Stderr)
	}
}

// fromClone runs the clone's own scripts/mage and returns its stdout.
func fromClone(t *testing.T, clone string, env []string, args ...string) string {
	t.Helper()
	out, err := outputWithin(4*patience, append(env, "MANYMAGE_NO_INSTALL=1"), "env", append([]string{"-C", clone, "scripts/mage"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// reference is the last line of a push: the one reference to pull.
func reference(t *testing.T, stdout string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	last := lines[len(lines)-1]
	if !regexp.MustCompile(`^127\.0\.0\.1:\d+/[a-z0-9/-]+:\S+$`).MatchString(last) {
		t.Fatalf("the last line is no reference: %s", stdout)
	}
	return last
}

// With no IMG the image goes to the registry in the program; the record says where, and clean leaves it.
func TestEmbeddedRegistry(t *testing.T) {
	e := Engine(t, Docker26Containerd)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	ref := reference(t, Run(t, dir, With(e), "build", "push").Exits(t, 0).Stdout)
	run, err := record.Read(filepath.Join(dir, record.Path))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range run.Platforms {
		if p.CheckSeconds <= 0 || p.CheckSeconds > p.Seconds {
			t.Errorf("%s: the check took %v s of %v s", p.Platform, p.CheckSeconds, p.Seconds)
		}
	}
	Run(t, dir, With(e), "clean").Exits(t, 0)
	repo := ref[:strings.LastIndex(ref, ":")]
	if left := e.Docker(t, "images", "-q", repo); left != "" {
		t.Errorf("clean left images: %s", left)
	}
	if _, err := os.Stat(filepath.Join(dir, "dist/manymage.json")); err == nil {
		t.Error("clean left the record")
	}
	Run(t, dir, With(e), "verify").Exits(t, 0)
}

// Runs in one folder at once all work, in a store whose names two cannot make at one moment, too.
func TestRunsAtOnce(t *testing.T) {
	EachEngine(t, []Kind{Docker26Graph, Docker26Containerd}, func(t *testing.T, e *EngineUnderTest) {
		reg := Plain(t)
		dir, repo := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}), reg.Repo(t)
		var wg sync.WaitGroup
		var results [3]Result
		for i := range results {
			r := Start(context.Background(), t, dir, With(e), "build", "push", "IMG="+repo, "VERSION=1")
			wg.Go(func() { _ = r.Wait(); results[i] = r.result() })
		}
		wg.Wait()
		for _, r := range results {
			r.Exits(t, 0)
		}
		if got := len(reg.Index(t, repo+":1").Manifests); got != 2 {
			t.Errorf("%d platforms", got)
		}
	})
}

// What .dockerignore names is never sent; the Dockerfile's own ignore file goes first.
func TestIgnoredFilesAreNotSent(t *testing.T) {
	EachEngine(t, Dockers(), func(t *testing.T, e *EngineUnderTest) {
		reg := Plain(t)
		repo := reg.Repo(t)
		dir := Dir(t, Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nCOPY . /all\nCMD [\"ls\", \"/all\"]\n", ".dockerignore": "*\n!kept\n",
			"secret": "s3cr3t", "kept": "", "Dockerfile.other": "FROM " + Busybox(t, reg) + "\nCOPY . /all\nCMD [\"ls\", \"/all\"]\n",
			"Dockerfile.other.dockerignore": "*\n!other\n", "other": ""})
		Run(t, dir, With(e), "build", "push", "IMG="+repo, "VERSION=1", "ARCHES=amd64").Exits(t, 0)
		if got := e.Says(t, repo+":1", "linux/amd64"); got != "kept" {
			t.Errorf("the image holds %q", got)
		}
		Run(t, dir, With(e), "build", "push", "IMG="+repo, "VERSION=2", "ARCHES=amd64", "DOCKERFILE=Dockerfile.other").Exits(t, 0)
		if got := e.Says(t, repo+":2", "linux/amd64"); got != "other" {
			t.Errorf("the image holds %q", got)
		}
	})
}

// Of the context what the Dockerfile reads is sent, on either road; and all of it where a base has instructions waiting, or a variable
// that beats, on a classic builder, the argument which names a file.
func TestOnlyWhatIsReadIsSent(t *testing.T) {
	EachEngine(t, Stores(), func(t *testing.T, e *EngineUnderTest) {
		reg := Plain(t)
		repo := reg.Repo(t)
		base := repo + "-base"
		onBuild := Dir(t, Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nONBUILD COPY . /all\n", "Dockerfile.set": "FROM " + Busybox(t, reg) + "\nENV A=big\n"})
		Run(t, onBuild, With(e), "build", "push", "IMG="+base, "VERSION=1", "ARCHES=amd64").Exits(t, 0)
		Run(t, onBuild, With(e), "build", "push", "IMG="+base, "VERSION=set", "ARCHES=amd64", "DOCKERFILE=Dockerfile.set").Exits(t, 0)
		dir := Dir(t, Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nARG TARGETARCH\nARG A=app-$TARGETARCH*\nCOPY $A l*k /\nCMD ls /all\n",
			"Dockerfile.set": "FROM " + base + ":set\nARG A=app-*\nCOPY $A /a/\nCMD ls /a\n",
			"Dockerfile.on":  "FROM " + base + ":1\nCOPY app-amd64 /\nCMD ls /all\n", "app-amd64": "a", "app-arm64": "b", "big": noise(2 << 20)})
		if err := os.Symlink("app-amd64", filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		for _, road := range []string{"1", "0"} {
			if road == "0" && e.Kind == Docker26Containerd { // whose classic builder takes no list
				continue
			}
			env := With(e, "DOCKER_BUILDKIT="+road)
			planned := Run(t, dir, env, "plan", "IMG="+repo, "VERSION="+road).Exits(t, 0)
			sent := Run(t, dir, env, "build", "push", "IMG="+repo, "VERSION="+road).Exits(t, 0)
			for text, unit := range map[string]string{planned.Stdout: `: \d+ files, [0-9.]+ (k?B|MB) at most`, sent.Stderr: `(?m)^context: [0-9.]+ (k?B|MB)$`} {
				all := e.Kind == Podman // which does not tell what waits in the base
				if found := regexp.MustCompile(unit).FindStringSubmatch(text); found == nil || found[1] == "MB" != all {
					t.Errorf("%q of\n%s", found, text)
				}
			}
			Run(t, dir, env, "build", "push", "IMG="+repo, "VERSION=on-"+road, "ARCHES=amd64", "DOCKERFILE=Dockerfile.on").Exits(t, 0)
			if got := e.Says(t, repo+":on-"+road, "linux/amd64"); got != "Dockerfile\nDockerfile.on\nDockerfile.set\napp-amd64\napp-arm64\nbig\nlink" {
				t.Errorf("ONBUILD took %q", got)
			}
			Run(t, dir, env, "build", "push", "IMG="+repo, "VERSION=set-"+road, "ARCHES=amd64", "DOCKERFILE=Dockerfile.set").Exits(t, 0)
			if got := e.Says(t, repo+":set-"+road, "linux/amd64"); (got == "big") != (road == "0" || e.Kind == Podman) { // BuildKit has the argument's
				t.Errorf("a base with a value of its own took %q", got)
			}
		}
	})
}
