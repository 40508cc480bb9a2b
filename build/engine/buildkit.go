package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	bkclient "github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// buildkit is the road through /grpc: one client, whose connection every solve
// shares, and what its worker said when it was opened.
type buildkit struct {
	engine  *Engine
	client  *bkclient.Client
	workers []gateway.WorkerInfo
	native  ocispec.Platform
	foreign []ocispec.Platform
	pong    pong
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
	if err := kit.askWorkers(ctx); err != nil {
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

// askWorkers learns which platforms the engine builds. BuildKit lists its own
// first, and behind it each that it could run a test program of.
func (k *buildkit) askWorkers(ctx context.Context) error {
	workers, err := k.client.ListWorkers(ctx)
	if err != nil {
		return err
	}
	if len(workers) == 0 || len(workers[0].Platforms) == 0 {
		return errors.New("it has no worker")
	}
	for _, w := range workers {
		k.workers = append(k.workers, gateway.WorkerInfo{ID: w.ID, Labels: w.Labels, Platforms: w.Platforms})
	}
	all := workers[0].Platforms
	k.native = platforms.Normalize(all[0])
	for _, p := range all[1:] {
		if p = platforms.Normalize(p); !platforms.Equal(p, k.native) {
			k.foreign = append(k.foreign, p)
		}
	}
	return nil
}

// emulated is what BuildKit could run a test program of, and what the kernel says that it runs: a busy BuildKit can fail to start a
// program that it has just written (ETXTBSY), and it then takes a working emulator for a missing one.
func (k *buildkit) emulated(context.Context) ([]ocispec.Platform, error) {
	if !k.engine.info.Local {
		return k.foreign, nil
	}
	registered, err := registeredPlatforms(binfmtDir)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(k.foreign)
	for _, p := range registered {
		same := func(q ocispec.Platform) bool { return platforms.Equal(p, q) }
		if p.Architecture != k.native.Architecture && !slices.ContainsFunc(out, same) {
			out = append(out, p)
		}
	}
	return out, nil
}

func (k *buildkit) close() error { return k.client.Close() }
