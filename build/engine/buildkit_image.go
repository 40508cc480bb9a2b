package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/distribution/reference"
	bkclient "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/rootfs"
)

// On a graph driver BuildKit sees the engine's images as a build FROM them
// would, in the engine's own process, whatever made them. It knows them by tag
// only, and a tag can move, so the image's ID ties what is seen:
//
//	ResolveImageConfig   the config in the engine's bytes; its digest is the ID
//	Solve FROM the tag   the root, opened by listing its first folder
//	ResolveImageConfig   the same bytes: the tag has not moved meanwhile
//
// Whatever does not fit leaves the image to the other roads, which know it by
// its ID. The config serves them, too: no other way to it is as quick.

// kitPatience bounds how long BuildKit is waited for. It answers in
// milliseconds; if it looked into a registry, because the tag was taken away
// meanwhile, the other roads would be quicker.
const kitPatience = 5 * time.Second

// maxLooked is how many layers an image may have. Each makes BuildKit sync its
// databases to the disk thirty-six times, to keep a record of it and to forget
// it again: with twenty layers a container is as quick, which costs two processes
// whatever there is in it, one for its archive and one to unpack the new image.
// On engines where it costs none it is always quicker.
const maxLooked = 16

// shownByKit tells whether BuildKit is the quickest to show these layers.
func (e *Engine) shownByKit(layers int) bool {
	return layers > 0 && layers <= maxLooked && e.slowArchives()
}

// errKit says that BuildKit does not show this image. Nobody gets to see it.
var errKit = errors.New("BuildKit does not show the image")

// kitLook is one look at the image under a tag.
type kitLook struct {
	engine *Engine
	name   string
	id     string
	hook   Hook
	dryRun bool

	stored  stored // the image, once its config has been read
	judged  bool   // the hook saw the root, and nothing went wrong with that
	wanted  []byte // the hook's answer
	verdict error
	made    string // the ID of the image that was stored with the answer as its config, if one was

	mu     sync.Mutex
	box    *box // in which whole folders are read; nil: none was
	traces traces
}

// lookInKit shows the image under a tag to the hook through BuildKit, and stores
// the answer unless it is a dry run. What came of it is in the look, and its
// traces are to be removed.
func (e *Engine) lookInKit(ctx context.Context, l *kitLook) {
	l.engine = e
	if e.info.Store != StoreGraph || e.info.Name == podman {
		return
	}
	kit := &buildkit{engine: e}
	var err error
	if kit.client, err = bkclient.New(ctx, "", kit.options()...); err != nil {
		return
	}
	l.traces.cache = kit.client
	answer, err := kit.ask(ctx, l.question)
	if err == nil {
		l.keep(ctx, answer[exptypes.ExporterImageDigestKey])
	}
}

// keep takes what BuildKit stored if it is the hook's answer byte for byte.
// BuildKit writes a config anew, with the layers of the root that was shown: an
// equal digest proves both.
func (l *kitLook) keep(ctx context.Context, id string) {
	if id == digest.FromBytes(l.wanted).String() {
		l.made = id
		return
	}
	l.traces.stays(l.engine.removeDangling(context.WithoutCancel(ctx), id))
}

// question is what the solve is there for.
func (l *kitLook) question(ctx context.Context, bridge gatewaypb.LLBBridgeClient) (*gatewaypb.Result, error) {
	opening, stop := context.WithCancel(context.WithoutCancel(ctx)) // what is cut off leaves records that nobody knows
	defer stop()
	timer := time.AfterFunc(kitPatience, stop)
	defer timer.Stop()
	ref, root, err := l.open(opening, bridge)
	inTime := timer.Stop()
	if ref == "" {
		return nil, errors.Join(errKit, err)
	}
	noted := make(chan struct{})
	go func() { defer close(noted); l.traces.noteRecords(ctx) }()
	defer func() { <-noted }() // before the solve ends and lets go of them
	if err = errors.Join(err, ctx.Err()); err != nil || !inTime {
		return nil, errors.Join(errKit, err)
	}
	root.ctx, root.whole = ctx, l.folder
	l.wanted, l.verdict = l.hook(ctx, l.stored.config, root)
	l.judged = root.failed() == nil && ctx.Err() == nil
	if !l.judged || l.verdict != nil || l.dryRun || bytes.Equal(l.wanted, l.stored.config) {
		return nil, errAnswered
	}
	return &gatewaypb.Result{
		Result:   &gatewaypb.Result_RefDeprecated{RefDeprecated: ref},
		Metadata: map[string][]byte{exptypes.ExporterImageConfigKey: l.wanted},
	}, nil
}

// open reads the config and opens the root.
func (l *kitLook) open(ctx context.Context, bridge gatewaypb.LLBBridgeClient) (string, *root, error) {
	config, err := l.config(ctx, bridge)
	if err != nil {
		return "", nil, err
	}
	t, err := thinOf(config)
	if err != nil {
		return "", nil, err
	}
	l.stored = stored{l.id, config, true, t}
	if !l.engine.shownByKit(len(t.frame.Layers)) {
		return "", nil, errKit
	}
	ref, err := l.solve(ctx, bridge)
	if err != nil {
		return "", nil, err
	}
	root := newRoot(ctx, bridgeRef{bridge, ref})
	return ref, root, l.tie(ctx, bridge, root)
}

// config reads the config under the tag, which must be the image's.
func (l *kitLook) config(ctx context.Context, bridge gatewaypb.LLBBridgeClient) ([]byte, error) {
	answer, err := bridge.ResolveImageConfig(ctx, &gatewaypb.ResolveImageConfigRequest{Ref: l.name, ResolveMode: pb.AttrImageResolveModePreferLocal})
	if err == nil && digest.FromBytes(answer.Config).String() != l.id {
		err = errKit
	}
	return answer.GetConfig(), err
}

// solve begins with the image under the tag and stops there. The platform is
// the image's own word: for any other BuildKit would look into a registry.
func (l *kitLook) solve(ctx context.Context, bridge gatewaypb.LLBBridgeClient) (string, error) {
	def, err := l.from(ctx)
	if err != nil {
		return "", err
	}
	answer, err := bridge.Solve(ctx, &gatewaypb.SolveRequest{Definition: def, Evaluate: true})
	if err == nil && answer.Ref == "" {
		err = errKit
	}
	return answer.GetRef(), err
}

// lookAttr is what makes a step unlike all others.
const lookAttr = product + ".look"

// from is the one step of the solve. Solves that run at once share equal steps,
// and another's may have begun when the tag named another image: hence an
// attribute that nobody else has, and that BuildKit passes over.
func (l *kitLook) from(ctx context.Context) (*pb.Definition, error) {
	named, err := reference.ParseNormalizedNamed(l.name)
	if err != nil {
		return nil, err
	}
	var label ocispec.Platform
	if err := json.Unmarshal(l.stored.config, &label); err != nil || label.OS == "" || label.Architecture == "" {
		return nil, errors.Join(errKit, err)
	}
	source := llb.NewSource("docker-image://"+named.String(), map[string]string{
		pb.AttrImageResolveMode: pb.AttrImageResolveModePreferLocal,
		lookAttr:                identity.NewID(),
	}, llb.Constraints{Platform: &label})
	def, err := llb.NewState(source.Output()).Marshal(ctx, llb.Platform(label))
	if err != nil {
		return nil, err
	}
	return def.ToPB(), nil
}

// tie opens the root, and proves that the tag still names the image. Engines
// before BuildKit 0.10 resolve a step when its result is first looked into.
func (l *kitLook) tie(ctx context.Context, bridge gatewaypb.LLBBridgeClient, root *root) error {
	if _, err := root.list("."); err != nil {
		return err
	}
	_, err := l.config(ctx, bridge)
	return err
}

// folder reads a whole folder in one request, out of a container: BuildKit
// mounts the root anew for each file, which takes 10 ms.
func (l *kitLook) folder(ctx context.Context, name string) (*rootfs.FS, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.box == nil {
		box, err := l.engine.createBox(ctx, l.stored)
		if err != nil {
			return nil, err
		}
		l.box, l.traces.boxes = box, append(l.traces.boxes, box.remove)
	}
	return l.box.read(ctx, l.box.source("/"+name+"/."))
}
