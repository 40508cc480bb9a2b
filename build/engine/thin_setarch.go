package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var (
	// ErrReference: a reference that a new label cannot be put under.
	ErrReference = errors.New("not the name of one image")
	// ErrChanged: somebody else changed what a tag names meanwhile.
	ErrChanged = errors.New("the tag was moved meanwhile")
)

// Relabelled is what SetArch did, or would do.
type Relabelled struct {
	Name    string // the tag as the engine has it
	OldID   string
	ID      string        // of the image under the tag now; OldID when nothing changed or nothing was done
	Config  digest.Digest // of the new config
	Old     []byte        // the config before
	New     []byte        // the config now; equal to Old when there was nothing to change
	Changed bool          // New differs from Old
}

// SetArch gives the image under a tag the config that the hook answers, which
// may differ in anything but its layers. The hook's error stops it, with the
// image untouched. The tag names the old image until it names the new one;
// the old one is removed when it has no other name. A dry run stops before the
// engine is changed.
//
// Errors: ErrNotFound, ErrReference, ErrIndex, ErrConfig, ErrThin, ErrChanged,
// or the hook's own.
func (e *Engine) SetArch(ctx context.Context, ref string, hook Hook, dryRun bool, onEvent func(Event)) (Relabelled, error) {
	onEvent = serial(onEvent)
	for {
		name, before, err := e.named(ctx, ref)
		if err != nil {
			return Relabelled{}, e.gone(err)
		}
		done, err := e.relabel(ctx, name, before, hook, dryRun, onEvent)
		if err != nil && !errors.Is(err, ErrChanged) {
			if now, gone := e.Inspect(ctx, name); gone == nil && now.ID != before.ID {
				continue // somebody else has given the tag another image, and what was said is about one that may be gone
			}
		}
		if errors.Is(err, ErrThin) {
			err = fmt.Errorf("%w; push the image and repair its label in the registry", err)
		}
		return done, e.gone(err)
	}
}

// relabel is SetArch on an image that was found.
func (e *Engine) relabel(ctx context.Context, name string, before Image, hook Hook, dryRun bool, onEvent func(Event)) (Relabelled, error) {
	look := &kitLook{name: name, id: before.ID, hook: e.storable(name, hook), dryRun: dryRun}
	s, wanted, err := e.look(ctx, look, onEvent)
	look.traces.remove(ctx)
	defer func() {
		if err := look.traces.end(); err != nil {
			onEvent(Notice{err.Error()})
		}
	}()
	if err != nil {
		return Relabelled{}, orCancelled(ctx, err)
	}
	done := Relabelled{Name: name, OldID: before.ID, ID: before.ID, Config: e.identity(s), Old: s.config, New: wanted, Changed: !bytes.Equal(wanted, s.config)}
	if !done.Changed {
		return done, nil
	}
	done.Config = digest.FromBytes(wanted)
	if dryRun {
		return done, nil
	}
	done.ID, err = e.exchange(ctx, name, before.ID, look.made, s.thin.with(wanted))
	if err != nil {
		return Relabelled{}, fmt.Errorf("%s: %w", name, err)
	}
	e.settleName(ctx, done.ID, onEvent)
	look.traces.part()
	if err := e.removeOld(context.WithoutCancel(ctx), before.ID); err != nil {
		onEvent(Notice{fmt.Sprintf("the old image stays: %v", err)})
	}
	return done, nil
}

// oldPause is how long the checks of others have at first to leave an image, oldTries how often it is tried to remove it; the pause doubles.
const (
	oldTries = 8
	oldPause = 50 * time.Millisecond
)

// removeOld removes the image that lost its tag. Others who give it a label at the same time look into it, for seconds at most; what stands on
// it otherwise keeps it.
func (e *Engine) removeOld(ctx context.Context, id string) error {
	for try, pause, last := 1, oldPause, false; ; try, pause = try+1, 2*pause {
		err := e.removeDangling(ctx, id)
		if !cerrdefs.IsConflict(err) || last || try == oldTries {
			return err
		}
		last = !e.lookedInto(ctx, id) // it may just have ended
		if err := rest(ctx, pause); err != nil {
			return err
		}
	}
}

// storable is the hook, with an error where the engine would not store its
// answer: a dry run tells it, too.
func (e *Engine) storable(name string, hook Hook) Hook {
	return func(ctx context.Context, config []byte, root fs.FS) ([]byte, error) {
		wanted, err := hook(ctx, config, root)
		if err != nil {
			return nil, err
		}
		if err := e.takesSystem(wanted); err != nil && !bytes.Equal(wanted, config) {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return wanted, nil
	}
}

// look is the hook's answer to what BuildKit showed, or to what the engine
// tells of the image by its ID.
func (e *Engine) look(ctx context.Context, look *kitLook, emit func(Event)) (s stored, wanted []byte, err error) {
	e.lookInKit(ctx, look)
	s = look.stored
	if look.judged {
		return s, look.wanted, look.verdict
	}
	if !s.proven {
		if s, err = e.stored(ctx, look.id, ocispec.Platform{}, emit); err != nil {
			return s, nil, fmt.Errorf("%s: %w", look.name, err)
		}
	}
	root, end, err := e.rootOf(ctx, s)
	if err != nil {
		return s, nil, fmt.Errorf("%s: %w", look.name, err)
	}
	look.traces.boxes = append(look.traces.boxes, end)
	return e.judge(ctx, s, root, look.hook, emit)
}

// exchange loads the new image, unless it is made already, and moves the tag to
// it. Interrupted or refused, it leaves no trace.
func (e *Engine) exchange(ctx context.Context, name, old, made string, t thin) (string, error) {
	id := made
	if made == "" {
		var err error
		if id, err = e.loadThin(ctx, t); err != nil {
			return "", err
		}
	}
	if err := e.move(ctx, name, old, id); err != nil {
		return "", errors.Join(err, e.removeDangling(context.WithoutCancel(ctx), id))
	}
	return id, nil
}

// move gives the tag to the new image, if it still names the old one.
func (e *Engine) move(ctx context.Context, name, old, id string) error {
	now, err := e.Inspect(ctx, name)
	if err != nil {
		return err
	}
	switch now.ID {
	case old:
		ctx = context.WithoutCancel(ctx)
		err := e.Tag(ctx, id, name)
		if err == nil {
			return nil
		}
		if now, _ = e.Inspect(ctx, name); now.ID != id {
			return err
		}
		return nil // the same by somebody else, who was a moment earlier
	case id: // somebody else did the same
		return nil
	}
	return fmt.Errorf("%w from %s to %s; look at who did it and run this again", ErrChanged, short(old), short(now.ID))
}

// named finds the image under a tag, and the tag as the engine spells it.
func (e *Engine) named(ctx context.Context, ref string) (string, Image, error) {
	names, err := e.spellings(ref)
	if err != nil {
		return "", Image{}, err
	}
	var found []Image
	var tags []string
	for _, name := range names {
		image, err := e.Inspect(ctx, name)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return "", Image{}, err
		}
		if err == nil && slices.Contains(image.Tags, name) {
			found, tags = append(found, image), append(tags, name)
		}
	}
	switch len(found) {
	case 0:
		return "", Image{}, e.noTag(ctx, ref)
	case 1:
		return tags[0], found[0], nil
	}
	return "", Image{}, fmt.Errorf("%w: %q is both %s and %s; give the whole name", ErrReference, ref, tags[0], tags[1])
}

// noTag tells an ID from a name that nobody has.
func (e *Engine) noTag(ctx context.Context, ref string) error {
	if _, err := e.Inspect(ctx, ref); err != nil {
		return err
	}
	return noName(ref)
}

// noName refuses an image's ID.
func noName(ref string) error {
	return fmt.Errorf("%w: %q is an image's ID, which a new label changes; give a tag", ErrReference, ref)
}

// spellings are the tags that a reference may mean: Podman keeps its own
// builds under localhost, and others under their whole names.
func (e *Engine) spellings(ref string) ([]string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if _, other := reference.ParseAnyReference(ref); err != nil && other == nil {
		return nil, noName(ref)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w; give a tag such as app:1.0", ErrReference, ref, err)
	}
	if _, ok := named.(reference.Digested); ok {
		return nil, fmt.Errorf("%w: %q has a digest, which a new label changes; give a tag", ErrReference, ref)
	}
	named = reference.TagNameOnly(named)
	if e.info.Name != podman {
		return []string{reference.FamiliarString(named)}, nil
	}
	names := []string{named.String()}
	if reference.Domain(named) == "docker.io" {
		names = append(names, "localhost/"+reference.FamiliarString(named))
	}
	return names, nil
}
