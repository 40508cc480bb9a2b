// Package index holds manifest lists as values: it reads, builds, edits, compares and
// writes them, and never touches the network.
//
// An index (Docker calls it a manifest list) is one JSON document that names one manifest
// per platform:
//
//	bytes --Parse--> Index --Add, Remove, Annotate--> Index --Marshal--> bytes + descriptor
//	                   |                                       |
//	                   +--Find(platform): which image an       +--Diff(old, new): what a tag
//	                      engine takes, and why                   would gain and lose
//
// Two media types exist, application/vnd.oci.image.index.v1+json and
// application/vnd.docker.distribution.manifest.list.v2+json. Both are one Index here; the
// Docker one cannot carry annotations, and nothing is dropped to make it fit.
//
// Attestations (BuildKit writes them as entries of the platform unknown/unknown that name
// their image in an annotation) hang below the entry of their image. Marshal writes all
// images first, in order, then their attestations in the same order, as BuildKit does.
//
// Fields that this package does not know are kept: reading a list that somebody else
// published and writing it again loses nothing. Keys that tools read differently are found by
// Ambiguity, in manifests and configs alike.
//
// The formats: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md,
// https://distribution.github.io/distribution/spec/manifest-v2-2/ and
// https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md.
package index

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// The media types that this package tells apart.
const (
	OCIIndex       = ocispec.MediaTypeImageIndex
	OCIManifest    = ocispec.MediaTypeImageManifest
	DockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	DockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	DockerSchema1  = "application/vnd.docker.distribution.manifest.v1+json"
	DockerSigned1  = "application/vnd.docker.distribution.manifest.v1+prettyjws"
	DockerConfig   = "application/vnd.docker.container.image.v1+json"
)

// The annotations by which an attestation names its image.
const (
	RefType   = "vnd.docker.reference.type"   // "attestation-manifest"
	RefDigest = "vnd.docker.reference.digest" // the digest of the image's manifest
)

// Index is a manifest list. The zero value is an empty OCI index.
//
// An Index is a value: the functions of this package never change the one they are given.
type Index struct {
	MediaType    string            // OCIIndex or DockerList; empty means OCIIndex
	ArtifactType string            // OCI only; empty in nearly every list
	Subject      *Entry            // OCI only; what this index refers to, if anything
	Entries      []Entry           // images, in the order of the list
	Annotations  map[string]string // of the index itself; OCI only

	extra map[string]json.RawMessage // fields that are not ours, by name
}

// Version is what the list's annotation org.opencontainers.image.version says; empty where there is none.
func (ix Index) Version() string { return ix.Annotations[ocispec.AnnotationVersion] }

// Entry is one manifest of an index: its descriptor with platform and annotations, and the
// attestations that belong to it.
type Entry struct {
	ocispec.Descriptor
	Attestations []Entry // in the order of the list; these have none of their own

	// Source says in words where the entry came from ("registry/app:amd64-1.0"), for
	// messages about it. It is never written.
	Source string

	extra         map[string]json.RawMessage // of the descriptor
	platformExtra map[string]json.RawMessage // of its platform
}

// IsIndex reports whether mediaType names an index or a Docker manifest list.
func IsIndex(mediaType string) bool { return mediaType == OCIIndex || mediaType == DockerList }

// IsImage reports whether mediaType names the manifest of one image.
func IsImage(mediaType string) bool {
	return mediaType == OCIManifest || mediaType == DockerManifest
}

// IsSchema1 reports whether mediaType names a Docker schema 1 manifest, which nothing here
// can put into an index.
func IsSchema1(mediaType string) bool {
	return mediaType == DockerSchema1 || mediaType == DockerSigned1
}

// IsDocker reports whether mediaType is one of Docker's own.
func IsDocker(mediaType string) bool {
	return mediaType == DockerList || mediaType == DockerManifest || IsSchema1(mediaType)
}

// IsAttestation reports whether the entry is an attestation of another one.
func (e Entry) IsAttestation() bool {
	return e.Annotations[RefType] != "" && e.Annotations[RefDigest] != ""
}

// Attests returns the digest of the image that the entry attests, or "".
func (e Entry) Attests() digest.Digest {
	if !e.IsAttestation() {
		return ""
	}
	return digest.Digest(e.Annotations[RefDigest])
}

// HasPlatform reports whether the entry says for which platform it is. Attestations and
// other things beside the images carry unknown/unknown, or nothing.
func (e Entry) HasPlatform() bool {
	p := e.Platform
	return p != nil && !e.IsAttestation() && p.Architecture != "" && p.Architecture != "unknown" && p.OS != "unknown"
}

// name says for people which entry this is.
func (e Entry) name() string {
	switch {
	case e.Source != "":
		return e.Source
	case e.HasPlatform():
		return platforms.Format(*e.Platform) + " " + e.Digest.String()
	}
	return e.Digest.String()
}

// key is equal for two entries exactly when they claim the same platform, whatever the
// spelling.
func (e Entry) key() string {
	p := platforms.Normalize(*e.Platform)
	return platforms.Format(p) + " " + strings.Join(p.OSFeatures, ",")
}

// clone copies what an edit may change.
func (ix Index) clone() Index {
	ix.Annotations = maps.Clone(ix.Annotations)
	ix.Entries = slices.Clone(ix.Entries)
	for i, e := range ix.Entries {
		ix.Entries[i].Annotations = maps.Clone(e.Annotations)
		ix.Entries[i].Attestations = slices.Clone(e.Attestations)
		if e.Platform != nil {
			p := *e.Platform
			p.OSFeatures = slices.Clone(p.OSFeatures)
			ix.Entries[i].Platform = &p
		}
	}
	return ix
}
