package dockerfile

import (
	"errors"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// Refused is what builders refuse of a file that BuildKit's parser takes. BuildKit looks at all stages, also at those that the target does
// not need, a classic builder at those down to the target, one after the other, and never at a circle. Errors are *Error.
func (f *File) Refused(o Options, classic bool) error {
	g, err := f.graph(f.complete(o))
	if err != nil {
		return err
	}
	if classic {
		return g.variables(g.nodes[:g.target+1])
	}
	return errors.Join(g.variables(g.nodes), g.circles(), g.order())
}

// order refuses that a stage which is needed takes files from one below it, which BuildKit has not read by then.
func (g *graph) order() error {
	var all []error
	for _, n := range g.nodes {
		for _, line := range n.below {
			if g.reach[n.index] {
				all = append(all, g.file.fault(line, "stage %s takes files from a stage below it: move that one above line %d", n.label(), n.line))
			}
		}
	}
	return errors.Join(all...)
}

// variables refuses names of stages and images that hold one: a FROM alone may.
func (g *graph) variables(among []node) error {
	var all []error
	for _, n := range among {
		if n.kind == replaced {
			continue
		}
		body := n.body
		if !g.reach[n.index] {
			body = g.own(n)
		}
		for _, in := range body {
			c, isCopy := in.command.(*instructions.CopyCommand)
			if isCopy && g.fillsIn(c.From) {
				all = append(all, g.file.fault(in.line(), "--from=%s holds a variable, which COPY does not fill in: write FROM %s AS name with its ARG above the first FROM, and --from=name",
					c.From, c.From))
			}
		}
	}
	return errors.Join(all...)
}

// fillsIn tells whether a word is another one when its variables are filled in, as BuildKit asks.
func (g *graph) fillsIn(word string) bool {
	filled, _, err := shell.NewLex(g.file.escape).ProcessWord(word, shell.EnvsFromSlice(nil))
	return err == nil && filled != word
}

// own is a stage's body without the ONBUILD instructions of what it is built on, which nobody reads of a stage that nobody needs.
func (g *graph) own(n node) []instruction { return g.file.stages[n.index].body }

// circles are those of stages that take files from each other. What they are built on leads to none: a FROM names a stage above.
func (g *graph) circles() error {
	seen := make([]bool, len(g.nodes))
	leads := func(n node) []int {
		if len(n.body) > len(g.own(n)) {
			return nil
		}
		return n.sources
	}
	for i := range g.nodes {
		if err := g.walk(i, seen, leads, nil); err != nil {
			return err
		}
	}
	return nil
}
