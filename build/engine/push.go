package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
)

// Pushed is what the registry now has.
type Pushed struct {
	Digest   digest.Digest // of the manifest
	Size     int64         // of the manifest, in bytes
	Uploaded int           // layers sent
	Present  int           // layers that the registry had, or took from another repository
}

// pushTries bounds how often a push is tried. The engine retries each layer by
// itself; what is left are faults that a whole new push cures, such as a
// registry that lost a blob to two uploads at once.
const pushTries = 4

// pushPause is the pause before the second try; it doubles from one to the next.
const pushPause = 500 * time.Millisecond

// Push sends an image to the registry that its reference names. Transient
// faults are tried again, with a Notice for each; other errors are *PushError.
func (e *Engine) Push(ctx context.Context, ref string, onEvent func(Event)) (Pushed, error) {
	onEvent = serial(onEvent)
	pause := pushPause
	for try := 1; ; try++ {
		done, err := e.pushOnce(ctx, ref, onEvent)
		if err == nil || try == pushTries || !errors.Is(err, errTransient) && !errors.Is(err, errBadManifest) {
			return done, err
		}
		onEvent(Notice{fmt.Sprintf("%v; trying again in %s", err, pause)})
		if err := rest(ctx, pause); err != nil {
			return Pushed{}, err
		}
		pause *= 2
	}
}

func (e *Engine) pushOnce(ctx context.Context, ref string, onEvent func(Event)) (Pushed, error) {
	api, auth, err := e.transfer(ctx, ref)
	if err != nil {
		return Pushed{}, err
	}
	stream, err := api.ImagePush(ctx, ref, image.PushOptions{RegistryAuth: auth})
	if err != nil {
		return Pushed{}, pushError(ctx, ref, err.Error())
	}
	defer stream.Close()
	return readPush(ctx, ref, stream, onEvent)
}

// transfer prepares to push to the reference's registry or to pull from it: the
// API for it, and the credential in the engine's form.
func (e *Engine) transfer(ctx context.Context, ref string) (api *client.Client, auth string, err error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w; correct the reference", ref, err)
	}
	host := reference.Domain(named)
	found, err := e.auth(ctx, host)
	if err != nil {
		return nil, "", fmt.Errorf("%s: the credentials of %s: %w", ref, host, err)
	}
	auth, err = registry.EncodeAuthConfig(registry.AuthConfig{
		Username:      found.Username,
		Password:      found.Password,
		IdentityToken: found.IdentityToken,
		ServerAddress: host,
	})
	if err != nil {
		return nil, "", err
	}
	api, err = e.towards(host)
	return api, auth, err
}
