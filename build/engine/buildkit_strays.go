package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/platforms"
)

// strays are base images that an engine took from its own store though they are of another platform: one that was pulled for
// arm/v7 passes for arm64 there, because an arm64 machine may run it.
type strays struct {
	mu    sync.Mutex
	names []string
}

// note looks at a base that was found. One that the registry named has a digest, and is what the registry has for the platform, or
// a plain image, which is taken for any: other tells of one whose programs will not run there.
func (s *strays) note(name string, found digest.Digest, config []byte, want *ocispec.Platform) (other string) {
	var is ocispec.Platform
	if want == nil || json.Unmarshal(config, &is) != nil || platforms.Equal(is, *want) {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case found == "" && !slices.Contains(s.names, name):
		s.names = append(s.names, name)
	case found != "" && is.Architecture != "" && !platforms.Runs(*want, is):
		return fmt.Sprintf("the image %s is one for %s alone, and is taken for %s", name, platforms.Format(is), platforms.Format(*want))
	}
	return ""
}

// steers tells of a base that may read more of the context than the Dockerfile says: by what waits in ONBUILD, or by another value of
// an argument that its paths go by.
func steers(onBuild, env, by []string) bool {
	return len(onBuild) > 0 || slices.ContainsFunc(env, func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(by, name)
	})
}

// configSteers does so of a base's config; of one that cannot be read, too.
func configSteers(config []byte, by []string) bool {
	var image struct {
		Config struct{ OnBuild, Env []string }
	}
	return json.Unmarshal(config, &image) != nil || steers(image.Config.OnBuild, image.Config.Env, by)
}

// ResolveImageConfig finds a base, looks whether it reads of the context, watches for strays, and tells of another machine's before anything is built on it.
func (c *frontendClient) ResolveImageConfig(ctx context.Context, name string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	ref, found, config, err := c.Client.ResolveImageConfig(ctx, name, opt)
	if err != nil || configSteers(config, c.by) {
		c.more.Store(true)
	}
	if err == nil && opt.ImageOpt != nil {
		if other := c.strays.note(name, found, config, opt.ImageOpt.Platform); other != "" {
			c.tell(other)
		}
	}
	return ref, found, config, err
}

// understand reads the Dockerfile. Where the engine offers a base of another platform, its bases are asked of their registries, and
// only if those do not have them the offer is taken: whether the image is a lie then is the hook's to judge.
func (r *kitSolve) understand(ctx context.Context, c gateway.Client) (*dockerfile2llb.Result, error) {
	read, err := r.readBases(ctx, c, r.Pull)
	if len(read.astray) == 0 || r.Pull {
		r.warnings = read.warnings
		return read.Result, err
	}
	again, failed := r.readBases(ctx, c, true)
	if failed == nil || err != nil || ctx.Err() != nil { // what was found wrong with a base that is not taken says nothing
		r.warnings = again.warnings
		return again.Result, failed
	}
	r.warnings = read.warnings
	r.otherMachine(fmt.Sprintf("the engine has %s for another platform than %s, and it cannot be pulled: %v",
		strings.Join(read.astray, " and "), platforms.Format(r.Platform), failed))
	return read.Result, nil
}

// look finds the bases of a Dockerfile that its own frontend reads, beside that, for what is to be told of them alone. The engine
// finds them once for both; what it does not find, the frontend tells.
func (r *kitSolve) look(ctx context.Context, c gateway.Client) {
	client := &frontendClient{Client: c, tell: r.otherMachine, by: r.ReadsBy, more: &r.whole}
	mode := llb.ResolveModeDefault
	if r.Pull {
		mode = llb.ResolveModeForcePull
	}
	var g errgroup.Group
	for _, b := range r.Bases {
		g.Go(func() error {
			opt := sourceresolver.Opt{LogName: "[internal] load metadata for " + b.Image,
				ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &b.Platform, ResolveMode: mode.String()}}
			_, _, _, err := client.ResolveImageConfig(ctx, b.Image, opt)
			return err
		})
	}
	_ = g.Wait()
	for _, name := range client.strays.names {
		r.otherMachine(fmt.Sprintf("the engine has %s for another platform than the one that is wanted, and takes it; pull it for that", name))
	}
}

// otherMachine tells that a base is for another machine, in place of BuildKit's check.
func (r *kitSolve) otherMachine(text string) {
	r.other.Store(true)
	r.notice(text)
}
