package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

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
	known   map[string]Image
	names   map[string]*baseName
	aliases []string // that were loaded
}

func newBases(e *Engine) *bases {
	return &bases{engine: e, known: map[string]Image{}, names: map[string]*baseName{}}
}

// scratch loads an image without layers, labelled with the platform, to stand
// for FROM scratch. What is built on it has the right label from the first
// step on, and a cache of its own; a builder that starts from nothing labels
// with the engine's platform and shares its cache. All builds share the image:
// removing it would take it from under another build. It has a name, so that
// nobody wonders what it is.
func (b *bases) scratch(ctx context.Context, p ocispec.Platform) (Image, error) {
	return b.once("scratch "+platforms.Format(p), func() (Image, error) {
		config, err := scratchConfig(p)
		if err != nil {
			return Image{}, err
		}
		bottom := thin{config: config}
		id, err := b.engine.loadedID(ctx, bottom) // a look costs 3 ms, a load up to 300: Docker 20.10 starts a process for it
		if err != nil {
			id, err = b.engine.loadThin(ctx, bottom)
		}
		if err != nil {
			return Image{}, err
		}
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
		defer stop()
		return Image{ID: id}, b.engine.Tag(ctx, id, scratchName(p))
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

// pin gives a base image for a platform: the engine's own if it serves and no
// pull is asked for, else the registry's.
func (b *bases) pin(ctx context.Context, name string, p ocispec.Platform, pull bool, emit func(Event)) (Image, error) {
	return b.once(name+" "+platforms.Format(p), func() (Image, error) {
		if err := b.engine.RefusesBase(ctx, name); err != nil { // first: of a list such a store tells one platform, whichever is asked for
			return Image{}, err
		}
		here, err := b.engine.Inspect(ctx, name)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Image{}, err
		}
		found := here
		if pull || !b.serves(ctx, name, here, p) {
			found, err = b.pulled(ctx, name, p, here, emit)
		}
		if err == nil {
			b.named(name).took(ctx, b.engine, name, found, here, p, emit)
		}
		return found, err
	})
}

// serves tells whether what the engine has under a name is what the platform
// wants: its own, or the lesser variant that the registry has nothing better than.
func (b *bases) serves(ctx context.Context, name string, here Image, p ocispec.Platform) bool {
	switch {
	case here.ID == "", !suits(here.Platform, p):
		return false
	case platforms.Equal(here.Platform, p):
		return true
	}
	best := b.named(name).ask(ctx, b.engine, name).best(p)
	return best.Platform != nil && platforms.Equal(here.Platform, *best.Platform)
}

func (b *bases) once(key string, find func() (Image, error)) (Image, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if found, ok := b.known[key]; ok {
		return found, nil
	}
	found, err := find()
	if err == nil {
		b.known[key] = found
	}
	return found, err
}

// waiting are the arguments that an image's ONBUILD statements declare.
func (i Image) waiting() map[string]bool {
	names := map[string]bool{}
	for _, text := range i.OnBuild {
		maps.Copy(names, declaredIn(text))
	}
	return names
}

// alias gives an image another label, for the build alone: its layers and
// settings are the same, its programs are what they are.
func (b *bases) alias(ctx context.Context, of Image, p ocispec.Platform) (Image, error) {
	return b.once("alias "+of.ID+" "+platforms.Format(p), func() (Image, error) {
		config, err := b.engine.relabelled(ctx, of.ID, p)
		if err != nil {
			return Image{}, err
		}
		t, err := thinOf(config)
		if err != nil {
			return Image{}, err
		}
		of.Platform = p
		if of.ID, err = b.engine.loadThin(ctx, t); err == nil {
			b.aliases = append(b.aliases, of.ID)
		}
		return of, err
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
