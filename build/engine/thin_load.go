package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ErrThin says that an engine does not take an image by its config alone. Its
// label can still be repaired in the registry, after a push.
var ErrThin = errors.New("the engine does not take this image")

// takesSystem refuses another system's image where a graph driver would. Docker
// 20.10 breaks off in the middle of FreeBSD's, and never gets rid of it.
func (e *Engine) takesSystem(config []byte) error {
	var label ocispec.Platform
	if err := json.Unmarshal(config, &label); err == nil && label.OS != "" && !e.info.keeps(label.OS) {
		return fmt.Errorf("%w: it keeps images for %s alone, and this would be one for %s", ErrThin, e.info.system(), label.OS)
	}
	return nil
}

// loadPatience bounds how long a load is waited for, which takes milliseconds.
const loadPatience = 2 * time.Minute

// loadThin loads a thin image without a name, and gives the engine's ID for it.
// Once begun it is not interrupted: the engine would go on and have an image
// that nobody removes. Whoever gives up meanwhile removes it.
func (e *Engine) loadThin(ctx context.Context, t thin) (string, error) {
	if err := errors.Join(ctx.Err(), e.takesSystem(t.config)); err != nil {
		return "", err
	}
	archive, err := t.tar()
	if err != nil {
		return "", err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), loadPatience)
	defer stop()
	answer, err := e.api.ImageLoad(ctx, bytes.NewReader(archive), client.ImageLoadWithQuiet(true))
	if err != nil {
		return "", loadError(ctx, err)
	}
	defer answer.Body.Close()
	if err := eachMessage(answer.Body, func(message) {}); err != nil {
		return "", loadError(ctx, err)
	}
	return e.loadedID(ctx, t)
}

func loadError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the engine did not load a small image in %v: %w; is it overloaded?", loadPatience, ctx.Err())
	}
	return fmt.Errorf("%w: %w", ErrThin, err)
}

// loadedID is what the engine calls a thin image: its config's digest, or its
// manifest's on containerd stores. That it is there proves the load.
func (e *Engine) loadedID(ctx context.Context, t thin) (string, error) {
	id := t.configDigest()
	if e.info.Store == StoreContainerd {
		manifest, err := t.manifest()
		if err != nil {
			return "", err
		}
		id = digest.FromBytes(manifest)
	}
	found, err := e.Inspect(ctx, id.String())
	if errors.Is(err, ErrNotFound) {
		return "", fmt.Errorf("%w: it said that it loaded %s and does not have it: %w", ErrThin, short(id.String()), err)
	}
	return found.ID, err
}

// settleName ends the name that a containerd store gives to what is loaded without
// one, and lists as an image of its own. The store does so itself with a tag
// that is new, and not with one that the image has already, such as by somebody
// who did the same a moment earlier. The image is tagged, and no worse for it.
func (e *Engine) settleName(ctx context.Context, id string, emit func(Event)) {
	if e.info.Store != StoreContainerd {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
	defer stop()
	passing := "localhost/" + product + "/loaded:" + short(id)
	err := e.Tag(ctx, id, passing)
	if err == nil {
		err = e.Remove(ctx, passing)
	}
	if err != nil && !errors.Is(err, ErrNotFound) { // somebody else has given the tag to a third image, and this one went
		emit(Notice{fmt.Sprintf("the image is listed twice: %v", err)})
	}
}

// removeDangling removes an image that lost its last name, and its parents that
// nobody else uses, as docker rmi does. One that a container or a child uses
// stays. Two who remove one at once get answers of many kinds; that it is gone
// counts.
func (e *Engine) removeDangling(ctx context.Context, id string) error {
	old, err := e.Inspect(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(old.Tags) > 0 {
		return nil
	}
	if err = e.removeNameless(ctx, old); err == nil {
		return nil
	}
	if _, now := e.Inspect(ctx, id); errors.Is(now, ErrNotFound) {
		return nil
	}
	return imageError("remove the image without a name", short(id), err)
}

// removeNameless removes an image without a tag. A graph driver knows one that is in several repositories by a digest in each, and gives it
// away when one of them is left.
func (e *Engine) removeNameless(ctx context.Context, old Image) error {
	if e.info.Store == StoreGraph && e.info.Name != podman && len(old.Pulled) > 1 {
		for _, ref := range old.Pulled[1:] {
			if err := e.remove(ctx, ref); err != nil {
				return err
			}
		}
	}
	return e.remove(ctx, old.ID)
}

// withAlgorithm undoes what Podman leaves out of an ID.
func withAlgorithm(id string) string {
	if strings.Contains(id, ":") {
		return id
	}
	return digest.NewDigestFromEncoded(digest.SHA256, id).String()
}

// short is an ID as people read it.
func short(id string) string {
	_, hex, ok := strings.Cut(id, ":")
	if !ok {
		hex = id
	}
	return hex[:min(12, len(hex))]
}
