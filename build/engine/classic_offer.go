package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/platforms"
)

// baseName is what a build knows of a base image's name: what the registry has
// under it, and which of its images were taken from where.
type baseName struct {
	asked  bool
	listed Listed           // zero where nobody knows
	own    Image            // what the engine has under the name, once it was taken for its own platform
	pulled ocispec.Platform // one for which the registry's was taken
	told   bool
}

func (b *bases) named(name string) *baseName {
	n := b.names[name]
	if n == nil {
		n = &baseName{}
		b.names[name] = n
	}
	return n
}

// ask asks the registry once.
func (n *baseName) ask(ctx context.Context, e *Engine, name string) Listed {
	if n.asked || e.listed == nil {
		return n.listed
	}
	listed, err := e.listed(ctx, name)
	n.asked = ctx.Err() == nil
	if err == nil {
		n.listed = listed
	}
	return n.listed
}

// best is the image that the registry has for a platform as engines choose: the
// platform's own, else the best of those that run there, too. What is no list is
// its only image, and does not tell its platform. Zero where there is none.
func (l Listed) best(p ocispec.Platform) ocispec.Descriptor {
	if len(l.Images.Entries) == 0 {
		return ocispec.Descriptor{Digest: l.Digest}
	}
	found, err := l.Images.Find(p)
	if err != nil || !index.IsImage(found.Entry.MediaType) {
		return ocispec.Descriptor{}
	}
	return found.Entry.Descriptor
}

// bestOf chooses among platforms as engines do.
func bestOf(have []ocispec.Platform, p ocispec.Platform) (ocispec.Platform, bool) {
	var list index.Index
	for _, one := range have {
		list.Entries = append(list.Entries, index.Entry{Descriptor: ocispec.Descriptor{Platform: &one}})
	}
	found, err := list.Find(p)
	if err != nil {
		return ocispec.Platform{}, false
	}
	return *found.Entry.Platform, true
}

// suits tells whether an image of one platform is taken for another, which runs it.
func suits(is, p ocispec.Platform) bool {
	_, ok := bestOf([]ocispec.Platform{is}, p)
	return ok
}

// withDigest names what a registry has under a name by its digest; "" where that is not known.
func withDigest(name string, d digest.Digest) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return ""
	}
	child, err := reference.WithDigest(reference.TrimNamed(named), d)
	if err != nil {
		return ""
	}
	return child.String()
}

// took notes which image was taken for a platform. One that the engine has, and
// that its registry has not, or has no more, is another version of the base than
// the registry's for the other platforms: nobody may have meant that.
func (n *baseName) took(ctx context.Context, e *Engine, name string, found, here Image, p ocispec.Platform, emit func(Event)) {
	if found.ID == here.ID {
		n.own = here
	} else {
		n.pulled = p
	}
	if n.told || n.own.ID == "" || n.pulled.OS == "" || n.listed.Digest == "" || n.listed.holds(n.own) || n.keeps(ctx, e, name) {
		return
	}
	n.told = true
	emit(Warning{Text: fmt.Sprintf("%s is not the same for all platforms: the engine's own, for %s, is not what the registry has, and %s is built on the registry's; pull it, or push yours for all platforms",
		name, platforms.Format(n.own.Platform), platforms.Format(n.pulled))})
}

// holds tells whether an image was pulled from what the registry has now.
func (l Listed) holds(i Image) bool {
	return slices.ContainsFunc(i.Pulled, func(ref string) bool {
		_, text, _ := strings.Cut(ref, "@")
		d := digest.Digest(text)
		return d == l.Digest || d == l.best(i.Platform).Digest
	})
}

// keeps tells whether the registry has the engine's own image still, or as well: a list gets another digest whenever one of its images does, and
// an image that was loaded has none.
func (n *baseName) keeps(ctx context.Context, e *Engine, name string) bool {
	one := n.listed
	if len(one.Images.Entries) > 0 {
		one, _ = e.listed(ctx, withDigest(name, one.best(n.own.Platform).Digest)) // zero where nobody answers
	}
	return one.Config != "" && one.Config == n.own.Config
}
