//go:build mage

// One image for many architectures. NAME=value words set the knobs; `help` lists them.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	_ "golang.org/x/crypto/x509roots/fallback" // an image from scratch has no CA certificates of its own

	"github.com/manymage/manymage/build"
	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/registry/local"
	//mage:import
	"github.com/manymage/manymage/magefiles/targets"
)

func init() {
	s := targets.Settings{Embedded: embedded, Ensure: ensure, Emulation: emulation}
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

// ensure gets an engine going with scripts/engine, which says what it does.
func ensure(ctx context.Context) error {
	if err := script(ctx, "ensure"); err != nil {
		return fmt.Errorf("%w: %w", engine.ErrUnreachable, err)
	}
	return nil
}

func emulation(ctx context.Context) error { return script(ctx, "emulation") }

// errNoScript is what the compiled binary says where it runs without its clone.
var errNoScript = errors.New("start one, or set DOCKER_HOST to where one answers")

// script runs scripts/engine of the clone, which scripts/mage names in MANYMAGE_HOME.
func script(ctx context.Context, command string) error {
	path := filepath.Join(os.Getenv("MANYMAGE_HOME"), "scripts", "engine")
	if _, err := os.Stat(path); err != nil {
		return errNoScript
	}
	cmd := exec.CommandContext(ctx, path, command)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("scripts/engine %s did not succeed, see above: %w", command, err)
	}
	return nil
}
