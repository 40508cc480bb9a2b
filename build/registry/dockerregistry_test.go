package registry

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/distribution/reference"
)

// dockerRegistry starts Debian's docker-registry on a free port of the loopback interface and returns its host:port.
// extra is YAML that goes behind its configuration.
func dockerRegistry(t *testing.T, http, extra string) string {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Fatal("these tests need a real registry: apt-get install docker-registry")
	}
	dir := t.TempDir()
	config := "version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\nstorage:\n  filesystem: {rootdirectory: " + filepath.Join(dir, "data") +
		"}\n  delete: {enabled: true}\nhttp:\n  addr: 127.0.0.1:0\n" + http + "\n" + extra + "\n"
	file := filepath.Join(dir, "config.yml")
	write(t, file, config)
	cmd := exec.Command(program, "serve", file)
	cmd.Env = []string{"OTEL_TRACES_EXPORTER=none", "PATH=" + os.Getenv("PATH")}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return listening(t, stderr)
}

var listeningOn = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

// listening waits for the line in which the registry names its port, and keeps the log flowing.
func listening(t *testing.T, log io.Reader) string {
	t.Helper()
	var seen bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(log, &seen))
	for lines.Scan() {
		if m := listeningOn.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return m[1]
		}
	}
	t.Fatalf("docker-registry does not start: %s", seen.String())
	return ""
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func ref(t testing.TB, s string) reference.Named {
	t.Helper()
	named, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		t.Fatal(err)
	}
	return named
}
