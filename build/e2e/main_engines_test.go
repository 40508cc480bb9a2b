package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Kind is an engine that scripts/engine can start, in its words.
type Kind string

// The engines of the tests, as FACTS of the field: graph drivers name an image by its config, containerd stores by its manifest.
const (
	Docker20           Kind = "bookworm graph"
	Docker26Graph      Kind = "trixie graph"
	Docker26Containerd Kind = "trixie containerd"
	Podman             Kind = "podman"        // 4.3
	Podman5            Kind = "trixie podman" // 5.4: in a test of its own, since the classic road's are long on Podman
)

// newer names another Debian release for the tests on Docker 26 and Podman 5.4, to run them by hand on what is newer still, or a folder
// with a dockerd.
const newer = "MANYMAGE_NEWER"

// words are the kind's for scripts/engine.
func (k Kind) words() []string {
	words := strings.Fields(string(k))
	if release := os.Getenv(newer); release != "" && words[0] == "trixie" && (k != Podman5 || !strings.Contains(release, "/")) {
		words[0] = release
	}
	return words
}

// Dockers are the engines with BuildKit; Engines are all.
func Dockers() []Kind { return []Kind{Docker20, Docker26Graph, Docker26Containerd} }

// Engines are all kinds that the classic road builds, relabels and publishes on; Stores are one for each kind of image store, for what
// depends on that alone.
func Engines() []Kind { return append(Dockers(), Podman) }
func Stores() []Kind  { return []Kind{Docker20, Docker26Containerd, Podman} }

// EngineUnderTest is a running engine, shared by the tests of this process.
type EngineUnderTest struct {
	Kind Kind
	Host string // unix://...
}

// Engine returns the engine of that kind, started by the first who asks.
func Engine(t *testing.T, kind Kind) *EngineUnderTest {
	t.Helper()
	Tools(t)
	return lazily(t, "engine "+string(kind), func() (*EngineUnderTest, error) {
		name := engineName(kind)
		suite.atEnd(func() { stopEngine(suite.clone, name) })
		out, err := script(nil, "engine", append([]string{"start", name}, kind.words()...)...)
		if err != nil {
			return nil, err
		}
		return &EngineUnderTest{Kind: kind, Host: strings.TrimPrefix(out, "DOCKER_HOST=")}, nil
	})
}

// EachEngine runs the test once per kind, as a subtest, side by side. The next test begins behind the slowest, so that what one test leaves in
// an engine the same ones find there each time.
func EachEngine(t *testing.T, kinds []Kind, test func(t *testing.T, e *EngineUnderTest)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(strings.ReplaceAll(string(kind), " ", "-"), func(t *testing.T) {
			e := Engine(t, kind)
			t.Parallel()
			test(t, e)
		})
	}
}

// Docker runs the docker CLI on the engine and returns what it printed.
func (e *EngineUnderTest) Docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := e.Try(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Try is Docker for commands that may fail.
func (e *EngineUnderTest) Try(args ...string) (string, error) {
	return output([]string{"DOCKER_HOST=" + e.Host, "DOCKER_CONTEXT=", "HOME=" + suite.home}, "docker", args...)
}

// CLI is Docker for pull and run; Podman's own command does them there, in a fifth of the time that its service takes.
func (e *EngineUnderTest) CLI(t *testing.T, args ...string) string {
	t.Helper()
	if e.Kind != Podman {
		return e.Docker(t, args...)
	}
	home := filepath.Dir(strings.TrimPrefix(e.Host, "unix://"))
	config := filepath.Join(home, ".config/containers")
	registries := filepath.Join(t.TempDir(), "registries.conf") // the service's own has no registry without TLS, as with most users
	if err := os.WriteFile(registries, []byte("[[registry]]\nlocation = \"127.0.0.1\"\ninsecure = true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := output([]string{"HOME=" + home, "CONTAINERS_CONF=" + config + "/containers.conf",
		"CONTAINERS_STORAGE_CONF=" + config + "/storage.conf", "CONTAINERS_REGISTRIES_CONF=" + registries}, "podman", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Tools installs what the tests call: docker, docker-registry, skopeo and their like.
func Tools(t *testing.T) {
	t.Helper()
	lazily(t, "scripts/engine tools", func() (string, error) { return script(nil, "engine", "tools") })
}

// Emulation registers QEMU, once.
func Emulation(t *testing.T) {
	t.Helper()
	lazily(t, "scripts/engine emulation", func() (string, error) { return script(nil, "engine", "emulation") })
}

// An engine is named after this process and its kind: e2e-1234-trixie-c.
func engineName(kind Kind) string {
	distribution, store, _ := strings.Cut(string(kind), " ")
	short := distribution[:1] + store[:min(1, len(store))]
	return fmt.Sprintf("e2e-%d-%s", os.Getpid(), short)
}

func stopEngine(clone, name string) {
	if out, err := exec.Command(filepath.Join(clone, "scripts", "engine"), "stop", name).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: stop %s: %v\n%s", name, err, out)
	}
}

// holdEngines keeps the lock under which the engines of this process are in use, and stops those of processes that are gone.
func holdEngines(clone string) error {
	path := fmt.Sprintf("/var/lib/manymage/locks/e2e-%d", os.Getpid())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	lock, err := syscall.Open(path, syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := syscall.Flock(lock, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("%s: %w: another process has it, in another container perhaps", path, err)
	}
	if out, err := exec.Command(filepath.Join(clone, "scripts", "engine"), "sweep").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: sweep: %v\n%s", err, out)
	}
	return nil
}
