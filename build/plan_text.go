package build

import (
	"fmt"
	"io"
	"strings"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/platforms"
)

// Write prints the plan for people.
func (p Plan) Write(w io.Writer) error {
	trees := []*progress.Tree{p.tree()}
	for _, e := range p.Engines {
		trees = append(trees, e.tree(len(p.Engines) > 1))
	}
	for _, t := range append(trees, p.contextTree(), p.registryTree(), p.knobTree()) {
		if err := t.Write(w); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return nil
}

func (p Plan) tree() *progress.Tree {
	title := "build " + p.Image
	if len(p.Refs) > 0 {
		title = "build and publish " + strings.Join(p.Refs, " ")
	}
	t := &progress.Tree{Text: title}
	for _, planned := range p.Platforms {
		planned.hang(t)
	}
	if len(p.Labels) > 0 {
		labels := t.Add("labels")
		for _, l := range p.Labels {
			labels.Add(l.Name + "=" + l.Value)
		}
	}
	if p.Scanner != "" {
		t.Add("will fail: " + p.Scanner)
	}
	return t
}

func (p PlannedPlatform) hang(t *progress.Tree) {
	n := t.Add(fmt.Sprintf("%s as %s", p.Platform, p.Ref))
	n.Add(fmt.Sprintf("strategy %s: %s", p.Strategy, p.Why))
	file := p.Dockerfile
	if p.Syntax != "" {
		file += " read by " + p.Syntax
	}
	n.Add("from " + file)
	if len(p.Args) > 0 {
		n.Add("build-args " + words(p.Args))
	}
	for _, c := range p.CacheFrom {
		n.Add("build cache is read from " + c)
	}
	for _, c := range p.CacheTo {
		n.Add("build cache is written to " + c)
	}
	if len(p.Scan) > 0 {
		n.Add("scanned by " + config.Shell(p.Scan))
	}
	for _, pin := range p.Pins {
		n.Add(fmt.Sprintf("line %d: FROM %s is pinned to the build platform", pin.Line, pin.Image))
	}
	for _, base := range p.Bases {
		text := fmt.Sprintf("line %d: base %s for %s", base.Line, base.Image, platforms.Format(base.Platform))
		if base.Likely {
			text += ": " + base.Hint
		}
		n.Add(text)
	}
	for _, run := range p.Emulated {
		n.Add(fmt.Sprintf("line %d: emulated on %s: %s", run.Line, platforms.Format(run.Platform), run.Text))
	}
	for _, a := range p.Advice {
		n.Add(fmt.Sprintf("look at line %d: %s", a.Line, a.Text))
	}
}

func words(list []config.Pair) string {
	var out []string
	for _, pair := range list {
		out = append(out, pair.Name+"="+pair.Value)
	}
	return strings.Join(out, " ")
}

// tree shows what an engine builds where it does not build all.
func (e PlannedEngine) tree(several bool) *progress.Tree {
	t := &progress.Tree{Text: "engine " + e.describe()}
	if several {
		t.Add("builds " + strings.Join(e.Builds, " "))
	}
	if e.Missing != "" && e.Node == "" {
		t.Add("the plan is made for an engine like this machine, " + platforms.Format(platforms.Host()))
	}
	for _, refusal := range e.Refusals {
		first, rest, _ := strings.Cut(refusal, "\n")
		n := t.Add("will refuse: " + first)
		for line := range strings.Lines(rest) {
			n.Add(strings.TrimSpace(line))
		}
	}
	return t
}

func (p Plan) contextTree() *progress.Tree {
	t := &progress.Tree{Text: "context " + p.Context.describe()}
	for _, lacks := range p.Context.Lacks {
		t.Add("will fail: " + lacks)
	}
	return t
}

func (c PlannedContext) describe() string {
	text := fmt.Sprintf("%s: %s, %s at most", c.Dir, progress.Count(c.Files, "file", "files"), progress.Size(c.Bytes))
	if c.Times > 1 {
		text += fmt.Sprintf(", sent in %d goes", c.Times)
	}
	return text
}

func (p Plan) registryTree() *progress.Tree {
	if len(p.Refs) == 0 {
		return &progress.Tree{Text: "registry: ONLY is set, so that the list's tags stay as they are"}
	}
	t := &progress.Tree{Text: "registry"}
	if p.Embedded {
		t.Text = "registry embedded, data in " + registryDir
	}
	for _, tag := range p.Now {
		tag.hang(t)
	}
	if p.Left != "" {
		t.Add(p.Left)
	}
	return t
}

func (t PlannedTag) hang(tree *progress.Tree) {
	switch {
	case t.Unknown != "":
		tree.Add(t.Ref + " cannot be read: " + t.Unknown)
		return
	case t.Digest == "":
		tree.Add(t.Ref + " is not there yet")
		return
	}
	n := tree.Add(fmt.Sprintf("%s is %s", t.Ref, t.Digest))
	if t.Kept != "" {
		n.Add("stays on " + t.Kept + ", which is newer")
		return
	}
	if len(t.Have) > 0 {
		n.Add("has " + strings.Join(t.Have, " "))
	}
	if len(t.Added) > 0 {
		n.Add("gains " + strings.Join(t.Added, " "))
	}
	if len(t.Lost) > 0 {
		n.Add("loses " + strings.Join(t.Lost, " "))
	}
	if len(t.Dropped) > 0 {
		n.Add(fmt.Sprintf("would lose %s, which push refuses; ALLOW_DROP=%s lets them go", strings.Join(t.Dropped, " "), strings.Join(t.Dropped, ",")))
	}
	if len(t.Added)+len(t.Lost)+len(t.Dropped) == 0 {
		n.Add("keeps its platforms")
	}
}

func (p Plan) knobTree() *progress.Tree {
	t := &progress.Tree{Text: "knobs"}
	for _, k := range p.Knobs {
		t.Add(fmt.Sprintf("%s=%s (%s)", k.Knob, k.Text, k.Origin))
	}
	return t
}
