package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// settle gives a built image to the hook, stores what the hook answers, and
// tags it. Tags move when all is done, and each at once from the old image to
// the new one. An image that is refused is not kept, nor what was stored for a
// build that is interrupted.
func (e *Engine) settle(ctx context.Context, id string, solve Solve, hook Hook, emit func(Event)) (Built, error) {
	s, wanted, err := e.judgeStored(ctx, id, solve.Platform, hook, emit)
	if err != nil {
		e.discard(ctx, id, emit)
		return Built{}, err
	}
	return e.keep(ctx, s, wanted, solve.Tags, emit)
}

// keep stores the hook's answer, if it is another one, and tags it.
func (e *Engine) keep(ctx context.Context, s stored, wanted []byte, tags []string, emit func(Event)) (Built, error) {
	built := Built{ID: s.id, Config: e.identity(s)}
	var err error
	if !bytes.Equal(wanted, s.config) {
		if built, err = e.restore(ctx, s, wanted, emit); err != nil {
			e.discard(ctx, s.id, emit)
			return Built{}, err
		}
	}
	if built.Size, err = e.tagAll(ctx, built.ID, tags); err != nil {
		for _, id := range slices.Compact([]string{built.ID, s.id}) {
			e.discard(ctx, id, emit)
		}
		return Built{}, err
	}
	if built.ID != s.id {
		e.settleName(ctx, built.ID, emit)
	}
	return built, nil
}

// tagAll gives an image its tags, and tells its size.
func (e *Engine) tagAll(ctx context.Context, id string, tags []string) (int64, error) {
	for _, tag := range tags {
		if err := e.Tag(ctx, id, tag); err != nil {
			return 0, err
		}
	}
	after, err := e.Inspect(ctx, id)
	return after.Size, err
}

// judgeStored is judge, behind the way to the image's config.
func (e *Engine) judgeStored(ctx context.Context, id string, want ocispec.Platform, hook Hook, emit func(Event)) (stored, []byte, error) {
	s, err := e.stored(ctx, id, want, emit)
	if err != nil {
		return s, nil, err
	}
	root, end, err := e.rootOf(ctx, s)
	if err != nil {
		return s, nil, err
	}
	defer func() {
		if err := end(); err != nil {
			emit(Notice{err.Error()})
		}
	}()
	return e.judge(ctx, s, root, hook, emit)
}

// discard removes an image that a build made and that nobody is to have. One
// with a name, or that others stand on, was there before and stays. One after
// the other: Podman's inspect fails when any other image goes meanwhile, even
// if it is not this program that removes it, hence the second try.
func (e *Engine) discard(ctx context.Context, id string, emit func(Event)) {
	e.discarding.Lock()
	defer e.discarding.Unlock()
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), openTimeout) // an interrupted build has one, too
	defer stop()
	err := e.removeDangling(ctx, id)
	if err != nil && !cerrdefs.IsConflict(err) {
		err = e.removeDangling(ctx, id)
	}
	if err != nil && !cerrdefs.IsConflict(err) {
		emit(Notice{fmt.Sprintf("the image that is not wanted stays: %v", err)})
	}
}

// identity is the digest of an image's config.
func (e *Engine) identity(s stored) digest.Digest {
	if s.proven {
		return digest.FromBytes(s.config)
	}
	return e.configDigest(s.id)
}

// stored finds out an image's config as cheaply as the engine allows. want is
// what the image is for; where that is not known, what Podman's API tells is of
// no use: it is never proven, and hides a key that stands twice.
func (e *Engine) stored(ctx context.Context, id string, want ocispec.Platform, emit func(Event)) (stored, error) {
	if e.info.Store == StoreContainerd || e.info.Name == podman && want.OS == "" {
		return e.exactly(ctx, id, emit)
	}
	s, err := e.rebuild(ctx, id)
	if e.info.Name == podman && ctx.Err() == nil && (err != nil || !labelled(s.config, want)) {
		return e.exactly(ctx, id, emit) // Podman does not tell the history of an image that has entries without a time either
	}
	return s, err
}

// labelled tells whether a config has the label that an image is to have.
// Podman's API leaves variants out, so that a label may be right without it.
func labelled(config []byte, want ocispec.Platform) bool {
	var label ocispec.Platform
	err := json.Unmarshal(config, &label)
	want = platforms.Normalize(want)
	return err == nil && label.OS == want.OS && label.Architecture == want.Architecture && label.Variant == want.Variant
}

// exactly reads the save stream, and says so: it can take seconds.
func (e *Engine) exactly(ctx context.Context, id string, emit func(Event)) (stored, error) {
	emit(Notice{fmt.Sprintf("reading the config of %s from the engine's save stream: this engine tells it in no other way", short(id))})
	return e.exact(ctx, id)
}

// judge gives the config and the root to the hook. If the hook wants another
// config and the one that it saw is not proven to be the engine's own, it is
// asked again with the engine's.
func (e *Engine) judge(ctx context.Context, s stored, root fs.FS, hook Hook, emit func(Event)) (stored, []byte, error) {
	wanted, err := hook(ctx, s.config, root)
	if err != nil || s.proven || bytes.Equal(wanted, s.config) {
		return s, wanted, err
	}
	if s, err = e.exactly(ctx, s.id, emit); err != nil {
		return s, nil, err
	}
	wanted, err = hook(ctx, s.config, root)
	return s, wanted, err
}

// rootOf is nil for an image without layers.
func (e *Engine) rootOf(ctx context.Context, s stored) (fs.FS, func() error, error) {
	layers, err := diffIDs(s.config)
	if err != nil || len(layers) == 0 {
		return nil, func() error { return nil }, err
	}
	info, err := e.Inspect(ctx, s.id)
	if err != nil {
		return nil, nil, err
	}
	return e.openRoot(ctx, s, info.Size)
}

// restore stores the image with another config. Where the engine takes no thin
// image, the old one stays and the result says what is to be repaired.
func (e *Engine) restore(ctx context.Context, s stored, config []byte, emit func(Event)) (Built, error) {
	id, err := e.loadThin(ctx, s.thin.with(config))
	if errors.Is(err, ErrThin) {
		emit(Notice{fmt.Sprintf("%v; the label of %s is repaired in the registry after the push", err, short(s.id))})
		return Built{ID: s.id, Config: digest.FromBytes(config), Repair: config}, nil
	}
	return Built{ID: id, Config: digest.FromBytes(config)}, err
}
