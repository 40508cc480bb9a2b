package platforms

import (
	"errors"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// What is wrong with a text that should name platforms; the errors of the parsers wrap one of these.
var (
	ErrUnknown   = errors.New("unknown platform")
	ErrMalformed = errors.New("malformed platform")
	ErrDuplicate = errors.New("duplicate platform")
	ErrEmpty     = errors.New("no platform")
)

// UnknownError is a name that is no platform which images are built for. It is ErrUnknown.
type UnknownError struct {
	Name       string // as it was written
	Suggestion string // the nearest known name, "" when none is near
}

func (e *UnknownError) Error() string {
	if e.Suggestion == "" {
		return fmt.Sprintf("unknown platform %q: write os/arch or arch, such as amd64, arm64 or linux/arm/v7", e.Name)
	}
	return fmt.Sprintf("unknown platform %q: did you mean %s?", e.Name, e.Suggestion)
}

func (e *UnknownError) Is(target error) bool { return target == ErrUnknown }

// DuplicateError is a list that names one platform twice, perhaps in two spellings. It is ErrDuplicate.
type DuplicateError struct {
	First, Second string // as they were written
	Platform      ocispec.Platform
}

func (e *DuplicateError) Error() string {
	if e.First == e.Second {
		return fmt.Sprintf("platform %s is listed twice: remove one", e.First)
	}
	return fmt.Sprintf("%q and %q are the same platform, %s: remove one", e.First, e.Second, Format(e.Platform))
}

func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// Parse reads one platform that an image can be built for: a known operating system and architecture,
// with the aliases of uname, Debian, Rust and Docker. The result is normalised.
// The error is an *UnknownError, or wraps ErrMalformed or ErrEmpty.
func Parse(s string) (ocispec.Platform, error) { return ParseAny(s) }

// ParseAny reads any well-formed os/arch[/variant], known or not, for manifest lists. A single word must be a
// known architecture, as with Parse. The result is normalised.
func ParseAny(s string) (ocispec.Platform, error) {
	return ocispec.Platform{}, fmt.Errorf("%w %q", ErrMalformed, s)
}

// ParseList reads platforms separated by commas, spaces or both, with Parse. Their order is kept. An empty list
// is ErrEmpty; a platform listed twice, in whatever spellings, is a *DuplicateError.
func ParseList(s string) ([]ocispec.Platform, error) { return nil, ErrEmpty }
