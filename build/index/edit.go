package index

import (
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Add returns the index with the entries behind its own. An entry whose platform is there
// already takes that one's place when replace is true (with its attestations), and is
// refused with *DuplicateError otherwise.
func Add(ix Index, replace bool, entries ...Entry) (Index, error) { panic("not yet") }

// Remove returns the index without the entries of the given platforms and digests, and
// without their attestations. A platform or digest that is not there is a *NotFoundError.
func Remove(ix Index, platforms []ocispec.Platform, digests []digest.Digest) (Index, error) {
	panic("not yet")
}

// Change says what Annotate does to one entry, or to the index. Nil and empty fields leave
// things as they are; an annotation with an empty value is removed.
type Change struct {
	OS, Architecture, Variant, OSVersion *string
	OSFeatures                           []string // replaces the list when not nil
	Annotations                          map[string]string
}

// Annotate returns the index with the change made to the entry of the digest; an empty
// digest means the index itself, where only annotations can change.
//
// A Docker list becomes an OCI index when it is given annotations; the note says so.
func Annotate(ix Index, entry digest.Digest, change Change) (out Index, notes []string, err error) {
	panic("not yet")
}

// Merge returns the first index with the entries of the others behind its own; every
// platform may come once. Annotations of the first win.
func Merge(first Index, others ...Index) (Index, error) { panic("not yet") }
