package engine

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	fstypes "github.com/tonistiigi/fsutil/types"
	"google.golang.org/grpc"
)

// bridgeDouble is a gateway that knows one tag. The configs are its answers in
// turn, the last one again and again.
type bridgeDouble struct {
	gatewaypb.LLBBridgeClient
	configs []string
	broken  bool // no file can be read
	onSolve func()

	solved []*pb.Op
}

func (b *bridgeDouble) ResolveImageConfig(context.Context, *gatewaypb.ResolveImageConfigRequest, ...grpc.CallOption) (*gatewaypb.ResolveImageConfigResponse, error) {
	config := b.configs[0]
	b.configs = b.configs[min(1, len(b.configs)-1):]
	return &gatewaypb.ResolveImageConfigResponse{Config: []byte(config)}, nil
}

func (b *bridgeDouble) Solve(_ context.Context, req *gatewaypb.SolveRequest, _ ...grpc.CallOption) (*gatewaypb.SolveResponse, error) {
	for _, def := range req.Definition.Def {
		var op pb.Op
		if err := op.UnmarshalVT(def); err != nil {
			return nil, err
		}
		if op.GetSource() != nil {
			b.solved = append(b.solved, &op)
		}
	}
	if b.onSolve != nil {
		b.onSolve()
	}
	return &gatewaypb.SolveResponse{Ref: "root"}, nil
}

func (b *bridgeDouble) ReadDir(_ context.Context, req *gatewaypb.ReadDirRequest, _ ...grpc.CallOption) (*gatewaypb.ReadDirResponse, error) {
	if req.Ref != "root" || req.DirPath != "." {
		return nil, errors.New("no such folder")
	}
	return &gatewaypb.ReadDirResponse{Entries: []*fstypes.Stat{entry("hello", 0o755, "", 5)}}, nil
}

func (b *bridgeDouble) ReadFile(context.Context, *gatewaypb.ReadFileRequest, ...grpc.CallOption) (*gatewaypb.ReadFileResponse, error) {
	if b.broken {
		return nil, errors.New("the engine is gone")
	}
	return &gatewaypb.ReadFileResponse{Data: []byte("hello")}, nil
}

// lookAt is a look at the image of smallConfig, by a hook that reads its file
// and wants it to be for riscv64.
func lookAt(asked *int) *kitLook {
	hook := func(_ context.Context, config []byte, root fs.FS) ([]byte, error) {
		*asked++
		_, err := fs.ReadFile(root, "hello")
		return bytes.Replace(config, []byte("amd64"), []byte("riscv64"), 1), err
	}
	return &kitLook{engine: &Engine{info: docker20}, name: "app:1", id: digest.FromString(smallConfig).String(), hook: hook, traces: traces{cache: &cacheDouble{}}}
}

// A tag can move at any time; what BuildKit shows is taken for the image's only
// while the tag names it, and otherwise nobody is asked.
func TestLookIsTiedToTheImage(t *testing.T) {
	const other = `{"architecture":"arm64","os":"linux"}`
	for name, test := range map[string]struct {
		configs []string
		known   bool // the config
		asked   int
	}{
		"the image all along":          {configs: []string{smallConfig}, known: true, asked: 1},
		"another one from the start":   {configs: []string{other}},
		"another one before the solve": {configs: []string{smallConfig, other}, known: true},
	} {
		asked := 0
		l := lookAt(&asked)
		result, err := l.question(t.Context(), &bridgeDouble{configs: test.configs})
		if asked != test.asked || l.judged != (asked > 0) || (err == nil) != l.judged || l.stored.proven != test.known {
			t.Errorf("%s: asked %d times, judged %t, config %t, %v", name, asked, l.judged, l.stored.proven, err)
		}
		if err == nil && (result.GetRefDeprecated() != "root" || string(result.Metadata[exptypes.ExporterImageConfigKey]) != string(l.wanted)) {
			t.Errorf("%s: stores %v", name, result)
		}
	}
}

// Two looks have no step in common, and neither has one with a build: BuildKit
// would let them share what it found for the first.
func TestLooksShareNoStep(t *testing.T) {
	config := strings.Replace(smallConfig, `"amd64"`, `"arm","variant":"v6"`, 1)
	bridge := &bridgeDouble{configs: []string{config}}
	for range 2 {
		l := lookAt(new(int))
		l.id, l.dryRun = digest.FromString(config).String(), true
		if _, err := l.question(t.Context(), bridge); !errors.Is(err, errAnswered) {
			t.Fatal(err)
		}
	}
	one, two := bridge.solved[0], bridge.solved[1]
	if a, b := one.GetSource().Attrs[lookAttr], two.GetSource().Attrs[lookAttr]; a == "" || a == b {
		t.Errorf("both are %q", a)
	}
	if s := one.GetSource(); s.Identifier != "docker-image://docker.io/library/app:1" || s.Attrs[pb.AttrImageResolveMode] != "local" {
		t.Errorf("the source is %v", s)
	}
	if one.Platform.OS != "linux" || one.Platform.Architecture != "arm" || one.Platform.Variant != "v6" {
		t.Errorf("the platform is %v, and the label linux/arm/v6", one.Platform)
	}
}

// What is not certain is not stored, and left to others.
func TestLookThatStoresNothing(t *testing.T) {
	const empty = `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}`
	const unlabelled = `{"rootfs":{"diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}`
	many := strings.Replace(unlabelled, `"]`, strings.Repeat(`","sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`, maxLooked)+`"]`, 1)
	many = strings.Replace(many, "{", `{"architecture":"amd64","os":"linux",`, 1)
	refuses := func(context.Context, []byte, fs.FS) ([]byte, error) { return nil, fs.ErrInvalid }
	agrees := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) { return config, nil }
	for name, test := range map[string]struct {
		api    string
		config string
		broken bool
		hook   Hook
		dryRun bool
		judged bool
	}{
		"a file that cannot be read": {config: smallConfig, broken: true},
		"no layer":                   {config: empty},
		"many layers":                {config: many},
		"archives that cost nothing": {config: smallConfig, api: "1.43"},
		"archives that cost much":    {config: smallConfig, api: "1.42", dryRun: true, judged: true},
		"no label":                   {config: unlabelled},
		"a refusal":                  {config: smallConfig, hook: refuses, judged: true},
		"nothing to change":          {config: smallConfig, hook: agrees, judged: true},
		"a dry run":                  {config: smallConfig, dryRun: true, judged: true},
	} {
		l := lookAt(new(int))
		l.id, l.dryRun, l.engine.info.API = digest.FromString(test.config).String(), test.dryRun, cmp.Or(test.api, minAPI)
		if test.hook != nil {
			l.hook = test.hook
		}
		result, err := l.question(t.Context(), &bridgeDouble{configs: []string{test.config}, broken: test.broken})
		if result != nil || err == nil || l.judged != test.judged || !l.stored.proven {
			t.Errorf("%s: %v, judged %t, config %t, %v", name, result, l.judged, l.stored.proven, err)
		}
	}
}

// What a look began is known when it is interrupted, or the tag moves, and is removed.
func TestLookThatStopsKnowsItsRecords(t *testing.T) {
	const other = `{"architecture":"arm64","os":"linux"}`
	for name, test := range map[string]struct {
		solving, judging bool // when the interrupt comes
		configs          []string
	}{
		"an interrupt of the solve": {solving: true, configs: []string{smallConfig}},
		"an interrupt of the hook":  {judging: true, configs: []string{smallConfig}},
		"a tag that moves":          {configs: []string{smallConfig, other}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cache := &cacheDouble{records: []string{"layer"}}
		l := lookAt(new(int))
		l.traces.cache = cache
		bridge := &bridgeDouble{configs: test.configs}
		if test.solving {
			bridge.onSolve = cancel
		}
		if test.judging {
			l.hook = func(ctx context.Context, _ []byte, _ fs.FS) ([]byte, error) { cancel(); return nil, ctx.Err() }
		}
		_, err := l.question(ctx, bridge)
		cancel()
		l.traces.remove(ctx)
		if l.judged || err == nil || l.traces.end() != nil || len(cache.records) > 0 {
			t.Errorf("%s: judged %t, %v, and %q stay", name, l.judged, err, cache.records)
		}
	}
}

// BuildKit writes configs in its own way: an image that is not the answer byte
// for byte is removed and made otherwise.
func TestLookKeepsTheVeryAnswerOnly(t *testing.T) {
	e, requests := apiDouble(t, map[string]string{"GET /images/sha256:other/json": `{"Id":"sha256:other"}`, "DELETE /images/sha256:other": "[]"})
	l := &kitLook{engine: e, wanted: []byte(smallConfig)}
	l.keep(t.Context(), "sha256:other")
	if l.made != "" || l.traces.left != nil || !slices.Contains(requests(), "DELETE /images/sha256:other") {
		t.Errorf("kept %q, asked for %q, %v", l.made, requests(), l.traces.left)
	}
	before := len(requests())
	l.keep(t.Context(), digest.FromString(smallConfig).String())
	if l.made == "" || len(requests()) != before {
		t.Errorf("kept %q, asked for %q", l.made, requests())
	}
}
