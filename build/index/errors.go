package index

import (
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
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

// duplicate names two entries of one platform; those of one list are told apart by their digests.
func duplicate(first, second Entry) *DuplicateError {
	e := &DuplicateError{Platform: *second.Platform, First: first.name(), Second: second.name()}
	if e.First == e.Second {
		e.First, e.Second = e.First+" ("+first.Digest.String()+")", e.Second+" ("+second.Digest.String()+")"
	}
	return e
}

// NotFoundError says which platform or digest is not there, and what is. It matches
// ErrNotFound.
type NotFoundError struct {
	Platform *ocispec.Platform
	Digest   digest.Digest
	Have     []ocispec.Platform
}

// Error says which two and what to do.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("two images for %s: %s and %s; leave one out or declare the platform of the other",
		platforms.Format(e.Platform), e.First, e.Second)
}

// Unwrap is ErrDuplicate.
func (e *DuplicateError) Unwrap() error { return ErrDuplicate }

// Error says what is missing and what is there instead.
func (e *NotFoundError) Error() string {
	what := e.Digest.String()
	if e.Platform != nil {
		what = platforms.Asked(*e.Platform)
	}
	return fmt.Sprintf("%s is not in the index; it has %s", what, formatAll(e.Have))
}

// Unwrap is ErrNotFound.
func (e *NotFoundError) Unwrap() error { return ErrNotFound }

// formatAll lists platforms in words.
func formatAll(ps []ocispec.Platform) string {
	if len(ps) == 0 {
		return "no platforms"
	}
	names := make([]string, len(ps))
	for i, p := range ps {
		names[i] = platforms.Format(p)
	}
	return strings.Join(names, ", ")
}

// invalid is an ErrInvalid with the reason; %w in it is kept.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}
