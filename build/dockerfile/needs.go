package dockerfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/manymage/manymage/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ForeignRuns are the RUN instructions that the target needs and that run on another platform than o.Build under the strategy,
// in the order of the file.
func (f *File) ForeignRuns(s Strategy, o Options) ([]Run, error) {
	g, pins, err := f.under(s, o)
	if err != nil {
		return nil, err
	}
	var runs []Run
	err = g.needed(pins, func(n node, p ocispec.Platform) {
		if n.kind == replaced || platforms.Equal(p, g.o.Build) {
			return
		}
		for _, in := range n.body {
			if _, isRun := in.command.(*instructions.RunCommand); isRun {
				runs = append(runs, Run{Line: in.line(), Text: short(in.node.Original), Stage: n.label(), Platform: p})
			}
		}
	})
	return runs, err
}

// needed goes through the stages that the target needs, with the platform of each.
func (g *graph) needed(pins map[int]bool, look func(node, ocispec.Platform)) error {
	for i, n := range g.nodes {
		if !g.reach[i] {
			continue
		}
		p, err := g.platform(i, pins)
		if err != nil {
			return err
		}
		look(n, p)
	}
	return nil
}

// Bases are the images that building the target under the strategy pulls, each once per platform, in the order of the file.
// What a COPY --from pulls is the solve's platform's whatever stage it stands in, as in BuildKit.
func (f *File) Bases(s Strategy, o Options) ([]Base, error) {
	g, pins, err := f.under(s, o)
	if err != nil {
		return nil, err
	}
	solve := platforms.Normalize(g.o.Platform)
	var all []Base
	err = g.needed(pins, func(n node, p ocispec.Platform) {
		if n.kind == fromImage {
			all = append(all, g.base(n, pull{n.image, n.written, n.line}, p, false))
		}
		for _, pull := range n.pulls {
			all = append(all, g.base(n, pull, solve, true))
		}
	})
	return once(all), err
}

// Contexts are the named contexts that building the target under the strategy takes, each once per platform. The platforms are those
// that an image in such a place is wanted for, as with Bases.
func (f *File) Contexts(s Strategy, o Options) ([]Context, error) {
	g, pins, err := f.under(s, o)
	if err != nil {
		return nil, err
	}
	var all []Context
	add := func(name string, p ocispec.Platform) {
		if !slices.ContainsFunc(all, func(c Context) bool { return c.Name == name && platforms.Equal(c.Platform, p) }) {
			all = append(all, Context{Name: name, Platform: p})
		}
	}
	err = g.needed(pins, func(n node, p ocispec.Platform) {
		if n.context != "" {
			add(n.context, p)
		}
		if n.kind == replaced {
			return
		}
		for _, name := range n.taken {
			add(name, platforms.Normalize(g.o.Platform))
		}
	})
	return all, err
}

// Unneeded are the stages, counted from 0, that building the target under the strategy leaves out.
func (f *File) Unneeded(s Strategy, o Options) ([]int, error) {
	g, _, err := f.under(s, o)
	if err != nil {
		return nil, err
	}
	var all []int
	for i, needed := range g.reach {
		if !needed {
			all = append(all, i)
		}
	}
	return all, nil
}

// base is what a stage starts or copies from.
func (g *graph) base(n node, from pull, p ocispec.Platform, copied bool) Base {
	b := Base{Image: from.image, Platform: p, Line: from.line, Stage: n.label()}
	b.Hint, b.Likely = g.hint(n, from.written, copied)
	return b
}

// once keeps the first of those that are the same image on the same platform.
func once(all []Base) []Base {
	var kept []Base
	for _, b := range all {
		if !slices.ContainsFunc(kept, func(k Base) bool { return k.Image == b.Image && platforms.Equal(k.Platform, b.Platform) }) {
			kept = append(kept, b)
		}
	}
	return kept
}

// under is the graph as the strategy builds it: for Native as if the engine's platform had been asked for. Auto must have been decided.
func (f *File) under(s Strategy, o Options) (*graph, map[int]bool, error) {
	if s != Cross && s != Target && s != Native {
		return nil, nil, fmt.Errorf("strategy %q is not decided: ask Choose", s)
	}
	if o = f.complete(o); s == Native {
		o.Platform = o.Build
	}
	g, err := f.graph(o)
	if err != nil || s != Cross {
		return g, nil, err
	}
	pins, err := g.crossPins()
	return g, pins, err
}

// longestText keeps an instruction readable inside a sentence.
const longestText = 80

// short is the instruction in one line.
func short(code string) string {
	line := strings.Join(strings.Fields(code), " ")
	if runes := []rune(line); len(runes) > longestText {
		return string(runes[:longestText-3]) + "..."
	}
	return line
}
