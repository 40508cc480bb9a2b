package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/record"
	"github.com/manymage/manymage/build/registry"
)

// State is how one thing is that `build push` needs.
type State string

// The states.
const (
	Fine  State = "ok"
	Noted State = "note"  // worth knowing, in nobody's way
	Wrong State = "wrong" // `build push` would end with it
)

// Health is how everything is that `build push` needs.
type Health struct{ Checks []Checked }

// Checked is one thing that was looked at.
type Checked struct {
	Of    string // engine, build, context, record, scan, base, registry or tag
	State State
	Text  string
	err   error // of what is Wrong
}

func fine(of, format string, args ...any) Checked {
	return Checked{Of: of, State: Fine, Text: fmt.Sprintf(format, args...)}
}

func noted(of, format string, args ...any) Checked {
	return Checked{Of: of, State: Noted, Text: fmt.Sprintf(format, args...)}
}

func wrong(of string, err error) Checked {
	return Checked{Of: of, State: Wrong, Text: err.Error(), err: err}
}

// Write prints a line for each thing, and the rest of a long text below it.
func (h Health) Write(w io.Writer) error {
	var b strings.Builder
	for _, c := range h.Checks {
		head, rest, _ := strings.Cut(c.Text, "\n")
		fmt.Fprintf(&b, "%-5s  %-8s  %s\n", c.State, c.Of, head)
		for line := range strings.Lines(rest) {
			fmt.Fprintf(&b, "%17s%s\n", "", strings.TrimRight(line, "\n"))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Err is nil when nothing is in the way, and otherwise a *UnwellError with the exit code of the first thing that is.
func (h Health) Err() error {
	e := &UnwellError{}
	for _, c := range h.Checks {
		if c.State != Wrong {
			continue
		}
		if e.Wrong++; e.Wrong == 1 {
			e.first = c.err
		}
	}
	if e.Wrong == 0 {
		return nil
	}
	return e
}

// UnwellError says how many things are in the way of `build push`.
type UnwellError struct {
	Wrong int
	first error
}

// Error does not repeat them: they were shown.
func (e *UnwellError) Error() string {
	if e.Wrong == 1 {
		return "one thing is in the way of `build push`, see above"
	}
	return fmt.Sprintf("%d things are in the way of `build push`, see above", e.Wrong)
}

// Unwrap is the first of them.
func (e *UnwellError) Unwrap() error { return e.first }

// Doctor looks at everything that `build push` needs: the engines, the Dockerfile and whether they can build it for each platform, the
// base images and whether they are there for each, the registry, the right to push, and what has become of the tags. It starts
// no engine, builds nothing, and leaves nothing behind. The error is for what keeps it from looking; Health has the rest.
func (p *Pipeline) Doctor(ctx context.Context) (Health, error) {
	var h Health
	for i, err := range p.openNodes(ctx, p.nodes()) {
		h.Checks = append(h.Checks, p.engineHealth(p.nodes()[i], err)...)
	}
	if err := p.planPlace(ctx); err != nil {
		return h, err
	}
	jobs, err := p.jobs()
	if err != nil {
		h.Checks = append(h.Checks, wrong("build", err))
	}
	for _, node := range p.nodes() {
		h.Checks = append(h.Checks, p.buildHealth(ctx, node, jobsOf(jobs, node))...)
	}
	var folder, bases, place []Checked
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { folder = p.folderHealth(ctx, jobs); return nil }) // whatever becomes of the others
	g.Go(func() (err error) { bases, err = p.basesHealth(gctx, jobs); return err })
	g.Go(func() (err error) { place, err = p.registryHealth(gctx); return err })
	err = g.Wait()
	if ctx.Err() != nil {
		return Health{}, err // what was cut off says nothing
	}
	h.Checks = slices.Concat(h.Checks, folder, bases, place)
	return h, err
}

// engineHealth is what has become of opening an engine.
func (p *Pipeline) engineHealth(node string, err error) []Checked {
	if errors.Is(err, engine.ErrNone) && p.opts.Ensure != nil {
		return []Checked{noted("engine", "%s; `build` tries to get one going", err)}
	}
	if err != nil {
		return []Checked{wrong("engine", err)}
	}
	e := PlannedEngine{Info: p.engines[node].Info(), Node: node}
	is := fine("engine", "%s", e.describe())
	if len(p.nodes()) > 1 {
		is.Text += ", builds " + strings.Join(p.builtOn(node), " ")
	}
	if e.Fallback {
		is.State = Noted
	}
	out := []Checked{is}
	for _, err := range []error{p.reachable(e.Info), p.misplaced(node)} {
		if err != nil {
			out = append(out, wrong("engine", err))
		}
	}
	return out
}

// buildHealth is how an engine will build its platforms, or why it will not.
func (p *Pipeline) buildHealth(ctx context.Context, node string, jobs []job) []Checked {
	e := p.engines[node]
	if e == nil {
		return nil
	}
	var out []Checked
	for _, err := range append(impossible(jobs, e.Info(), p.runner(ctx, node)), p.refusesContext(ctx, jobs)...) {
		out = append(out, wrong("build", err))
	}
	if len(out) > 0 {
		return append(out, advised(jobs)...)
	}
	for _, j := range jobs {
		text := fmt.Sprintf("%s from %s, strategy %s", j.name, j.solve.DockerfileName, j.choice.Strategy)
		if n := len(j.runs); n > 0 {
			text += fmt.Sprintf(", %s emulated", progress.Count(n, "RUN line", "RUN lines"))
		}
		out = append(out, fine("build", "%s", text))
	}
	return append(out, advised(jobs)...)
}

// folderHealth is whether the build can be sent what is here, the run be recorded, and its images be scanned.
func (p *Pipeline) folderHealth(ctx context.Context, jobs []job) (out []Checked) {
	if len(jobs) > 0 {
		c, err := p.planContext(ctx, jobs, p.classic)
		if err != nil {
			out = append(out, wrong("context", err))
		} else {
			out = append(out, fine("context", "%s", c.describe()))
		}
		for _, err := range p.unfound(ctx, jobs) {
			out = append(out, wrong("context", err))
		}
	}
	if err := record.Writable(p.recordPath()); err != nil {
		out = append(out, wrong("record", err))
	}
	if path, err := p.scanner(); err != nil {
		out = append(out, wrong("scan", err))
	} else if path != "" {
		out = append(out, fine("scan", "by %s", path))
	}
	return out
}

// advised are the lines of Dockerfiles that mean another architecture, each once with the platforms that it is wrong for.
func advised(jobs []job) []Checked {
	var lines []string
	wrongFor := make(map[string][]string)
	for _, j := range jobs {
		for _, a := range j.advice() {
			line := fmt.Sprintf("%s:%d: %s", j.solve.DockerfileName, a.Line, a.Text)
			if wrongFor[line] == nil {
				lines = append(lines, line)
			}
			wrongFor[line] = append(wrongFor[line], j.name)
		}
	}
	var out []Checked
	for _, line := range lines {
		out = append(out, noted("build", "%s: look at %s", strings.Join(wrongFor[line], " "), line))
	}
	return out
}

// registryHealth is whether the image's registry is there and takes what is pushed, and what would become of the tags.
func (p *Pipeline) registryHealth(ctx context.Context) ([]Checked, error) {
	if p.cfg.Embedded {
		return []Checked{fine("registry", "embedded, data in %s", registryDir)}, nil
	}
	ref, err := reference.ParseNormalizedNamed(p.cfg.ListRefs()[0])
	if err != nil {
		return nil, err
	}
	client, err := p.Registry()
	if err != nil {
		return nil, err
	}
	answer, err := client.Ping(ctx, reference.Domain(ref))
	if err != nil {
		return []Checked{wrong("registry", err)}, ctx.Err()
	}
	asking, cancel := context.WithTimeout(registry.WithPush(ctx, ref), foresightLimit)
	defer cancel()
	tidy, err := client.MayPush(asking, ref)
	tidying, stop := context.WithTimeout(context.WithoutCancel(ctx), foresightLimit)
	defer stop()
	tidy(tidying)
	if err != nil {
		return []Checked{wrong("registry", err)}, ctx.Err()
	}
	out := []Checked{fine("registry", "%s answers, and nothing speaks against pushes to %s by %s", answer.URL, ref.Name(), who(answer))}
	if p.cfg.Partial() {
		return out, nil
	}
	tags, err := p.planRegistry(ctx)
	for _, t := range tags {
		out = append(out, t.health())
	}
	return out, err
}

func who(a registry.Answer) string {
	if a.User == "" {
		return "anybody"
	}
	return a.User
}

// health is what would become of a tag.
func (t PlannedTag) health() Checked {
	switch {
	case t.err != nil:
		return wrong("tag", fmt.Errorf("%s cannot be read: %w", t.Ref, t.err))
	case t.Unknown != "":
		return noted("tag", "%s cannot be read: %s", t.Ref, t.Unknown)
	case t.Kept != "":
		return fine("tag", "%s stays on %s, which is newer", t.Ref, t.Kept)
	case len(t.Dropped) > 0:
		return wrong("tag", fmt.Errorf("%w: %s would lose %s; ALLOW_DROP=%s lets them go", lists.ErrPublish, t.Ref, strings.Join(t.Dropped, " "), strings.Join(t.Dropped, ",")))
	case len(t.Lost) > 0:
		return noted("tag", "%s will lose %s", t.Ref, strings.Join(t.Lost, " "))
	case t.Digest == "":
		return fine("tag", "%s is not there yet", t.Ref)
	}
	return fine("tag", "%s is %s, for %s", t.Ref, t.Digest, strings.Join(t.Have, " "))
}
