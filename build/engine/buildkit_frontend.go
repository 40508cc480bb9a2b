package engine

import (
	"context"
	"encoding/json"
	"maps"
	"sync/atomic"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
)

// convert reads the Dockerfile in this process, as the frontend image
// docker/dockerfile would in the engine, and solves what it says.
//
// The engine's own frontend does the same. It costs more there: Docker 20.10
// runs a test program under each registered emulator whenever it starts a
// frontend, one after the other for all solves. And it is as old as the engine,
// while this one knows heredocs and named contexts everywhere; what the engine
// really lacks, BuildKit's capabilities tell.
func (r *kitSolve) convert(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
	read, err := r.understand(ctx, c)
	if err != nil {
		return nil, err
	}
	return solveRead(ctx, c, read, r.cacheImports())
}

// reading is a Dockerfile that was read with the bases that were found.
type reading struct {
	*dockerfile2llb.Result
	astray   []string // bases of another platform
	warnings []Warning
}

// readBases reads the Dockerfile with the bases that the engine finds. With pull the registries are asked, whatever the engine has.
func (r *kitSolve) readBases(ctx context.Context, c gateway.Client, pull bool) (reading, error) {
	client, err := r.frontendClient(c, pull)
	if err != nil {
		return reading{}, err
	}
	ui, err := dockerui.NewClient(client)
	if err != nil {
		return reading{}, err
	}
	var found lint
	opt := dockerfile2llb.ConvertOpt{
		Config:       ui.Config,
		Client:       ui,
		MetaResolver: client,
		SourceMap:    llb.NewSourceMap(nil, r.dockerfileName(), "Dockerfile", r.Dockerfile),
		Warn:         found.warn,
	}
	if r.SetPlatform {
		opt.TargetPlatform = &r.Platform
	}
	whole := r.whole.Load()
	read, err := dockerfile2llb.Dockerfile2LLB(ctx, r.Dockerfile, opt)
	if !whole && r.whole.Load() {
		return r.readBases(ctx, c, pull)
	}
	return reading{read, client.strays.names, found.found}, err
}

// solveRead solves a Dockerfile that was read and gives the result its config.
func solveRead(ctx context.Context, c gateway.Client, read *dockerfile2llb.Result, caches []gateway.CacheOptionsEntry) (*gateway.Result, error) {
	def, err := read.State.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	res, err := c.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB(), CacheImports: caches, Evaluate: true})
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(read.Image)
	res.AddMeta(exptypes.ExporterImageConfigKey, config)
	return res, err
}

// frontendClient is the gateway as a frontend sees it that was started with our
// options and inputs.
func (r *kitSolve) frontendClient(c gateway.Client, pull bool) (*frontendClient, error) {
	out := &frontendClient{Client: c, opts: r.frontendOpts(), inputs: map[string]llb.State{}, tell: r.otherMachine, by: r.ReadsBy, more: &r.whole}
	if pull {
		out.opts["image-resolve-mode"] = "pull"
	}
	for name, def := range r.builder.contextInputs(r.whole.Load()) {
		op, err := llb.NewDefinitionOp(def)
		if err != nil {
			return nil, err
		}
		out.inputs[name] = llb.NewState(op)
	}
	return out, nil
}

type frontendClient struct {
	gateway.Client
	opts   map[string]string
	inputs map[string]llb.State
	strays strays
	tell   func(string)
	by     []string     // the arguments that what is read of the context goes by
	more   *atomic.Bool // that a base may read more of the context than the Dockerfile says
}

// BuildOpts gives a copy of the options, because a frontend writes to them.
func (c *frontendClient) BuildOpts() gateway.BuildOpts {
	out := c.Client.BuildOpts()
	out.Opts = maps.Clone(c.opts)
	return out
}

// Inputs gives the contexts.
func (c *frontendClient) Inputs(context.Context) (map[string]llb.State, error) {
	return c.inputs, nil
}

// forward hands the Dockerfile to the frontend image that its syntax line
// names.
func (r *kitSolve) forward(ctx context.Context, c gateway.Client, syntax, cmdline string) (*gateway.Result, error) {
	dockerfile, err := r.dockerfileInput(ctx)
	if err != nil {
		return nil, err
	}
	opts := r.frontendOpts()
	opts["source"], opts["cmdline"] = syntax, cmdline
	looked := make(chan struct{})
	go func() { defer close(looked); r.look(ctx, c) }()
	defer func() { <-looked }()
	if r.builder.given.Reads != nil {
		<-looked
	}
	inputs := r.builder.contextInputs(r.whole.Load())
	inputs["dockerfile"] = dockerfile
	return c.Solve(ctx, gateway.SolveRequest{Frontend: "gateway.v0", FrontendOpt: opts, FrontendInputs: inputs, Evaluate: true})
}

// dockerfileInput hands the text over as a file of its own, so that it need
// not be what is on disk.
func (r *kitSolve) dockerfileInput(ctx context.Context) (*pb.Definition, error) {
	name := llb.WithCustomName("[internal] load build definition from " + r.dockerfileName())
	state := llb.Scratch().File(llb.Mkfile("/Dockerfile", 0o644, r.Dockerfile), name)
	def, err := state.Marshal(ctx, llb.Platform(r.builder.kit.native))
	if err != nil {
		return nil, err
	}
	return def.ToPB(), nil
}
