package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// basesParallel is how many registries are asked at once: most Dockerfiles have one base or two.
const basesParallel = 4

// wantedBase is a base image with the platforms that the builds want of it.
type wantedBase struct {
	image  string // in full form
	where  string // who names it: "Dockerfile:1", "CONTEXTS"
	node   string
	wanted []ocispec.Platform
}

// bases are the base images of some jobs, each once for an engine.
type bases []*wantedBase

func (b *bases) add(image, where string, j job, platform ocispec.Platform) {
	i := slices.IndexFunc(*b, func(w *wantedBase) bool { return w.image == image && w.node == j.node })
	if i < 0 {
		i, *b = len(*b), append(*b, &wantedBase{image: image, where: where, node: j.node})
	}
	if w := (*b)[i]; !contains(w.wanted, platform) {
		w.wanted = append(w.wanted, platform)
	}
}

// basesOf gathers the base images of all jobs, and those that stand for names in the Dockerfile.
func (p *Pipeline) basesOf(jobs []job) bases {
	var all bases
	for _, j := range jobs {
		for _, b := range j.bases {
			all.add(b.Image, fmt.Sprintf("%s:%d", j.solve.DockerfileName, b.Line), j, b.Platform)
		}
		for _, named := range p.cfg.Contexts {
			if image, ok := strings.CutPrefix(named.Value, "docker-image://"); ok {
				all.add(image, "CONTEXTS", j, j.platform)
			}
		}
	}
	return all
}

// basesHealth is whether the base images are there, for the platforms that are built.
func (p *Pipeline) basesHealth(ctx context.Context, jobs []job) ([]Checked, error) {
	bases := p.basesOf(jobs)
	if len(bases) == 0 {
		return nil, nil
	}
	client, err := p.Registry()
	if err != nil {
		return nil, err
	}
	out := make([]Checked, len(bases))
	var g errgroup.Group
	g.SetLimit(basesParallel)
	for i, b := range bases {
		g.Go(func() error {
			out[i] = p.baseHealth(ctx, client, b)
			return nil
		})
	}
	_ = g.Wait() // what is wrong is in out
	return out, ctx.Err()
}

// baseHealth asks the registry as an engine does that has not got the image.
func (p *Pipeline) baseHealth(ctx context.Context, client *registry.Client, b *wantedBase) Checked {
	at := fmt.Sprintf("%s (%s)", b.image, b.where)
	ref, err := reference.ParseNormalizedNamed(b.image)
	if err != nil {
		return wrong("base", usageError{fmt.Errorf("%s: %w", at, err)})
	}
	m, err := client.Manifest(ctx, reference.TagNameOnly(ref))
	switch {
	case err == nil:
	case p.inEngine(ctx, b):
		return noted("base", "%s is in the engine, which finds it for its own platform alone: %v", at, err)
	case errors.Is(err, registry.ErrUnreachable):
		return noted("base", "%s: %v; the engine may have a mirror", at, err)
	case errors.Is(err, registry.ErrNotFound):
		return wrong("base", fmt.Errorf("%s: %w; correct its name, or push it there first", at, err))
	default:
		return wrong("base", fmt.Errorf("%s: %w", at, err))
	}
	if !index.IsIndex(m.Descriptor.MediaType) {
		return plainHealth(ctx, client, ref, m, b, at)
	}
	ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
	if err != nil {
		return wrong("base", fmt.Errorf("%s: %w", at, err))
	}
	for _, platform := range b.wanted {
		if _, err := ix.Find(platform); err != nil {
			return wrong("base", usageError{fmt.Errorf("%s: %w; take another base, or leave the platform out of ARCHES", at, err)})
		}
	}
	return fine("base", "%s has %s", at, strings.Join(formatted(b.wanted), " "))
}

// plainHealth is that of a base that is no list: builders take it for any platform.
func plainHealth(ctx context.Context, client *registry.Client, ref reference.Named, m registry.Manifest, b *wantedBase, at string) Checked {
	var label ocispec.Platform
	doc, err := imageIn(m, ref)
	if err == nil {
		var config []byte
		if config, err = client.Config(ctx, ref, doc.Config); err == nil {
			label, err = image.PlatformOf(config)
		}
	}
	if err != nil {
		return wrong("base", fmt.Errorf("%s: %w", at, err))
	}
	is := fine("base", "%s is an image for %s", at, platforms.Format(label))
	if others := slices.DeleteFunc(slices.Clone(b.wanted), func(p ocispec.Platform) bool { return platforms.Equal(p, label) }); len(others) > 0 {
		return noted("base", "%s, and will be taken for %s, too", is.Text, strings.Join(formatted(others), " "))
	}
	return is
}

// inEngine tells whether the engine has the image already.
func (p *Pipeline) inEngine(ctx context.Context, b *wantedBase) bool {
	e := p.engines[b.node]
	if e == nil {
		return false
	}
	_, err := e.Inspect(ctx, b.image)
	return err == nil
}
