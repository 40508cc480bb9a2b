package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for another program. Nothing here takes a tenth of it on an idle machine.
const patience = 5 * time.Minute

// suite is what the tests of this process share: set by TestMain, ended by it.
var suite *shared

type shared struct {
	clone string // the clone's root
	temp  string // removed at the end
	home  string // an empty HOME for the programs that are run: no test depends on a developer's Docker configuration

	mu      sync.Mutex
	onces   map[string]*once
	closers []func()
}

// once is a fixture that is made by the first who asks; an error is every later caller's, too.
type once struct {
	sync.Once
	value any
	err   error
}

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Println("e2e: left out by -short")
		os.Exit(0)
	}
	// One more than there are processors: they wait for engines and disks.
	if err := flag.Set("test.parallel", strconv.Itoa(runtime.GOMAXPROCS(0)+1)); err != nil {
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if suite, err = open(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer suite.close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, func() { suite.close(); os.Exit(130) })()
	return m.Run()
}

func open() (*shared, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("these tests start container engines: run them as root on Debian, or leave them out with -short")
	}
	clone, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "manymage-e2e-")
	if err != nil {
		return nil, err
	}
	s := &shared{clone: clone, temp: temp, home: filepath.Join(temp, "home"), onces: map[string]*once{}}
	if err := holdEngines(clone); err != nil {
		return nil, err
	}
	return s, os.Mkdir(s.home, 0o755)
}

// atEnd registers what ends a fixture.
func (s *shared) atEnd(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, f)
}

// close ends everything at once, and what it stands on after that: most of the time is engines letting go of their mounts.
func (s *shared) close() {
	s.mu.Lock()
	closers := s.closers
	s.closers = nil
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, end := range closers {
		wg.Go(end)
	}
	wg.Wait()
	os.RemoveAll(s.temp)
}

// lazily returns the fixture of that name, made by the first caller; the others wait for it.
func lazily[T any](t *testing.T, name string, make func() (T, error)) T {
	t.Helper()
	suite.mu.Lock()
	o := suite.onces[name]
	if o == nil {
		o = &once{}
		suite.onces[name] = o
	}
	suite.mu.Unlock()
	o.Do(func() { o.value, o.err = make() })
	if o.err != nil {
		t.Fatalf("%s: %v", name, o.err)
	}
	return o.value.(T)
}

// output runs a program and returns its stdout; its stderr is part of the error.
func output(env []string, name string, args ...string) (string, error) {
	return outputWithin(patience, env, name, args...)
}

// outputWithin is output for what compiles this project for other machines from nothing, which takes minutes on two cores.
func outputWithin(bound time.Duration, env []string, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// script runs one of the project's scripts.
func script(env []string, name string, args ...string) (string, error) {
	return output(env, filepath.Join(suite.clone, "scripts", name), args...)
}
