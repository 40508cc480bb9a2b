package index

import (
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Changes is what lies between two indexes. The zero value is "nothing".
type Changes struct {
	Added       []Item        `json:"added,omitempty"`
	Removed     []Item        `json:"removed,omitempty"`
	Changed     []ItemChange  `json:"changed,omitempty"` // same platform, other digest
	Annotations []ValueChange `json:"annotations,omitempty"`
	MediaType   *ValueChange  `json:"mediaType,omitempty"`
	Reordered   bool          `json:"reordered,omitempty"`
}

// Item is one entry in a Changes.
type Item struct {
	Platform string        `json:"platform"`
	Digest   digest.Digest `json:"digest"`
	Kind     string        `json:"kind"` // "image" or "attestation"
}

// ItemChange is an entry whose platform stayed and whose digest did not.
type ItemChange struct {
	Platform string        `json:"platform"`
	Old      digest.Digest `json:"old"`
	New      digest.Digest `json:"new"`
}

// ValueChange is a text that changed; an empty side means that it was not there.
type ValueChange struct {
	Where string `json:"where"` // "index", or the platform of the entry
	Key   string `json:"key"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}

// Diff compares two indexes.
func Diff(old, new Index) Changes { panic("not yet") }

// Empty reports whether nothing changed.
func (c Changes) Empty() bool { panic("not yet") }

// Lines renders the changes for people, one a line: "+ linux/arm64 sha256:...".
func (c Changes) Lines() []string { panic("not yet") }

// Dropped returns the platforms that old has and new has not: what somebody who pulls the
// tag today would lose.
func Dropped(old, new Index) []ocispec.Platform { panic("not yet") }
