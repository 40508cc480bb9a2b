package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// strays are base images that an engine took from its own store though they are of another platform: one that was pulled for
// arm/v7 passes for arm64 there, because an arm64 machine may run it.
type strays struct {
	mu    sync.Mutex
	names []string
}

// note looks at a base that was found. One that the registry named has a digest, and is what the registry has for the platform.
func (s *strays) note(name string, found digest.Digest, config []byte, want *ocispec.Platform) {
	var is ocispec.Platform
	if found != "" || want == nil || json.Unmarshal(config, &is) != nil || platforms.Equal(is, *want) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.names, name) {
		s.names = append(s.names, name)
	}
}

// ResolveImageConfig finds a base and watches for strays.
func (c *frontendClient) ResolveImageConfig(ctx context.Context, name string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	ref, found, config, err := c.Client.ResolveImageConfig(ctx, name, opt)
	if err == nil && opt.ImageOpt != nil {
		c.strays.note(name, found, config, opt.ImageOpt.Platform)
	}
	return ref, found, config, err
}

// understand reads the Dockerfile. Where the engine offers a base of another platform, its bases are asked of their registries, and
// only if those do not have them the offer is taken: whether the image is a lie then is the hook's to judge.
func (r *kitSolve) understand(ctx context.Context, c gateway.Client) (*dockerfile2llb.Result, error) {
	read, astray, err := r.readBases(ctx, c, r.Pull)
	if err != nil || len(astray) == 0 || r.Pull {
		return read, err
	}
	again, _, err := r.readBases(ctx, c, true)
	if err == nil {
		return again, nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	r.steps.emit(Notice{fmt.Sprintf("the engine has %s for another platform than %s, and it cannot be pulled: %v",
		strings.Join(astray, " and "), platforms.Format(r.Platform), err)})
	return read, nil
}
