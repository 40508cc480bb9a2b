package lists

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// PublishOptions say what Publish may do. The zero value refuses to make a tag worse.
type PublishOptions struct {
	// AllowDrop names platforms that a tag may lose. Any other platform that a tag has today
	// and the index has not is a *DropError; in a registry on loopback it is only a warning,
	// because nobody else pulls from there.
	AllowDrop []ocispec.Platform
	// Series are the tags for all releases of a series ("1.4"), and whether such a tag goes on naming the one version rather than
	// go to the next. Versions are what lists say (Version).
	Series map[string]func(has, next string) bool
	// Version is that of the list where it does not say so itself, for its series' tags.
	Version string
	// Expect, when set, is the digest that every tag must have now: the list that an edit
	// started from. Another one is a *MovedError: somebody else's work would be lost.
	Expect digest.Digest
	// Wait bounds how long a registry may go on serving what the tag was before; 0 is 30
	// seconds, which geo-replicated registries keep to.
	Wait time.Duration
	// Current is what Look found at the tags just now. Nil: Publish looks itself, which is one
	// round trip more.
	Current *Current
	// TrustAnswer spares the look at the tags afterwards, which is one round trip: the answer to
	// the PUT names the digest that the registry has taken, and one that does not is looked at
	// by PutManifest itself. A lagging replica or a later writer then goes unnoticed.
	TrustAnswer bool

	now func() time.Time // the clock, which tests turn; nil is time.Now
}

// Published is what Publish did, or did before it failed.
type Published struct {
	Repository string        `json:"repository"` // as people write it
	Digest     digest.Digest `json:"digest"`
	MediaType  string        `json:"mediaType"`
	Size       int64         `json:"size"`
	Unchanged  bool          `json:"unchanged"`          // every tag had this index before: nothing was uploaded
	Tags       []TagMove     `json:"tags"`               // in the order given
	Diff       index.Changes `json:"diff"`               // of the first tag: what it was and what it is now
	Warnings   []string      `json:"warnings,omitempty"` // that a tag loses platforms, or stays where it is
}

// TagMove is what happened to one tag.
type TagMove struct {
	Tag      string        `json:"tag"`
	Moved    bool          `json:"moved"`              // it names the index now, and did not before
	Previous digest.Digest `json:"previous,omitempty"` // what it named before; empty when it is new
	Kept     string        `json:"kept,omitempty"`     // the newer version of its series that it goes on naming
	Error    string        `json:"error,omitempty"`
}

// Publish puts the index under the tags of the repository:
//
//	look at the tags -> would one lose a platform? -> look again, if that took long
//	                 -> PUT under the first tag -> the others, concurrently: look again, if that took long, and PUT
//	                 -> read each back and compare
//
// All manifests of the index must be in the repository. A tag that has the index already is
// not written. Without tags the index is put under its digest alone, as where all of them stay
// with newer releases of their series.
//
// Errors: *DropError and *MovedError before anything is written, and inside a *TagsError for a
// tag whose second look found one; *TagsError when a tag could not be moved, with Published
// saying which were; *MovedError with After when somebody else moved a tag at the same time.
func Publish(ctx context.Context, c Publisher, repo reference.Named, tags []string, ix index.Index, opts PublishOptions) (Published, error) {
	raw, desc, err := ix.Marshal()
	if err != nil {
		return Published{}, fmt.Errorf("%s: %w", reference.FamiliarName(repo), err)
	}
	return publish(ctx, c, repo, tags, payload{desc, raw, ix}, opts)
}

// payload is what a tag is to name: an index, or (for copies) an image with the index of one
// that it amounts to.
type payload struct {
	desc  ocispec.Descriptor
	raw   []byte
	index index.Index
}

// publication is one Publish under way.
type publication struct {
	client  Publisher
	repo    reference.Named
	payload payload
	opts    PublishOptions
	tags    []goal
	out     Published
}

// goal is a tag that is to name the payload.
type goal struct {
	ref     reference.NamedTagged
	was     content
	at      time.Time // when it was looked at
	warning string    // that it loses platforms, or stays where it is
}

func publish(ctx context.Context, c Publisher, repo reference.Named, tags []string, what payload, opts PublishOptions) (Published, error) {
	p := &publication{client: c, repo: repo, payload: what, opts: opts, out: Published{
		Repository: reference.FamiliarName(repo),
		Digest:     what.desc.Digest, MediaType: what.desc.MediaType, Size: what.desc.Size,
	}}
	ctx = registry.WithPush(ctx, repo)
	err := p.move(ctx, tags)
	for _, tag := range p.tags {
		p.out.Warnings = append(p.out.Warnings, nonEmpty(tag.warning)...)
	}
	return p.out, err
}

// move has all tags name the payload.
func (p *publication) move(ctx context.Context, tags []string) error {
	if err := p.look(ctx, tags); err != nil {
		return err
	}
	for i := range p.tags {
		if err := p.guard(ctx, i); err != nil {
			return err
		}
	}
	g, again := errgroup.WithContext(ctx)
	for i := range p.tags {
		g.Go(func() error { return p.lookAgain(again, i, stale) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	todo := p.todo()
	if len(todo) == 0 {
		return p.settled(ctx)
	}
	if err := p.put(ctx, todo); err != nil || p.opts.TrustAnswer {
		return err
	}
	return p.readBack(ctx, todo)
}

func (p *publication) look(ctx context.Context, tags []string) (err error) {
	for _, tag := range tags {
		ref, err := withTag(p.repo, tag)
		if err != nil {
			return err
		}
		p.tags = append(p.tags, goal{ref: ref})
	}
	current := p.opts.Current
	if !current.covers(p.repo, tags) {
		if current, err = p.opts.look(ctx, p.client, p.repo, tags); err != nil {
			return err
		}
	}
	p.out.Tags = make([]TagMove, len(tags))
	for i, tag := range tags {
		p.tags[i].was, p.tags[i].at = current.tags[tag], current.at
		if err := p.compare(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// settled is what is left to do where no tag has to be written.
func (p *publication) settled(ctx context.Context) error {
	if !p.named() {
		return p.putUntagged(ctx)
	}
	p.out.Unchanged = true
	return nil
}

// compare notes what a tag is and, of the first, what becomes of it.
func (p *publication) compare(ctx context.Context, i int) error {
	was := p.tags[i].was
	p.out.Tags[i] = TagMove{Tag: p.tags[i].ref.Tag(), Previous: was.desc.Digest}
	if i == 0 {
		p.out.Diff = index.Diff(was.index, p.payload.index)
	}
	return p.keep(ctx, i)
}

// has reports whether a tag names the payload already.
func (p *publication) has(i int) bool { return p.reached(p.tags[i]) }

func (p *publication) reached(tag goal) bool { return tag.was.desc.Digest == p.payload.desc.Digest }

// named reports whether any tag names the payload already, so that it has been uploaded.
func (p *publication) named() bool { return slices.ContainsFunc(p.tags, p.reached) }

// stays reports whether a tag is left alone, as it names the payload or a newer release of its series.
func (p *publication) stays(i int) bool { return p.has(i) || p.out.Tags[i].Kept != "" }

func (c *Current) covers(repo reference.Named, tags []string) bool {
	if c == nil || c.repo != repo.Name() {
		return false
	}
	return !slices.ContainsFunc(tags, func(tag string) bool { _, ok := c.tags[tag]; return !ok })
}

// guard refuses before a tag is written.
func (p *publication) guard(ctx context.Context, i int) error {
	tag := &p.tags[i]
	tag.warning = ""
	name := reference.FamiliarString(tag.ref)
	if kept := p.out.Tags[i].Kept; kept != "" {
		tag.warning = fmt.Sprintf("%s stays on %s, which is newer than %s", name, kept, p.version())
	}
	if p.stays(i) {
		return nil
	}
	if want := p.opts.Expect; want != "" && tag.was.desc.Digest != want {
		return &MovedError{Tag: name, Expected: want, Found: tag.was.desc.Digest}
	}
	lost, err := p.lost(ctx, &tag.was)
	switch {
	case err != nil:
		return fmt.Errorf("%s: its platforms cannot be compared: %w", name, err)
	case len(lost) == 0:
	case IsLoopback(p.repo):
		names := formatAll(lost)
		tag.warning = fmt.Sprintf("%s loses %s, which the new list has not; elsewhere than on loopback that takes ALLOW_DROP=%s",
			name, strings.Join(names, ", "), strings.Join(names, ","))
	default:
		return &DropError{Tag: name, Platforms: lost}
	}
	return nil
}

// lost lists the platforms that go and were not allowed to. Entries count by what is in them,
// which is read where they do not say it.
func (p *publication) lost(ctx context.Context, was *content) ([]ocispec.Platform, error) {
	if was.unfolded == nil {
		all, err := unfold(ctx, p.client, p.repo, was.index)
		if err != nil {
			return nil, err
		}
		was.unfolded = &all
	}
	if gone := index.Dropped(*was.unfolded, p.payload.index); len(gone) == 0 {
		return nil, nil
	}
	next, err := unfold(ctx, p.client, p.repo, p.payload.index)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(index.Dropped(*was.unfolded, next), func(gone ocispec.Platform) bool {
		return slices.ContainsFunc(p.opts.AllowDrop, func(allowed ocispec.Platform) bool {
			return platforms.Equal(allowed, gone)
		})
	}), nil
}

// todo lists the tags to write, by their place.
func (p *publication) todo() []int {
	var out []int
	for i := range p.tags {
		if !p.stays(i) {
			out = append(out, i)
		}
	}
	return out
}

// put writes the first tag, which uploads the index, then the others at once. Where a tag had
// the index already nothing has to be uploaded first.
func (p *publication) put(ctx context.Context, todo []int) error {
	if !p.named() {
		if err := p.putTags(ctx, todo[:1]); err != nil {
			return err
		}
		todo = todo[1:]
	}
	return p.putTags(ctx, todo)
}

// putTags writes tags at once. One that fails does not stop the others: half of the tags moved
// is worse than all but one.
func (p *publication) putTags(ctx context.Context, todo []int) error {
	errs := make([]error, len(todo))
	var g errgroup.Group
	for n, i := range todo {
		g.Go(func() error {
			errs[n] = p.putTag(ctx, i)
			return nil
		})
	}
	_ = g.Wait() // errs has them
	for n, i := range todo {
		p.out.Tags[i].Moved = errs[n] == nil && !p.stays(i)
		if errs[n] != nil {
			p.out.Tags[i].Error = errs[n].Error()
		}
	}
	if errors.Join(errs...) == nil {
		return nil
	}
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	return &TagsError{Repository: p.out.Repository, Tags: p.out.Tags, errs: errs}
}

// putTag writes one tag. The tag before it may have taken long. One of a series is looked at in any case: what is overwritten unseen
// would be a newer release that many pull.
func (p *publication) putTag(ctx context.Context, i int) error {
	after := stale
	if p.series(i) {
		after = 0
	}
	if err := p.lookAgain(ctx, i, after); err != nil || p.stays(i) {
		return err
	}
	_, err := p.client.PutManifest(ctx, p.tags[i].ref, p.payload.desc.MediaType, p.payload.raw)
	return err
}

// putUntagged stores the index under its digest.
func (p *publication) putUntagged(ctx context.Context) error {
	ref := withDigest(p.repo, p.payload.desc.Digest)
	_, err := p.client.Head(ctx, ref)
	switch {
	case err == nil:
		p.out.Unchanged = true
		return nil
	case !errors.Is(err, registry.ErrNotFound):
		return err
	}
	_, err = p.client.PutManifest(ctx, ref, p.payload.desc.MediaType, p.payload.raw)
	return err
}
