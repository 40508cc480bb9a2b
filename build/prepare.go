package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/dockerfile"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/git"
	"github.com/manymage/manymage/platforms"
)

// job is how one platform's image is built: decided by the configuration, the Dockerfile and the engine's own platform alone.
type job struct {
	platform ocispec.Platform
	name     string // the platform as people write it
	node     string // where it is built
	path     string // the Dockerfile
	choice   dockerfile.Choice
	pins     []dockerfile.Pin
	runs     []dockerfile.Run // RUN lines on another platform than the engine's
	bases    []dockerfile.Base
	contexts []dockerfile.Context
	features []dockerfile.Feature // lines that want BuildKit
	syntax   dockerfile.Syntax
	solve    engine.Solve
	file     *dockerfile.File // nil where only its own frontend can read it
	how      dockerfile.Options
}

// advice are the lines that mean another architecture. Whatever is wrong with the file was found before.
func (j job) advice() []dockerfile.Advice {
	if j.file == nil {
		return nil
	}
	lines, _ := j.file.Advice(j.choice.Strategy, j.how)
	return lines
}

// copies are the paths of the contexts that are taken by name.
func (j job) copies() []dockerfile.Copy {
	if j.file == nil {
		return nil
	}
	paths, _ := j.file.Copies(j.choice.Strategy, j.how)
	return paths
}

// reads is what a job may read of the context; not known where nobody says it, as what a base has waiting in ONBUILD.
func (p *Pipeline) reads(j job) (r dockerfile.Reads, known bool) {
	e := p.engines[j.node]
	if j.foreign() || e != nil && e.Info().HidesOnBuild() && len(j.bases) > 0 {
		return dockerfile.Reads{}, false
	}
	return j.file.Reads(j.choice.Strategy, j.how)
}

// foreign tells whether only the file's own frontend knows what it means.
func (j job) foreign() bool {
	return j.file == nil || j.forwarded(j.how.Classic) && !ofDocker(j.syntax.Image)
}

// refused is what the builder will not take. Where the file has a frontend of its own, that one decides.
func (j job) refused() error {
	if j.foreign() {
		return nil
	}
	return usage(j.file.Refused(j.how))
}

// forwarded tells whether the frontend of a syntax line reads the file.
func (j job) forwarded(classic bool) bool {
	return j.syntax.Image != "" && !j.solve.Builtin && !classic
}

// ofDocker tells whether a frontend is a version of BuildKit's own.
func ofDocker(frontend string) bool {
	named, err := reference.ParseNormalizedNamed(frontend)
	return err == nil && (named.Name() == "docker.io/docker/dockerfile" || named.Name() == "docker.io/docker/dockerfile-upstream")
}

// jobs prepares every platform of this run for the engine that builds it.
func (p *Pipeline) jobs() ([]job, error) {
	if err := p.cfg.CheckFiles(); err != nil {
		return nil, err
	}
	epoch, err := git.Epoch(p.opts.Getenv)
	if err != nil {
		return nil, err
	}
	jobs := make([]job, 0, len(p.cfg.Run()))
	for _, platform := range p.cfg.Run() {
		j, err := p.job(platform)
		if err != nil {
			return nil, usage(err)
		}
		j.solve.Epoch = epoch
		if r, known := p.reads(j); known {
			j.solve.Reads, j.solve.ReadsBy = r.Paths, r.By
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// jobsOf are those of one engine.
func jobsOf(jobs []job, node string) []job {
	return slices.DeleteFunc(slices.Clone(jobs), func(j job) bool { return j.node != node })
}

func (p *Pipeline) job(platform ocispec.Platform) (job, error) {
	j := job{platform: platform, name: platforms.Format(platform), node: p.cfg.NodeFor(platform), path: p.cfg.DockerfileFor(platform)}
	source, err := os.ReadFile(j.path)
	if err != nil {
		return j, usageError{fmt.Errorf("the Dockerfile: %w; make it readable, or name another with DOCKERFILE", err)}
	}
	j.solve = engine.Solve{
		Platform:       platform,
		SetPlatform:    true,
		Dockerfile:     source,
		DockerfileName: p.relative(j.path),
		Target:         p.cfg.Target,
		BuildArgs:      pairs(p.cfg.BuildArgsFor(platform)),
		Labels:         p.labels(),
		Tags:           []string{p.cfg.ChildRef(platform), p.cfg.Image + ":" + p.cfg.LatestTag(platform)},
		Builtin:        p.cfg.Syntax == "builtin",
		NoCache:        p.cfg.NoCache,
	}
	j.solve.CacheFrom, j.solve.CacheTo = p.caches(platform)
	j.syntax = dockerfile.DetectSyntax(source)
	if words := strings.Fields(j.solve.BuildArgs["BUILDKIT_SYNTAX"]); len(words) > 0 { // which goes before the line, as in BuildKit
		j.syntax.Image = words[0]
	}
	file, err := dockerfile.Read(source, j.solve.DockerfileName)
	how := p.understand(j)
	if err != nil && j.forwarded(false) && !errors.Is(err, dockerfile.ErrNoFrom) {
		return j, j.unread(dockerfile.Strategy(p.cfg.Strategy), how, err)
	}
	if err != nil {
		return j, err
	}
	err = j.decide(file, how, dockerfile.Strategy(p.cfg.Strategy))
	if none := (*dockerfile.NoStageError)(nil); errors.As(err, &none) {
		err = &config.UsageError{Knob: "TARGET", Text: none.Target, Origin: p.cfg.Value("TARGET").Origin,
			Problem: "is no stage of " + j.solve.DockerfileName + ": " + none.Cure, Err: err}
	}
	return j, err
}

// caches are what a platform's build reads and writes.
func (p *Pipeline) caches(platform ocispec.Platform) (from, to []engine.Cache) {
	read, written := p.cfg.CachesFor(platform)
	for _, c := range read {
		from = append(from, engine.Cache(c).InActions(p.opts.Getenv))
	}
	for _, c := range written {
		to = append(to, engine.Cache(c).InActions(p.opts.Getenv))
	}
	return from, to
}

// unread chooses for a file that its own frontend alone can read: nothing in it can be rewritten. Docker's classic builder refuses it for
// what was in the way of reading it; Podman's, which has no frontends either, passes over that in a stage that it leaves out.
func (j *job) unread(want dockerfile.Strategy, how dockerfile.Options, err error) error {
	if how.Every {
		return usage(fmt.Errorf("%w; the classic builder does not read the syntax line (%s): use BuildKit, or write the line in words that need none", err, j.syntax.Image))
	}
	j.choice = dockerfile.Choice{Strategy: dockerfile.Target, Why: "only " + j.syntax.Image + " can read this file"}
	switch want {
	case dockerfile.Cross:
		return usageError{fmt.Errorf("STRATEGY=cross rewrites the Dockerfile, and only %s can read %s: use target or native", j.syntax.Image, j.solve.DockerfileName)}
	case dockerfile.Native:
		j.choice.Strategy = dockerfile.Native
		j.solve.SetPlatform = false
	}
	return nil
}

// understand says how the Dockerfile is to be read for one platform.
func (p *Pipeline) understand(j job) dockerfile.Options {
	o := dockerfile.Options{
		Target:   p.cfg.Target,
		Args:     pairs(p.cfg.BuildArgsFor(j.platform)),
		Arch:     p.cfg.PlaceholderArgs(),
		Build:    p.native(j),
		Platform: j.platform,
		Classic:  p.classic(j.node),
		Every:    p.classic(j.node) && !p.engines[j.node].Info().SkipsStages(),
		Unsure:   j.forwarded(p.classic(j.node)),
	}
	for _, c := range p.cfg.Contexts {
		o.Contexts = append(o.Contexts, c.Name)
	}
	return o
}

// native is the engine's own platform. A plan without one is made for an engine like this machine, or for a node as it has to be.
func (p *Pipeline) native(j job) ocispec.Platform {
	switch e := p.engines[j.node]; {
	case e != nil:
		return e.Info().Platform
	case j.node != "":
		return j.platform
	}
	return platforms.Host()
}

// decide chooses the strategy and makes the solve fit it.
func (j *job) decide(file *dockerfile.File, o dockerfile.Options, want dockerfile.Strategy) (err error) {
	j.file, j.how = file, o
	if j.choice, err = file.Choose(want, o); err != nil {
		return err
	}
	for name, value := range file.BuildArgs(j.platform) {
		if _, given := j.solve.BuildArgs[name]; !given {
			j.solve.BuildArgs[name] = value
		}
	}
	switch j.choice.Strategy {
	case dockerfile.Native:
		j.solve.SetPlatform = false
	case dockerfile.Cross:
		rewrite, err := file.Cross(o)
		if err != nil {
			return err
		}
		j.solve.Dockerfile, j.pins = rewrite.Source, rewrite.Pins
	}
	if j.solve.Unneeded, err = file.Unneeded(j.choice.Strategy, o); err != nil {
		return err
	}
	j.features = file.BuildKitOnly(j.solve.Unneeded)
	if j.runs, err = file.ForeignRuns(j.choice.Strategy, o); err != nil {
		return err
	}
	if j.bases, err = file.Bases(j.choice.Strategy, o); err != nil {
		return err
	}
	if j.contexts, err = file.Contexts(j.choice.Strategy, o); err != nil {
		return err
	}
	for _, b := range j.bases {
		j.solve.Bases = append(j.solve.Bases, engine.Base{Image: b.Image, Platform: b.Platform})
	}
	return nil
}

// labels are what git says of the image, and what the user says, who wins.
func (p *Pipeline) labels() map[string]string {
	labels := p.opts.Git.Labels(p.cfg.Version)
	for _, l := range p.cfg.Labels {
		labels[l.Name] = l.Value
	}
	return labels
}

// relative shortens a path below the folder of the run, for people.
func (p *Pipeline) relative(path string) string {
	if rel, err := filepath.Rel(p.cfg.Dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

func pairs(list []config.Pair) map[string]string {
	m := make(map[string]string, len(list))
	for _, pair := range list {
		m[pair.Name] = pair.Value
	}
	return m
}

// usage makes what is wrong with the user's Dockerfile a wrong configuration.
func usage(err error) error {
	var wrong *dockerfile.Error
	if errors.As(err, &wrong) {
		return usageError{err}
	}
	return err
}

// usageError is a config.ErrUsage that does not say so before its sentence.
type usageError struct{ error }

func (usageError) Is(target error) bool { return target == config.ErrUsage }

func (e usageError) Unwrap() error { return e.error }

// runner tells whether programs of a platform run in an engine's builds.
type runner func(ocispec.Platform) (bool, error)

func (p *Pipeline) runner(ctx context.Context, node string) runner {
	return func(platform ocispec.Platform) (bool, error) { return p.engines[node].Runs(ctx, platform) }
}

// impossible says what the engine cannot do of the jobs, before anything is built.
func impossible(jobs []job, info engine.Info, runs runner) []error {
	return slices.DeleteFunc([]error{refusedLines(jobs), withoutBuildKit(jobs, info), emulation(jobs, info, runs), unwritable(jobs, info), otherSystem(jobs, info), unnamable(jobs, info)},
		func(err error) bool { return err == nil })
}

// told tells whether one of the errors says the same already.
func told(all []error, err error) bool {
	return slices.ContainsFunc(all, func(other error) bool { return other.Error() == err.Error() })
}

// refusedLines are those that no engine's builder takes, each once.
func refusedLines(jobs []job) error {
	var all []error
	for _, j := range jobs {
		err := j.refused()
		if err != nil && !told(all, err) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// withoutBuildKit refuses lines that the engine's builder does not know, or leaves out.
func withoutBuildKit(jobs []job, info engine.Info) error {
	var lines []string
	for _, j := range jobs {
		for _, f := range j.features {
			if info.Refuses(f.Name, f.Idle) {
				lines = append(lines, fmt.Sprintf("  %s:%d: %s", j.solve.DockerfileName, f.Line, f.Name))
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%w: these lines want BuildKit (%s):\n%s\n"+
		"use an engine that has it, without DOCKER_BUILDKIT=0, or write the lines without them",
		engine.ErrUnsupported, info.Why, strings.Join(dedupe(lines), "\n"))
}

// emulation refuses before anything is built when a RUN would need a machine that neither the engine has nor QEMU stands in for.
func emulation(jobs []job, info engine.Info, runs runner) error {
	var lines []string
	known := map[string]bool{} // by platform
	for _, j := range jobs {
		for _, run := range j.runs {
			name := platforms.Format(run.Platform)
			ok, asked := known[name]
			if !asked {
				var err error
				if ok, err = runs(run.Platform); err != nil {
					return err
				}
				known[name] = ok
			}
			if !ok {
				lines = append(lines, fmt.Sprintf("  %s:%d runs on %s: %s", j.solve.DockerfileName, run.Line, name, run.Text))
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return usageError{fmt.Errorf("the engine at %s (%s) cannot run programs of these lines' platforms:\n%s\n"+
		"run the target `emulation` once to let QEMU do it, compile on the engine's own platform with ARG GOARCH or FROM --platform=$BUILDPLATFORM, or give the platform an engine of its own with NODES",
		info.Address, platforms.Format(info.Platform), strings.Join(dedupe(lines), "\n"))}
}

// unwritable refuses caches that the engine cannot write.
func unwritable(jobs []job, info engine.Info) error {
	for _, j := range jobs {
		for _, c := range j.solve.CacheTo {
			if why := info.RefusesCache(c); why != "" {
				return fmt.Errorf("%w: %s", engine.ErrUnsupported, why)
			}
		}
	}
	return nil
}

// otherSystem refuses images that the engine could not keep, or its builder not make.
func otherSystem(jobs []job, info engine.Info) error {
	for _, j := range jobs {
		if why := info.RefusesSystem(j.platform.OS, !j.solve.SetPlatform); why != "" {
			return fmt.Errorf("%w: %s", engine.ErrUnsupported, why)
		}
	}
	return nil
}

// unnamable refuses images that the engine could not be told the names of.
func unnamable(jobs []job, info engine.Info) error {
	for _, j := range jobs {
		if why := info.RefusesName(j.solve.Tags[0]); why != "" {
			return fmt.Errorf("%w: %s", engine.ErrUnsupported, why)
		}
	}
	return nil
}

func dedupe(lines []string) []string {
	seen := make(map[string]bool, len(lines))
	var out []string
	for _, l := range lines {
		if !seen[l] {
			seen[l] = true
			out = append(out, l)
		}
	}
	return out
}
