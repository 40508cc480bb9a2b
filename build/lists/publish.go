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
	Warnings   []string      `json:"warnings,omitempty"` // that a tag loses platforms
}

// TagMove is what happened to one tag.
type TagMove struct {
	Tag      string        `json:"tag"`
	Moved    bool          `json:"moved"`              // it names the index now, and did not before
	Previous digest.Digest `json:"previous,omitempty"` // what it named before; empty when it is new
	Error    string        `json:"error,omitempty"`
}

// Publish puts the index under the tags of the repository:
//
//	look at the tags -> would one lose a platform? -> look again, if that took long
//	                 -> PUT under the first tag -> PUT under the others, concurrently -> read each back and compare
//
// All manifests of the index must be in the repository. A tag that has the index already is
// not written. Without tags the index is put under its digest alone.
//
// Errors: *DropError and *MovedError before anything is written; *TagsError when a tag could
// not be moved, with Published saying which were; *MovedError with After when somebody else
// moved a tag at the same time.
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
	current *Current
	out     Published
	refs    []reference.NamedTagged
}

func publish(ctx context.Context, c Publisher, repo reference.Named, tags []string, what payload, opts PublishOptions) (Published, error) {
	repo = reference.TrimNamed(repo)
	p := &publication{client: c, repo: repo, payload: what, opts: opts, out: Published{
		Repository: reference.FamiliarName(repo),
		Digest:     what.desc.Digest, MediaType: what.desc.MediaType, Size: what.desc.Size,
	}}
	ctx = registry.WithPush(ctx, repo)
	if len(tags) == 0 {
		return p.out, p.putUntagged(ctx)
	}
	if err := p.look(ctx, tags); err != nil {
		return p.out, err
	}
	if err := p.guard(ctx); err != nil {
		return p.out, err
	}
	if err := p.lookAgain(ctx, tags); err != nil {
		return p.out, err
	}
	todo := p.todo()
	if len(todo) == 0 {
		p.out.Unchanged = true
		return p.out, nil
	}
	if err := p.put(ctx, todo); err != nil || opts.TrustAnswer {
		return p.out, err
	}
	return p.out, p.readBack(ctx, todo)
}

func (p *publication) look(ctx context.Context, tags []string) (err error) {
	for _, tag := range tags {
		ref, err := withTag(p.repo, tag)
		if err != nil {
			return err
		}
		p.refs = append(p.refs, ref)
	}
	p.current = p.opts.Current
	if !p.current.covers(p.repo, tags) {
		if p.current, err = p.opts.look(ctx, p.client, p.repo, tags); err != nil {
			return err
		}
	}
	p.compare(tags)
	return nil
}

// compare notes what the tags are and what becomes of the first.
func (p *publication) compare(tags []string) {
	p.out.Tags, p.out.Diff = nil, index.Changes{}
	for _, tag := range tags {
		p.out.Tags = append(p.out.Tags, TagMove{Tag: tag, Previous: p.current.Digest(tag)})
	}
	if was := p.current.tags[tags[0]]; was.desc.Digest != p.payload.desc.Digest {
		p.out.Diff = index.Diff(was.index, p.payload.index)
	}
}

func (c *Current) covers(repo reference.Named, tags []string) bool {
	if c == nil || c.repo != repo.Name() {
		return false
	}
	return !slices.ContainsFunc(tags, func(tag string) bool { _, ok := c.tags[tag]; return !ok })
}

// guard refuses before anything is written.
func (p *publication) guard(ctx context.Context) error {
	p.out.Warnings = nil
	for _, ref := range p.refs {
		was, name := p.current.tags[ref.Tag()], reference.FamiliarString(ref)
		if want := p.opts.Expect; want != "" && was.desc.Digest != want && was.desc.Digest != p.payload.desc.Digest {
			return &MovedError{Tag: name, Expected: want, Found: was.desc.Digest}
		}
		lost, err := p.lost(ctx, was)
		switch {
		case err != nil:
			return fmt.Errorf("%s: its platforms cannot be compared: %w", name, err)
		case len(lost) == 0:
		case IsLoopback(p.repo):
			names := formatAll(lost)
			p.warn("%s loses %s, which the new list has not; elsewhere than on loopback that takes ALLOW_DROP=%s",
				name, strings.Join(names, ", "), strings.Join(names, ","))
		default:
			return &DropError{Tag: name, Platforms: lost}
		}
	}
	return nil
}

// lost lists the platforms that go and were not allowed to. Entries count by what is in them,
// which is read where they do not say it.
func (p *publication) lost(ctx context.Context, was content) ([]ocispec.Platform, error) {
	if was.desc.Digest == p.payload.desc.Digest {
		return nil, nil
	}
	old, err := unfold(ctx, p.client, p.repo, was.index)
	if err != nil {
		return nil, err
	}
	if gone := index.Dropped(old, p.payload.index); len(gone) == 0 {
		return nil, nil
	}
	next, err := unfold(ctx, p.client, p.repo, p.payload.index)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(index.Dropped(old, next), func(gone ocispec.Platform) bool {
		return slices.ContainsFunc(p.opts.AllowDrop, func(allowed ocispec.Platform) bool {
			return platforms.Equal(allowed, gone)
		})
	}), nil
}

// todo lists the tags to write, by their place.
func (p *publication) todo() []int {
	var out []int
	for i, ref := range p.refs {
		if p.current.Digest(ref.Tag()) != p.payload.desc.Digest {
			out = append(out, i)
		}
	}
	return out
}

// put writes the first tag, which uploads the index, then the others at once. Where a tag had
// the index already nothing has to be uploaded first.
func (p *publication) put(ctx context.Context, todo []int) error {
	if len(todo) == len(p.refs) {
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
			_, errs[n] = p.client.PutManifest(ctx, p.refs[i], p.payload.desc.MediaType, p.payload.raw)
			return nil
		})
	}
	_ = g.Wait() // errs has them
	for n, i := range todo {
		p.out.Tags[i].Moved = errs[n] == nil
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

func (p *publication) warn(format string, args ...any) {
	p.out.Warnings = append(p.out.Warnings, fmt.Sprintf(format, args...))
}
