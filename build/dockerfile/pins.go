package dockerfile

import "fmt"

// pins are the roots that get --platform=$BUILDPLATFORM: a FROM that names an image, is needed by the target, is not what the
// final image is built on, has no --platform, is no other image for each platform, and on which a needed stage that declares one of the marks is built.
// A root that is needed on both platforms is a conflict.
func (g *graph) pins(marks []string) (map[int]bool, *Error) {
	compiles := g.compiles(marks)
	pins := map[int]bool{}
	for i := range g.nodes {
		if !g.reach[i] || g.final[i] || !compiles[i] {
			continue
		}
		root := g.nodes[g.root(i)]
		if g.final[root.index] {
			return nil, g.bothWays(root, "stage %s compiles on it (line %d) and the final image is built on it too", g.nodes[i])
		}
		if root.kind == fromImage && root.pinned == "" && !root.varies {
			pins[root.index] = true
		}
	}
	return pins, g.dataOn(pins, compiles)
}

// compiles marks the stages that declare the argument or are built on one that does, for an ARG is inherited.
func (g *graph) compiles(marks []string) []bool {
	all := make([]bool, len(g.nodes))
	for i, n := range g.nodes {
		_, declares := n.declares(marks)
		all[i] = n.kind != replaced && (declares || n.parent() >= 0 && all[n.parent()])
	}
	return all
}

// dataOn looks for a stage that is built on a pinned root, does not compile, and whose files go into the final image or into
// another data stage: those files must be the target's. Where only compiling stages take them (a stage that downloads modules,
// say) they are the engine's like the compiler that reads them.
func (g *graph) dataOn(pins map[int]bool, compiles []bool) *Error {
	for taker, n := range g.nodes {
		if !g.reach[taker] || compiles[taker] && !g.final[taker] {
			continue
		}
		for _, source := range n.sources {
			root := g.nodes[g.root(source)]
			if pins[root.index] && !compiles[source] {
				return g.bothWays(root, "stage %s (line %d) has files of the target's platform on it", g.nodes[source])
			}
		}
	}
	return nil
}

func (g *graph) bothWays(root node, format string, other node) *Error {
	why := fmt.Sprintf(format, other.label(), other.line)
	return &Error{Name: g.file.name, Line: root.line,
		Err: fmt.Errorf("FROM %s is needed on both platforms: %s; give each a FROM of its own, or use STRATEGY=target", root.base, why)}
}
