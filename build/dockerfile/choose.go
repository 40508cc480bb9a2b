package dockerfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Choose decides Auto, and says why of any strategy. A strategy that was asked for and cannot be is an *Error that says why.
func (f *File) Choose(want Strategy, o Options) (Choice, error) {
	g, err := f.graph(f.complete(o))
	if err != nil {
		return Choice{}, err
	}
	switch want {
	case Auto, "":
		return g.auto(), nil
	case Target:
		return Choice{Target, "it was asked for"}, nil
	case Native:
		return Choice{Native, "it was asked for: all stages run on the engine's platform"}, nil
	case Cross:
		if _, err := g.crossPins(); err != nil {
			return Choice{}, err
		}
		return Choice{Cross, "it was asked for"}, nil
	}
	return Choice{}, fmt.Errorf("unknown strategy %q: use auto, cross, target or native", want)
}

// auto is the order of the decision: a file that knows BuildKit's arguments knows best; one that declares ARG GOARCH where
// it compiles can be cross-built; all others are built as they are.
func (g *graph) auto() Choice {
	if line, name := g.file.modern(); name != "" {
		return Choice{Target, fmt.Sprintf("the Dockerfile uses %s (line %d)", name, line)}
	}
	arg, stage, found := g.compiling(autoMarks())
	if !found {
		return Choice{Target, "no stage that is needed declares ARG GOARCH"}
	}
	pins, conflict := g.pins(autoMarks())
	switch {
	case conflict != nil:
		return Choice{Target, fmt.Sprintf("ARG GOARCH (line %d) cannot be cross-built: %v", arg.Line, conflict.Err)}
	case len(pins) == 0:
		return Choice{Target, fmt.Sprintf("stage %s declares ARG GOARCH (line %d), and no FROM is left to pin to the engine's platform", stage.label(), arg.Line)}
	}
	return Choice{Cross, fmt.Sprintf("stage %s declares ARG GOARCH (line %d)", stage.label(), arg.Line)}
}

// compiling finds the first stage that is needed and marked.
func (g *graph) compiling(marks []string) (Arg, stage, bool) {
	for i, n := range g.nodes {
		if arg, found := n.declares(marks); found && g.reach[i] && n.kind != replaced {
			return arg, n.stage, true
		}
	}
	return Arg{}, stage{}, false
}

// modern finds the first use of an automatic argument: an ARG in any stage, or a FROM line or global default that refers to one.
func (f *File) modern() (line int, name string) {
	scope, err := f.scope(f.complete(Options{}))
	if err != nil {
		return 0, ""
	}
	found := func(at int, which string) {
		if which != "" && (name == "" || at < line) {
			line, name = at, which
		}
	}
	for _, a := range f.Args() {
		if isAutomatic(a.Name) {
			found(a.Line, a.Name)
		} else if a.Stage < 0 {
			found(a.Line, scope.automatic(a.Default))
		}
	}
	for _, s := range f.stages {
		found(s.line, scope.automatic(s.platform))
		found(s.line, scope.automatic(s.base))
	}
	return line, name
}

// automatic is the first automatic argument, by name, that a word refers to.
func (s *scope) automatic(word string) string {
	for _, name := range slices.Sorted(maps.Keys(s.used(word))) {
		if isAutomatic(name) {
			return name
		}
	}
	return ""
}

// autoMarks is what marks a compiling stage when nobody asked: GOARCH alone is sure to mean a compiler that can cross.
func autoMarks() []string { return []string{goArch} }

// crossMarks are what marks one when Cross was asked for: whatever carries the platform into a stage.
func (o Options) crossMarks() []string {
	return append([]string{goArch, "TARGETARCH", "TARGETPLATFORM"}, o.Arch...)
}

// crossPins are the roots to pin when the rewrite is going to happen. Nothing to pin is a fault unless the file pins by itself.
func (g *graph) crossPins() (map[int]bool, error) {
	pins, conflict := g.pins(g.o.crossMarks())
	if conflict != nil {
		return nil, conflict
	}
	if len(pins) > 0 || g.pinsItself() {
		return pins, nil
	}
	return nil, g.file.fault(0, "nothing can be cross-built: no stage beside the final image declares %s; use STRATEGY=target",
		strings.Join(g.o.crossMarks(), ", "))
}

// pinsItself tells whether a needed stage beside the final image has a --platform of its own.
func (g *graph) pinsItself() bool {
	for i, n := range g.nodes {
		if g.reach[i] && !g.final[i] && n.pinned != "" {
			return true
		}
	}
	return false
}
