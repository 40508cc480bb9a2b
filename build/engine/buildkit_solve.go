package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// kitSolve is one solve on its way through the engine.
type kitSolve struct {
	Solve
	builder  *kitBuilder
	hook     Hook
	verdict  error     // the hook's own error, which the wire would turn into text
	failure  error     // of reading the Dockerfile or running its steps, likewise
	warnings []Warning // of a Dockerfile that was read here
	held     []Warning // of one that was read in the engine, about its bases
	steps    *steps
	noticed  sync.Map    // what was told already: the Dockerfile may be read twice
	other    atomic.Bool // that a base is another machine's was told
	whole    atomic.Bool // that a base may read more of the context than the Dockerfile says
}

// Solve builds one image: a frontend turns the Dockerfile into steps, the
// engine runs them, the hook sees what came out, and the exporter stores it.
func (b *kitBuilder) Solve(ctx context.Context, s Solve, hook Hook, onEvent func(Event)) (Built, error) {
	ctx, stop := joined(ctx, b.run)
	defer stop()
	steps := newSteps(onEvent, s.Dockerfile)
	run := &kitSolve{Solve: b.kit.withCaches(b.kit.withoutEpoch(s, steps.emit), steps.emit), builder: b, hook: hook, steps: steps}
	built, err := run.try(ctx)
	syntax, _ := s.syntax()
	if why := run.unusable(syntax, err); why != "" {
		built, err = run.withoutSyntax(ctx, syntax, why, err)
	}
	run.tell()
	return built, err
}

// joined is ctx, cancelled as well when the session ends.
func joined(ctx, session context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(session, cancel)
	return ctx, func() { unhook(); cancel() }
}

// try makes one attempt; who gave the image its names meanwhile is no reason to give up.
func (r *kitSolve) try(ctx context.Context) (Built, error) {
	stored, err := r.again(ctx, func(ctx context.Context) (map[string]string, error) { return r.job().run(ctx) })
	if err != nil {
		return Built{}, r.explain(ctx, err)
	}
	if err := r.index(stored["cache.manifest"]); err != nil {
		return Built{}, err
	}
	return r.builder.kit.built(ctx, stored)
}

// notice tells something once.
func (r *kitSolve) notice(text string) {
	if _, told := r.noticed.LoadOrStore(text, true); !told {
		r.steps.emit(Notice{text})
	}
}

func (r *kitSolve) job() *kitJob {
	return &kitJob{
		kit:     r.builder.kit,
		session: r.builder.session.ID(),
		export:  r.exportAttrs(),
		caches:  entries(r.CacheTo),
		wanted:  map[string]string{"platform": platforms.Format(r.Platform)},
		build:   r.build,
		status:  r.take,
	}
}

func (r *kitSolve) exportAttrs() map[string]string {
	attrs := map[string]string{}
	if len(r.Tags) > 0 {
		attrs[string(exptypes.OptKeyName)] = strings.Join(r.Tags, ",")
	}
	return attrs
}

// build runs inside the solve: whatever it returns is what is exported. Its
// error is kept, because it comes back from the engine as text.
func (r *kitSolve) build(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
	res, err := r.read(ctx, c)
	if err == nil {
		err = evaluate(ctx, res)
	}
	if err != nil {
		r.failure = err
		return nil, err
	}
	return res, r.judge(ctx, res)
}

// read picks who reads the Dockerfile.
func (r *kitSolve) read(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
	if syntax, cmdline := r.syntax(); syntax != "" {
		return r.forward(ctx, c, syntax, cmdline)
	}
	return r.convert(ctx, c)
}

// evaluate runs the steps, so that one that fails does it here and not in the
// hook's hands. Engines before BuildKit 0.10 ignore the request's Evaluate; to
// look at the root does the same on all.
func evaluate(ctx context.Context, res *gateway.Result) error {
	ref, err := res.SingleRef()
	if err != nil || ref == nil {
		return err
	}
	_, err = ref.StatFile(ctx, gateway.StatRequest{Path: "."})
	return err
}

func (s Solve) dockerfileName() string {
	if s.DockerfileName == "" {
		return "Dockerfile"
	}
	return s.DockerfileName
}

// frontendOpts are the options of BuildKit's Dockerfile frontend.
func (r *kitSolve) frontendOpts() map[string]string {
	opts := maps.Clone(r.builder.opts)
	opts["filename"] = "Dockerfile"
	if r.SetPlatform {
		opts["platform"] = platforms.Format(r.Platform)
	}
	if r.Target != "" {
		opts["target"] = r.Target
	}
	if r.NoCache {
		opts["no-cache"] = ""
	}
	if r.Pull {
		opts["image-resolve-mode"] = "pull"
	}
	if len(r.CacheFrom) > 0 {
		opts["cache-imports"] = r.cacheImportsOpt()
	}
	for name, value := range r.BuildArgs {
		opts["build-arg:"+name] = value
	}
	for name, value := range r.Labels {
		opts["label:"+name] = value
	}
	if r.Epoch != nil {
		opts["build-arg:SOURCE_DATE_EPOCH"] = strconv.FormatInt(r.Epoch.Unix(), 10)
	}
	return opts
}

// judge shows the result to the hook and puts its config back.
func (r *kitSolve) judge(ctx context.Context, res *gateway.Result) error {
	config := res.Metadata[exptypes.ExporterImageConfigKey]
	root, err := resultRoot(ctx, res)
	if err != nil || r.hook == nil {
		return err
	}
	out, err := r.hook(ctx, config, root)
	if err != nil {
		r.verdict = err
		return err
	}
	res.AddMeta(exptypes.ExporterImageConfigKey, out)
	return setPlatform(res, out)
}

// resultRoot is nil for an image without a layer.
func resultRoot(ctx context.Context, res *gateway.Result) (fs.FS, error) {
	ref, err := res.SingleRef()
	if err != nil || ref == nil {
		return nil, err
	}
	return newRoot(ctx, ref), nil
}

// setPlatform makes the result's own word agree with the config: containerd
// stores label the manifest by it.
func setPlatform(res *gateway.Result, config []byte) error {
	var image struct{ ocispec.Platform }
	if err := json.Unmarshal(config, &image); err != nil {
		return fmt.Errorf("the image's config: %w", err)
	}
	p := platforms.Normalize(image.Platform)
	known := exptypes.Platforms{Platforms: []exptypes.Platform{{ID: platforms.Format(p), Platform: p}}}
	text, err := json.Marshal(known)
	res.AddMeta(exptypes.ExporterPlatformsKey, text)
	return err
}

// built reads what the exporter says it stored. Engines before Docker 23 tell
// the image ID alone, which is the config's digest there.
func (k *buildkit) built(ctx context.Context, resp map[string]string) (Built, error) {
	id := resp[exptypes.ExporterImageDigestKey]
	config := resp[exptypes.ExporterImageConfigDigestKey]
	if config == "" && k.engine.info.Store == StoreGraph {
		config = id
	}
	out := Built{ID: id, Config: digest.Digest(config)}
	if err := out.Config.Validate(); err != nil {
		return Built{}, fmt.Errorf("the engine stored an image without telling its config digest: %w; update the engine", err)
	}
	kept, err := k.engine.api.ImageInspect(ctx, id)
	if cerrdefs.IsNotFound(err) {
		return Built{}, fmt.Errorf("the built image %s: %w; %s", id, ErrNotFound, goneCure)
	}
	if err != nil {
		return Built{}, fmt.Errorf("look at the built image %s: %w", id, err)
	}
	out.Size = kept.Size
	return out, nil
}
