package engine

import (
	"context"
	"errors"

	controlapi "github.com/moby/buildkit/api/services/control"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/identity"
	fstypes "github.com/tonistiigi/fsutil/types"
	"golang.org/x/sync/errgroup"
)

// errAnswered ends a solve that was only a question.
var errAnswered = errors.New("answered")

// ask begins a solve, puts a question to its gateway, and has the result stored
// that comes of it. That is not interrupted, so that the answer tells of
// whatever was stored. The gateway is spoken to directly: BuildKit's client
// greets it first, and to answer that Docker 20.10 tries every emulator.
func (k *buildkit) ask(ctx context.Context, question func(context.Context, gatewaypb.LLBBridgeClient) (*gatewaypb.Result, error)) (map[string]string, error) {
	ref := identity.NewID()
	request := (&kitJob{kit: k}).request(ref)
	request.Internal = true // no entry among the user's builds
	var answer *controlapi.SolveResponse
	group, gctx := errgroup.WithContext(context.WithoutCancel(ctx))
	group.Go(func() (err error) {
		answer, err = k.client.ControlClient().Solve(gctx, request)
		return err
	})
	group.Go(func() error {
		bridge := k.client.GatewayClientForBuild(ref)
		asking, stop := joined(ctx, gctx)
		defer stop()
		result, err := question(asking, bridge)
		if err != nil {
			return err // and the other half is cancelled
		}
		_, err = bridge.Return(gctx, &gatewaypb.ReturnRequest{Result: result})
		return err
	})
	err := group.Wait()
	return answer.GetExporterResponse(), err
}

// bridgeRef is a solve's result behind the bare gateway.
type bridgeRef struct {
	bridge gatewaypb.LLBBridgeClient
	id     string
}

// ReadDir lists a folder.
func (r bridgeRef) ReadDir(ctx context.Context, req gateway.ReadDirRequest) ([]*fstypes.Stat, error) {
	got, err := r.bridge.ReadDir(ctx, &gatewaypb.ReadDirRequest{Ref: r.id, DirPath: req.Path})
	return got.GetEntries(), err
}

// ReadFile reads a range of a file.
func (r bridgeRef) ReadFile(ctx context.Context, req gateway.ReadRequest) ([]byte, error) {
	span := &gatewaypb.FileRange{Offset: int64(req.Range.Offset), Length: int64(req.Range.Length)}
	got, err := r.bridge.ReadFile(ctx, &gatewaypb.ReadFileRequest{Ref: r.id, FilePath: req.Filename, Range: span})
	return got.GetData(), err
}
