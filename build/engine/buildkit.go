package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	bkclient "github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/grpcerrors"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc/codes"

	"github.com/manymage/manymage/platforms"
)

// buildkit is the road through /grpc: one client, whose connection every solve
// shares.
type buildkit struct {
	engine *Engine
	client *bkclient.Client
	native ocispec.Platform
	pong   pong
}

var errNoBuilds = errors.New("nothing is to be built")

// errNoKit: BuildKit is wanted and is not to be had.
var errNoKit = errors.New("no BuildKit")

// kitDefault is the first Docker whose own builder BuildKit is. One that does
// not let us have it is broken, or stands behind a proxy that keeps it away.
const kitDefault = 23

// openBuildKit connects to the engine's BuildKit. The error says in a few
// words why there is none to use.
func openBuildKit(ctx context.Context, e *Engine, o Options) (*buildkit, error) {
	if o.NoBuilds {
		return nil, errNoBuilds
	}
	if o.Classic {
		return nil, errors.New("the classic builder was asked for")
	}
	if on, err := strconv.ParseBool(o.getenv("DOCKER_BUILDKIT")); err == nil && !on {
		return nil, errors.New("DOCKER_BUILDKIT=0")
	}
	kit := &buildkit{engine: e}
	var err error
	if kit.client, err = bkclient.New(ctx, "", kit.options()...); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoKit, err)
	}
	if err := kit.answers(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", errNoKit, err), kit.client.Close())
	}
	return kit, nil
}

// options route BuildKit's connection through the engine's API.
func (k *buildkit) options() []bkclient.ClientOpt {
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		return k.engine.api.DialHijack(ctx, "/grpc", "h2c", nil)
	}
	return []bkclient.ClientOpt{bkclient.WithContextDialer(dial)}
}

// answers asks for what costs nothing to answer. BuildKit before 0.11, which is in Docker 20.10, does not know the question, and says so.
func (k *buildkit) answers(ctx context.Context) error {
	_, err := k.client.Info(ctx)
	if grpcerrors.Code(err) == codes.Unimplemented && !strings.Contains(err.Error(), "unknown service") {
		return nil
	}
	return err
}

// settle learns the engine's own platform. /version gives an ARM no variant, and BuildKit does.
func (k *buildkit) settle(ctx context.Context, about ocispec.Platform) error {
	k.native = about
	if about.Architecture != "arm" {
		return nil
	}
	all, err := k.runnable(ctx)
	if err == nil {
		k.native = all[0]
	}
	return err
}

// runnable are the platforms whose programs run in a build: BuildKit lists its own first, and behind it each that it could run a test program of.
// It runs them all to answer, which takes longer than all else that an engine is asked before a build.
func (k *buildkit) runnable(ctx context.Context) ([]ocispec.Platform, error) {
	workers, err := k.client.ListWorkers(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the engine at %s for its platforms: %w", k.engine.info.Address, err)
	}
	if len(workers) == 0 || len(workers[0].Platforms) == 0 {
		return nil, fmt.Errorf("%w: BuildKit at %s has no worker; restart the engine", ErrUnsupported, k.engine.info.Address)
	}
	var all []ocispec.Platform
	for _, p := range workers[0].Platforms {
		all = append(all, platforms.Normalize(p))
	}
	return all, nil
}

// workers are those that a frontend in this process is told of: one, whose own platform it builds on.
func (k *buildkit) workers() []gateway.WorkerInfo {
	return []gateway.WorkerInfo{{Platforms: []ocispec.Platform{k.native}}}
}

func (k *buildkit) close() error { return k.client.Close() }
