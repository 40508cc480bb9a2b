package engine

import (
	"context"
	"errors"

	"github.com/opencontainers/go-digest"
)

// Pushed is what the registry now has.
type Pushed struct {
	Digest   digest.Digest // of the manifest
	Size     int64         // of the manifest, in bytes
	Uploaded int           // layers sent
	Present  int           // layers that the registry had, or took from another repository
}

// Push sends an image to the registry that its reference names.
func (e *Engine) Push(ctx context.Context, ref string, onEvent func(Event)) (Pushed, error) {
	return Pushed{}, errors.ErrUnsupported
}
