package lists

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// RemoveOptions say what goes. The zero value removes the tag and nothing else.
type RemoveOptions struct {
	// Manifest removes what the tag names, not only the tag. A reference with a digest always
	// means that.
	Manifest bool
	// Children also removes the images of the index that nothing else in the repository uses, what
	// cosign keeps under tags beside all that goes, and what refers to it.
	Children bool
}

// Removal is a plan: what would go, and what stays and why.
type Removal struct {
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`
	Tag       string        `json:"tag,omitempty"` // the tag that goes alone
	Delete    []Doomed      `json:"delete,omitempty"`
	Keep      []Kept        `json:"keep,omitempty"`
	Notices   []string      `json:"notices,omitempty"`
	Done      bool          `json:"done"` // Remove has carried it out

	repo reference.Named
}

// Doomed is a manifest that goes.
type Doomed struct {
	Digest   digest.Digest `json:"digest"`
	Kind     string        `json:"kind"` // "index", "image", "attestation", "signature", "bill of materials", "list of referrers" or "referrer TYPE"
	Platform string        `json:"platform,omitempty"`
	Tags     []string      `json:"tags,omitempty"` // which go with it
}

// Kept is a child that stays.
type Kept struct {
	Digest   digest.Digest `json:"digest"`
	Platform string        `json:"platform,omitempty"`
	UsedBy   []string      `json:"usedBy"` // the tags that need it
}

// PlanRemove walks the repository and says what would go. Nothing is removed.
//
// Only tags are walked: an index without a tag that uses the same images cannot be found.
func PlanRemove(ctx context.Context, c RemoveClient, ref string, opts RemoveOptions) (Removal, error) {
	named, err := ParseReference(ref)
	if err != nil {
		return Removal{}, err
	}
	m, err := c.Manifest(ctx, named)
	if err != nil {
		return Removal{}, err
	}
	plan := Removal{Reference: reference.FamiliarString(named), Digest: m.Descriptor.Digest, repo: reference.TrimNamed(named)}
	tag := ""
	if tagged, ok := named.(reference.Tagged); ok && !isDigest(named) {
		tag = tagged.Tag()
	}
	if tag != "" && !opts.Manifest && !opts.Children {
		plan.Tag = tag
		return plan, nil
	}
	u, err := usesOf(ctx, c, plan.repo)
	if err != nil {
		return Removal{}, err
	}
	if err := plan.without(u, opts); err != nil {
		return Removal{}, err
	}
	err = plan.manifest(ctx, c, m, tag, u, opts)
	return plan, err
}

// without goes on without knowing what broken indexes use, where no children go; they keep nobody from being mended.
func (r *Removal) without(u uses, opts RemoveOptions) error {
	for _, b := range u.broken {
		switch {
		case opts.Children:
			return fmt.Errorf("tag %s: what it uses has to be known before any children go: %w; remove that tag first, without -children", b.tag, b.err)
		case b.digest != r.Digest:
			r.Notices = append(r.Notices, fmt.Sprintf("tag %s is broken, and what it uses is not known: %v", b.tag, b.err))
		}
	}
	return nil
}

// RemoveClient is what PlanRemove needs.
type RemoveClient interface {
	Reader
	Lister
}

// manifest plans to remove an image or index. One that other tags name as well stays.
func (r *Removal) manifest(ctx context.Context, c Lister, m registry.Manifest, tag string, u uses, opts RemoveOptions) error {
	others := slices.DeleteFunc(slices.Clone(u.tags[r.Digest]), func(t string) bool { return t == tag })
	others = append(others, u.parents[r.Digest]...)
	if tag != "" && len(others) > 0 {
		r.Tag = tag
		r.Keep = append(r.Keep, Kept{Digest: r.Digest, UsedBy: others})
		return nil
	}
	if len(u.parents[r.Digest]) > 0 {
		r.Notices = append(r.Notices, fmt.Sprintf("it is part of %s, which breaks without it", strings.Join(u.parents[r.Digest], ", ")))
	}
	kind := "image"
	if index.IsIndex(m.Descriptor.MediaType) {
		kind = "index"
	}
	r.Delete = append(r.Delete, Doomed{Digest: r.Digest, Kind: kind, Tags: u.tags[r.Digest]})
	if kind == "index" && opts.Children {
		ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
		if err != nil {
			return fmt.Errorf("%s: its children are not known: %w", r.Reference, err)
		}
		r.children(ix, u)
		r.Notices = append(r.Notices, "indexes without a tag are not seen; one that uses the same images would break")
	}
	if opts.Children {
		r.companions(u)
	}
	return r.referrers(ctx, c, u, opts)
}

// children plans to remove what only this index uses. A child that stays keeps its
// attestations.
func (r *Removal) children(ix index.Index, u uses) {
	self := u.names[r.Digest]
	for _, e := range ix.Entries {
		if users := u.of(e.Digest, self...); len(users) > 0 {
			r.keep(Kept{Digest: e.Digest, Platform: entryName(e), UsedBy: users})
			continue
		}
		for _, a := range e.Attestations {
			r.doom(Doomed{Digest: a.Digest, Kind: "attestation", Platform: entryName(e)})
		}
		kind := "image"
		if e.IsAttestation() {
			kind = "attestation"
		}
		r.doom(Doomed{Digest: e.Digest, Kind: kind, Platform: entryName(e)})
	}
}

// companions plans to remove what cosign keeps beside the manifests that go, and beside that, unless something else needs it.
func (r *Removal) companions(u uses) {
	for i := 0; i < len(r.Delete); i++ {
		gone := r.Delete[i]
		for kind, tag := range companionTags(gone.Digest) {
			d, there := u.named[tag]
			if !there {
				continue
			}
			r.unlessUsed(Doomed{Digest: d, Kind: cosignNames[kind], Platform: gone.Platform, Tags: []string{tag}}, u, "tag "+tag)
		}
	}
}

// referrers plans to remove what refers to the manifests that go (bills of materials, signatures), what refers to that, and the tag
// by which clients list it; without -children it tells of what stays.
func (r *Removal) referrers(ctx context.Context, c Lister, u uses, opts RemoveOptions) error {
	for from := 0; from < len(r.Delete); {
		going := r.Delete[from:]
		from += len(going)
		found, err := r.referring(ctx, c, going)
		if err != nil {
			return fmt.Errorf("what refers to it has to be known before it goes: %w", err)
		}
		for i, gone := range going {
			if !opts.Children {
				r.orphans(gone.Digest, found[i])
				continue
			}
			if err := r.unreferred(gone, found[i], u); err != nil {
				return err
			}
		}
	}
	return nil
}

// referring asks what refers to some manifests, all at once.
func (r *Removal) referring(ctx context.Context, c Lister, to []Doomed) ([][]ocispec.Descriptor, error) {
	found := make([][]ocispec.Descriptor, len(to))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(requestsAtOnce)
	for i, d := range to {
		g.Go(func() (err error) {
			found[i], err = c.Referrers(ctx, r.repo, d.Digest, "")
			return err
		})
	}
	return found, g.Wait()
}

// unreferred plans to remove what was found to refer to one manifest, with its list.
func (r *Removal) unreferred(gone Doomed, found []ocispec.Descriptor, u uses) error {
	tag := registry.ReferrersTag(gone.Digest)
	if d, there := u.named[tag]; there {
		r.unlessUsed(Doomed{Digest: d, Kind: "list of referrers", Platform: gone.Platform, Tags: []string{tag}}, u, "tag "+tag)
	}
	for _, f := range found {
		if err := f.Digest.Validate(); err != nil {
			return fmt.Errorf("the registry lists %q as a referrer of %s: %w; remove without -children, or have the registry mended", f.Digest, gone.Digest, err)
		}
		r.unlessUsed(Doomed{Digest: f.Digest, Kind: strings.TrimSpace("referrer " + f.ArtifactType), Platform: gone.Platform}, u, "index "+tag)
	}
	return nil
}

// unlessUsed plans to remove a manifest that nothing needs but what goes with it.
func (r *Removal) unlessUsed(d Doomed, u uses, going ...string) {
	if users := u.of(d.Digest, going...); len(users) > 0 {
		r.keep(Kept{Digest: d.Digest, Platform: d.Platform, UsedBy: users})
		return
	}
	r.doom(d)
}

// orphans tells of what refers to a manifest that goes without it.
func (r *Removal) orphans(gone digest.Digest, found []ocispec.Descriptor) {
	if len(found) == 0 {
		return
	}
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = strings.TrimSpace(f.ArtifactType + " " + f.Digest.String())
	}
	r.Notices = append(r.Notices, fmt.Sprintf("what refers to %s stays, and nobody finds it any more: %s; add -children to remove it as well", gone, strings.Join(names, ", ")))
}

func (r *Removal) keep(k Kept) {
	if !slices.ContainsFunc(r.Keep, func(have Kept) bool { return have.Digest == k.Digest }) {
		r.Keep = append(r.Keep, k)
	}
}

func (r *Removal) doom(d Doomed) {
	if !slices.ContainsFunc(r.Delete, func(have Doomed) bool { return have.Digest == d.Digest }) {
		r.Delete = append(r.Delete, d)
	}
}

// uses is who uses what in a repository.
type uses struct {
	tags    map[digest.Digest][]string // the tags on a manifest
	parents map[digest.Digest][]string // the tagged indexes that hold it, by tag
	names   map[digest.Digest][]string // how parents calls an index
	named   map[string]digest.Digest   // what a tag is on
	broken  []broken
}

// broken is a tag on an index that cannot be understood.
type broken struct {
	tag    string
	digest digest.Digest
	err    error
}

// of names who needs a manifest, other than those that go with it.
func (u uses) of(d digest.Digest, going ...string) []string {
	out := slices.Clone(u.parents[d])
	for _, t := range u.tags[d] {
		out = append(out, "tag "+t)
	}
	return slices.DeleteFunc(out, func(name string) bool { return slices.Contains(going, name) })
}

// usesOf reads every tag of the repository. One that vanishes meanwhile uses nothing.
func usesOf(ctx context.Context, c RemoveClient, repo reference.Named) (uses, error) {
	tags, err := c.Tags(ctx, repo)
	if err != nil {
		return uses{}, fmt.Errorf("what else uses it has to be known before anything goes: %w", err)
	}
	found := make([]registry.Manifest, len(tags))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(tagsAtOnce)
	for i, tag := range tags {
		g.Go(func() error {
			ref, err := withTag(repo, tag)
			if err == nil {
				found[i], err = c.Manifest(ctx, ref)
			}
			if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrUnsupported) {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return uses{}, err
	}
	u := uses{tags: map[digest.Digest][]string{}, parents: map[digest.Digest][]string{}, names: map[digest.Digest][]string{}, named: map[string]digest.Digest{}}
	for i, tag := range tags {
		if err := u.add(tag, found[i]); err != nil {
			u.broken = append(u.broken, broken{tag, found[i].Descriptor.Digest, err})
		}
	}
	return u, nil
}

func (u uses) add(tag string, m registry.Manifest) error {
	d := m.Descriptor.Digest
	if d == "" {
		return nil // it vanished, or is nothing that can be read
	}
	u.tags[d] = append(u.tags[d], tag)
	u.named[tag] = d
	if !index.IsIndex(m.Descriptor.MediaType) {
		return nil
	}
	ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
	if err != nil {
		return err
	}
	name := "index " + tag
	u.names[d] = append(u.names[d], name)
	for _, e := range ix.Flatten() {
		u.parents[e.Digest] = append(u.parents[e.Digest], name)
	}
	return nil
}

// Remove carries out a plan: the index first, then its children, so that no index is left
// without them when it is interrupted.
func Remove(ctx context.Context, c Deleter, plan Removal) (Removal, error) {
	if plan.repo == nil {
		return plan, usage("a removal has to be planned first")
	}
	if plan.Tag != "" {
		ref, err := withTag(plan.repo, plan.Tag)
		if err != nil {
			return plan, err
		}
		if err := c.DeleteTag(ctx, ref); errors.Is(err, registry.ErrDenied) {
			return plan, fmt.Errorf("%s removes no tag by itself; %s: %w", reference.Domain(ref), plan.instead(), err)
		} else if err != nil {
			return plan, err
		}
	}
	for _, d := range plan.Delete {
		err := c.DeleteManifest(ctx, plan.repo, d.Digest)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return plan, err
		}
	}
	plan.Done = true
	return plan, nil
}

// instead is what to do where a registry removes no tags.
func (r Removal) instead() string {
	if len(r.Keep) == 0 {
		return "use -manifest, which removes what it names with every tag on it"
	}
	return fmt.Sprintf("what it names is used by %s, too; to remove all of that, name it by its digest, %s", several(r.Keep[0].UsedBy), r.Digest)
}

// Pending is an ErrUsage while the plan was not carried out, so that nobody takes it for done.
func (r Removal) Pending() error {
	if r.Done {
		return nil
	}
	return usage("nothing was removed: this is what would go; add -yes to do it")
}

// Write prints the plan, or what was done.
func (r Removal) Write(w io.Writer) error {
	d := &drawing{w: w}
	if r.Tag != "" {
		d.line(0, "- tag %s:%s", reference.FamiliarName(r.repo), r.Tag)
	}
	for _, x := range r.Delete {
		tags := ""
		if len(x.Tags) > 0 {
			tags = "with the tags " + strings.Join(x.Tags, ", ")
		}
		d.line(0, "- %s", strings.Join(nonEmpty(x.Kind, x.Platform, x.Digest.String(), tags), " "))
	}
	for _, k := range r.Keep {
		d.line(0, "= %s stays: used by %s", strings.Join(nonEmpty(k.Platform, k.Digest.String()), " "), several(k.UsedBy))
	}
	return d.err
}

func nonEmpty(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}
