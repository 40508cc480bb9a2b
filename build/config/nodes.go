package config

import (
	"slices"
	"strings"

	"github.com/manymage/manymage/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// NODES says on which engine a platform is built:
//
//	arm64,arm/v7=ssh://pi@pi4   an address, as DOCKER_HOST has it
//	amd64=server                the name of a docker context
//
// with blanks or commas between them.

// Node is the engine that a platform is built on.
type Node struct {
	Platform ocispec.Platform
	// Engine is an address as DOCKER_HOST has it, or the name of a docker context.
	Engine string
}

// NodeFor is what NODES says of a platform; empty: the engine that DOCKER_HOST and its like name.
func (c Config) NodeFor(p ocispec.Platform) string {
	for _, n := range c.Nodes {
		if platforms.Equal(n.Platform, p) {
			return n.Engine
		}
	}
	return ""
}

// nodes reads NODES. Platforms that the image has not are let through: who has a cluster says so once for all images.
func (l *loader) nodes() {
	l.pairs("NODES", func(p *Pair, valued bool) string {
		if _, err := platforms.ParseList(p.Name); err != nil && !valued {
			return "does not say what is built there: write arm64=" + p.Name
		}
		for rest := p.Name + "=" + p.Value; rest != ""; {
			var names, engine string
			names, rest, _ = strings.Cut(rest, "=")
			engine, rest, _ = strings.Cut(rest, ",") // no address holds one
			if problem := l.node(names, engine); problem != "" {
				return problem
			}
		}
		return ""
	})
}

// node notes the engine of some platforms; of two that are said the last counts, as of all pairs.
func (l *loader) node(names, engine string) (problem string) {
	all, err := platforms.ParseList(names)
	switch {
	case err != nil:
		return badPlatform(err)
	case engine == "":
		return "has no engine: write " + names + "=ssh://user@host, or the name of a docker context"
	case leaks("", engine):
		return "has an address with a password in it: leave it out, ssh asks for it or has a key"
	case strings.HasPrefix(engine, "/"):
		return "has " + engine + ", which is the name of no docker context: write " + names + "=unix://" + engine
	case strings.Contains(engine, "@") && !strings.Contains(engine, "://"):
		return "has " + engine + ", which is the name of no docker context: write " + names + "=ssh://" + engine
	}
	for _, platform := range all {
		l.config.Nodes = slices.DeleteFunc(l.config.Nodes, func(n Node) bool { return platforms.Equal(n.Platform, platform) })
		l.config.Nodes = append(l.config.Nodes, Node{platform, engine})
	}
	return ""
}
