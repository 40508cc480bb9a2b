package index

import (
	"errors"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// What can be wrong with an index; all errors of this package match one of them.
var (
	ErrNotIndex    = errors.New("not an index")
	ErrInvalid     = errors.New("invalid index")
	ErrTooLarge    = errors.New("index too large")
	ErrDuplicate   = errors.New("duplicate platform")
	ErrNotFound    = errors.New("not in the index")
	ErrAnnotations = errors.New("a Docker manifest list cannot carry annotations")
)

// DuplicateError names two entries that claim one platform. It matches ErrDuplicate.
type DuplicateError struct {
	Platform      ocispec.Platform
	First, Second string // the sources in words, or the digests
}

// NotFoundError says which platform or digest is not there, and what is. It matches
// ErrNotFound.
type NotFoundError struct {
	Platform *ocispec.Platform
	Digest   digest.Digest
	Have     []ocispec.Platform
}

func (e *DuplicateError) Error() string { panic("not yet") }
func (e *DuplicateError) Unwrap() error { return ErrDuplicate }
func (e *NotFoundError) Error() string  { panic("not yet") }
func (e *NotFoundError) Unwrap() error  { return ErrNotFound }
