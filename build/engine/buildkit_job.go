package engine

import (
	"context"
	"sync"
	"time"

	controlapi "github.com/moby/buildkit/api/services/control"
	bkclient "github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/identity"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// product is what we call ourselves to BuildKit.
const product = "manymage"

// statusGrace is how long the last status is waited for when a solve is over.
// Old engines leave the stream of a failed solve open.
const statusGrace = 200 * time.Millisecond

// kitJob is one run of BuildKit's controller: a request that waits for a
// result, the gateway through which the result is made, and the status stream.
//
// It is what BuildKit's own client.Build does, less three costs: that lists the
// workers and greets the gateway again for every solve (30-40 ms each where
// emulators are tried to answer), and waits five seconds for the status of a
// failed one.
type kitJob struct {
	kit     *buildkit
	session string // its ID
	export  map[string]string
	caches  []*controlapi.CacheOptionsEntry // to be written
	wanted  map[string]string               // what the result will be: later engines warn where it is not
	build   gateway.BuildFunc
	status  func(*bkclient.SolveStatus)
}

// run gives the exporter's answer.
func (j *kitJob) run(ctx context.Context) (map[string]string, error) {
	ref := identity.NewID()
	streaming, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan struct{})
	go func() { defer close(watched); j.watch(streaming, ref) }()

	var answer *controlapi.SolveResponse
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		answer, err = j.kit.client.ControlClient().Solve(gctx, j.request(ref))
		return err
	})
	group.Go(func() error { return j.serve(gctx, ref) })
	err := group.Wait()
	defer time.AfterFunc(statusGrace, stop).Stop()
	<-watched
	return answer.GetExporterResponse(), err
}

// request asks for an export of what the gateway will be given. The deprecated
// fields are what engines before BuildKit 0.13 read.
func (j *kitJob) request(ref string) *controlapi.SolveRequest {
	return &controlapi.SolveRequest{
		Ref:                     ref,
		Session:                 j.session,
		Exporters:               []*controlapi.Exporter{{Type: exporter, Attrs: j.export}},
		ExporterDeprecated:      exporter,
		ExporterAttrsDeprecated: j.export,
		FrontendAttrs:           j.wanted,
		Cache:                   &controlapi.CacheOptions{Exports: j.caches},
	}
}

// exporter stores into the engine that runs this BuildKit.
const exporter = "moby"

// serve makes the result through the gateway.
func (j *kitJob) serve(ctx context.Context, ref string) error {
	bridge := &oncePinged{LLBBridgeClient: j.kit.client.GatewayClientForBuild(ref), answer: &j.kit.pong}
	client, err := grpcclient.New(ctx, map[string]string{}, j.session, product, bridge, j.kit.workers())
	if err != nil {
		return err
	}
	return client.Run(ctx, j.build)
}

// watch passes the status on until the engine ends the stream. Status is for
// the eye: when it breaks off, the solve goes on.
func (j *kitJob) watch(ctx context.Context, ref string) {
	stream, err := j.kit.client.ControlClient().Status(ctx, &controlapi.StatusRequest{Ref: ref})
	for err == nil {
		var update *controlapi.StatusResponse
		if update, err = stream.Recv(); err == nil {
			j.status(bkclient.NewSolveStatus(update))
		}
	}
}

// oncePinged answers a gateway's greeting from memory after the first. It tells
// what the engine is capable of, which does not change, and Docker 20.10 tries
// every emulator to answer it.
type oncePinged struct {
	gatewaypb.LLBBridgeClient
	answer *pong
}

// pong is the answer, once there is one.
type pong struct {
	mu   sync.Mutex
	kept *gatewaypb.PongResponse
}

// Ping implements the gateway's greeting. Solves that start together wait for
// the one that asks.
func (o *oncePinged) Ping(ctx context.Context, req *gatewaypb.PingRequest, opts ...grpc.CallOption) (*gatewaypb.PongResponse, error) {
	o.answer.mu.Lock()
	defer o.answer.mu.Unlock()
	if o.answer.kept != nil {
		return o.answer.kept, nil
	}
	got, err := o.LLBBridgeClient.Ping(ctx, req, opts...)
	if err == nil {
		o.answer.kept = got
	}
	return got, err
}
