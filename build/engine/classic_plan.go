package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// classicPlan is how one platform is built on the classic road.
type classicPlan struct {
	Solve
	engine *Engine
	bases  *bases
	images map[string]string // named contexts
	file   *classicFile
	args   classicArgs
	native ocispec.Platform // the engine's
	target ocispec.Platform // of stages that do not say otherwise
	emit   func(Event)
	hosts  []string          // registries of the base images
	onBase map[string]bool   // arguments that ONBUILD statements of the bases declare
	sent   map[string]string // arguments of the platform that go with the request, once the bases are known
	mixed  bool              // a base is of another platform than target
	lesser ocispec.Platform  // of a base that stands for target
	whole  bool              // a base may read more of the context than the Dockerfile says
}

func (b *classicBuilder) plan(s Solve, file *classicFile, emit func(Event)) *classicPlan {
	native := platforms.Normalize(b.engine.info.Platform)
	target := native
	if s.SetPlatform {
		target = platforms.Normalize(s.Platform)
	}
	return &classicPlan{
		Solve: s, engine: b.engine, bases: b.bases, images: b.images, file: file, emit: emit,
		args:   classicArgs{given: s.BuildArgs, platform: platformArgs(native, target), bare: b.engine.info.Name == podman},
		native: native, target: target, onBase: map[string]bool{},
	}
}

// skips tells of a stage that the builder leaves out.
func (p *classicPlan) skips(stage int) bool { return slices.Contains(p.Unneeded, stage) }

// refuse knows that Docker's classic builder builds for its own system alone.
func (p *classicPlan) refuse() error {
	if why := p.engine.info.RefusesSystem(p.target.OS, !p.SetPlatform); why != "" {
		return fmt.Errorf("%w: %s", ErrUnsupported, why)
	}
	return nil
}

// notices tells what this road cannot honour.
func (p *classicPlan) notices() {
	tell := func(format string, args ...any) {
		p.emit(Notice{fmt.Sprintf(format, args...)})
	}
	if p.file.syntax != "" && !p.Builtin {
		tell("the classic builder does not read the syntax line (%s)", p.file.syntax)
	}
	if p.Epoch != nil {
		tell("the classic builder does not know SOURCE_DATE_EPOCH")
	}
}

// unused tells the arguments that nothing declares, once the bases are known.
func (p *classicPlan) unused() {
	declared := p.declared()
	for _, name := range slices.Sorted(maps.Keys(p.BuildArgs)) {
		if !declared[name] && !isProxyArg(name) {
			p.emit(Notice{fmt.Sprintf("the build argument %s is not used: no ARG in %s declares it", name, p.dockerfileName())})
		}
	}
}

// declared are the arguments of the Dockerfile and of its bases.
func (p *classicPlan) declared() map[string]bool {
	names := p.file.declared()
	maps.Copy(names, p.onBase)
	return names
}

// buildArgs are those that the Dockerfile or a base declares, and proxies.
func (p *classicPlan) buildArgs() map[string]*string {
	out := map[string]*string{}
	for name, value := range p.sent {
		out[name] = &value
	}
	declared := p.declared()
	for name, value := range p.BuildArgs {
		if declared[name] || isProxyArg(name) {
			out[name] = &value
		}
	}
	return out
}

// rewrite gives the Dockerfile that the builder gets.
func (p *classicPlan) rewrite(ctx context.Context) ([]byte, error) {
	env := variables(maps.Clone(p.args.platform))
	var edits []edit
	for i, in := range p.file.statements {
		if p.skips(in.stage) && in.keyword != "FROM" { // which Podman reads nevertheless
			continue
		}
		text, err := p.rewriteOne(ctx, in, env)
		if err != nil {
			return nil, &StepError{Dockerfile: p.dockerfileName(), Line: in.line, Err: err}
		}
		if text != "" {
			edits = append(edits, edit{i, text})
		}
	}
	var err error
	p.sent, err = p.request(env)
	return p.file.with(edits), err
}

// request are the platform's arguments with their values that go with the
// request: those that an ONBUILD of a base declares, since what stands in a base
// cannot be rewritten, and on Podman all. Podman takes no value for them from a
// Dockerfile: from 5.2 on it refuses two, and passes over those of the others.
// A request has one value for each: what is to have two is named.
func (p *classicPlan) request(env variables) (map[string]string, error) {
	sent := maps.Clone(p.args.platform)
	maps.DeleteFunc(sent, func(name, _ string) bool { return !p.onBase[name] })
	for _, in := range p.file.statements {
		if in.keyword != "ARG" || p.skips(in.stage) {
			continue
		}
		for _, arg := range argumentsOf(in) {
			if err := p.ask(sent, in, arg, env); err != nil {
				return nil, &StepError{Dockerfile: p.dockerfileName(), Line: in.line, Err: err}
			}
		}
	}
	return sent, nil
}

// ask looks at one argument of an ARG statement for the request.
func (p *classicPlan) ask(sent map[string]string, in statement, arg argument, env variables) (err error) {
	value, automatic := p.args.platform[arg.name]
	if _, given := p.args.given[arg.name]; given || !automatic {
		return nil
	}
	if arg.hasDefault {
		if value, err = p.file.expand(arg.fallback, env); err != nil {
			return fmt.Errorf("%w: ARG %s: %w; correct it", ErrContext, arg.name, err)
		}
	}
	if other, asked := sent[arg.name]; asked && other != value {
		return fmt.Errorf("%w: ARG %s is to be %q here, and %q in another line or in an ONBUILD of the base image; the classic builder has one value for both: use BuildKit, or take the default away",
			ErrUnsupported, arg.name, value, other)
	}
	if p.args.bare && in.stage >= 0 {
		sent[arg.name] = value
	}
	return nil
}

// rewriteOne gives the new text of a statement, or "" to leave it.
func (p *classicPlan) rewriteOne(ctx context.Context, in statement, env variables) (string, error) {
	switch in.keyword {
	case "FROM":
		return p.rewriteFrom(ctx, p.file.stages[in.stage], in.stage, env)
	case "ARG":
		if in.stage < 0 {
			if err := p.file.declare(in, p.args, env); err != nil {
				return "", err
			}
		}
		text, changed := p.args.withValues(in, env)
		if p.engine.info.Name == podman && in.stage >= 0 {
			return text + " " + p.args.mark(in, env), nil
		}
		if changed {
			return text, nil
		}
	case "COPY", "ADD":
		return p.rewriteCopy(ctx, in)
	}
	return "", nil
}

func (p *classicPlan) rewriteFrom(ctx context.Context, s stage, at int, env variables) (string, error) {
	name, err := p.file.expand(s.image, env)
	if p.skips(at) && (err != nil || name == "") {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("%w: FROM %s: %w; correct it", ErrContext, s.image, err)
	}
	if name == "" {
		return "", fmt.Errorf("%w: FROM %s names no image; give its ARG a default, or a build argument", ErrContext, s.image)
	}
	if !p.skips(at) && !p.file.stageNamed(name, at) {
		want, err := p.platform(s, env)
		if err != nil {
			return "", err
		}
		found, err := p.base(ctx, name, want)
		if err != nil {
			return "", err
		}
		name = p.flag(s, found.Platform) + found.ID
	}
	text := "FROM " + name
	if s.name != "" {
		text += " AS " + s.name
	}
	return text, nil
}

// platform is the stage's own, or that of all.
func (p *classicPlan) platform(s stage, env variables) (ocispec.Platform, error) {
	if s.platform == "" {
		return p.target, nil
	}
	name, err := p.file.expand(s.platform, env)
	if err != nil {
		return ocispec.Platform{}, fmt.Errorf("%w: --platform=%s: %w; correct it", ErrContext, s.platform, err)
	}
	want, err := platforms.ParseAny(name)
	if err != nil {
		return ocispec.Platform{}, fmt.Errorf("%w: --platform=%s: %w", ErrContext, s.platform, err)
	}
	return platforms.Normalize(want), nil
}

// flag keeps a stage's own platform for Podman, whose stages have one each: that
// of its base, as toldPlatform says. Docker's have all that of the request.
func (p *classicPlan) flag(s stage, of ocispec.Platform) string {
	if s.platform == "" || p.engine.info.Name != podman {
		return ""
	}
	return "--platform=" + platforms.Format(of) + " "
}

// base pins an image that a FROM names.
func (p *classicPlan) base(ctx context.Context, name string, want ocispec.Platform) (Image, error) {
	if name == "scratch" {
		bottom, err := p.bases.scratch(ctx, p.scratchLabel())
		return Image{ID: bottom.ID, Platform: want}, err
	}
	found, err := p.pin(ctx, name, want)
	if err != nil {
		return Image{}, err
	}
	maps.Copy(p.onBase, found.waiting())
	p.whole = p.whole || steers(found.OnBuild, found.Env, p.ReadsBy)
	if platforms.Equal(found.Platform, p.target) {
		return found, nil
	}
	p.mixed = true
	if platforms.Equal(want, p.target) {
		p.lesser = found.Platform
	}
	if p.toldPlatform() == "" || p.engine.info.Name == podman {
		return found, nil
	}
	return p.bases.alias(ctx, found, p.target)
}

// scratchLabel may be right even when all is built natively, since nothing in
// an empty image runs, but for engines that want one label on everything, and
// for another system's.
func (p *classicPlan) scratchLabel() ocispec.Platform {
	if p.engine.platformCache() || p.Platform.OS != p.native.OS {
		return p.target
	}
	return platforms.Normalize(p.Platform)
}

// platformCache tells the engines whose classic builder looks at platforms: it
// takes no step from its cache unless the step's label is the platform that it
// was told, the engine's own by default. Docker's copies into no stage of
// another label either.
func (e *Engine) platformCache() bool {
	return e.info.Name == podman || !e.olderThan(firstPlatformCache)
}

// firstPlatformCache is the Docker version that did it first, as far as is
// known: 20.10 does not, 26.1 does. Of Podman 4.3 does not and 5.8 does. A
// platform told without need is harmless.
const firstPlatformCache = 23

// toldPlatform is the platform in the build request: with it those engines use
// their cache. Podman then labels the steps of all stages with it. For Docker
// all stages must be labelled with it beforehand, for which bases of other
// platforms get an alias. On containerd stores an alias costs reading the whole
// base; there such builds go without the cache. Podman is told a base's lesser
// variant: 4.3 would hand a step with the greater one on to the builds for the
// lesser, and no inspect would show it.
func (p *classicPlan) toldPlatform() string {
	if !p.engine.platformCache() || (p.mixed && p.engine.info.Store == StoreContainerd) {
		return ""
	}
	if p.engine.info.Name == podman && p.lesser.OS != "" {
		return platforms.Format(p.lesser)
	}
	return platforms.Format(p.target)
}

// cacheless tells the builds whose steps no cache may answer: Podman's looks at
// no value of an argument, and a base's ARG cannot be marked.
func (p *classicPlan) cacheless() bool {
	return p.NoCache || (p.engine.info.Name == podman && len(p.onBase) > 0)
}

func (p *classicPlan) pin(ctx context.Context, name string, want ocispec.Platform) (Image, error) {
	if ref, ok := p.images[strings.ToLower(name)]; ok {
		name = ref
	}
	if named, err := reference.ParseNormalizedNamed(name); err == nil {
		if host := reference.Domain(named); !slices.Contains(p.hosts, host) {
			p.hosts = append(p.hosts, host)
		}
	}
	return p.bases.pin(ctx, name, want, p.Pull, p.emit)
}

// rewriteCopy pins the image of COPY --from=image. A stage's name or number
// stays.
func (p *classicPlan) rewriteCopy(ctx context.Context, in statement) (string, error) {
	for _, flag := range in.node.Flags {
		name, ok := strings.CutPrefix(flag, "--from=")
		if !ok || p.file.stageNamed(name, in.stage) || isNumber(name) {
			continue
		}
		raw := string(p.file.src[in.start:in.end])
		if !strings.Contains(raw, flag) {
			return "", fmt.Errorf("%w: write %s in one piece and without quotes, since the image gets another name there", ErrContext, flag)
		}
		found, err := p.pin(ctx, name, p.target)
		if err != nil {
			return "", err
		}
		return strings.Replace(raw, flag, "--from="+found.ID, 1), nil
	}
	return "", nil
}

func isNumber(word string) bool {
	return word != "" && strings.Trim(word, "0123456789") == ""
}
