package engine

import (
	"context"
	"errors"
	"time"

	bkclient "github.com/moby/buildkit/client"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/identity"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
)

// kitPatience bounds how long BuildKit is waited for. It answers in
// milliseconds; if it looked into a registry, because the tag was taken away
// meanwhile, the save stream would be quicker.
const kitPatience = 5 * time.Second

// askKit asks the engine's BuildKit for the config of the image under a tag:
// what a build FROM it would begin with are the engine's own bytes, whatever
// made the image. Only graph drivers tell them for images in the engine, and
// only there the image's ID proves them.
func (e *Engine) askKit(ctx context.Context, name, id string) (stored, bool) {
	if e.info.Store != StoreGraph || e.info.Name == podman {
		return stored{}, false
	}
	ctx, stop := context.WithTimeout(ctx, kitPatience)
	defer stop()
	kit := &buildkit{engine: e}
	var err error
	if kit.client, err = bkclient.New(ctx, "", kit.options()...); err != nil {
		return stored{}, false
	}
	defer kit.close()
	config, err := kit.configOf(ctx, name)
	if err != nil || digest.FromBytes(config).String() != id {
		return stored{}, false
	}
	t, err := thinOf(config)
	return stored{id, config, true, t}, err == nil
}

// errAnswered ends a solve that was only a question.
var errAnswered = errors.New("answered")

// configOf begins a solve, asks its gateway, and lets go of it.
func (k *buildkit) configOf(ctx context.Context, name string) ([]byte, error) {
	job := &kitJob{kit: k}
	ref := identity.NewID()
	request := job.request(ref)
	request.Exporters, request.ExporterDeprecated, request.ExporterAttrsDeprecated = nil, "", nil
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, err := k.client.ControlClient().Solve(gctx, request)
		return err
	})
	var config []byte
	group.Go(func() error {
		answer, err := k.client.GatewayClientForBuild(ref).ResolveImageConfig(gctx, &gatewaypb.ResolveImageConfigRequest{Ref: name, ResolveMode: "local"})
		if err != nil {
			return err
		}
		config = answer.Config
		return errAnswered
	})
	if err := group.Wait(); !errors.Is(err, errAnswered) {
		return nil, err
	}
	return config, nil
}
