package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// engineScript runs scripts/engine through sh and returns stdout, stderr and the exit code.
func engineScript(t *testing.T, env []string, args string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command("sh", "-c", args)
	cmd.Dir = filepath.Join(suite.clone, "scripts")
	cmd.Env = append(os.Environ(), env...)
	var out, err strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &err
	if failed := cmd.Run(); failed != nil && cmd.ProcessState == nil {
		t.Fatal(failed)
	}
	return strings.TrimSpace(out.String()), err.String(), cmd.ProcessState.ExitCode()
}

// alone hides every engine's socket from a command: a mount namespace with an empty /run.
const alone = "unshare -m sh -c 'mount -t tmpfs none /run && exec "

func TestScriptsEngineRefuses(t *testing.T) {
	for _, test := range []struct {
		args, says string
		code       int
	}{
		{"./engine strat", "usage:", 2},
		{"./engine start", "usage:", 2},
		{"./engine start x", "usage:", 2},
		{"./engine start x trixie", "usage:", 2},
		{"./engine start x bookworm containerd", "usage:", 2},
		{"./engine start x bookworm podman", "usage:", 2},
		{"./engine start ../x trixie graph", "usage:", 2},
		{"./engine start -x trixie graph", "usage:", 2},
		{"./engine start x /nowhere graph", "no dockerd in /nowhere", 2},
		{"./engine start x /nowhere", "usage:", 2},
		{"./engine stop", "usage:", 2},
		{"./engine ensure now", "usage:", 2},
		{"DOCKER_HOST=unix:///nowhere.sock ./engine", "DOCKER_HOST is unix:///nowhere.sock, and nothing answers there", 5},
		{"DOCKER_CONTEXT=nowhere ./engine", "context nowhere does not answer", 5},
		{alone + "env MANYMAGE_NO_INSTALL=1 ./engine'", "MANYMAGE_NO_INSTALL is set", 5},
		{"./debs", "usage:", 2},
		{"./debs bookworm", "usage:", 2},
		{"./debs bookworm --help", "not a package name", 2},
	} {
		t.Run(test.args, func(t *testing.T) {
			Tools(t)
			stdout, stderr, code := engineScript(t, []string{"DOCKER_HOST="}, test.args)
			if code != test.code || stdout != "" || !strings.Contains(stderr, test.says) {
				t.Errorf("exit code %d, want %d with %q\n%s%s", code, test.code, test.says, stdout, stderr)
			}
		})
	}
}

// A symbolic link to the script finds what is beside the script.
func TestScriptsEngineThroughALink(t *testing.T) {
	Tools(t)
	state, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	dead := filepath.Join(state, "engines", "e2e-1-x")
	if err := errors.Join(os.MkdirAll(dead, 0o755), os.MkdirAll(filepath.Join(state, "locks"), 0o755),
		os.WriteFile(filepath.Join(state, "locks", "e2e-1"), nil, 0o644), os.Symlink(filepath.Join(suite.clone, "scripts", "engine"), link)); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := engineScript(t, []string{"MANYMAGE_STATE=" + state}, link+" sweep")
	if _, err := os.Stat(dead); code != 0 || !os.IsNotExist(err) {
		t.Errorf("exit code %d, %v: %s", code, err, stderr)
	}
}

// The targets and the script that they call both know what is wrong.
func TestAMissingEngineIsToldOnce(t *testing.T) {
	run := fmt.Sprintf("%senv MANYMAGE_NO_INSTALL=1 MANYMAGE_HOME=%s %s setarch app:1 arm64'", alone, suite.clone, Manymage(t))
	_, stderr, code := engineScript(t, []string{"DOCKER_HOST="}, run)
	if want := "Error: no container engine answers (MANYMAGE_NO_INSTALL is set): start Docker"; code != 5 || !strings.HasPrefix(stderr, want) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestScriptsEngineUsesWhatIsThere(t *testing.T) {
	e := Engine(t, Docker20)
	stdout, stderr, code := engineScript(t, []string{"MANYMAGE_NO_INSTALL=1", "DOCKER_HOST=" + e.Host}, "./engine")
	if code != 0 || stdout != "DOCKER_HOST="+e.Host || stderr != "" {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	link := filepath.Join(t.TempDir(), "docker.sock")
	if err := os.Symlink(strings.TrimPrefix(e.Host, "unix://"), link); err != nil {
		t.Fatal(err)
	}
	found := fmt.Sprintf("%senv XDG_RUNTIME_DIR=%s ./engine'", alone, filepath.Dir(link))
	stdout, stderr, code = engineScript(t, []string{"MANYMAGE_NO_INSTALL=1", "DOCKER_HOST="}, found)
	if code != 0 || stdout != "DOCKER_HOST=unix://"+link || stderr != "" {
		t.Errorf("a rootless engine's socket: exit code %d: %s%s", code, stdout, stderr)
	}
}

// Starting twice is starting once, and a stop leaves nothing: no process, mount, bridge or file.
func TestScriptsEngineStartAndStop(t *testing.T) {
	Tools(t)
	name := fmt.Sprintf("e2e-%d-x", os.Getpid())
	t.Cleanup(func() { stopEngine(suite.clone, name) })
	first, stderr, code := engineScript(t, nil, "./engine start "+name+" trixie containerd")
	if code != 0 {
		t.Fatal(stderr)
	}
	second, _, _ := engineScript(t, nil, "./engine start "+name+" trixie containerd")
	if first == "" || second != first {
		t.Errorf("started %q, then %q", first, second)
	}
	if _, stderr, code := engineScript(t, nil, "./engine start "+name+" trixie graph"); code != 2 || !strings.Contains(stderr, "stop it first") {
		t.Errorf("two kinds under one name: exit code %d: %s", code, stderr)
	}
	bridge := bridgeOf(t, name)
	if _, err := os.Stat("/sys/class/net/" + bridge); err != nil {
		t.Error(err)
	}
	if _, stderr, code := engineScript(t, nil, "./engine stop "+name); code != 0 {
		t.Error(stderr)
	}
	if _, err := os.Stat("/sys/class/net/" + bridge); err == nil {
		t.Errorf("its bridge %s is still there", bridge)
	}
	for _, where := range []string{"/proc/mounts", "/proc/net/unix"} {
		if text, err := os.ReadFile(where); err != nil || strings.Contains(string(text), "/"+name+"/") {
			t.Errorf("%s still names %s (%v)", where, name, err)
		}
	}
	if _, err := os.Stat("/var/lib/manymage/engines/" + name); err == nil {
		t.Error("its folder is still there")
	}
	if _, _, code := engineScript(t, nil, "./engine stop "+name); code != 0 {
		t.Error("a second stop fails")
	}
}

// A pid file outlives a reboot: its number may be another program's now, or still the engine's.
func TestScriptsEngineEndsItsOwnAlone(t *testing.T) {
	for _, test := range []struct {
		name, word string
		ends       bool
	}{
		{"a stranger", "/sleep", false},
		{"an engine with a longer name", "/engines/older/dockerd", false},
		{"the engine", "/engines/old/dockerd", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			state := t.TempDir()
			process := exec.Command("sleep", "600")
			process.Args[0] = state + test.word
			if err := process.Start(); err != nil {
				t.Fatal(err)
			}
			if err := write(state+"/engines/old/pid", fmt.Sprintln(process.Process.Pid)); err != nil {
				t.Fatal(err)
			}
			if _, stderr, code := engineScript(t, []string{"MANYMAGE_STATE=" + state}, "./engine stop old"); code != 0 {
				t.Error(stderr)
			}
			if _, err := os.Stat(state + "/engines/old"); err == nil {
				t.Error("the engine's folder is still there")
			}
			process.Process.Kill()
			process.Wait()
			if ended := process.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGTERM; ended != test.ends {
				t.Errorf("the script ended it: %t, want %t", ended, test.ends)
			}
		})
	}
}

// What killed tests left is swept up; engines in use, and those of whom nothing is known, are not.
func TestScriptsEngineSweeps(t *testing.T) {
	Tools(t)
	state := Dir(t, Files{"locks/e2e-1": "", "engines/e2e-1-tg/kind": "", "locks/e2e-2": "", "engines/e2e-2-tg/kind": "",
		"engines/e2e-3-tg/kind": "", "engines/mine/kind": ""})
	held, err := os.Open(state + "/locks/e2e-2")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := engineScript(t, []string{"MANYMAGE_STATE=" + state}, "./engine sweep"); code != 0 || stderr != "scripts/engine: engine e2e-1-tg is stopped\n" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	left, err := filepath.Glob(state + "/engines/*")
	if want := []string{"e2e-2-tg", "e2e-3-tg", "mine"}; err != nil || !slices.EqualFunc(left, want, func(dir, name string) bool { return filepath.Base(dir) == name }) {
		t.Errorf("left %v, want %v", left, want)
	}
}

// bridgeOf is the bridge that the engine's daemon was started with.
func bridgeOf(t *testing.T, name string) string {
	t.Helper()
	pid, err := os.ReadFile("/var/lib/manymage/engines/" + name + "/pid")
	if err != nil {
		t.Fatal(err)
	}
	words, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	_, bridge, found := strings.Cut(string(words), "--bridge=")
	bridge, _, _ = strings.Cut(bridge, "\x00")
	if !found || bridge == "" {
		t.Fatalf("no bridge in %q", words)
	}
	return bridge
}

func TestScriptsAreClean(t *testing.T) {
	Tools(t)
	scripts, err := filepath.Glob(suite.clone + "/scripts/*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := output(nil, "shellcheck", append(scripts, suite.clone+"/.ci/run")...); err != nil {
		t.Error(err)
	}
}
