package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// wantedBase is a base image with the platforms that the builds want of it.
type wantedBase struct {
	image  string // in full form
	where  string // who names it: "Dockerfile:1", "CONTEXTS"
	line   int    // 0 for CONTEXTS
	hint   string // what its name may have been meant to be
	node   string
	wanted []ocispec.Platform
}

// bases are the base images of some jobs, each once for an engine.
type bases []*wantedBase

func (b *bases) add(w wantedBase, platform ocispec.Platform) {
	i := slices.IndexFunc(*b, func(have *wantedBase) bool { return have.image == w.image && have.node == w.node })
	if i < 0 {
		i, *b = len(*b), append(*b, &w)
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
			where := fmt.Sprintf("%s:%d", j.solve.DockerfileName, b.Line)
			all.add(wantedBase{image: b.Image, where: where, line: b.Line, hint: b.Hint, node: j.node}, b.Platform)
		}
		for _, c := range j.contexts {
			at := slices.IndexFunc(p.cfg.Contexts, func(named config.Pair) bool { return named.Name == c.Name })
			if image, ok := strings.CutPrefix(p.cfg.Contexts[at].Value, "docker-image://"); ok {
				all.add(wantedBase{image: image, where: "CONTEXTS", node: j.node}, c.Platform)
			}
		}
	}
	return all
}

// offer is what there is under a base's name.
type offer struct {
	list  index.Index // of a manifest list; of a plain image one entry
	plain bool        // an image: BuildKit takes it for any platform
}

// has tells whether an engine finds the platform there.
func (o offer) has(p ocispec.Platform) bool {
	_, err := o.list.Find(p)
	return err == nil
}

// foreign tells whether an engine takes another machine's image for the platform, as it does with 32-bit ARM on arm64.
func (o offer) foreign(p ocispec.Platform) bool {
	found, err := o.list.Find(p)
	return err == nil && found.Entry.Platform != nil && found.Entry.Platform.Architecture != platforms.Normalize(p).Architecture
}

// matched names what an engine takes for platforms: of those that it has not, a lesser variant.
func (o offer) matched(wanted []ocispec.Platform) string {
	names := formatted(wanted)
	for i, platform := range wanted {
		if found, err := o.list.Find(platform); err == nil && !found.Exact {
			names[i] = fmt.Sprintf("%s (for %s)", platforms.Format(*found.Entry.Platform), names[i])
		}
	}
	return strings.Join(names, " ")
}

// offerOf is the offer of images for these platforms.
func offerOf(list []ocispec.Platform, plain bool) offer {
	o := offer{plain: plain}
	for _, platform := range list {
		o.list.Entries = append(o.list.Entries, index.Entry{Descriptor: ocispec.Descriptor{Platform: &platform}})
	}
	return o
}

// under reads what the registry has under a base's name: a list, or an image, which has none.
func under(ctx context.Context, client *registry.Client, name string) (ref reference.Named, m registry.Manifest, list index.Index, err error) {
	if ref, err = reference.ParseNormalizedNamed(name); err != nil {
		return nil, m, list, usageError{err}
	}
	if m, err = client.Manifest(ctx, reference.TagNameOnly(ref)); err == nil && index.IsIndex(m.Descriptor.MediaType) {
		list, err = index.Parse(m.Bytes, m.Descriptor.MediaType)
	}
	return ref, m, list, err
}

// offered asks the registry as an engine does that has not got the image.
func offered(ctx context.Context, client *registry.Client, name string) (offer, error) {
	ref, m, list, err := under(ctx, client, name)
	if err != nil || index.IsIndex(m.Descriptor.MediaType) {
		return offer{list: list}, err
	}
	doc, err := imageIn(m, ref)
	if err != nil {
		return offer{}, err
	}
	config, err := client.Config(ctx, ref, doc.Config)
	if err != nil {
		return offer{}, err
	}
	label, err := image.PlatformOf(config)
	return offerOf([]ocispec.Platform{label}, true), err
}

// offered asks the base's registry, or the engine to do so.
func (p *Pipeline) offered(ctx context.Context, b *wantedBase) (offer, error) {
	found, err := p.inRegistry(ctx, b)
	return p.orEngine(ctx, b, found, err)
}

// inRegistry asks the base's registry.
func (p *Pipeline) inRegistry(ctx context.Context, b *wantedBase) (offer, error) {
	client, err := p.Registry()
	if err != nil {
		return offer{}, err
	}
	return offered(ctx, client, b.image)
}

// orEngine has the engine ask where nobody answers from here: it may have a mirror or a proxy.
func (p *Pipeline) orEngine(ctx context.Context, b *wantedBase, found offer, err error) (offer, error) {
	e := p.engines[b.node]
	if e == nil || !errors.Is(err, registry.ErrUnreachable) {
		return found, err
	}
	ctx, cancel := context.WithTimeout(ctx, foresightLimit)
	defer cancel()
	have, plain, engineErr := e.Offers(ctx, b.image)
	var base *engine.BaseError
	switch {
	case errors.As(engineErr, &base) && base.Cure != "": // which tells that its words were understood
		return offer{}, base
	case engineErr != nil:
		return offer{}, err
	}
	return offerOf(have, plain), nil
}

// inTime asks a registry as long as a build waits for what it can do without.
func inTime[T any](ctx context.Context, ask func(ctx context.Context) (T, error)) (T, error) {
	timed, cancel := context.WithTimeout(ctx, foresightLimit)
	defer cancel()
	found, err := ask(timed)
	if err != nil && timed.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w within %s: %w", registry.ErrUnreachable, foresightLimit, err)
	}
	return found, err
}

// listed asks the registry what it has under a base's name, for an engine that pins it.
func (p *Pipeline) listed(ctx context.Context, name string) (engine.Listed, error) {
	client, err := p.Registry()
	if err != nil {
		return engine.Listed{}, err
	}
	return inTime(ctx, func(ctx context.Context) (engine.Listed, error) {
		ref, m, list, err := under(ctx, client, name)
		kind := m.Descriptor.MediaType
		if err != nil || index.IsIndex(kind) {
			return engine.Listed{Digest: m.Descriptor.Digest, Images: list}, err
		}
		if !index.IsImage(kind) {
			return engine.Listed{}, fmt.Errorf("%s is no image, but %s", name, kind)
		}
		doc, err := imageIn(m, ref)
		return engine.Listed{Digest: m.Descriptor.Digest, Config: doc.Config.Digest}, err
	})
}

// refusesBase says why an engine will not build on what there is under a base's name, in the words of the build.
func (p *Pipeline) refusesBase(ctx context.Context, b *wantedBase) error {
	e := p.engines[b.node]
	if e == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, foresightLimit)
	defer cancel()
	if err := e.RefusesBase(ctx, b.image); errors.Is(err, engine.ErrUnsupported) {
		return err
	}
	return nil // nobody could say
}

// lack says what a base has instead of a platform that is wanted.
func (p *Pipeline) lack(wanted ocispec.Platform, have []ocispec.Platform) error {
	text := "has no " + platforms.Format(wanted)
	if len(have) > 0 {
		text += ", but " + strings.Join(formatted(have), ", ")
	}
	text += "; take another base"
	if contains(p.cfg.Run(), wanted) {
		text += ", or leave the platform out of ARCHES"
	}
	return usageError{errors.New(text)}
}
