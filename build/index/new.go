package index

import (
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Options says how New builds an index. The zero value follows the entries.
type Options struct {
	// MediaType forces OCIIndex or DockerList. Empty follows the entries: Docker's type when
	// all are Docker's and nothing needs OCI, because that is what engines wrote before and
	// old registries still expect; the OCI type otherwise.
	MediaType string
	// Annotations of the index itself.
	Annotations map[string]string
	// ArtifactType and Subject are OCI fields that images seldom have.
	ArtifactType string
	Subject      *ocispec.Descriptor
}

// New builds an index over the entries in the order given. The notes are sentences about
// what was chosen that the user may not expect (a mixture of Docker and OCI images).
//
// Errors: *DuplicateError when two entries have the same platform, ErrAnnotations when a
// Docker list was asked for and something has annotations, ErrInvalid for an entry that
// no list can hold (no digest, no size, no platform, Docker schema 1).
func New(entries []Entry, opts Options) (ix Index, notes []string, err error) {
	panic("not yet")
}
