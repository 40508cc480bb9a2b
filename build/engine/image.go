package engine

import (
	"context"
	"errors"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is one that the engine has.
type Image struct {
	ID          string        // as the engine calls it
	Config      digest.Digest // of its config; empty where the engine does not tell (containerd stores before Docker 28)
	Tags        []string      // familiar references, sorted
	RepoDigests []string      // repository@digest, sorted
	Platform    ocispec.Platform
	Labels      map[string]string
	Created     time.Time
	Size        int64
}

// Inspect describes an image by reference or ID. ErrNotFound when there is none.
func (e *Engine) Inspect(ctx context.Context, ref string) (Image, error) {
	return Image{}, errors.ErrUnsupported
}

// Tag gives an image one more name, taking it from whichever image has it.
func (e *Engine) Tag(ctx context.Context, ref, name string) error { return errors.ErrUnsupported }

// Remove takes a name away, and with the last name the image and its untagged
// parents. An image that is not there is no error.
func (e *Engine) Remove(ctx context.Context, ref string) error { return errors.ErrUnsupported }

// Filter narrows List. Empty fields match everything.
type Filter struct {
	Reference string // a pattern such as "example.com/app:*"
	Label     string // "key" or "key=value"
}

// List gives the tagged images that match, ordered by ID.
func (e *Engine) List(ctx context.Context, f Filter) ([]Image, error) {
	return nil, errors.ErrUnsupported
}
