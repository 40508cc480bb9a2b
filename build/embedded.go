package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/distribution/reference"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/record"
)

// Embedded serves a registry out of the folder dir on loopback, at the port if it is free and at another one otherwise; port 0 has no
// preference. build/registry/local is one; it is handed in, so that who does not want it does not link it.
type Embedded func(ctx context.Context, dir string, port int) (*Served, error)

// Served is a registry that serves.
type Served struct {
	Address string // host:port
	Joined  bool   // another process serves it
	Close   func() error
}

// registryDir is where the embedded registry's content is, from the folder of the run.
const registryDir = "dist/registry"

// ErrLoopback says that the engine cannot reach a registry in this process.
var ErrLoopback = errors.New("the engine cannot reach the registry in this process")

// RegistryDir is where the embedded registry of a run in dir keeps its content.
func RegistryDir(dir string) string { return filepath.Join(dir, filepath.FromSlash(registryDir)) }

// Serve starts the embedded registry of a folder, where the record says that it was last, if it can be there again.
func Serve(ctx context.Context, embedded Embedded, dir string) (*Served, error) {
	if embedded == nil {
		return nil, usageError{errors.New("this program has no embedded registry: Settings.Embedded in its magefile gives it one")}
	}
	return embedded(ctx, RegistryDir(dir), recordedPort(dir))
}

// recordedPort keeps the image's name the same from run to run.
func recordedPort(dir string) int {
	r, err := record.Read(filepath.Join(dir, record.Path))
	if err != nil || r.Registry == nil {
		return 0
	}
	_, text, err := net.SplitHostPort(r.Registry.Address)
	if err != nil {
		return 0
	}
	port, _ := strconv.Atoi(text) // 0 is no preference
	return port
}

// place gives an embedded image its registry; for every other image there is nothing to do.
func (p *Pipeline) place(ctx context.Context) error {
	if !p.cfg.Embedded || p.served != nil {
		return nil
	}
	if p.opts.Embedded == nil {
		return &config.UsageError{Knob: "IMG", Problem: "no image is named and this program has no embedded registry: set IMG=registry/me/app"}
	}
	// It outlives the target that started it: `build push` are two.
	served, err := Serve(context.WithoutCancel(ctx), p.opts.Embedded, p.cfg.Dir)
	if err != nil {
		return err
	}
	p.served = served
	p.cfg = p.cfg.WithRegistry(served.Address)
	return nil
}

// reachable refuses to build for the embedded registry on an engine that runs on another machine, or in a virtual one.
func (p *Pipeline) reachable(info engine.Info) error {
	if !p.cfg.Embedded || info.Apart == "" {
		return nil
	}
	return fmt.Errorf("%w: the one at %s %s; set IMG=registry/me/app to a registry that both reach", ErrLoopback, info.Address, info.Apart)
}

// reach starts the embedded registry when a reference is in it and nobody serves it: what a run has published can be read later
// without a second terminal.
func (p *Pipeline) reach(ctx context.Context, ref reference.Named) error {
	if p.opts.Embedded == nil || p.served != nil {
		return nil
	}
	last, err := record.Read(p.recordPath())
	if err != nil || last.Registry == nil || last.Registry.Address != reference.Domain(ref) {
		return nil //nolint:nilerr // without a record there is no embedded registry to reach
	}
	if conn, err := new(net.Dialer).DialContext(ctx, "tcp", last.Registry.Address); err == nil {
		return conn.Close()
	}
	p.served, err = Serve(context.WithoutCancel(ctx), p.opts.Embedded, p.cfg.Dir)
	return err
}

// Reference reads a reference of the command line; without one it is the configured image's first tag. What is in the embedded
// registry is within reach afterwards.
func (p *Pipeline) Reference(ctx context.Context, text string) (reference.Named, error) {
	if text == "" {
		if _, err := os.Stat(RegistryDir(p.cfg.Dir)); p.cfg.Embedded && p.opts.Embedded != nil && errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("nothing is published from this folder: there is no %s; `build push` makes it, or name an image", registryDir)
		}
		if err := p.place(ctx); err != nil {
			return nil, err
		}
		text = p.cfg.ListRefs()[0]
	}
	ref, err := lists.ParseReference(text)
	if err != nil {
		return nil, err
	}
	return ref, p.reach(ctx, ref)
}
