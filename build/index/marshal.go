package index

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Marshal writes the index: the same value gives the same bytes. The descriptor has exactly
// the media type, digest and size of those bytes.
//
// A Docker list with annotations is refused with ErrAnnotations (Fit makes it an OCI
// index), a list that Parse would not take with ErrInvalid or ErrTooLarge.
func (ix Index) Marshal() ([]byte, ocispec.Descriptor, error) {
	if err := ix.writable(); err != nil {
		return nil, ocispec.Descriptor{}, err
	}
	doc, err := ix.document()
	if err != nil {
		return nil, ocispec.Descriptor{}, invalid("%w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, doc, "", "  "); err != nil { // readable as it lies in the registry, as buildx writes it
		return nil, ocispec.Descriptor{}, invalid("%w", err)
	}
	if out.Len() > MaxBytes {
		return nil, ocispec.Descriptor{}, fmt.Errorf("%w: %d bytes, registries take %d", ErrTooLarge, out.Len(), MaxBytes)
	}
	return out.Bytes(), ocispec.Descriptor{
		MediaType:    ix.mediaType(),
		ArtifactType: ix.ArtifactType,
		Digest:       digest.FromBytes(out.Bytes()),
		Size:         int64(out.Len()),
	}, nil
}

func (ix Index) mediaType() string {
	if ix.MediaType == "" {
		return OCIIndex
	}
	return ix.MediaType
}

// writable refuses what would come out as something else than the value says.
func (ix Index) writable() error {
	if !IsIndex(ix.mediaType()) {
		return notIndex(ix.MediaType)
	}
	if why := ix.needsOCI(); why != "" && ix.MediaType == DockerList {
		return fmt.Errorf("%w: %s; use the OCI media type", ErrAnnotations, why)
	}
	if n := len(ix.Flatten()); n > MaxEntries {
		return fmt.Errorf("%w: %d entries", ErrTooLarge, n)
	}
	for _, e := range ix.Flatten() {
		if err := checkDescriptor(e.Descriptor); err != nil {
			return invalid("%s: %w", e.name(), err)
		}
	}
	return nil
}

// needsOCI names the first thing in the index that a Docker list has no place for.
func (ix Index) needsOCI() string {
	switch {
	case len(ix.Annotations) > 0:
		return "the list has annotations"
	case ix.ArtifactType != "" || ix.Subject != nil:
		return "the list has an artifact type or a subject"
	}
	for _, e := range ix.Flatten() {
		if len(e.Annotations) > 0 || e.ArtifactType != "" {
			return fmt.Sprintf("%s has annotations or an artifact type", e.name())
		}
	}
	return ""
}

func (ix Index) document() (json.RawMessage, error) {
	entries := []json.RawMessage{} // an empty list is written as [], not null
	for _, e := range ix.Flatten() {
		raw, err := e.document()
		if err != nil {
			return nil, err
		}
		entries = append(entries, raw)
	}
	var subject json.RawMessage
	if ix.Subject != nil {
		var err error
		if subject, err = ix.Subject.document(); err != nil {
			return nil, err
		}
	}
	var w objectWriter
	w.add("schemaVersion", 2, false)
	w.add("mediaType", ix.mediaType(), false)
	w.add("artifactType", ix.ArtifactType, ix.ArtifactType == "")
	w.add("manifests", entries, false)
	w.add("subject", subject, subject == nil)
	w.add("annotations", ix.Annotations, len(ix.Annotations) == 0)
	w.addAll(ix.extra)
	return w.object()
}

func (e Entry) document() (json.RawMessage, error) {
	platform, err := e.platformDocument()
	if err != nil {
		return nil, err
	}
	var w objectWriter
	w.add("mediaType", e.MediaType, false)
	w.add("digest", e.Digest, false)
	w.add("size", e.Size, false)
	w.add("urls", e.URLs, len(e.URLs) == 0)
	w.add("annotations", e.Annotations, len(e.Annotations) == 0)
	w.add("data", e.Data, e.Data == nil)
	w.add("platform", platform, platform == nil)
	w.add("artifactType", e.ArtifactType, e.ArtifactType == "")
	w.addAll(e.extra)
	return w.object()
}

func (e Entry) platformDocument() (json.RawMessage, error) {
	if e.Platform == nil {
		return nil, nil
	}
	var w objectWriter
	w.add("architecture", e.Platform.Architecture, false)
	w.add("os", e.Platform.OS, false)
	w.add("os.version", e.Platform.OSVersion, e.Platform.OSVersion == "")
	w.add("os.features", e.Platform.OSFeatures, len(e.Platform.OSFeatures) == 0)
	w.add("variant", e.Platform.Variant, e.Platform.Variant == "")
	w.addAll(e.platformExtra)
	return w.object()
}
