package lists

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// Edit says what changes in a published list. All of it is one read and one write.
type Edit struct {
	Remove  []index.Target // platforms and digests that go; missing ones are an error
	Add     []Source       // images that come; of a platform that is there, see Replace
	Replace bool           // an added image takes the place of the one of its platform
	Changes []EntryChange  // what is said of entries, or of the index, after all that
}

// EntryChange is a change to one entry, or with the zero target to the index itself.
type EntryChange struct {
	Target index.Target
	index.Change
}

// Edited is a list that was edited.
type Edited struct {
	Created
	Before    digest.Digest `json:"before"`    // what the tag named when it was read
	Unchanged bool          `json:"unchanged"` // the edit changed nothing, and nothing was written
	Changes   index.Changes `json:"changes"`
}

// Apply reads the list under the tag, edits it, and puts it back under the same tag.
// Platforms that the edit itself removes may go; nothing else may.
//
// Registries have no compare-and-swap: when somebody else moves the tag while we work, that is
// noticed up to about a second before the write and refused with *MovedError.
func Apply(ctx context.Context, c Creator, target string, edit Edit, opts CreateOptions) (Edited, error) {
	ref, err := parseTarget(target)
	if err != nil {
		return Edited{}, err
	}
	if err := edit.check(); err != nil {
		return Edited{}, err
	}
	ctx = registry.WithPush(ctx, ref)
	e := &editor{ref: ref, builder: &builder{client: c, opts: opts, dest: destinations{{reference.TrimNamed(ref), []string{ref.Tag()}}}}}
	if err := e.read(ctx, edit.Add); err != nil {
		return e.edited(), err
	}
	if err := e.apply(ctx, edit); err != nil {
		return e.edited(), err
	}
	return e.finish(ctx, edit)
}

// check refuses an edit that cannot be meant, before anything is read.
func (edit Edit) check() error {
	if len(edit.Remove)+len(edit.Add)+len(edit.Changes) == 0 {
		return usage("no images are named; give them by platform, digest or reference")
	}
	if slices.Contains(edit.Remove, index.Target{}) {
		return usage("a list cannot be taken out of itself; name one of its images, or use manifest:rm")
	}
	for _, c := range edit.Changes {
		switch {
		case len(c.Annotations) == 0 && !c.OfPlatform():
			return usage("nothing is to be changed; say what, with -annotations, -os, -arch, -variant, -os-version or -os-features")
		case c.Target == (index.Target{}) && c.OfPlatform():
			return usage("a list has no platform of its own; say which of its images is meant")
		}
	}
	return nil
}

// editor is one Apply under way.
type editor struct {
	ref     reference.NamedTagged
	builder *builder // of the images to add, and then of the edited list
	before  content
	all     index.Index // before, unfolded
	base    index.Index // what the edit is compared with: all where there are lists inside, and before otherwise
	index   index.Index // what becomes of it
	diff    index.Changes
	same    bool
}

// read reads the images to add and then, with their configs, the list: as late as it can be.
func (e *editor) read(ctx context.Context, add []Source) error {
	if len(add) > 0 {
		if err := e.builder.gather(ctx, add); err != nil {
			return err
		}
	}
	if len(add) == 0 || e.builder.current[0] == nil {
		current, err := e.builder.opts.Publish.look(ctx, e.builder.client, e.ref, e.builder.dest[0].tags)
		if err != nil {
			return err
		}
		e.builder.current = []*Current{current}
	}
	e.before = e.builder.current[0].tags[e.ref.Tag()]
	switch {
	case e.before.desc.Digest == "":
		return fmt.Errorf("%s is not there: %w; create it first", reference.FamiliarString(e.ref), registry.ErrNotFound)
	case !index.IsIndex(e.before.desc.MediaType):
		return usage("%s is one image and no list; create a list of it under another tag", reference.FamiliarString(e.ref))
	case len(e.before.index.Flatten()) == 0 && e.before.index.MediaType == "":
		return fmt.Errorf("%s: %w that can be edited; create it anew", reference.FamiliarString(e.ref), index.ErrInvalid)
	}
	return nil
}

// start takes out what goes. Lists inside the list are flattened, as for a new list, after
// those that go as a whole.
func (e *editor) start(ctx context.Context, remove []index.Target) error {
	parts, err := unfoldEach(ctx, e.builder.client, e.ref, e.before.index)
	if err != nil {
		return err
	}
	e.base, e.index, e.all = e.before.index, e.before.index, e.before.index
	e.all.Entries = slices.Concat(parts...)
	e.before.unfolded = &e.all
	e.builder.current[0].tags[e.ref.Tag()] = e.before
	within := inside(e.before.index)
	if len(within) == 0 {
		e.index, err = index.Remove(e.index, remove...)
		return err
	}
	e.base = e.all
	e.flat(parts, remove)
	remove = slices.DeleteFunc(slices.Clone(remove), func(t index.Target) bool { return slices.Contains(within, t.Digest) })
	if e.index, err = index.Remove(e.index, remove...); err != nil {
		return err
	}
	entries := e.index.Entries
	e.index.Entries = nil
	for _, entry := range entries {
		if !entry.HasPlatform() {
			e.index.Entries = append(e.index.Entries, entry)
		} else if e.index, err = index.Add(e.index, false, entry); err != nil {
			return err
		}
	}
	return nil
}

// flat is the list without the lists that go as a whole, and with the images of the others.
func (e *editor) flat(parts [][]index.Entry, remove []index.Target) {
	e.index.Entries = nil
	for i, entry := range e.before.index.Entries {
		if !index.IsIndex(entry.MediaType) || !slices.Contains(remove, index.Target{Digest: entry.Digest}) {
			e.index.Entries = append(e.index.Entries, parts[i]...)
		}
	}
	e.allowDrop(index.Dropped(e.base, e.index)...)
	if note := unfolded(e.before.index, e.base); note != "" {
		e.builder.note("%s", note)
	}
}

func (e *editor) allowDrop(platforms ...ocispec.Platform) {
	e.builder.opts.Publish.AllowDrop = append(e.builder.opts.Publish.AllowDrop, platforms...)
}

func (e *editor) apply(ctx context.Context, edit Edit) (err error) {
	if err := e.start(ctx, edit.Remove); err != nil {
		return fmt.Errorf("%s: %w", reference.FamiliarString(e.ref), err)
	}
	if len(edit.Add) > 0 {
		if err := e.add(ctx, edit.Replace); err != nil {
			return err
		}
	}
	for _, change := range edit.Changes {
		var notes []string
		if e.index, notes, err = index.Annotate(e.index, change.Target, change.Change); err != nil {
			return fmt.Errorf("%s: %w", reference.FamiliarString(e.ref), err)
		}
		e.builder.out.Notices = append(e.builder.out.Notices, notes...)
		e.renamed(change)
	}
	if err := e.believe(ctx); err != nil {
		return err
	}
	if len(e.index.Entries) == 0 {
		return usage("nothing would be left of %s; remove the tag instead", reference.FamiliarString(e.ref))
	}
	if e.same = index.Diff(e.base, e.index).Empty(); !e.same {
		e.diff = index.Diff(e.before.index, e.index)
	}
	return nil
}

// believe compares the platforms that entries have got with the images' own configs, as for a new list.
func (e *editor) believe(ctx context.Context) error {
	if e.builder.opts.ForcePlatform {
		return nil
	}
	errs := make([]error, len(e.index.Entries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for i, entry := range e.index.Entries {
		if entry.HasPlatform() && e.renames(entry) {
			g.Go(func() error {
				errs[i] = e.contradicted(ctx, entry)
				return nil // every lie is told
			})
		}
	}
	_ = g.Wait() // errs has them
	return errors.Join(errs...)
}

// renames reports whether an image of the list gets another platform.
func (e *editor) renames(entry index.Entry) bool {
	known := false
	for _, was := range e.base.Entries {
		if was.Digest != entry.Digest {
			continue
		}
		if known = true; was.HasPlatform() && platforms.Equal(*was.Platform, *entry.Platform) {
			return false
		}
	}
	return known
}

// contradicted is the *MismatchError of an entry whose image says that it is for another platform.
func (e *editor) contradicted(ctx context.Context, entry index.Entry) error {
	m, err := listed(ctx, e.builder.client, e.ref, entry.Descriptor)
	if err != nil {
		return fmt.Errorf("%s: %w", entryName(entry), err)
	}
	one, err := indexOfOne(ctx, e.builder.client, e.ref, m)
	if err != nil || len(one.Entries) == 0 {
		return err
	}
	config := *one.Entries[0].Platform
	if _, ok := reconcile(*entry.Platform, config); ok {
		return nil
	}
	return &MismatchError{Source: at(reference.TrimNamed(e.ref), entry.Digest), By: "you", Declared: *entry.Platform, Config: config}
}

// renamed tells when an entry got a name that may be misspelt.
func (e *editor) renamed(change EntryChange) {
	for _, p := range e.index.Platforms() {
		_, before := e.base.Get(p)
		if !before && (change.OS != nil || change.Architecture != nil || change.Variant != nil) {
			e.builder.remark(p)
		}
	}
}

// add checks the new images as for a new list, and puts them into the old one.
func (e *editor) add(ctx context.Context, replace bool) error {
	if err := e.builder.assemble(ctx); err != nil {
		return err
	}
	out, err := index.Add(e.index, replace, e.builder.index.Entries...)
	if err != nil {
		return fmt.Errorf("%s: %w", reference.FamiliarString(e.ref), err)
	}
	for key, value := range e.builder.annotations {
		if _, asked := e.builder.opts.Annotations[key]; asked {
			out.Annotations = over(out.Annotations, map[string]string{key: value})
		}
	}
	var notes []string
	e.index, notes = index.Fit(out)
	if e.index.MediaType != e.before.index.MediaType {
		e.builder.out.Notices = append(e.builder.out.Notices, notes...)
	}
	return nil
}

// finish writes the list back, unless nothing changed.
func (e *editor) finish(ctx context.Context, edit Edit) (Edited, error) {
	if e.same {
		out := e.edited()
		out.Digest, out.MediaType, out.Size = e.before.desc.Digest.String(), e.before.desc.MediaType, e.before.desc.Size
		return out, nil
	}
	e.builder.opts.Publish.Expect = e.before.desc.Digest
	for _, p := range index.Dropped(e.all, e.index) {
		if wanted(edit, e.all, p) {
			e.allowDrop(p)
		}
	}
	e.builder.index = e.index
	err := e.builder.publish(ctx)
	return e.edited(), err
}

// wanted reports whether the edit says that the platform goes or is called otherwise.
func wanted(edit Edit, before index.Index, p ocispec.Platform) bool {
	only := index.Index{Entries: []index.Entry{}}
	if entry, ok := before.Get(p); ok {
		only.Entries = append(only.Entries, entry)
	}
	for _, t := range edit.Remove {
		if _, err := index.Remove(only, t); err == nil {
			return true
		}
	}
	for _, c := range edit.Changes {
		if c.Target == (index.Target{}) {
			continue
		}
		if _, _, err := index.Annotate(only, c.Target, c.Change); err == nil {
			return true
		}
	}
	return false
}

func (e *editor) edited() Edited {
	return Edited{Created: e.builder.out, Before: e.before.desc.Digest, Unchanged: e.same, Changes: e.diff}
}

// Write prints what changed and where the tag stands.
func (e Edited) Write(w io.Writer) error {
	if e.Unchanged {
		_, err := fmt.Fprintf(w, "nothing to change: it is %s already\n", e.Before)
		return err
	}
	for _, p := range e.Published {
		if err := p.Write(w); err != nil {
			return err
		}
	}
	return nil
}
