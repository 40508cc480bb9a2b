package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tonistiigi/fsutil"
)

// classic is the road of engines without BuildKit: POST /build, once per
// platform. What builders make of a platform differs, and is often wrong, so
// the Dockerfile is rewritten until there is nothing left to choose:
//
//	FROM name          -> FROM sha256:ID of the right platform's image
//	FROM scratch       -> FROM sha256:ID of an image without layers, labelled with the platform
//	COPY --from=image  -> COPY --from=sha256:ID
//	ARG NAME           -> ARG NAME=value
//
// So the label is right from the first step on, and no step is taken from
// another platform's cache. The config and the root of the result are then
// given to the hook, as on the main road; a label that is wrong nevertheless
// is repaired by a thin load.
type classic struct{ engine *Engine }

func newClassic(e *Engine) road { return &classic{e} }

// start reads the context once to know that it can be read, and removes what
// killed runs have left.
func (c *classic) start(ctx context.Context, given Context) (Builder, error) {
	if _, err := given.files(); err != nil {
		return nil, err
	}
	images, err := classicContexts(given)
	if err != nil {
		return nil, err
	}
	c.engine.removeLeftBoxes(ctx)
	return &classicBuilder{engine: c.engine, given: given, images: images, bases: newBases(c.engine)}, nil
}

// classicContexts refuses what only BuildKit can do, and reads the images
// among the named contexts.
func classicContexts(given Context) (map[string]string, error) {
	if len(given.Secrets) > 0 || len(given.SSH) > 0 {
		return nil, fmt.Errorf("%w: the classic builder has no secrets and no ssh; use BuildKit", ErrUnsupported)
	}
	images := map[string]string{}
	for _, named := range given.Named {
		ref, ok := strings.CutPrefix(named.Source, "docker-image://")
		if !ok {
			return nil, fmt.Errorf("%w: the classic builder has one context directory, not %s=%s beside it; use BuildKit", ErrUnsupported, named.Name, named.Source)
		}
		images[strings.ToLower(named.Name)] = ref
	}
	return images, nil
}

// classicBuilder builds over one context directory.
type classicBuilder struct {
	engine *Engine
	given  Context
	images map[string]string // named contexts, by lower-case name
	bases  *bases
	sent   atomic.Int64
}

func (b *classicBuilder) Sent() int64 { return b.sent.Load() }

// Close lets go of what was loaded for the builds alone.
func (b *classicBuilder) Close() error {
	b.bases.end()
	return nil
}

// Solve builds one platform.
func (b *classicBuilder) Solve(ctx context.Context, s Solve, hook Hook, onEvent func(Event)) (Built, error) {
	onEvent = serial(onEvent)
	file, err := readClassic(s.Dockerfile)
	if err != nil {
		return Built{}, &StepError{Dockerfile: s.dockerfileName(), Line: faultLine(err), Err: err}
	}
	if err := file.refuse(b.engine.info, s.Unneeded); err != nil {
		return Built{}, fmt.Errorf("%s: %w", s.dockerfileName(), err)
	}
	p := b.plan(s, file, onEvent)
	if err := p.refuse(); err != nil {
		return Built{}, err
	}
	p.notices()
	rewritten, err := p.rewrite(ctx)
	if err != nil {
		return Built{}, orCancelled(ctx, b.engine.gone(err))
	}
	p.unused()
	id, err := b.build(ctx, p, rewritten)
	if err != nil {
		return Built{}, err
	}
	settled, err := b.engine.settle(ctx, id, s, hook, onEvent)
	return settled, orCancelled(ctx, b.engine.gone(err))
}

// files is what one build may read of the context.
func (b *classicBuilder) files(p *classicPlan) (fsutil.FS, error) {
	c := b.given
	if c.Reads = p.Reads; p.whole {
		c = c.whole()
	}
	return c.files()
}

// orCancelled prefers the caller's cancellation to what it caused, but never
// to a verdict.
func orCancelled(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return ctx.Err()
	}
	return err
}

// build sends the context and follows the build.
func (b *classicBuilder) build(ctx context.Context, p *classicPlan, dockerfile []byte) (string, error) {
	given, err := b.files(p)
	if err != nil {
		return "", err
	}
	files, name, err := withDockerfile(ctx, given, b.engine.ignoreName(), dockerfile)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrContext, err)
	}
	auth, err := p.authConfigs(ctx)
	if err != nil {
		return "", err
	}
	body := streamTar(ctx, files, &b.sent)
	defer body.Close()
	follow := newFollower(p.file, p.emit)
	request, end := b.engine.buildContext(ctx, p.emit)
	defer end()
	answer, err := b.engine.api.ImageBuild(request, body, build.ImageBuildOptions{
		Dockerfile:  name,
		BuildArgs:   p.buildArgs(),
		Labels:      p.Labels,
		Target:      p.Target,
		NoCache:     p.cacheless(),
		Platform:    p.toldPlatform(),
		Remove:      true,
		ForceRemove: true, // a failed or cancelled step leaves no container behind
		AuthConfigs: auth,
		Version:     build.BuilderV1,
	})
	if err != nil {
		if b.engine.info.Name == podman {
			if link := leadsOut(ctx, given); link != nil {
				return "", link
			}
		}
		return "", body.blame(follow.explain(ctx, b.given, p.dockerfileName(), b.engine.gone(err)))
	}
	defer answer.Body.Close()
	id, err := follow.read(ctx, answer.Body)
	if err != nil {
		return "", body.blame(follow.explain(ctx, b.given, p.dockerfileName(), b.engine.gone(err)))
	}
	return id, nil
}

// runnable is nothing that could be known from here.
func (c *classic) runnable(context.Context) ([]ocispec.Platform, error) { return nil, nil }

// authConfigs are the credentials of the registries that the Dockerfile names.
func (p *classicPlan) authConfigs(ctx context.Context) (map[string]registry.AuthConfig, error) {
	out := map[string]registry.AuthConfig{}
	for _, host := range p.hosts {
		found, err := p.engine.auth(ctx, host)
		if err != nil {
			return nil, fmt.Errorf("the credentials of %s: %w", host, err)
		}
		if found != (Credential{}) {
			out[registryKey(host)] = registry.AuthConfig{Username: found.Username, Password: found.Password, IdentityToken: found.IdentityToken, ServerAddress: host}
		}
	}
	return out, nil
}

// registryKey is what engines call a registry in X-Registry-Config.
func registryKey(host string) string {
	if host == "docker.io" {
		return "https://index.docker.io/v1/"
	}
	return host
}
