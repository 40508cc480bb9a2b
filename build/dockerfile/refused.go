package dockerfile

import (
	"cmp"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// Refused is what builders refuse of a file that BuildKit's parser takes. BuildKit looks at all stages, also at those that the target does
// not need, a classic builder at those down to the target, one after the other, and never at a circle; Docker's alone minds a second
// stage of one name and a path that climbs, Podman's alone the capitals in a stage's name. Errors are *Error.
func (f *File) Refused(o Options) error {
	g, err := f.graph(f.complete(o))
	if err != nil {
		return err
	}
	switch {
	case o.Unsure:
		return errors.Join(g.circles(), g.open())
	case o.Every:
		return errors.Join(g.twice(), g.variables(g.nodes[:g.target+1]), g.order(), g.open(), g.leaving())
	case o.Classic:
		return errors.Join(g.variables(g.nodes[:g.target+1]), g.order(), g.open(), g.capitals())
	}
	return errors.Join(g.variables(g.nodes), g.circles(), g.order(), g.open())
}

// order refuses that a stage which is needed takes files from one below it, which no builder has read by then.
func (g *graph) order() error {
	var all []error
	for _, n := range g.nodes {
		for _, line := range n.below {
			if g.reach[n.index] && n.kind != replaced {
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

// twice refuses a second stage of one name, which Docker's classic builder takes for a slip.
func (g *graph) twice() error {
	var all []error
	for i, n := range g.nodes[:g.target+1] {
		first := slices.IndexFunc(g.nodes, func(other node) bool { return other.name == n.name })
		if n.name != "" && first < i {
			all = append(all, g.file.fault(n.line, "there is a stage %s above (line %d), and the classic builder takes no second one: give this one another name", n.name, g.nodes[first].line))
		}
	}
	return errors.Join(all...)
}

// capitals refuses a stage's name in other letters than its own.
func (g *graph) capitals() error {
	other := func(line int, name string) error {
		at := slices.IndexFunc(g.nodes, func(n node) bool { return n.name != "" && n.name == strings.ToLower(name) })
		if at < 0 || slices.ContainsFunc(g.nodes, func(n node) bool { return n.spelled == name }) {
			return nil
		}
		return g.file.fault(line, "stage %s is called %s in line %d, and Podman tells capitals apart: write both in the same letters", name, g.nodes[at].spelled, g.nodes[at].line)
	}
	all := []error{other(g.nodes[g.target].line, g.o.Target)}
	for _, n := range g.nodes {
		if g.reach[n.index] && n.kind == fromStage {
			all = append(all, other(n.line, n.written))
		}
	}
	return errors.Join(append(all, g.built(func(_ node, in instruction) error {
		var all []error
		for _, from := range froms(in.command) {
			all = append(all, other(in.line(), from))
		}
		return errors.Join(all...)
	}))...)
}

// open refuses words that have no end, of what is built, and others in which no Docker fills in variables: Podman and other versions of
// BuildKit's frontend know more ways to write one.
func (g *graph) open() error {
	lex, others := shell.NewLex(g.file.escape), !g.o.Unsure && g.o.Classic == g.o.Every
	return g.built(func(_ node, in instruction) error {
		for _, word := range g.expanded(in) {
			if _, _, err := lex.ProcessWord(word, anything{}); err != nil && (others || hasNoEnd(err)) {
				return g.file.unread(in.line(), word, err)
			}
		}
		return nil
	})
}

// isOpen tells the lexer's error of a quote without an end, hasNoEnd that of a brace, too.
func isOpen(err error) bool   { return strings.HasSuffix(err.Error(), "-quote") }
func hasNoEnd(err error) bool { return isOpen(err) || strings.HasSuffix(err.Error(), "missing '}'") }

// unread says what is wrong with a word in which no variable can be filled in.
func (f *File) unread(line int, word string, err error) error {
	if isOpen(err) {
		return f.fault(line, "%s has a quote without its end: close it, or escape it if it belongs there; words end at blanks, and a path with one is written as in COPY [\"a b\", \"/\"]", word)
	}
	if hasNoEnd(err) {
		return f.fault(line, "%s has a brace without its end, or a quote in braces: close it, or write \\' for a quote that belongs there", word)
	}
	return f.fault(line, "%w; correct it", oneLine(err))
}

// expanded are the words of an instruction in which builders fill variables in, but for those of RUN, which its shell reads.
func (g *graph) expanded(in instruction) (all []string) {
	switch c := in.command.(type) {
	case *instructions.RunCommand:
	case *instructions.ArgCommand:
		for _, arg := range c.Args {
			if _, given := g.o.Args[arg.Key]; !given {
				all = append(all, arg.ValueString())
			}
		}
	case instructions.SupportsSingleWordExpansion:
		_ = c.Expand(func(word string) (string, error) {
			all = append(all, word)
			return word, nil
		})
	}
	return all
}

// anything has a value for each name, so that what is wrong with a word is wrong whatever its variables are.
type anything struct{}

func (anything) Get(string) (string, bool) { return "x", true }
func (anything) Keys() []string            { return nil }

// leaving refuses paths that climb out of what is copied from or to, at whose top others stop. One that begins in the WORKDIR may.
func (g *graph) leaving() error {
	return g.built(func(n node, in instruction) error {
		for _, t := range taken(in) {
			if word, sure := g.plain(n, t.path); sure && climbs(word) {
				return g.file.fault(in.line(), "%s leads out of %s: correct the path, which begins there", word, cmp.Or(t.from, "the context"))
			}
		}
		if word, sure := g.plain(n, destination(in)); sure && path.IsAbs(word) && climbs(word) {
			return g.file.fault(in.line(), "%s leads out of the image: correct the path, which begins there", word)
		}
		return nil
	})
}

// climbs tells whether a path leads out of the folder that it begins in.
func climbs(name string) bool {
	up := path.Clean(strings.TrimLeft(name, "/"))
	return up == ".." || strings.HasPrefix(up, "../")
}

// destination is where an instruction copies to, empty for one that copies nothing.
func destination(in instruction) string {
	switch c := in.command.(type) {
	case *instructions.CopyCommand:
		return c.DestPath
	case *instructions.AddCommand:
		return c.DestPath
	}
	return ""
}

// built goes through the instructions of the stages that are built, each with its stage as it is before.
func (g *graph) built(look func(node, instruction) error) error {
	var all []error
	for _, n := range g.nodes {
		if !g.reach[n.index] || n.kind == replaced {
			continue
		}
		body := n.body
		for i, in := range body {
			n.body = body[:i]
			all = append(all, look(n, in))
		}
	}
	return errors.Join(all...)
}
