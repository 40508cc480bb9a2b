package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/manymage/manymage/build/rootfs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// rootTries is how often a layer that proves corrupt at its end is read again, from the start.
const rootTries = 3

// Root reads an image's layers, base first, into a root filesystem; ctx holds as long as the filesystem is used, because a large file
// that is read beyond its head is fetched then. Who asked for it closes it. Layers that registries do not distribute are refused.
func (c *Client) Root(ctx context.Context, repo reference.Named, layers []ocispec.Descriptor) (*rootfs.FS, error) {
	var sources []rootfs.Source
	for _, layer := range layers {
		if !IsDistributed(layer) {
			return nil, &Error{Op: "read layer", Ref: at(repo, layer.Digest), Err: refusal(ErrUnsupported,
				"%s is a layer that is not distributed by registries, so that it cannot be looked into", layer.MediaType)}
		}
		sources = append(sources, rootfs.Source{
			Name: "layer " + layer.Digest.String(),
			Open: func() (io.ReadCloser, error) { return c.Blob(ctx, repo, layer) },
		})
	}
	for try := 1; ; try++ {
		root, err := rootfs.Layers(ctx, sources, rootfs.Options{})
		if try == rootTries || !errors.Is(err, ErrCorrupt) {
			return root, err
		}
	}
}

// Elsewhere says which of an image's layers cannot be looked into because registries do not have it, "" when they have all.
func Elsewhere(layers []ocispec.Descriptor) string {
	i := slices.IndexFunc(layers, func(l ocispec.Descriptor) bool { return !IsDistributed(l) })
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("its programs cannot be looked at: layer %s is kept by its owner and not in the registry", layers[i].Digest)
}

// IsDistributed says whether a layer's content is in the registry: foreign ones are elsewhere, under their owner's licence.
func IsDistributed(layer ocispec.Descriptor) bool {
	return !strings.Contains(layer.MediaType, ".nondistributable.") && !strings.Contains(layer.MediaType, ".foreign.")
}
