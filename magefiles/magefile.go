//go:build mage

// One image for many architectures. NAME=value words set the knobs; `help` lists them.
package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"github.com/manymage/manymage/build"
	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/registry/local"
	//mage:import
	"github.com/manymage/manymage/magefiles/targets"
)

func init() {
	s := targets.Settings{Embedded: embedded, Roots: roots}
	if script := engineScript(); script != "" {
		s.Ensure = func(ctx context.Context) error { return ensure(ctx, script) }
		s.Emulation = func(ctx context.Context) error { return run(ctx, script, "emulation") }
	}
	if here() {
		s.Knobs = config.Defaults{Arches: []string{"amd64", "arm64", "arm/v7"}}
		s.Before = binaries
	}
	targets.Defaults(s)
}

// here tells whether the folder of the run is this project's own, rather than somebody's whom scripts/mage serves.
func here() bool {
	mod, err := os.ReadFile("go.mod")
	return err == nil && bytes.HasPrefix(mod, []byte("module github.com/manymage/manymage\n"))
}

// embedded serves build/registry/local at the port where it was, or at the next free one; one that serves the folder is joined.
func embedded(ctx context.Context, dir string, port int) (*build.Served, error) {
	server, err := local.Serve(ctx, local.Options{Dir: dir, Prefer: port})
	if err != nil {
		return nil, err
	}
	return &build.Served{Address: server.Address(), Joined: server.Joined(), Close: server.Close}, nil
}

// engineScript is the clone's scripts/engine, which scripts/mage names by MANYMAGE_HOME. Empty: the compiled binary is without its
// clone; a script of that name in the user's own folder is the user's.
func engineScript() string {
	clone := os.Getenv("MANYMAGE_HOME")
	if clone == "" && !here() {
		return ""
	}
	path := filepath.Join(clone, "scripts", "engine")
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// ensure gets an engine going with scripts/engine, which says what it does.
func ensure(ctx context.Context, script string) error {
	err := run(ctx, script, "ensure")
	if err == nil {
		return nil
	}
	if why, same := strings.CutPrefix(err.Error(), engine.ErrUnreachable.Error()); same {
		return fmt.Errorf("%w%s", engine.ErrUnreachable, why)
	}
	return fmt.Errorf("%w: %w", engine.ErrUnreachable, err)
}

// roots are Mozilla's certificate authorities: this project's own image is from scratch, and has no file of them.
func roots() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue // one authority less is no reason to trust none
		}
		pool.AddCertWithConstraint(cert, root.Constraint)
	}
	return pool
}

// run gives a script's reason for its failure as the error.
func run(ctx context.Context, script, command string) error {
	cmd := exec.CommandContext(ctx, script, command)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second // what it started (apt-get, say) finishes, and is not waited for
	said := &lastLine{out: os.Stderr}
	cmd.Stderr = said // its stdout is for programs
	err := cmd.Run()
	if why := strings.TrimSpace(string(said.line)); err != nil && why != "" {
		return errors.New(strings.TrimPrefix(why, "scripts/engine: "))
	}
	if err != nil {
		return fmt.Errorf("scripts/engine %s did not succeed: %w", command, err)
	}
	_, err = os.Stderr.Write(said.line)
	return err
}

// lastLine passes text on, but for the line that is the last until now: of a program that fails it is the reason, to be told once.
type lastLine struct {
	out  io.Writer
	line []byte
}

func (l *lastLine) Write(p []byte) (int, error) {
	for _, part := range bytes.SplitAfter(p, []byte("\n")) {
		if len(part) > 0 && bytes.HasSuffix(l.line, []byte("\n")) {
			if _, err := l.out.Write(l.line); err != nil {
				return 0, err
			}
			l.line = nil
		}
		l.line = append(l.line, part...)
	}
	return len(p), nil
}
