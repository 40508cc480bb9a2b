package lists

import (
	"context"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
)

// PublishOptions say what Publish may do. The zero value refuses to make a tag worse.
type PublishOptions struct {
	// AllowDrop names platforms that a tag may lose. Any other platform that a tag has today
	// and the index has not is a *DropError; in a registry on loopback it is only a notice,
	// because nobody else pulls from there.
	AllowDrop []ocispec.Platform
	// AllowDropAll lets the tag lose anything.
	AllowDropAll bool
	// Expect, when set, is the digest that every tag must have now: the list that an edit
	// started from. Another one is a *MovedError: somebody else's work would be lost.
	Expect digest.Digest
	// Wait bounds how long a registry may go on serving what the tag was before; 0 is 30
	// seconds, which geo-replicated registries keep to.
	Wait time.Duration
	// Current is what Look found at the tags just now. Nil: Publish looks itself, which is one
	// round trip more.
	Current *Current
}

// Published is what Publish did, or did before it failed.
type Published struct {
	Repository string        `json:"repository"` // as people write it
	Digest     digest.Digest `json:"digest"`
	MediaType  string        `json:"mediaType"`
	Size       int64         `json:"size"`
	Unchanged  bool          `json:"unchanged"` // every tag had this index before: nothing was uploaded
	Tags       []TagMove     `json:"tags"`      // in the order given
	Diff       index.Changes `json:"diff"`      // of the first tag: what it was and what it is now
	Notices    []string      `json:"notices,omitempty"`
}

// TagMove is what happened to one tag.
type TagMove struct {
	Tag   string        `json:"tag"`
	Moved bool          `json:"moved"`         // it names the index now, and did not before
	Old   digest.Digest `json:"old,omitempty"` // what it named before; empty when it is new
	Error string        `json:"error,omitempty"`
}

// Publish puts the index under the tags of the repository:
//
//	look at the tags -> would one lose a platform? -> PUT under the first tag
//	                 -> PUT under the others, concurrently -> read each back and compare
//
// All manifests of the index must be in the repository. A tag that has the index already is
// not written. Without tags the index is put under its digest alone.
//
// Errors: *DropError and *MovedError before anything is written; *TagsError when a tag could
// not be moved, with Published saying which were.
func Publish(ctx context.Context, c Publisher, repo reference.Named, tags []string, ix index.Index, opts PublishOptions) (Published, error) {
	panic("not yet")
}
