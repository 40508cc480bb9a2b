// Package registrytest runs real registries for tests: Debian's docker-registry in a process of its own, which has no line of code in
// common with this module, and distribution in memory, which is quick enough for tables of faults.
//
//	host := registrytest.Start(t, "")
//	host := registrytest.Start(t, "auth: {htpasswd: {realm: test, path: /tmp/htpasswd}}")
//	proxy := faults.Around(registrytest.InMemory())
package registrytest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Registry is a running docker-registry.
type Registry struct {
	Host string // 127.0.0.1:PORT, the port being the kernel's choice

	process *exec.Cmd
	ended   chan error
}

// Start runs a registry for one test, with more YAML for its configuration ("" for none), and returns its host:port.
func Start(t testing.TB, config string) string {
	t.Helper()
	r, err := Debian(t.TempDir(), config, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r.Host
}

// Debian runs a registry that keeps everything in dir, for as long as the caller wants, and writes its log to log. config is YAML
// that goes into its configuration; one with an http section names the address 127.0.0.1:0 there.
func Debian(dir, config string, log io.Writer) (*Registry, error) {
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		return nil, errors.New("these tests need a real registry: apt-get install docker-registry")
	}
	if !strings.Contains("\n"+config, "\nhttp:") {
		config += "\nhttp: {addr: '127.0.0.1:0'}"
	}
	config += fmt.Sprintf("\nversion: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: %q}, delete: {enabled: true}}\n", filepath.Join(dir, "data"))
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	w := &watch{to: log, host: make(chan string, 1)}
	r := &Registry{process: exec.Command(program, "serve", file), ended: make(chan error, 1)}
	r.process.Env = []string{"OTEL_TRACES_EXPORTER=none", "PATH=" + os.Getenv("PATH")}
	r.process.Stdout, r.process.Stderr = w, w
	if err := r.process.Start(); err != nil {
		return nil, err
	}
	go func() { r.ended <- r.process.Wait() }()
	select {
	case r.Host = <-w.host:
		return r, nil
	case err := <-r.ended:
		return nil, fmt.Errorf("docker-registry does not start: %w\n%s", err, w.seen.String())
	}
}

// Stop ends the registry; what it held stays where it is.
func (r *Registry) Stop() {
	_ = r.process.Process.Kill() // it may have ended by itself
	r.ended <- <-r.ended         // and is stopped a second time, perhaps
}

// watch passes a log on, and finds the line in which the registry names its port. One goroutine at a time writes to it, as os/exec
// promises for a writer that is both stdout and stderr.
type watch struct {
	to   io.Writer
	host chan string

	seen bytes.Buffer // until it has
	done bool
}

var listeningOn = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)

func (w *watch) Write(p []byte) (int, error) {
	if !w.done {
		w.seen.Write(p)
		if m := listeningOn.FindSubmatch(w.seen.Bytes()); m != nil {
			w.host <- string(m[1])
			w.done = true
		}
	}
	return w.to.Write(p)
}
