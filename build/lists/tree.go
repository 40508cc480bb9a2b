package lists

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// Tree is an image or index with all that can be said of it.
type Tree struct {
	Reference    string            `json:"reference"`
	Digest       digest.Digest     `json:"digest"`
	MediaType    string            `json:"mediaType"`
	Size         int64             `json:"size"` // of the manifest itself
	Kind         string            `json:"kind"` // "index", "image" or "artifact"
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Images       []Leaf            `json:"images"`
	Steps        []string          `json:"steps,omitempty"` // how Platform was resolved
	Referrers    []Referrer        `json:"referrers,omitempty"`

	Raw []byte `json:"-"` // the exact bytes: of the image, when a platform was resolved
}

// Leaf is one image.
type Leaf struct {
	Platform     string            `json:"platform"` // of the entry; of the config when there is no entry
	Config       string            `json:"configPlatform,omitempty"`
	Digest       digest.Digest     `json:"digest"`
	MediaType    string            `json:"mediaType"`
	ConfigDigest digest.Digest     `json:"configDigest,omitempty"`
	Size         int64             `json:"size"` // config and layers, as they lie in the registry
	Created      *time.Time        `json:"created,omitempty"`
	Layers       []Layer           `json:"layers,omitempty"`
	Entrypoint   []string          `json:"entrypoint,omitempty"`
	Cmd          []string          `json:"cmd,omitempty"`
	User         string            `json:"user,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"` // of the entry
	Attestations []Attestation     `json:"attestations,omitempty"`
	Problems     []string          `json:"problems,omitempty"` // what does not fit together
}

// Layer is one layer as it lies in the registry.
type Layer struct {
	Digest    digest.Digest `json:"digest"`
	MediaType string        `json:"mediaType"`
	Size      int64         `json:"size"`
}

// Attestation is a statement about an image that lies in the index beside it.
type Attestation struct {
	Digest     digest.Digest `json:"digest"`
	Size       int64         `json:"size"`
	Predicates []string      `json:"predicates,omitempty"` // what it states, as in-toto predicate types
}

// Referrer is what refers to an image or index from outside: a signature, an SBOM.
type Referrer struct {
	Digest       digest.Digest     `json:"digest"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Subject      digest.Digest     `json:"subject"`
	Size         int64             `json:"size"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}
