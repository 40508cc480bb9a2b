package lists

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// maxLayers bounds an image: overlay filesystems cannot mount 500, and no builder makes 1000.
const maxLayers = 1000

// listed reads the manifest that an entry names. One that has another size than the entry says is
// corrupt: engines refuse to pull it.
func listed(ctx context.Context, c Reader, repo reference.Named, entry ocispec.Descriptor) (registry.Manifest, error) {
	m, err := c.Manifest(ctx, withDigest(repo, entry.Digest))
	if err == nil {
		err = sameSize(repo, entry, m.Descriptor)
	}
	return m, err
}

func sameSize(repo reference.Named, entry, is ocispec.Descriptor) error {
	if is.Size == entry.Size {
		return nil
	}
	return fmt.Errorf("%s: %w: it has %d bytes, and the list that names it says %d; publish that list anew",
		at(repo, entry.Digest), registry.ErrCorrupt, is.Size, entry.Size)
}

// readImage reads the manifest of an image or artifact. Its descriptors have been checked.
func readImage(m registry.Manifest) (ocispec.Manifest, error) {
	kind := m.Descriptor.MediaType
	if !index.IsImage(kind) {
		return ocispec.Manifest{}, fmt.Errorf("%s is %s, not an image", m.Descriptor.Digest, kind)
	}
	var doc ocispec.Manifest
	if err := json.Unmarshal(m.Bytes, &doc); err != nil {
		return ocispec.Manifest{}, fmt.Errorf("manifest %s: %w", m.Descriptor.Digest, err)
	}
	if len(doc.Layers) > maxLayers {
		return ocispec.Manifest{}, fmt.Errorf("manifest %s has %d layers, at most %d are read", m.Descriptor.Digest, len(doc.Layers), maxLayers)
	}
	for _, d := range blobsOf(doc) {
		if d.Digest.Validate() != nil || d.Size < 0 {
			return ocispec.Manifest{}, fmt.Errorf("manifest %s names a blob %q of %d bytes, which cannot be", m.Descriptor.Digest, d.Digest, d.Size)
		}
		if err := index.CheckData(d); err != nil {
			return ocispec.Manifest{}, fmt.Errorf("manifest %s: %w", m.Descriptor.Digest, err)
		}
	}
	return doc, nil
}

// blobsOf lists the config and the layers of a manifest.
func blobsOf(doc ocispec.Manifest) []ocispec.Descriptor {
	return append([]ocispec.Descriptor{doc.Config}, doc.Layers...)
}

// isImageConfig reports whether a config of that media type says for which platform it is.
func isImageConfig(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageConfig || mediaType == index.DockerConfig
}
