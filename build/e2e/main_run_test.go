package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Files is a folder's content by path. A path that ends in "*" makes an executable (the star goes); a content that starts with
// "-> " makes a symbolic link.
type Files map[string]string

// Dir makes a folder with these files.
func Dir(t *testing.T, files Files) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := write(filepath.Join(dir, name), content); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if target, ok := strings.CutPrefix(content, "-> "); ok {
		return os.Symlink(target, path)
	}
	if name, ok := strings.CutSuffix(path, "*"); ok {
		return os.WriteFile(name, []byte(content), 0o755)
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

// Git makes the folder a repository with one commit and a tag.
func Git(t *testing.T, dir, tag string) {
	t.Helper()
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"add", "-A"},
		{"-c", "user.name=e2e", "-c", "user.email=e2e@example.org", "commit", "-q", "-m", "Start"},
		{"tag", tag},
	} {
		if _, err := output(nil, "git", append([]string{"-C", dir}, args...)...); err != nil {
			t.Fatal(err)
		}
	}
}

// Result is what one run of the targets gave.
type Result struct {
	Args           []string
	Code           int
	Stdout, Stderr string
}

// Run runs the compiled targets in the folder, as scripts/mage does for a user, in an environment that holds nothing of the
// developer's but PATH and Go's caches. env adds to it (see With); a later value of a name wins.
func Run(t *testing.T, dir string, env []string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return Finish(t, Start(ctx, t, dir, env, args...))
}

// Running is a run under way: for tests that interrupt it, or that talk to what it serves.
type Running struct {
	*exec.Cmd
	stdout, stderr *Transcript
}

// Start is Run without the wait; ctx kills the process. Finish waits for it.
func Start(ctx context.Context, t *testing.T, dir string, env []string, args ...string) *Running {
	t.Helper()
	cmd := exec.CommandContext(ctx, Manymage(t), args...)
	cmd.Dir = dir
	cmd.Env = append(environment(), env...)
	r := &Running{Cmd: cmd, stdout: &Transcript{}, stderr: &Transcript{}}
	cmd.Stdout, cmd.Stderr = r.stdout, r.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// Finish waits for the end of a run.
func Finish(t *testing.T, r *Running) Result {
	t.Helper()
	err := r.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return r.result()
}

// result is what an ended run gave.
func (r *Running) result() Result {
	return Result{Args: r.Args[1:], Code: r.ProcessState.ExitCode(), Stdout: r.stdout.String(), Stderr: r.stderr.String()}
}

// Until waits until what the run printed so far holds the text; the run's end or the bound's ends the wait.
func (r *Running) Until(t *testing.T, text string) {
	t.Helper()
	ok := await(func() bool { return strings.Contains(r.stdout.String()+r.stderr.String(), text) })
	if !ok {
		t.Fatalf("%v never said %q:\n%s%s", r.Args[1:], text, r.stdout, r.stderr)
	}
}

// Manymage is the program under test: this clone's targets, compiled once per process by scripts/mage.
func Manymage(t *testing.T) string {
	t.Helper()
	return lazily(t, "the compiled targets", func() (string, error) {
		file := filepath.Join(suite.temp, "manymage")
		_, err := outputWithin(4*patience, nil, filepath.Join(suite.clone, "scripts", "mage"), "-compile", file)
		return file, err
	})
}

// environment is what every run gets.
func environment() []string {
	env := []string{"HOME=" + suite.home, "TMPDIR=" + suite.temp, "MANYMAGE_HOME=" + suite.clone, "MANYMAGE_NO_INSTALL=1"}
	for _, name := range []string{"PATH", "GOCACHE", "GOMODCACHE", "GOPROXY"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// With is the environment of a run that uses the engine.
func With(e *EngineUnderTest, env ...string) []string {
	return append([]string{"DOCKER_HOST=" + e.Host}, env...)
}

// Exits requires the exit code.
func (r Result) Exits(t *testing.T, code int) Result {
	t.Helper()
	if r.Code != code {
		t.Fatalf("%v: exit code %d, want %d\n--- stdout\n%s\n--- stderr\n%s", r.Args, r.Code, code, r.Stdout, r.Stderr)
	}
	return r
}

// Says requires each text somewhere in the output.
func (r Result) Says(t *testing.T, texts ...string) Result {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.Stdout+r.Stderr, text) {
			t.Errorf("%v does not say %q\n--- stdout\n%s\n--- stderr\n%s", r.Args, text, r.Stdout, r.Stderr)
		}
	}
	return r
}

// Hides requires that no text is anywhere in the output: secrets, say.
func (r Result) Hides(t *testing.T, texts ...string) Result {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(r.Stdout+r.Stderr, text) {
			t.Errorf("%v says %q\n--- stdout\n%s\n--- stderr\n%s", r.Args, text, r.Stdout, r.Stderr)
		}
	}
	return r
}
