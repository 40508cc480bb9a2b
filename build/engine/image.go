package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/platforms"
)

// Image is one that the engine has.
type Image struct {
	ID       string        // as the engine calls it
	Config   digest.Digest // of its config; empty on containerd stores, which do not tell
	Tags     []string      // references, sorted
	Pulled   []string      // references by digest, of which registries have it
	Platform ocispec.Platform
	Labels   map[string]string
	OnBuild  []string // statements that wait for whoever builds on it
	Env      []string // its variables, NAME=value
	Created  time.Time
	Size     int64 // bytes in the engine
}

// Inspect describes an image by reference or ID. ErrNotFound when there is none.
func (e *Engine) Inspect(ctx context.Context, ref string) (Image, error) {
	found, err := e.described(ctx, ref)
	if err != nil {
		return Image{}, imageError("look at", ref, err)
	}
	out := Image{
		ID:       found.ID,
		Config:   e.configDigest(found.ID),
		Tags:     slices.Sorted(slices.Values(found.RepoTags)),
		Pulled:   found.RepoDigests,
		Platform: platforms.Normalize(ocispec.Platform{OS: found.Os, Architecture: found.Architecture, Variant: found.Variant, OSVersion: found.OsVersion}),
		Size:     found.Size,
	}
	if e.info.Name == podman { // which tells there what Docker had built the image
		out.Platform.OSVersion = ""
	}
	if found.Config != nil {
		out.Labels, out.OnBuild, out.Env = found.Config.Labels, found.Config.OnBuild, found.Config.Env
	}
	// An image built without a date has none; the zero time says so.
	out.Created, _ = time.Parse(time.RFC3339Nano, found.Created)
	return out, nil
}

// unfinished is how Podman fails to look at an image while it writes another one, as builds for several platforms do: it looks through all of
// them for the image's parent, and finds one of which not everything is there yet.
const unfinished = "locating item named"

// described asks Podman again while another image is unfinished.
func (e *Engine) described(ctx context.Context, ref string) (found image.InspectResponse, err error) {
	for try, pause := 1, podmanPause; ; try, pause = try+1, 2*pause {
		found, err = e.api.ImageInspect(ctx, ref)
		if err == nil || e.info.Name != podman || try == podmanTries || !strings.Contains(err.Error(), unfinished) {
			return found, err
		}
		if err := rest(ctx, pause); err != nil {
			return found, err
		}
	}
}

// Offers asks the engine what the registry has under a name: for which platforms, and whether it is a plain image. The engine asks as it
// would for a pull, through its mirrors and proxies. Errors of the registry are *BaseError; Podman does not know the question.
func (e *Engine) Offers(ctx context.Context, name string) (have []ocispec.Platform, plain bool, err error) {
	if e.info.Name == podman {
		return nil, false, fmt.Errorf("%w: Podman does not ask registries for others", ErrUnsupported)
	}
	api, auth, err := e.transfer(ctx, name)
	if err != nil {
		return nil, false, err
	}
	found, err := api.DistributionInspect(ctx, name, auth)
	if err != nil {
		return nil, false, baseError(name, err)
	}
	return found.Platforms, !index.IsIndex(found.Descriptor.MediaType), nil
}

// configDigest reads an image ID as what it is on graph drivers and Podman.
func (e *Engine) configDigest(id string) digest.Digest {
	if e.info.Store == StoreContainerd {
		return ""
	}
	if !strings.Contains(id, ":") { // Podman's own API leaves the algorithm out
		id = "sha256:" + id
	}
	return digest.Digest(id)
}

// imageError names what was done to which image.
func imageError(doing, ref string, err error) error {
	if cerrdefs.IsNotFound(err) {
		return fmt.Errorf("%s %s: %w; build or pull it first", doing, ref, ErrNotFound)
	}
	return fmt.Errorf("%s %s: %w", doing, ref, err)
}

// podmanTries is how often Podman is asked for what it does not bring about while it does something else, podmanPause how long it has for that
// at first; the pause doubles.
const (
	podmanTries = 5
	podmanPause = 20 * time.Millisecond
)

// Tag gives an image one more name, taking it from whichever image has it. Podman before 5 reads an image's names, adds one and writes
// them: of two that name one image at the same time, as runs that build the same do, one loses its name, and gives it again.
func (e *Engine) Tag(ctx context.Context, ref, name string) error {
	for try, pause := 1, podmanPause; ; try, pause = try+1, 2*pause {
		if err := e.api.ImageTag(ctx, ref, name); err != nil {
			return imageError("tag", ref, err)
		}
		if e.info.Name != podman {
			return nil
		}
		if err := rest(ctx, pause); err != nil {
			return err
		}
		if _, err := e.Inspect(ctx, name); !errors.Is(err, ErrNotFound) {
			return nil // what else is wrong with it whoever needs it says
		}
		if try == podmanTries {
			return fmt.Errorf("tag %s as %s: Podman does not keep the name, as when several runs name one image; run this again", ref, name)
		}
	}
}

// Remove takes a name away, and with its last name the image and its untagged
// parents. An image that is not there is no error; one that a container uses
// is, and stays.
func (e *Engine) Remove(ctx context.Context, ref string) error {
	if err := e.remove(ctx, ref); err != nil && !cerrdefs.IsNotFound(err) {
		return imageError("remove", ref, err)
	}
	return nil
}

// remove asks a second time when containers were in the way that a killed run
// has left.
func (e *Engine) remove(ctx context.Context, ref string) error {
	ask := func() error {
		_, err := e.api.ImageRemove(ctx, ref, image.RemoveOptions{PruneChildren: true})
		return err
	}
	err := ask()
	if cerrdefs.IsConflict(err) && e.removeLeftBoxes(ctx) {
		err = ask()
	}
	return err
}
