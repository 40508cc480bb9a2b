package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/dockerfile"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// Plan is all that Build and Push would do, as a value.
type Plan struct {
	Image     string
	Version   string
	Refs      []string // the list's references; empty when ONLY leaves the list alone
	Embedded  bool
	Platforms []PlannedPlatform
	Engines   []PlannedEngine
	Context   PlannedContext
	Knobs     []config.Value
	Now       []PlannedTag
	Labels    []config.Pair
	Left      string // which of TAGS are left out, and why; empty when none is
	Scanner   string // why the scanner cannot be started; empty when it can, or there is none
}

// PlannedPlatform is one image of a Plan.
type PlannedPlatform struct {
	Platform   string
	Ref        string
	Dockerfile string
	Strategy   string
	Why        string
	Args       []config.Pair
	Pins       []dockerfile.Pin
	Emulated   []dockerfile.Run // RUN lines that need emulation
	Bases      []dockerfile.Base
	Advice     []dockerfile.Advice // lines that mean another architecture
	Syntax     string              // of a # syntax= line
	CacheFrom  []string            // build caches that are read
	CacheTo    []string            // and written
	Scan       []string            // the scanner's command; empty: there is none
}

// PlannedEngine is an engine, or why there is none.
type PlannedEngine struct {
	engine.Info
	Node     string   // its name in NODES; empty for the run's own
	Builds   []string // the platforms that it builds
	Missing  string   // why no engine was found; empty when there is one
	Refusals []string // why it will not build this, in the words of the build
}

// PlannedContext is what the engine would be sent at most, with named contexts, all times together.
type PlannedContext struct {
	Dir   string
	Times int
	Files int
	Bytes int64
	Lacks []string // the lines of Dockerfiles that name what is not in it
}

// PlannedTag is a list reference as the registry has it now.
type PlannedTag struct {
	Ref     string
	Digest  digest.Digest // empty: there is nothing
	Have    []string      // its platforms
	Added   []string      // platforms that it would gain
	Dropped []string      // platforms that it would lose, which Push refuses without ALLOW_DROP
	Lost    []string      // platforms that it will lose: ALLOW_DROP names them, or the registry is on this machine
	Kept    string        // the newer release of its series that it will go on naming
	Unknown string        // why it could not be read
	err     error         // the same, where nothing can be pushed either
}

// Plan finds out what Build and Push would do. It builds nothing, pushes nothing, and starts no engine; without one the plan is made
// for an engine like this machine.
func (p *Pipeline) Plan(ctx context.Context) (Plan, error) {
	out := Plan{Version: p.cfg.Version, Embedded: p.cfg.Embedded}
	var err error
	if out.Engines, err = p.planEngines(ctx); err != nil {
		return out, err
	}
	if err := p.planPlace(ctx); err != nil {
		return out, err
	}
	jobs, err := p.jobs()
	if err != nil {
		return out, err
	}
	for _, j := range jobs {
		out.Platforms = append(out.Platforms, p.planned(j))
	}
	for i := range out.Engines {
		p.planRefusals(ctx, jobsOf(jobs, out.Engines[i].Node), &out.Engines[i])
	}
	if _, err := p.scanner(); err != nil {
		out.Scanner = err.Error()
	}
	out.Image, out.Knobs, out.Labels = p.cfg.Image, p.cfg.Values(), sorted(p.labels())
	if out.Context, err = p.planContext(ctx, jobs, p.classic); err != nil {
		return out, err
	}
	for _, err := range p.unfound(ctx, jobs) {
		out.Context.Lacks = append(out.Context.Lacks, err.Error())
	}
	if !p.cfg.Partial() {
		out.Refs, out.Left = p.cfg.ListRefs(), p.unreleased()
		out.Now, err = p.planRegistry(ctx)
	}
	return out, err
}

// planContext sums what leaves for the engines: BuildKit is sent the context once for each Dockerfile, a classic builder for each image.
func (p *Pipeline) planContext(ctx context.Context, jobs []job, classic func(node string) bool) (PlannedContext, error) {
	out := PlannedContext{Dir: p.cfg.Context}
	for _, jobs := range bySource(jobs) {
		road := ""
		if e := p.engines[jobs[0].node]; e != nil {
			road = e.Info().Road
		}
		size := len(jobs) // of what is sent together
		if classic(jobs[0].node) {
			size = 1
		}
		for together := range slices.Chunk(jobs, size) {
			files, bytes, err := p.context(together).Measure(ctx, road)
			if err != nil {
				return out, err
			}
			out.Times, out.Files, out.Bytes = out.Times+1, out.Files+files, out.Bytes+bytes
		}
	}
	return out, nil
}

func (p *Pipeline) planEngines(ctx context.Context) ([]PlannedEngine, error) {
	nodes := p.nodes()
	all := make([]PlannedEngine, len(nodes))
	for i, err := range p.openNodes(ctx, nodes) {
		out := &all[i]
		out.Node, out.Builds = nodes[i], p.builtOn(nodes[i])
		if errors.Is(err, engine.ErrUnreachable) || errors.Is(err, engine.ErrTooOld) {
			out.Missing = err.Error()
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Info = p.engines[out.Node].Info()
		for _, err := range []error{p.reachable(out.Info), p.misplaced(out.Node)} {
			if err != nil {
				out.Refusals = append(out.Refusals, err.Error())
			}
		}
	}
	return all, nil
}

// planRefusals asks what the build asks before it begins.
func (p *Pipeline) planRefusals(ctx context.Context, jobs []job, out *PlannedEngine) {
	if out.Missing != "" {
		return
	}
	all := append(impossible(jobs, out.Info, p.runner(ctx, out.Node)), p.refusesContext(ctx, jobs)...)
	if out.Road == engine.RoadClassic {
		for _, b := range p.basesOf(jobs) {
			if err := p.refusesBase(ctx, b); err != nil {
				all = append(all, err)
			}
		}
	}
	for _, err := range all {
		out.Refusals = append(out.Refusals, err.Error())
	}
}

// refusesContext says why an engine takes no context as it is, which is looked through once for each. What of it cannot be read is told
// where it is measured.
func (p *Pipeline) refusesContext(ctx context.Context, jobs []job) (all []error) {
	for _, jobs := range bySource(jobs) {
		if err := p.engines[jobs[0].node].RefusesContext(ctx, p.context(jobs)); errors.Is(err, engine.ErrUnsupported) && !told(all, err) {
			all = append(all, err)
		}
	}
	return all
}

// planPlace serves the embedded registry if it has content to compare with, and otherwise only names where it would be.
func (p *Pipeline) planPlace(ctx context.Context) error {
	if !p.cfg.Embedded {
		return nil
	}
	if _, err := os.Stat(RegistryDir(p.cfg.Dir)); err != nil {
		p.cfg = p.cfg.WithRegistry("127.0.0.1:5000")
		return nil
	}
	return p.place(ctx)
}

func (p *Pipeline) planned(j job) PlannedPlatform {
	out := PlannedPlatform{
		Platform:   j.name,
		Ref:        p.cfg.ChildRef(j.platform),
		Dockerfile: j.solve.DockerfileName,
		Strategy:   string(j.choice.Strategy),
		Why:        j.choice.Why,
		Args:       sorted(j.solve.BuildArgs),
		Pins:       j.pins,
		Emulated:   j.runs,
		Bases:      j.bases,
		Advice:     j.advice(),
		Syntax:     j.syntax.Image,
		Scan:       p.cfg.ScanFor(j.platform, p.cfg.Image+"@sha256:…"),
	}
	from, to := p.cfg.CachesFor(j.platform)
	classic := p.classic(j.node)
	for i, c := range from {
		out.CacheFrom = append(out.CacheFrom, c.String()+leftOut(j.solve.CacheFrom[i], classic))
	}
	for i, c := range to {
		out.CacheTo = append(out.CacheTo, c.String()+leftOut(j.solve.CacheTo[i], false))
	}
	return out
}

// classic tells that an engine is there and goes without BuildKit.
func (p *Pipeline) classic(node string) bool {
	e := p.engines[node]
	return e != nil && e.Info().Road == engine.RoadClassic
}

// leftOut says why a build cache will not be used.
func leftOut(c engine.Cache, classic bool) string {
	switch {
	case c.Idle():
		return ", left out: this is no job of GitHub Actions"
	case classic:
		return ", left out: the classic builder reads none"
	}
	return ""
}

// planRegistry looks what the list's tags are now. A registry that cannot be reached is said and no error: a plan is for looking.
func (p *Pipeline) planRegistry(ctx context.Context) ([]PlannedTag, error) {
	client, err := p.Registry()
	if err != nil {
		return nil, err
	}
	refs := p.cfg.ListRefs()
	tags := make([]PlannedTag, len(refs))
	g, ctx := errgroup.WithContext(ctx)
	for i, name := range refs {
		g.Go(func() (err error) {
			tags[i], err = p.planTag(ctx, client, name)
			return err
		})
	}
	return tags, g.Wait()
}

// planTag looks what one tag is now.
func (p *Pipeline) planTag(ctx context.Context, client *registry.Client, name string) (PlannedTag, error) {
	t := PlannedTag{Ref: name}
	if p.cfg.Embedded && p.served == nil {
		return p.compare(t, nil, nil), nil
	}
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return t, err
	}
	found, now, err := lists.Now(ctx, client, ref)
	if err == nil && found != "" {
		t.Kept, err = p.kept(ctx, client, ref, now)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return t, err
	case err != nil:
		t.Unknown = err.Error()
		if errors.Is(err, registry.ErrUnreachable) {
			t.err = err
		}
		return t, nil
	}
	if t.Digest = found; t.Kept != "" {
		return t, nil
	}
	return p.compare(t, ref, now.Platforms()), nil
}

// kept is the newer release that a tag of a series names and goes on naming.
func (p *Pipeline) kept(ctx context.Context, client *registry.Client, ref reference.Named, now index.Index) (string, error) {
	tagged, ok := ref.(reference.Tagged)
	if !ok {
		return "", nil
	}
	stays := p.cfg.StaysOf()[tagged.Tag()]
	if stays == nil {
		return "", nil
	}
	has, err := lists.Version(ctx, client, ref, now)
	if err != nil || !stays(has, p.version()) {
		return "", err
	}
	return has, nil
}

// version is what the list will say of its version: that of ANNOTATIONS, or its images' label.
func (p *Pipeline) version() string {
	said := p.labels()
	for _, a := range p.cfg.Annotations {
		said[a.Name] = a.Value
	}
	return said[ocispec.AnnotationVersion]
}

// compare tells what would become of a tag; ref says where it is.
func (p *Pipeline) compare(t PlannedTag, ref reference.Named, have []ocispec.Platform) PlannedTag {
	for _, platform := range have {
		name := platforms.Format(platform)
		t.Have = append(t.Have, name)
		switch {
		case contains(p.cfg.Platforms, platform):
		case contains(p.cfg.AllowDrop, platform) || lists.IsLoopback(ref):
			t.Lost = append(t.Lost, name)
		default:
			t.Dropped = append(t.Dropped, name)
		}
	}
	for _, platform := range p.cfg.Platforms {
		if !contains(have, platform) {
			t.Added = append(t.Added, platforms.Format(platform))
		}
	}
	return t
}

func contains(list []ocispec.Platform, p ocispec.Platform) bool {
	return slices.ContainsFunc(list, func(q ocispec.Platform) bool { return platforms.Equal(p, q) })
}

func sorted(m map[string]string) []config.Pair {
	out := make([]config.Pair, 0, len(m))
	for name, value := range m {
		out = append(out, config.Pair{Name: name, Value: value})
	}
	slices.SortFunc(out, func(a, b config.Pair) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}

// describe names the engine in one line.
func (e PlannedEngine) describe() string {
	if e.Missing != "" {
		return "none: " + e.Missing
	}
	road := "BuildKit"
	if e.Road == engine.RoadClassic {
		road = "classic builder"
		if e.Why != "" {
			road += " (" + e.Why + ")"
		}
	}
	return fmt.Sprintf("%s %s at %s, API %s, %s store, %s, %s", e.Name, e.Version, e.Address, e.API, e.Store, platforms.Format(e.Platform), road)
}
