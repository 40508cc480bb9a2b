package lists

import (
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms"
)

var (
	// ErrUsage is what every wrong argument is: a malformed reference, a broken spec file.
	ErrUsage = errors.New("wrong usage")
	// ErrPublish is every refusal to publish: the tags are as they were.
	ErrPublish = errors.New("not published")
)

func usage(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// usageError is an ErrUsage that does not say "wrong usage" in front of every sentence.
type usageError struct{ err error }

func (e *usageError) Error() string        { return e.err.Error() }
func (e *usageError) Unwrap() error        { return e.err }
func (e *usageError) Is(target error) bool { return target == ErrUsage }

// MismatchError is an image that was declared for one platform and says in its config that it
// is for another. It is image.ErrRefused.
type MismatchError struct {
	Source   string           // the image
	By       string           // who declared it: "the command line", "its entry in me/app:1.0"
	Declared ocispec.Platform // by By
	Config   ocispec.Platform // by the image itself
}

// Error is one sentence with both platforms and what to do.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s is declared as %s by %s, but its config says %s: "+
		"correct the declaration, rebuild the image, or use -force-platform if you know better",
		e.Source, platforms.Format(e.Declared), e.By, platforms.Format(e.Config))
}

// Is makes it an image.ErrRefused.
func (e *MismatchError) Is(target error) bool { return target == image.ErrRefused }

// DropError is a tag that would lose platforms. It is ErrPublish.
type DropError struct {
	Tag       string // the full reference
	Platforms []ocispec.Platform
}

// Error says what would be lost and how to allow it.
func (e *DropError) Error() string {
	names := formatAll(e.Platforms)
	return fmt.Sprintf("%s has %s today and would lose it: add the image, or allow it with ALLOW_DROP=%s",
		e.Tag, strings.Join(names, ", "), strings.Join(names, ","))
}

// Is makes it an ErrPublish.
func (e *DropError) Is(target error) bool { return target == ErrPublish }

// MovedError is a tag that somebody else moved while we worked. It is ErrPublish.
type MovedError struct {
	Tag      string        // the full reference
	Expected digest.Digest // what we started from, or what we put there
	Found    digest.Digest // what is there; empty: nothing
	After    bool          // it happened after we published
}

// Error says who was replaced by whom, and what to do.
func (e *MovedError) Error() string {
	found := "nothing"
	if e.Found != "" {
		found = e.Found.String()
	}
	if e.After {
		return fmt.Sprintf("%s was published as %s, but names %s now: somebody else published at the same time; see which one is wanted and publish that again",
			e.Tag, e.Expected, found)
	}
	return fmt.Sprintf("%s was %s when it was read and names %s now: somebody else published in between; run it again to start from theirs",
		e.Tag, e.Expected, found)
}

// Is makes it an ErrPublish.
func (e *MovedError) Is(target error) bool { return target == ErrPublish }

// TagsError is a publication in which at least one tag could not be moved.
type TagsError struct {
	Repository string
	Tags       []TagMove // all of them, so that nobody has to guess
	errs       []error
}

// Error says of every tag where it stands, and the registry's reasons.
func (e *TagsError) Error() string {
	var moved, failed, rest []string
	for _, t := range e.Tags {
		switch {
		case t.Error != "":
			failed = append(failed, t.Tag)
		case t.Moved:
			moved = append(moved, t.Tag)
		default:
			rest = append(rest, t.Tag)
		}
	}
	parts := []string{"failed: " + strings.Join(failed, ", "), "moved: none"}
	if len(moved) > 0 {
		parts[1] = "moved: " + strings.Join(moved, ", ")
	}
	if len(rest) > 0 {
		parts = append(parts, "as before: "+strings.Join(rest, ", "))
	}
	return fmt.Sprintf("tags of %s (%s): %v", e.Repository, strings.Join(parts, "; "), errors.Join(e.errs...))
}

// Unwrap gives the registry's errors.
func (e *TagsError) Unwrap() []error { return e.errs }

func formatAll(ps []ocispec.Platform) []string {
	names := make([]string, len(ps))
	for i, p := range ps {
		names[i] = platforms.Format(p)
	}
	return names
}
