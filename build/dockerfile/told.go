package dockerfile

import (
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// told fills arguments into a word of a stage, of which the instructions above it are known: sure where each has the same value for every
// builder, unless a base has a variable by one of the names that the value goes by.
func (g *graph) told(n node, word string) (text string, by []string, sure bool) {
	t := &told{graph: g, stage: n}
	result, err := shell.NewLex(g.file.escape).ProcessWordWithMatches(word, t)
	return result.Result, t.by, err == nil && len(result.Unmatched) == 0
}

// told looks arguments up for a word of a stage.
type told struct {
	graph *graph
	stage node
	by    []string // the names that were asked for, those of defaults included
}

// Get is the value of an argument that the stage declares above the word, and no ENV sets.
func (t *told) Get(name string) (value string, sure bool) {
	g := t.graph
	t.by = append(t.by, name)
	at := t.stage.declarations(name)
	switch {
	case len(at) == 0 || g.sets(name):
		return "", false
	case g.isGiven(name):
		return g.o.Args[name], true
	case isAutomatic(name):
		value = automatic(g.o.Build, g.o.Platform)[name]
		return value, !g.file.defaults(name)
	case len(at) > 1 || g.declaredBelow(t.stage, name): // builders differ in which of them counts
		return "", false
	}
	return t.byDefault(name, at[0])
}

// Keys are asked for nowhere where a word is filled in.
func (*told) Keys() []string { return nil }

// byDefault is the value of an argument that nobody gives: that of its only declaration in the stage, else that of one before the stages.
func (t *told) byDefault(name string, at int) (value string, sure bool) {
	for _, a := range declared(t.stage.body[at], t.stage.index) {
		if a.Name == name && a.HasDefault {
			above := t.stage
			above.body = above.body[:at]
			value, by, sure := t.graph.told(above, a.Default)
			t.by = append(t.by, by...)
			return value, sure
		}
	}
	value, sure = t.graph.forAll[name]
	return value, sure
}

// declarations are the places of the stage's instructions that declare an argument.
func (n node) declarations(name string) (at []int) {
	for i, in := range n.body {
		if slices.ContainsFunc(declared(in, n.index), func(a Arg) bool { return a.Name == name }) {
			at = append(at, i)
		}
	}
	return at
}

// declaredBelow tells whether a stage that this one is built on declares an argument, too.
func (g *graph) declaredBelow(n node, name string) bool {
	for at := n.parent(); at >= 0; at = g.nodes[at].parent() {
		if _, declared := g.nodes[at].declares([]string{name}); declared {
			return true
		}
	}
	return false
}

// isGiven tells whether an argument is given, by the user or for the platform.
func (g *graph) isGiven(name string) bool {
	_, given := g.o.Args[name]
	return given
}

// onNothing tells of a stage that is built on FROM scratch in the end.
func (g *graph) onNothing(n node) bool { return g.nodes[g.root(n.index)].kind == fromScratch }

// sets tells whether any ENV has a word for a name, which then beats an argument.
func (g *graph) sets(name string) bool {
	return slices.ContainsFunc(g.nodes, func(n node) bool {
		return slices.ContainsFunc(n.body, func(in instruction) bool {
			env, ok := in.command.(*instructions.EnvCommand)
			return ok && slices.ContainsFunc(env.Env, func(pair instructions.KeyValuePair) bool { return pair.Key == name })
		})
	})
}

// defaults tells whether any ARG has a word for a name, or stands before the stages, where frontends differ in what its value is then.
func (f *File) defaults(name string) bool {
	return slices.ContainsFunc(f.Args(), func(a Arg) bool { return a.Name == name && (a.HasDefault || a.Stage < 0) })
}
