package index

import ocispec "github.com/opencontainers/image-spec/specs-go/v1"

// Match is what Find came to.
type Match struct {
	Entry Entry
	Exact bool     // the entry's platform is the one asked for, not one that it can also run
	Steps []string // the walk in words
}

// Find returns the entry that an engine takes for the platform, choosing as containerd
// does: the platform itself, then the older ones that it also runs (arm/v7 runs v6 and v5,
// arm64 also 32-bit arm, amd64 also 386), best first and first in the list among equals.
//
// Nothing found is a *NotFoundError; Steps tells the walk in both cases.
func (ix Index) Find(p ocispec.Platform) (Match, error) { panic("not yet") }

// Get returns the entry of exactly that platform.
func (ix Index) Get(p ocispec.Platform) (Entry, bool) { panic("not yet") }

// Platforms returns the platforms of the images, in order.
func (ix Index) Platforms() []ocispec.Platform { panic("not yet") }

// Flatten returns all entries as they are written: images, then attestations.
func (ix Index) Flatten() []Entry { panic("not yet") }
