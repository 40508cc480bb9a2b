package platforms

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// What is wrong with a text that should name platforms; the errors of the parsers wrap one of these.
var (
	ErrUnknown   = errors.New("unknown platform")
	ErrMalformed = errors.New("malformed platform")
	ErrDuplicate = errors.New("duplicate platform")
	ErrEmpty     = errors.New("no platform given")
)

// maxName bounds a single platform: the longest real one, windows with version and features, is below 60 bytes.
const maxName = 128

// UnknownError is a name that is no platform which images are built for. It is ErrUnknown.
type UnknownError struct {
	Name string // as it was written
	arch string // what of it is not known, "" for the whole
}

// Suggestion is the nearest known name, "" when none is near. It takes a thousand times as long to find as the name takes to read, and
// whoever merely looks whether a word is a platform's does without.
func (e *UnknownError) Suggestion() string { return suggest(cmp.Or(e.arch, e.Name)) }

func (e *UnknownError) Error() string {
	if near := e.Suggestion(); near != "" {
		return fmt.Sprintf("unknown platform %q: did you mean %s?", e.Name, near)
	}
	return fmt.Sprintf("unknown platform %q: write os/arch or arch, such as amd64, arm64 or linux/arm/v7", e.Name)
}

// Is makes the error one with ErrUnknown.
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

// Is makes the error one with ErrDuplicate.
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// Parse reads one platform that an image can be built for: a known operating system, architecture and variant, or
// one of the names that uname, Debian, Rust and Docker use for them. The result is normalised.
// The error is an *UnknownError, or wraps ErrMalformed or ErrEmpty.
func Parse(s string) (ocispec.Platform, error) {
	p, err := ParseAny(s)
	if err != nil {
		return p, err
	}
	if buildable(p) {
		return p, nil
	}
	return ocispec.Platform{}, &UnknownError{Name: s}
}

// ParseAny reads any well-formed os/arch[/variant], known or not, for manifest lists; the operating system may carry
// version and features as in "windows(10.0.17763.1)/amd64". A single word must be a known architecture.
// The result is normalised. The errors are those of Parse.
func ParseAny(s string) (ocispec.Platform, error) {
	parts, err := split(s)
	if err != nil {
		return ocispec.Platform{}, err
	}
	if len(parts) == 1 || knownArch(parts[0]) && !strings.Contains(parts[0], "(") {
		parts = append([]string{Linux}, parts...)
		if !knownArch(parts[1]) || len(parts) > 3 {
			return ocispec.Platform{}, &UnknownError{Name: s}
		}
	}
	if unclear(parts[1]) {
		return ocispec.Platform{}, &UnknownError{Name: s, arch: parts[1]}
	}
	p, err := platforms.Parse(strings.Join(resolve(parts), "/"))
	if err != nil || !printable(p) {
		return ocispec.Platform{}, fmt.Errorf("%w %q: write os/arch or os/arch/variant, such as linux/arm/v7", ErrMalformed, s)
	}
	return Normalize(p), nil
}

// printable tells whether version and features, which containerd lets be percent-encoded, are plain words. Others could
// not be printed in a form that reads the same again.
func printable(p ocispec.Platform) bool {
	for _, word := range append([]string{p.OSVersion}, p.OSFeatures...) {
		if word != "" && !component(word, false) {
			return false
		}
	}
	return true
}

// ParseList reads platforms separated by commas, spaces or both, with Parse. Their order is kept. An empty list
// is ErrEmpty; a platform listed twice, in whatever spellings, is a *DuplicateError.
func ParseList(s string) ([]ocispec.Platform, error) {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	var list []ocispec.Platform
	for i, word := range words {
		p, err := Parse(word)
		if err != nil {
			return nil, err
		}
		for j, q := range list {
			if Equal(p, q) {
				return nil, &DuplicateError{First: words[j], Second: words[i], Platform: p}
			}
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: list at least one, such as amd64", ErrEmpty)
	}
	return list, nil
}

// split cuts s into its one to three components, each of them checked.
func split(s string) ([]string, error) {
	if s == "" {
		return nil, fmt.Errorf("%w: name one, such as amd64", ErrEmpty)
	}
	if len(s) > maxName {
		return nil, fmt.Errorf("%w %.20q...: a name has at most %d bytes", ErrMalformed, s, maxName)
	}
	parts := strings.Split(s, "/")
	if len(parts) > 3 {
		return nil, fmt.Errorf("%w %q: write at most os/arch/variant", ErrMalformed, s)
	}
	for i, part := range parts {
		if !component(part, i == 0 && len(parts) > 1) {
			return nil, fmt.Errorf("%w %q: write os/arch or os/arch/variant, such as linux/arm/v7", ErrMalformed, s)
		}
		if !strings.Contains(part, "(") {
			parts[i] = strings.ToLower(part)
		}
	}
	return parts, nil
}

// component tells whether s may stand between slashes: letters, digits, and inside of them . _ -.
// Stricter than containerd, whose "linux/.." prints as ".". What stands in parentheses is left to containerd.
func component(s string, options bool) bool {
	if name, _, found := strings.Cut(s, "("); found && options {
		return component(name, false) && strings.HasSuffix(s, ")")
	}
	for i, c := range []byte(s) {
		alnum := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return s != ""
}

// resolve replaces an alias of the architecture by GOARCH's name and the variant that the alias implies.
func resolve(parts []string) []string {
	arch, variant := alias(parts[1])
	out := []string{parts[0], arch}
	if len(parts) == 3 {
		variant = parts[2]
		if variant[0] >= '0' && variant[0] <= '9' {
			variant = "v" + variant
		}
	}
	if variant != "" {
		out = append(out, variant)
	}
	return out
}
