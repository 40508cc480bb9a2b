package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/platforms"
)

// A run has one engine, or several where NODES gives platforms to others: the arm64 image is built on the Pi that it is for and the
// amd64 one here, at the same time, and one list is published over both. A node builds its own architecture or nothing: one that is
// away ends the run, and never leaves its platform to an emulator elsewhere.

// nodes are the engines that this run's platforms are built on.
func (p *Pipeline) nodes() []string { return p.nodesOf(p.cfg.Run()) }

// nodesOf are the names in NODES of the engines that platforms are built on, each once; the empty one is the run's own.
func (p *Pipeline) nodesOf(list []ocispec.Platform) []string {
	var names []string
	for _, platform := range list {
		if name := p.cfg.NodeFor(platform); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// named are the nodes without the run's own engine.
func named(nodes []string) []string {
	return slices.DeleteFunc(slices.Clone(nodes), func(node string) bool { return node == "" })
}

// builtOn are the platforms of this run that a node builds, as people write them.
func (p *Pipeline) builtOn(node string) []string {
	return formatted(slices.DeleteFunc(p.cfg.Run(), func(platform ocispec.Platform) bool { return p.cfg.NodeFor(platform) != node }))
}

// formatted are platforms as people write them.
func formatted(list []ocispec.Platform) []string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = platforms.Format(p)
	}
	return names
}

// at is how a node is opened.
func at(node string) engine.Options {
	if strings.Contains(node, "://") {
		return engine.Options{Host: node, Origin: "NODES"}
	}
	return engine.Options{Context: node, Origin: "NODES"}
}

// openNodes opens the engines that are not open yet, all at once. Errors are those of the nodes, by index.
func (p *Pipeline) openNodes(ctx context.Context, nodes []string) []error {
	opened, errs := make([]*engine.Engine, len(nodes)), make([]error, len(nodes))
	var g errgroup.Group
	for i, node := range nodes {
		if opened[i] = p.engines[node]; opened[i] != nil {
			continue
		}
		g.Go(func() error {
			opened[i], errs[i] = p.open(ctx, at(node))
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	for i, node := range nodes {
		if errs[i] == nil {
			p.engines[node] = opened[i]
		}
	}
	return errs
}

// openEngines opens all that this run is built on: the nodes first, because the run's own may have to be installed.
func (p *Pipeline) openEngines(ctx context.Context) error {
	nodes := named(p.nodes())
	errs := p.openNodes(ctx, nodes)
	for i, node := range nodes {
		if errs[i] == nil {
			errs[i] = p.misplaced(node)
		}
	}
	if err := errors.Join(errs...); err != nil || len(nodes) == len(p.nodes()) {
		return err
	}
	return p.openOwn(ctx)
}

// openOwn opens the run's own engine, and gets one going when none answers and somebody said how.
func (p *Pipeline) openOwn(ctx context.Context) error {
	if p.engines[""] != nil {
		return nil
	}
	e, err := p.ensured(ctx, engine.Options{})
	if err == nil {
		p.engines[""] = e
	}
	return err
}

// misplaced refuses a node that is no machine of the platforms that it is to build: it would take an emulator, or the address is
// another one's.
func (p *Pipeline) misplaced(node string) error {
	if node == "" {
		return nil // which may have emulators
	}
	native := p.engines[node].Info().Platform
	for _, platform := range p.cfg.Run() {
		if p.cfg.NodeFor(platform) == node && !platforms.Runs(native, platform) {
			return usageError{fmt.Errorf("NODES has %s built on %s, which is %s: name a machine of that architecture, or leave the platform out of NODES",
				platforms.Format(platform), node, platforms.Format(native))}
		}
	}
	return nil
}

// on says where, if there is more than one place.
func (p *Pipeline) on(node string) string {
	e := p.engines[node]
	if e == nil || len(p.nodes()) < 2 {
		return ""
	}
	return " on " + e.Info().Address
}
