package dockerfile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/manymage/manymage/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// kind is what a FROM names.
type kind int

const (
	fromImage kind = iota
	fromScratch
	fromStage
	fromContext
	replaced // a named context has the stage's own name: nothing of the stage is built, though BuildKit looks at what it copies from
)

// node is a stage whose references are resolved.
type node struct {
	stage
	kind    kind
	from    int      // the stage that it is built on, for fromStage
	image   string   // the image that it is built on in full form, for fromImage
	written string   // what the FROM names, ARGs expanded
	varies  bool     // the image is another one for each platform (FROM $GOARCH/alpine)
	pinned  string   // its --platform, expanded; "" without one
	sources []int    // stages that it copies or mounts from
	below   []int    // the lines on which it does so from one below it
	pulls   []pull   // images that it copies or mounts from
	context string   // the named context that it is built on, or that stands for it
	taken   []string // named contexts that it copies or mounts from
	fault   error    // why its FROM cannot be resolved, which a classic builder minds only where it builds the stage
}

// pull is an image that a COPY --from or RUN --mount=from names.
type pull struct {
	image   string
	written string
	line    int
}

// graph is the file under the given options: who is built on whom, and who takes files from whom.
type graph struct {
	file   *File
	o      Options
	nodes  []node
	target int
	forAll map[string]string // the values of what is declared before the stages
	// reach are the stages that the target needs, final those of them that it is built on, itself included.
	reach, final []bool
}

// graph resolves every reference as builders do: a FROM knows the stages above it, a COPY all of them, or where the builder is a classic
// one those above, too. The options are complete.
func (f *File) graph(o Options) (*graph, error) {
	scope, err := f.scope(o)
	if err != nil {
		return nil, err
	}
	g := &graph{file: f, o: o, forAll: scope.values, reach: make([]bool, len(f.stages)), final: make([]bool, len(f.stages))}
	names := map[string]int{}
	for _, s := range f.stages {
		n, err := g.resolve(s, scope, names)
		if err != nil && !g.passesOver(s) {
			return nil, err
		}
		if n.fault = err; err != nil {
			n.kind = fromScratch
		}
		g.nodes = append(g.nodes, n)
		if s.name != "" {
			names[s.name] = s.index
		}
	}
	if err := g.link(names); err != nil {
		return nil, err
	}
	if err := g.mark(); err != nil {
		return nil, err
	}
	for _, n := range g.nodes {
		if n.fault != nil && g.reach[n.index] {
			return nil, n.fault
		}
	}
	return g, nil
}

// passesOver tells whether a builder may never look at the FROM of a stage: a classic one ends at the target, and of what it leaves out
// above it only fills the variables in.
func (g *graph) passesOver(s stage) bool {
	if !g.o.Classic {
		return false
	}
	if last := g.file.called(g.o.Target, g.o); last >= 0 && s.index > last {
		return true
	}
	lex := shell.NewLex(g.file.escape)
	_, _, badBase := lex.ProcessWord(s.base, anything{})
	_, _, badPlatform := lex.ProcessWord(s.platform, anything{})
	return badBase == nil && badPlatform == nil
}

// called is the stage that a TARGET names, the last one without a name; -1 where there is none. Of two a classic builder takes the first,
// and BuildKit the last.
func (f *File) called(target string, o Options) int {
	if target == "" {
		return len(f.stages) - 1
	}
	found := -1
	for _, s := range f.stages {
		if s.name == strings.ToLower(target) && (found < 0 || !o.Classic) {
			found = s.index
		}
	}
	return found
}

// complete puts in what the caller left out, and the build-args that will be given besides the user's.
func (f *File) complete(o Options) Options {
	if o.Build.Architecture == "" {
		o.Build = platforms.Host()
	}
	if o.Platform.Architecture == "" {
		o.Platform = o.Build
	}
	args := f.BuildArgs(o.Platform)
	maps.Copy(args, o.Args)
	o.Args = args
	return o
}

// resolve finds out what the FROM of a stage names.
func (g *graph) resolve(s stage, scope *scope, names map[string]int) (node, error) {
	n := node{stage: s}
	base, err := g.word(s, scope, s.base)
	if err != nil {
		return n, err
	}
	if n.pinned, err = g.word(s, scope, s.platform); err != nil {
		return n, err
	}
	n.written = base
	known := base
	if g.o.Classic { // to BuildKit a FROM in capitals is no stage
		known = strings.ToLower(base)
	}
	from, isStage := names[known]
	switch {
	case g.isContext(s.name) && !g.o.Classic:
		n.kind, n.context = replaced, g.context(s.name)
	case isStage:
		n.kind, n.from = fromStage, from
		n.body, err = g.triggered(g.nodes[from].triggers(), s)
	case base == "scratch":
		n.kind = fromScratch
	case g.isContext(base):
		n.kind, n.context = fromContext, g.context(base)
	default:
		n.image, err = full(base)
		n.varies = g.varies(scope, s.base)
		if err != nil {
			return n, g.noImage(s, scope, base, err)
		}
		n.body, err = g.triggered(waiting(g.o.OnBuild[n.image], s.line), s)
	}
	return n, err
}

// trigger is what an ONBUILD has waiting, and the node that tells where.
type trigger struct {
	text string
	node *parser.Node
}

// triggers are those of a stage.
func (n node) triggers() (all []trigger) {
	for _, i := range n.body {
		if on, ok := i.command.(*instructions.OnbuildCommand); ok {
			all = append(all, trigger{on.Expression, i.node})
		}
	}
	return all
}

// waiting are those of an image, told of at the line of the FROM that names it.
func waiting(onBuild []string, line int) (all []trigger) {
	for _, text := range onBuild {
		all = append(all, trigger{text, &parser.Node{Original: "ONBUILD " + text, StartLine: line}})
	}
	return all
}

// triggered is the body of a stage with the ONBUILD instructions of what it is built on before it: they run there, and nowhere below.
func (g *graph) triggered(base []trigger, s stage) (body []instruction, err error) {
	for _, t := range base {
		read, err := parser.Parse(strings.NewReader(t.text))
		if err != nil {
			return nil, g.file.fault(t.node.StartLine, "%w", oneLine(err))
		}
		command, err := instructions.ParseCommand(read.AST.Children[0])
		if err != nil {
			return nil, g.file.fault(t.node.StartLine, "%w", oneLine(err))
		}
		body = append(body, instruction{command, t.node})
	}
	return append(body, s.body...), nil
}

// noImage says what a FROM becomes that names no image, and which variable is missing in it.
func (g *graph) noImage(s stage, scope *scope, base string, err error) error {
	_, missing, _ := scope.expand(s.base)
	for _, name := range slices.Sorted(maps.Keys(missing)) { // the first is enough: the next is told when it is there
		return g.file.fault(s.line, "FROM's %s becomes %q, as %s has no value: %s", s.base, base, name, g.giveValue(name))
	}
	return g.file.fault(s.line, "FROM %s names no image: %w; correct it", base, err)
}

// giveValue is how a variable of a FROM gets its value.
func (g *graph) giveValue(name string) string {
	for _, i := range g.file.global {
		for _, a := range declared(i, -1) {
			if a.Name == name {
				return fmt.Sprintf("give it with BUILD_ARGS=%s=..., or ARG %s (line %d) a default", name, name, a.Line)
			}
		}
	}
	return fmt.Sprintf("declare ARG %s above the first FROM, and give it with BUILD_ARGS=%s=...", name, name)
}

// varies tells whether a word of a FROM line refers to an argument that is another for each platform.
func (g *graph) varies(scope *scope, word string) bool {
	used := scope.used(word)
	return slices.ContainsFunc(g.o.crossMarks(), func(mark string) bool {
		_, found := used[mark]
		return found
	})
}

// word expands a word of a FROM line; one that is there must not become empty.
func (g *graph) word(s stage, scope *scope, text string) (string, error) {
	value, missing, err := scope.expand(text)
	if err != nil {
		return "", g.file.unread(s.line, text, err)
	}
	if value == "" && text != "" {
		names := slices.Sorted(maps.Keys(missing))
		if len(names) == 0 {
			return "", g.file.fault(s.line, "FROM's %s is empty: give the ARG a value", text)
		}
		return "", g.file.fault(s.line, "FROM's %s has no value: %s", text, g.giveValue(names[0]))
	}
	return value, nil
}

// isContext tells whether the name is one of a named context.
func (g *graph) isContext(name string) bool { return g.context(name) != "" }

// context is the named context that a name is one of, empty where it is none's. As in BuildKit "alpine" and
// "docker.io/library/alpine:latest" are one, and what is not in lower case is no name.
func (g *graph) context(name string) string {
	if name == "" {
		return ""
	}
	whole, err := full(name)
	at := slices.IndexFunc(g.o.Contexts, func(c string) bool {
		other, otherErr := full(c)
		return strings.EqualFold(c, name) && (g.o.Classic || name == strings.ToLower(name)) || err == nil && otherErr == nil && other == whole
	})
	if at < 0 {
		return ""
	}
	return g.o.Contexts[at]
}

// isStage tells whether a stage that is built has the name.
func (g *graph) isStage(name string) bool {
	return slices.ContainsFunc(g.nodes, func(n node) bool { return n.name == strings.ToLower(name) && n.kind != replaced })
}

// full is the image's name with registry and tag.
func full(image string) (string, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", err
	}
	return reference.TagNameOnly(named).String(), nil
}

// link finds what the bodies copy and mount from.
func (g *graph) link(names map[string]int) error {
	for i := range g.nodes {
		n := &g.nodes[i]
		for _, in := range n.body {
			for _, from := range froms(in.command) {
				if err := g.source(n, in, from, names); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// froms are the --from of a COPY, or the from= of a RUN's mounts.
func froms(c instructions.Command) []string {
	var all []string
	switch c := c.(type) {
	case *instructions.CopyCommand:
		all = append(all, c.From)
	case *instructions.RunCommand:
		for _, m := range instructions.GetMounts(c) {
			all = append(all, m.From)
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" || s == "scratch" || strings.Contains(s, "$") })
}

// source puts one --from to the stages or to the images. A number is a stage's index for COPY, and an image's name for a mount; what
// no stage is called is a named context or an image.
func (g *graph) source(n *node, in instruction, from string, names map[string]int) error {
	index, isStage := names[strings.ToLower(from)]
	if g.o.Classic {
		index = g.above(strings.ToLower(from), n.index)
		isStage = index >= 0
	}
	_, isCopy := in.command.(*instructions.CopyCommand)
	if number, err := strconv.Atoi(from); err == nil && isCopy && !isStage {
		if number < 0 || number >= len(g.nodes) || number == n.index {
			return g.file.fault(in.line(), "--from=%s is no other stage: there are %d, counted from 0", from, len(g.nodes))
		}
		index, isStage = number, true
	}
	switch {
	case isStage:
		n.sources = append(n.sources, index)
		if index > n.index && g.nodes[index].kind != replaced {
			n.below = append(n.below, in.line())
		}
	case g.isContext(from):
		n.taken = append(n.taken, g.context(from))
	default:
		image, err := full(from)
		if err != nil {
			return g.file.fault(in.line(), "--from=%s names neither a stage nor an image: %w", from, err)
		}
		n.pulls = append(n.pulls, pull{image, from, in.line()})
	}
	return nil
}

// above is the nearest stage of a name above another, -1 where there is none.
func (g *graph) above(name string, at int) int {
	for at--; at >= 0 && g.nodes[at].name != name; at-- {
	}
	return at
}

// mark walks from the target, where the builder does not begin at the top.
func (g *graph) mark() error {
	if g.target = g.file.called(g.o.Target, g.o); g.target < 0 {
		return g.file.fault(0, "%w", g.noStage(g.o.Target))
	}
	for at := g.target; at >= 0; at = g.nodes[at].parent() {
		g.final[at] = true
	}
	if g.o.Every {
		for at := range g.reach {
			g.reach[at] = at <= g.target
		}
		return nil
	}
	return g.walk(g.target, g.reach, node.needs, nil)
}

// needs are the stages that this one is built on and takes from, of which a context in its place needs none.
func (n node) needs() []int {
	switch n.kind {
	case fromStage:
		return append([]int{n.from}, n.sources...)
	case replaced:
		return nil
	}
	return n.sources
}

// named are the names of the stages that have one.
func (g *graph) named() []string {
	var known []string
	for _, s := range g.file.stages {
		if s.name != "" {
			known = append(known, s.name)
		}
	}
	return known
}

// hint says of an image's name that it may have been meant for a stage. Whoever copies from one word means a stage more often than
// an image, and likely one that is named nearly so; a FROM has to be nearly right, or name one that is below.
func (g *graph) hint(n node, written string, copied bool) (text string, likely bool) {
	known := g.named()
	near, found := suggest.Search(written, known, false)
	below := slices.IndexFunc(g.nodes, func(other node) bool { return other.index > n.index && other.name == written })
	switch {
	case strings.ContainsAny(written, "/:@."):
	case found:
		return fmt.Sprintf("no stage is called %s (did you mean %s?)", written, near), true
	case below >= 0:
		return fmt.Sprintf("no stage above is called %s (the one at line %d is below)", written, g.nodes[below].line), true
	case copied && len(known) > 0:
		return fmt.Sprintf("no stage is called %s (there are %s)", written, strings.Join(known, ", ")), false
	case copied:
		return fmt.Sprintf("no stage is called %s (none has a name)", written), false
	}
	return "", false
}

func (g *graph) noStage(name string) error {
	known := g.named()
	if len(known) == 0 {
		return &NoStageError{name, "none has a name, so leave TARGET out, or write FROM ... AS " + name}
	}
	cure := "take one of " + strings.Join(known, ", ")
	if near, found := suggest.Search(name, known, false); found {
		cure += " (did you mean " + near + "?)"
	}
	return &NoStageError{name, cure}
}

// parent is the stage that this one is built on, -1 for a root.
func (n node) parent() int {
	if n.kind == fromStage {
		return n.from
	}
	return -1
}

// walk marks a stage and where it leads; way are the stages that led here. One that is among them needs itself.
func (g *graph) walk(at int, seen []bool, leads func(node) []int, way []int) error {
	if i := slices.Index(way, at); i >= 0 {
		return g.circle(way[i:])
	}
	if seen[at] {
		return nil
	}
	seen[at] = true
	way = append(way, at)
	for _, next := range leads(g.nodes[at]) {
		if err := g.walk(next, seen, leads, way); err != nil {
			return err
		}
	}
	return nil
}

// circle says which stages need each other, beginning with the one that stands first in the file.
func (g *graph) circle(way []int) error {
	if len(way) == 1 {
		return g.file.fault(g.nodes[way[0]].line, "stage %s takes files from itself: take them from another stage or from the context", g.nodes[way[0]].label())
	}
	first := slices.Index(way, slices.Min(way))
	var names []string
	for i := range len(way) + 1 {
		names = append(names, g.nodes[way[(first+i)%len(way)]].label())
	}
	return g.file.fault(g.nodes[way[first]].line, "stages need each other in a circle, %s: give one of them what it takes in another way",
		strings.Join(names, " from "))
}

// root is the stage whose FROM names what all of the chain is built on.
func (g *graph) root(at int) int {
	for g.nodes[at].parent() >= 0 {
		at = g.nodes[at].parent()
	}
	return at
}

// platform is what a stage's instructions run on, pins being the roots that the rewrite pins.
func (g *graph) platform(at int, pins map[int]bool) (ocispec.Platform, error) {
	root := g.nodes[g.root(at)]
	switch {
	case pins[root.index]:
		return platforms.Normalize(g.o.Build), nil
	case root.pinned != "":
		p, err := platforms.ParseAny(root.pinned)
		if err != nil {
			return p, g.file.fault(root.line, "--platform: %w", err)
		}
		return p, nil
	}
	return platforms.Normalize(g.o.Platform), nil
}
