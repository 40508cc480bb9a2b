package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/record"
)

// result is one platform's image as far as the run has come.
type result struct {
	job
	built   engine.Built
	report  image.Report
	was     string // the platform that the label named before, empty when it was right
	labels  map[string]string
	took    time.Duration
	judging time.Duration // of took
	child   child
	pushing time.Duration
	scanned bool
	refused string // how the scanner ended that does not pass it
}

// refused is the verdict of an image that was not stored.
const refused = "refused"

// Build makes the images of this run's platforms, unless it has done so. Every image is checked and relabelled before it is stored,
// and none is stored before all were found good. The first error ends the others.
func (p *Pipeline) Build(ctx context.Context) error {
	if p.built != nil {
		return nil
	}
	defer p.foresight.end()
	if err := p.ready(ctx); err != nil {
		return err
	}
	jobs, err := p.jobs()
	if err != nil {
		return err
	}
	for _, node := range p.nodes() {
		err = errors.Join(err, errors.Join(impossible(jobsOf(jobs, node), p.engines[node].Info(), p.runner(ctx, node))...))
	}
	if err != nil {
		return err
	}
	if err := p.foresight.wait(ctx); err != nil {
		return err
	}
	results, err := p.solveAll(ctx, jobs)
	if err != nil {
		return err
	}
	p.built = results
	p.remark(results)
	return p.record()
}

// maxRemarks is how many notes of the truth check are told where nobody asked for everything: an image with a hundred scripts may
// have as many. The record has all.
const maxRemarks = 5

// remark tells what the truth check has to say beside its verdicts: "verified" is about what could be followed.
func (p *Pipeline) remark(results []result) {
	names, notes := make([]string, len(results)), make([][]string, len(results))
	for i, r := range results {
		names[i] = r.name
		if r.report.Verdict == image.Verified { // of others the notes say why not, which is told with the verdict
			notes[i] = r.report.Notes
		}
	}
	texts := image.Remarks(names, notes)
	told := len(texts)
	if told > maxRemarks && !p.cfg.Verbose {
		told = maxRemarks
	}
	for _, text := range texts[:told] {
		p.opts.Show(progress.Notice{Text: "note: " + text})
	}
	if told < len(texts) {
		p.opts.Show(progress.Notice{Text: fmt.Sprintf("note: %d more are in %s, and V=1 tells them", len(texts)-told, record.Path)})
	}
}

// ready opens the engines, and returns when everything is there that the jobs are read from. What is in the way of a run is told
// before what takes long: before an engine is started or even installed, and before the user's own step.
func (p *Pipeline) ready(ctx context.Context) error {
	if err := errors.Join(p.checkFiles(), record.Writable(p.recordPath())); err != nil {
		return err
	}
	if err := p.openEngines(ctx); err != nil {
		return err
	}
	for _, node := range p.nodes() {
		info := p.engines[node].Info()
		if err := p.reachable(info); err != nil {
			return err
		}
		if info.Fallback {
			p.opts.Show(progress.Notice{Text: "the classic builder is used" + p.on(node) + ": " + info.Why})
		}
		if info.Road == engine.RoadClassic && len(p.cfg.CacheFrom) > 0 {
			p.opts.Show(progress.Notice{Text: "CACHE_FROM is left out" + p.on(node) + ": the classic builder reads no build cache (" + info.Why + ")"})
		}
	}
	if err := p.place(ctx); err != nil {
		return err
	}
	return p.before(ctx)
}

// checkFiles looks for what the build takes, but not for files where Options.Before may make them: those are missed after it.
func (p *Pipeline) checkFiles() error {
	if p.opts.Before != nil {
		return p.cfg.CheckVariables()
	}
	return p.cfg.CheckFiles()
}

// before runs Options.Before.
func (p *Pipeline) before(ctx context.Context) error {
	if p.opts.Before == nil {
		return nil
	}
	if err := p.foresight.wait(ctx); err != nil {
		return err
	}
	return p.opts.Before(ctx, formatted(p.cfg.Run()))
}

// solveAll runs all solves at once: an engine's scheduler is the scarce resource and shares itself out, and the gate needs them all.
func (p *Pipeline) solveAll(ctx context.Context, jobs []job) ([]result, error) {
	builders, err := p.builders(ctx, jobs)
	defer closeAll(builders)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		p.opts.Show(progress.Started{Platform: j.name, Strategy: string(j.choice.Strategy)})
		if on := p.on(j.node); on != "" {
			p.opts.Show(progress.Notice{Platform: j.name, Text: "built" + on})
		}
	}
	results := make([]result, len(jobs))
	all, found := newGate(len(jobs)), &warnings{}
	defer func() { found.show(p.opts.Show) }()
	g, ctx := errgroup.WithContext(ctx)
	for i, j := range jobs {
		g.Go(func() error {
			events := found.from(j, p.watch(j))
			r, err := p.solve(ctx, builders[j.source()], j, events, func(ctx context.Context) error { return all.pass(ctx, i) })
			results[i] = r
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var sent int64
	for _, b := range builders {
		sent += b.Sent()
	}
	if sent > 0 {
		p.opts.Show(progress.Bytes{Name: "context", Current: sent, Total: sent, Done: true})
	}
	return results, nil
}

// source is what jobs have in common that are sent one context: the engine, and the Dockerfile, which may have its own ignore file.
type source struct{ node, path string }

func (j job) source() source { return source{j.node, j.path} }

// bySource puts those together that are sent one context, in the order of the first of each.
func bySource(jobs []job) (all [][]job) {
	for _, j := range jobs {
		at := slices.IndexFunc(all, func(some []job) bool { return some[0].source() == j.source() })
		if at < 0 {
			at, all = len(all), append(all, nil)
		}
		all[at] = append(all[at], j)
	}
	return all
}

// builders starts one builder for each source.
func (p *Pipeline) builders(ctx context.Context, jobs []job) (map[source]engine.Builder, error) {
	out := make(map[source]engine.Builder)
	for _, jobs := range bySource(jobs) {
		b, err := p.engines[jobs[0].node].Start(ctx, p.context(jobs))
		if err != nil {
			return out, err
		}
		out[jobs[0].source()] = b
	}
	return out, nil
}

// closeAll lets go of what the solves shared. Every solve has its own error, and a frozen engine holds nobody up.
func closeAll(builders map[source]engine.Builder) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	leave(over, tidyLimit, func() {
		for _, b := range builders {
			_ = b.Close()
		}
	})
}

// context is what the jobs of one source may read.
func (p *Pipeline) context(jobs []job) engine.Context {
	c := engine.Context{Dir: p.cfg.Context, Dockerfile: jobs[0].path, Excludes: p.own(p.cfg.Context), Reads: reads(jobs)}
	for _, n := range p.cfg.Contexts {
		c.Named = append(c.Named, engine.Named{Name: n.Name, Source: n.Value, Excludes: p.own(n.Value)})
	}
	c.Caches = p.cfg.CacheFolders()
	for _, s := range p.cfg.Secrets {
		c.Secrets = append(c.Secrets, engine.Secret{ID: s.ID, File: s.File, Env: s.Env})
	}
	for _, a := range p.cfg.SSH {
		c.SSH = append(c.SSH, engine.SSH{ID: a.ID, Paths: a.Paths})
	}
	return c
}

// reads are the paths of the context that any of the jobs may read; nil: it may be anything.
func reads(jobs []job) []string {
	paths := []string{}
	for _, j := range jobs {
		if j.solve.Reads == nil {
			return nil
		}
		paths = append(paths, j.solve.Reads...)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// solve builds one platform. wait is the gate before the image is stored.
func (p *Pipeline) solve(ctx context.Context, b engine.Builder, j job, events func(engine.Event), wait func(context.Context) error) (result, error) {
	r := result{job: j}
	start := time.Now()
	hook := func(ctx context.Context, raw []byte, root fs.FS) ([]byte, error) {
		begun := time.Now()
		out, err := p.judge(&r, raw, root)
		r.judging = time.Since(begun)
		if err != nil {
			return nil, err
		}
		return out, wait(ctx)
	}
	var built engine.Built
	var err error
	if !leave(ctx, farewell, func() { built, err = b.Solve(ctx, j.solve, hook, events) }) {
		err := fmt.Errorf("%s: the engine at %s %w", j.name, p.engines[j.node].Info().Address, errLeft)
		p.finish(ctx, j.name, "", err)
		return result{job: j}, err
	}
	r.built, r.took = built, time.Since(start)
	p.explain(ctx, j, err)
	p.finish(ctx, j.name, "", err)
	if err != nil {
		return r, fmt.Errorf("%s: %w", j.name, err)
	}
	return r, nil
}

// judge is the truth check and the label's repair, between the solve and the engine's store.
func (p *Pipeline) judge(r *result, raw []byte, root fs.FS) ([]byte, error) {
	found, err := p.truth(raw, root, r.platform)
	r.report = found.report
	if errors.Is(err, image.ErrRefused) {
		p.opts.Show(progress.Verdict{Platform: r.name, Verdict: refused})
	}
	if err != nil {
		return nil, err
	}
	r.was = "" // of a look at what the engine had not told in full
	if !bytes.Equal(found.config, raw) {
		r.was = found.was
	}
	r.labels = image.Labels(found.config)
	p.opts.Show(progress.Verdict{Platform: r.name, Verdict: string(found.report.Verdict), Detail: p.verdict(*r)})
	return found.config, nil
}

// verdict is what there is to say beside the verdict itself.
func (p *Pipeline) verdict(r result) string {
	switch {
	case r.was != "":
		return fmt.Sprintf("label %s repaired", r.was)
	case r.report.Verdict == image.Unverified && len(r.report.Notes) > 0:
		return r.report.Notes[0]
	}
	return ""
}

// finish tells how a platform ended: one that another's error has ended did not fail. outcome is for one that went well.
func (p *Pipeline) finish(ctx context.Context, platform, outcome string, err error) {
	if err == nil {
		p.opts.Show(progress.Finished{Platform: platform, Outcome: outcome})
		return
	}
	if errors.Is(err, context.Canceled) || ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		p.opts.Show(progress.Finished{Platform: platform, Error: progress.Cancelled})
		return
	}
	problem := progress.Problem{Platform: platform, Text: err.Error()}
	var step *engine.StepError
	if errors.As(err, &step) {
		problem.File, problem.Line = step.Dockerfile, step.Line
	}
	p.opts.Show(problem)
	p.opts.Show(progress.Finished{Platform: platform, Error: "failed"})
}
