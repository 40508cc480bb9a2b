package targets

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// compile makes a program of a magefile in testdata, as users do; options are Mage's.
func compile(t *testing.T, name string, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	args := append([]string{"tool", "mage", "-d", filepath.Join("testdata", name), "-compile", path}, options...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "MAGEFILE_CACHE="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// A program that links the targets but has a main function of its own is none of the door's business, though the Go tool names it
// like one of Mage's where it was compiled from a file.
func TestAProgramThatMageHasNotCompiled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, "main.go")
	cmd.Dir = filepath.Join("testdata", "own")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, args := range [][]string{{"psh"}, {"IMG=a/b", "-x"}, {"--help"}} {
		want := outcome{0, fmt.Sprintf("mine %q []\n", args), ""}
		if got := execute(t, path, t.TempDir(), args...); got != want {
			t.Errorf("%q: got %+v, want %+v", args, got, want)
		}
	}
}

// unreachableCode is the exit code of a build that finds no engine.
const unreachableCode = 5

// outcome is what a command does.
type outcome struct {
	code        int
	out, errout string
}

func execute(t *testing.T, path, dir string, args ...string) outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = dir
	var out, errout strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errout
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errout.String()}
}

// expectation is a command line and what has to come of it: the exit code, and what stdout and stderr hold.
type expectation struct {
	args        []string
	code        int
	out, errout string
}

func (e expectation) check(t *testing.T, path string) {
	t.Helper()
	dir := t.TempDir()
	got := execute(t, path, dir, e.args...)
	if got.code != e.code || !strings.Contains(got.out, e.out) || !strings.Contains(got.errout, e.errout) {
		t.Errorf("%q: got %+v, want %+v", e.args, got, e)
	}
	if e.code == usageCode && (got.out != "" || strings.Count(got.errout, "\n") != 1) {
		t.Errorf("%q: refused with more than one sentence: %+v", e.args, got)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%q: left %v in the folder: %v", e.args, left, err)
	}
}

func TestACompiledImporter(t *testing.T) {
	path := compile(t, "importer")
	for _, e := range []expectation{
		{nil, 0, `words [] args []`, ""},
		{[]string{"IMG=a/b"}, 0, `words ["IMG=a/b"] args []`, ""},
		{[]string{"IMG=a b", "show", "--insecure"}, 0, `words ["IMG=a b" "INSECURE=true"] args ["show"]`, ""},
		{[]string{"site:check", "show"}, 0, "checked\nwords [] ", ""},
		{[]string{"deploy", "here there", "-note=a  b", "show"}, 0, "deploy \"here there\" note \"a  b\" loud false\nwords", ""},
		{[]string{"d", "--loud", "here", "-Note", "x"}, 0, `deploy "here" note "x" loud true`, ""},
		{[]string{"help", "d"}, 0, "deploy <where> [<flags>]", ""},
		{[]string{"deploy", "--help"}, 0, "Aliases: d", ""},
		{[]string{"help"}, 0, "Commands:", ""},
		{[]string{"--version"}, 0, "manymage ", ""},
		{[]string{"-l"}, 0, "image:build", ""},

		{[]string{"show", "push"}, 2, "", "unknown target push, did you mean image:push?"},
		{[]string{"show", "shpi"}, 2, "", "unknown target shpi, did you mean ship?"},
		{[]string{"show", "-x"}, 2, "", "show has no option -x"},
		{[]string{"-x", "show"}, 2, "", "unknown option -x"},
		{[]string{"show", "deploy"}, 2, "", "deploy needs <where>: write importer deploy <where>"},
		{[]string{"show", "deploy", "here", "-loud=loudly"}, 2, "", "is no bool"},
		{[]string{"show", "GOARCH=arm64"}, 2, "", "ARCHES=arm64"},
		{[]string{"show", "image:verify", "a/b:1"}, 2, "", "image:verify -ref=a/b:1"},
	} {
		e.check(t, path)
	}
	testSignals(t, path)
}

// testSignals ends a target that waits, in each way that there is.
func testSignals(t *testing.T, path string) {
	heard := make(chan os.Signal, 1) // a test under nohup ignores the terminal's end, and so would what it starts
	signal.Notify(heard, syscall.SIGHUP)
	defer signal.Stop(heard)
	for _, c := range []struct {
		name   string
		args   []string
		signal syscall.Signal
		cause  string
	}{
		{"Ctrl-C", []string{"wait"}, syscall.SIGINT, "interrupt"},
		{"SIGTERM", []string{"wait"}, syscall.SIGTERM, "terminated"},
		{"the terminal's end", []string{"wait"}, syscall.SIGHUP, "hangup"},
		{"the time of -t", []string{"-t", "300ms", "wait"}, 0, "the 300ms of -t are over"},
	} {
		cmd := exec.CommandContext(t.Context(), path, c.args...)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		if !lines.Scan() || lines.Text() != "waiting" {
			t.Errorf("%s: %q", c.name, lines.Text())
		}
		if c.signal != 0 {
			_ = cmd.Process.Signal(c.signal)
		}
		if !lines.Scan() || !strings.Contains(lines.Text(), "cleaned up: ") || !strings.Contains(lines.Text(), c.cause) {
			t.Errorf("%s: %q", c.name, lines.Text())
		}
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 7 {
			t.Errorf("%s: exit code %d", c.name, code)
		}
	}
}

func TestACompiledProgramWithoutAName(t *testing.T) {
	path := compile(t, "plain", "-ldflags", "-X "+module+"/magefiles/targets.toolVersion=v1.2.0-3-gabc1234") // as this project's image is built
	file := filepath.Join(t.TempDir(), "file")
	for _, e := range []expectation{
		{[]string{"touch", file, "psh"}, 2, "", "unknown target psh, did you mean push?"},
		{[]string{"touch"}, 2, "", "touch needs <path>: write plain touch <path>"},
		{[]string{"--version"}, 0, "manymage v1.2.0-3-gabc1234\n", ""},
		{[]string{"--help"}, 0, "ARCHES", ""},
		{[]string{"version", "--insecure=maybe"}, 2, "", "INSECURE=maybe (command line) is neither yes nor no"},
		{[]string{"--help", "INSECURE=maybe"}, 2, "", "INSECURE=maybe (command line) is neither yes nor no"},
		{nil, 0, "Targets:", ""},
	} {
		e.check(t, path)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a target ran before the whole line was read")
	}
	if got := execute(t, path, t.TempDir(), "touch", file); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// Who imports the targets has no registry in the program, and is told so rather than sent to a folder that nothing would make.
func TestAnImporterHasNoEmbeddedRegistry(t *testing.T) {
	path := compile(t, "plain")
	for target, want := range map[string]string{
		"registry": "Error: this program has no embedded registry: Settings.Embedded in its magefile gives it one",
		"verify":   "Error: IMG: no image is named and this program has no embedded registry: set IMG=registry/me/app",
	} {
		if got := execute(t, path, t.TempDir(), target); got.code != usageCode || strings.TrimSpace(got.errout) != want {
			t.Errorf("%s: %+v, want %s", target, got, want)
		}
	}
}

// An importer's own defaults count, weaker than the command line, and its own step comes before the first build.
func TestAnImporterDecidesForItsProject(t *testing.T) {
	path := compile(t, "importer")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY app /app\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_HOST", "unix:///nowhere.sock")
	plan := execute(t, path, dir, "image:plan", "VERSION=1", "STAGE=test", "RETRY=0s", "REGISTRY=127.0.0.1:1")
	for _, want := range []string{"127.0.0.1:1/team/app:armv7-1", "linux/arm64", "(magefile)", "(command line)"} {
		if plan.code != 0 || !strings.Contains(plan.out, want) {
			t.Errorf("plan has no %q: %+v", want, plan)
		}
	}
	if help := execute(t, path, dir, "image:help"); help.code != 0 || !regexp.MustCompile(`(?m)^IMG .* team/app +IMG=`).MatchString(help.out) ||
		!regexp.MustCompile(`(?m)^ARCHES .* arm64 arm/v7 +ARCHES=`).MatchString(help.out) || strings.Contains(help.out, "embedded registry") {
		t.Errorf("help has other defaults: %+v", help)
	}
	build := execute(t, path, dir, "image:build", "VERSION=1", "ONLY=arm64")
	if build.code != unreachableCode || build.out != "" {
		t.Errorf("build without an engine: %+v, want exit code %d before its own step", build, unreachableCode)
	}
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		_, _ = io.WriteString(w, `{"Version": "20.10.24"}`)
	}))
	defer engine.Close()
	t.Setenv("DOCKER_HOST", "tcp://"+engine.Listener.Addr().String())
	if build := execute(t, path, dir, "image:build", "VERSION=1", "ONLY=arm64"); build.out != "generated for [linux/arm64]\n" {
		t.Errorf("build with an engine: %+v, want its own step before", build)
	}
}
