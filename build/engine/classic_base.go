package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/platforms"
)

// bases finds the base images of a build and pins each to the ID of the right
// platform's. A classic builder takes whatever image has the name: 20.10 does
// not look at its platform at all, and two platforms that build at once would
// pull it from under each other. An ID cannot be anybody else's.
type bases struct {
	engine *Engine

	mu      sync.Mutex // pulls move tags: one at a time
	known   map[string]string
	onBuild map[string][]string // by ID: their ONBUILD statements
	aliases []string            // that were loaded
}

func newBases(e *Engine) *bases {
	return &bases{engine: e, known: map[string]string{}, onBuild: map[string][]string{}}
}

// scratch loads an image without layers, labelled with the platform, to stand
// for FROM scratch. What is built on it has the right label from the first
// step on, and a cache of its own; a builder that starts from nothing labels
// with the engine's platform and shares its cache. All builds share the image:
// removing it would take it from under another build. It has a name, so that
// nobody wonders what it is.
func (b *bases) scratch(ctx context.Context, p ocispec.Platform) (string, error) {
	return b.once("scratch "+platforms.Format(p), func() (string, error) {
		config, err := scratchConfig(p)
		if err != nil {
			return "", err
		}
		bottom := thin{config: config}
		id, err := b.engine.loadedID(ctx, bottom) // a look costs 3 ms, a load up to 300: Docker 20.10 starts a process for it
		if err != nil {
			id, err = b.engine.loadThin(ctx, bottom)
		}
		if err != nil {
			return "", err
		}
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
		defer stop()
		return id, b.engine.Tag(ctx, id, scratchName(p))
	})
}

// scratchName is a name that no registry has.
func scratchName(p ocispec.Platform) string {
	return "localhost/" + product + "/scratch:" + strings.ReplaceAll(platforms.Format(p), "/", "-")
}

// scratchConfig is the smallest config that all engines take. The history
// entry is there for Podman, whose cache tells bases apart by layers and
// history alone.
func scratchConfig(p ocispec.Platform) ([]byte, error) {
	type step struct {
		Created    string `json:"created"`
		CreatedBy  string `json:"created_by"`
		EmptyLayer bool   `json:"empty_layer"`
	}
	const epoch = "1970-01-01T00:00:00Z"
	return json.Marshal(struct {
		Architecture string         `json:"architecture"`
		Config       struct{}       `json:"config"`
		Created      string         `json:"created"`
		History      []step         `json:"history"`
		OS           string         `json:"os"`
		RootFS       ocispec.RootFS `json:"rootfs"`
		Variant      string         `json:"variant,omitempty"`
	}{
		Architecture: p.Architecture, OS: p.OS, Variant: p.Variant, Created: epoch,
		History: []step{{epoch, "FROM scratch for " + platforms.Format(p), true}},
		RootFS:  ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}},
	})
}

// pin gives the ID of a base image for a platform: the engine's own if it is
// of that platform and no pull is asked for, else the registry's.
func (b *bases) pin(ctx context.Context, name string, p ocispec.Platform, pull bool, emit func(Event)) (string, error) {
	return b.once(name+" "+platforms.Format(p), func() (string, error) {
		if err := b.engine.RefusesBase(ctx, name); err != nil { // first: of a list such a store tells one platform, whichever is asked for
			return "", err
		}
		before, err := b.engine.Inspect(ctx, name)
		switch {
		case err == nil && !pull && platforms.Equal(before.Platform, p):
			b.onBuild[before.ID] = before.OnBuild
			return before.ID, nil
		case err != nil && !errors.Is(err, ErrNotFound):
			return "", err
		}
		after, err := b.pulled(ctx, name, p, before, emit)
		if err != nil {
			return "", err
		}
		b.onBuild[after.ID] = after.OnBuild
		return after.ID, nil
	})
}

func (b *bases) once(key string, find func() (string, error)) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if id, ok := b.known[key]; ok {
		return id, nil
	}
	id, err := find()
	if err == nil {
		b.known[key] = id
	}
	return id, err
}

// waiting are the arguments that a base image's ONBUILD statements declare.
func (b *bases) waiting(id string) map[string]bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := map[string]bool{}
	for _, text := range b.onBuild[id] {
		maps.Copy(names, declaredIn(text))
	}
	return names
}

// movedTries is how often a name is pulled that other runs move at the same time, movedPause how long they get at first.
const (
	movedTries = 8
	movedPause = 20 * time.Millisecond // doubled each time: 2.5 s in all, for images that are here already
)

// pulled pulls a base image. The user's tag must not change because a foreign platform was built, nor because that was interrupted:
// the platform's manifest is pulled by its digest, which moves no tag, and which no other run moves.
func (b *bases) pulled(ctx context.Context, name string, p ocispec.Platform, before Image, emit func(Event)) (Image, error) {
	if before.ID == "" || strings.Contains(name, "@") || b.engine.info.Store == StoreContainerd {
		return b.pulledByName(ctx, name, p, before, emit)
	}
	if child := b.engine.childOf(ctx, name, p); child != "" {
		after, err := b.pullOnce(ctx, child, p, before, emit)
		if err == nil && b.engine.passesFor(after.Platform, p) || ctx.Err() != nil {
			return after, err
		}
	}
	return b.pulledAside(ctx, name, p, before, emit)
}

// childOf names what the registry has for a platform by its digest; "" where nobody knows.
func (e *Engine) childOf(ctx context.Context, name string, p ocispec.Platform) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil || e.child == nil {
		return ""
	}
	child, err := reference.WithDigest(reference.TrimNamed(named), e.child(ctx, name, p))
	if err != nil {
		return ""
	}
	return child.String()
}

// pulledAside pulls a base image by its name, and puts that back where it was.
func (b *bases) pulledAside(ctx context.Context, name string, p ocispec.Platform, before Image, emit func(Event)) (after Image, err error) {
	defer func() { err = errors.Join(err, b.engine.putBack(ctx, name, before.ID, after.ID, p)) }()
	return b.pulledByName(ctx, name, p, before, emit)
}

// pulledByName pulls a base image, again where another run has moved its name. What has the name in the end comes with an error, too.
func (b *bases) pulledByName(ctx context.Context, name string, p ocispec.Platform, before Image, emit func(Event)) (Image, error) {
	e := b.engine
	for tries, pause := 1, movedPause; ; tries, pause = tries+1, 2*pause {
		after, err := b.pullOnce(ctx, name, p, before, emit)
		if err != nil || e.passesFor(after.Platform, p) {
			return after, err
		}
		switch moved := e.wasMoved(ctx, name, p); {
		case !moved, tries == movedTries && e.info.Name == podman:
			return after, fmt.Errorf("the image %s: %w", name, baseError(name, fmt.Errorf("asked for %s the registry gave %s", platforms.Format(p), platforms.Format(after.Platform))))
		case tries == movedTries:
			return after, fmt.Errorf("the image %s: other runs pull it for other platforms all the time; run this again, or not beside them", name)
		}
		select { // of two runs that share an engine each pulls the name from under the other
		case <-ctx.Done():
			return after, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// pullOnce pulls a base image and gives what has its name then.
func (b *bases) pullOnce(ctx context.Context, name string, p ocispec.Platform, before Image, emit func(Event)) (Image, error) {
	err := b.engine.pullImage(ctx, name, p, emit)
	switch {
	case err == nil:
		return b.engine.Inspect(ctx, name)
	case before.ID != "":
		return Image{}, fmt.Errorf("the engine has the image %s for %s alone, and the pull for %s failed: %w", name, platforms.Format(before.Platform), platforms.Format(p), baseError(name, err))
	}
	return Image{}, fmt.Errorf("the image %s: %w", name, baseError(name, err))
}

// wasMoved says whether a name that was pulled, and is another platform's image, has been pulled by somebody else since. The registry
// knows: what it has for no other platform is what it gave. Podman does not ask it.
func (e *Engine) wasMoved(ctx context.Context, name string, p ocispec.Platform) bool {
	have, plain, err := e.Offers(ctx, name)
	return err != nil || !plain && slices.ContainsFunc(have, func(one ocispec.Platform) bool { return platforms.Equal(one, p) })
}

// passesFor compares as far as the engine lets one.
func (e *Engine) passesFor(is, wanted ocispec.Platform) bool {
	return platforms.Equal(is, wanted) || e.info.Name == podman && sameButVariant(is, wanted)
}

// sameButVariant is all that Podman's inspect lets one compare: it hides the variant.
func sameButVariant(a, b ocispec.Platform) bool {
	return a.OS == b.OS && a.Architecture == b.Architecture
}

// putBack gives an image its tag again that a pull has moved, even when the caller has been interrupted. Where it names neither what
// was pulled nor another for that platform, another run has moved it, and puts it back itself.
func (e *Engine) putBack(ctx context.Context, tag, id, pulled string, p ocispec.Platform) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
	defer stop()
	if now, err := e.Inspect(ctx, tag); err == nil && now.ID != pulled && !e.passesFor(now.Platform, p) {
		return nil
	}
	if err := e.Tag(ctx, id, tag); err != nil {
		return fmt.Errorf("%w; %s may be another platform's image now: tag or pull it again", err, tag)
	}
	return nil
}

// alias gives an image another label, for the build alone: its layers and
// settings are the same, its programs are what they are.
func (b *bases) alias(ctx context.Context, id string, p ocispec.Platform) (string, error) {
	return b.once("alias "+id+" "+platforms.Format(p), func() (string, error) {
		config, err := b.engine.relabelled(ctx, id, p)
		if err != nil {
			return "", err
		}
		t, err := thinOf(config)
		if err != nil {
			return "", err
		}
		alias, err := b.engine.loadThin(ctx, t)
		if err == nil {
			b.aliases = append(b.aliases, alias)
		}
		return alias, err
	})
}

// end removes the aliases on which no step in the engine's cache stands.
func (b *bases) end() {
	for _, id := range b.aliases {
		b.engine.discard(context.Background(), id, func(Event) {})
	}
}

// RefusesBase keeps the classic builder of a containerd store away from
// manifest lists: it mixes one platform's config with another's layers.
func (e *Engine) RefusesBase(ctx context.Context, name string) error {
	if e.info.Road != RoadClassic || e.info.Store != StoreContainerd {
		return nil
	}
	kind, err := e.mediaType(ctx, name)
	if err != nil || !index.IsIndex(kind) {
		return err
	}
	return fmt.Errorf("%w: base image %s is a manifest list, which the classic builder of a containerd image store mixes up; use BuildKit (unset DOCKER_BUILDKIT), or name one platform's image by digest", ErrUnsupported, name)
}

// mediaType says whether a name is a manifest or a list. The engine knows from
// Docker 28 on; before, the registry is asked. It is empty for an image that
// only an older engine has: its label and its programs are checked anyway.
func (e *Engine) mediaType(ctx context.Context, name string) (string, error) {
	if local, err := e.api.ImageInspect(ctx, name); err == nil && local.Descriptor != nil {
		return local.Descriptor.MediaType, nil
	}
	_, auth, err := e.transfer(ctx, name)
	if err != nil {
		return "", err
	}
	found, err := e.api.DistributionInspect(ctx, name, auth)
	if err != nil {
		return "", ctx.Err()
	}
	return found.Descriptor.MediaType, nil
}

// pullImage pulls one platform of an image with the user's credentials. It is a step, because a registry that is silent sends no bytes
// that could be told of.
func (e *Engine) pullImage(ctx context.Context, name string, p ocispec.Platform, emit func(Event)) (err error) {
	step := Step{ID: "pull " + name + " " + platforms.Format(p), Name: "pull " + name}
	emit(step)
	defer func() { emit(step.ended(ctx, err)) }()
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return fmt.Errorf("%w; correct the reference", err)
	}
	api, auth, err := e.transfer(ctx, name)
	if err != nil {
		return err
	}
	stream, err := api.ImagePull(ctx, reference.TagNameOnly(named).String(), image.PullOptions{RegistryAuth: auth, Platform: platforms.Format(p)})
	if err != nil {
		return err
	}
	defer stream.Close()
	return readPull(stream, name, emit)
}
