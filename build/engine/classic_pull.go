package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// movedTries is how often a name is pulled that other runs move at the same time, movedPause how long they get at first.
const (
	movedTries = 8
	movedPause = 20 * time.Millisecond // doubled each time: 2.5 s in all, for images that are here already
)

// pulled gets a base image from its registry. A name is one image in an engine, and every platform wants another: the user's name must
// not move because a foreign platform was built, nor because that was interrupted. So the manifest that the registry has for the
// platform is pulled by its digest, which moves no name, and which no other run moves. Where nobody here knows it, the name is pulled,
// and put back; and where that fails, too, what the engine has is taken if it suits: what was pulled for the platform before, or its own.
func (b *bases) pulled(ctx context.Context, name string, p ocispec.Platform, here Image, emit func(Event)) (Image, error) {
	if b.engine.info.Store == StoreContainerd { // which keeps all platforms under one name
		return b.pulledByName(ctx, name, p, here, emit)
	}
	best := b.named(name).ask(ctx, b.engine, name).best(p)
	found, err := b.child(ctx, name, best, p, here, emit)
	if found.ID == "" && ctx.Err() == nil && !errors.Is(err, ErrNoPlatform) {
		found, err = b.pulledAside(ctx, name, p, here, emit)
	}
	if err == nil {
		b.remember(ctx, name, p, found)
		return found, nil
	}
	if ctx.Err() != nil {
		return found, err
	}
	for _, have := range []Image{b.engine.Remembered(ctx, name, p, err), here} {
		if have.ID != "" && suits(have.Platform, p) {
			emit(Notice{fmt.Sprintf("%v; the engine's for %s is taken", err, platforms.Format(have.Platform))})
			return have, nil
		}
	}
	return found, err
}

// keptName is under which a base is found again where its registry does not answer: its own name is one image's, or a list's. No registry
// has such a name.
func keptName(name string, p ocispec.Platform) string {
	full, _ := inFull(name)
	sum := sha256.Sum256([]byte(full))
	return fmt.Sprintf("localhost/%s/base:%x-%s", product, sum[:6], strings.ReplaceAll(platforms.Format(p), "/", "-"))
}

// remember names a base that was pulled for another platform than the engine's, or by the digest of a list, which a pull of the platform's
// image does not leave. Where that fails nothing is lost but that name. Podman would write the newest name of a base into the history of what
// is built on it.
func (b *bases) remember(ctx context.Context, name string, p ocispec.Platform, found Image) {
	if b.engine.info.Name == podman {
		return
	}
	kept := keptName(name, p)
	if slices.Contains(found.Tags, kept) || platforms.Equal(p, b.engine.info.Platform) && b.finds(ctx, name) {
		return
	}
	_ = b.engine.Tag(ctx, found.ID, kept)
}

// finds tells whether the engine's own image is found by its name. A tag was given to it.
func (b *bases) finds(ctx context.Context, name string) bool {
	if !strings.Contains(name, "@") {
		return true
	}
	_, err := b.engine.Inspect(ctx, name)
	return err == nil
}

// Remembered is the base that was pulled for a platform last, and that a classic build takes where pulling it again ends with this error;
// the zero Image where there is none, and where the registry has said that it has none.
func (e *Engine) Remembered(ctx context.Context, name string, p ocispec.Platform, err error) Image {
	if errors.Is(err, ErrNoPlatform) || errors.Is(err, ErrNoImage) {
		return Image{}
	}
	found, _ := e.Inspect(ctx, keptName(name, p))
	return found
}

// child gets the image that the registry has for a platform by its digest; nothing where that is not known. It may be here already. Its
// name is given to the engine's own platform where there was none: that is what docker pull would have left.
func (b *bases) child(ctx context.Context, name string, best ocispec.Descriptor, p ocispec.Platform, here Image, emit func(Event)) (Image, error) {
	ref := withDigest(name, best.Digest)
	if ref == "" {
		return Image{}, nil
	}
	label := p
	if best.Platform != nil {
		label = *best.Platform
	}
	found, err := b.engine.Inspect(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		found, err = b.pullOnce(ctx, ref, label, here, emit)
	}
	switch {
	case err != nil:
		return Image{}, err
	case !b.engine.passesFor(found.Platform, label) && !suits(found.Platform, p) && (best.Platform == nil || !sameButVariant(found.Platform, label)): // old images leave the variant out
		return Image{}, gave(name, p, found.Platform)
	case here.ID == "" && !strings.Contains(name, "@") && platforms.Equal(p, b.engine.info.Platform):
		err = b.engine.Tag(ctx, found.ID, name)
	}
	if b.engine.info.Name == podman { // which hides the variant
		found.Platform = label
	}
	return found, err
}

// gave is the error of an image that is another platform's.
func gave(name string, p, is ocispec.Platform) error {
	return fmt.Errorf("the image %s: %w", name, baseError(name, fmt.Errorf("asked for %s the registry gave %s", platforms.Format(p), platforms.Format(is))))
}

// pulledAside pulls a base image by its name, and puts that back where it was.
func (b *bases) pulledAside(ctx context.Context, name string, p ocispec.Platform, here Image, emit func(Event)) (found Image, err error) {
	if here.ID != "" && !strings.Contains(name, "@") {
		defer func() { err = errors.Join(err, b.engine.putBack(ctx, name, here.ID, found.ID, p)) }()
	}
	return b.pulledByName(ctx, name, p, here, emit)
}

// pulledByName pulls a base image, again where another run has moved its name. What has the name in the end comes with an error, too.
func (b *bases) pulledByName(ctx context.Context, name string, p ocispec.Platform, here Image, emit func(Event)) (Image, error) {
	e := b.engine
	for tries, pause := 1, movedPause; ; tries, pause = tries+1, 2*pause {
		found, err := b.pullOnce(ctx, name, p, here, emit)
		if err != nil || e.passesFor(found.Platform, p) {
			return found, err
		}
		switch moved := e.wasMoved(ctx, name, p, found.Platform); {
		case !moved && suits(found.Platform, p):
			return found, nil
		case !moved, tries == movedTries && e.info.Name == podman:
			return found, gave(name, p, found.Platform)
		case tries == movedTries:
			return found, fmt.Errorf("the image %s: other runs pull it for other platforms all the time; run this again, or not beside them", name)
		}
		if err := rest(ctx, pause); err != nil { // of two runs that share an engine each pulls the name from under the other
			return found, err
		}
	}
}

// pullOnce pulls a base image and gives what has its name then.
func (b *bases) pullOnce(ctx context.Context, name string, p ocispec.Platform, here Image, emit func(Event)) (Image, error) {
	err := b.engine.pullImage(ctx, name, p, emit)
	switch {
	case err == nil:
		return b.engine.Inspect(ctx, name)
	case here.ID != "":
		return Image{}, fmt.Errorf("in the engine %s is the image for %s, and the pull for %s failed: %w", name, platforms.Format(here.Platform), platforms.Format(p), baseError(name, err))
	}
	return Image{}, fmt.Errorf("the image %s: %w", name, baseError(name, err))
}

// wasMoved says whether a name that was pulled, and is another platform's image, has been pulled by somebody else since. The registry
// knows: what is not the best that it has for the platform is not what it gave. Podman does not ask it.
func (e *Engine) wasMoved(ctx context.Context, name string, p, is ocispec.Platform) bool {
	have, plain, err := e.Offers(ctx, name)
	if err != nil || plain {
		return err != nil
	}
	best, ok := bestOf(have, p)
	return ok && !platforms.Equal(best, is)
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
