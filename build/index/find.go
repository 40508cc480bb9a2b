package index

import (
	"fmt"
	"slices"

	match "github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// Match is what Find came to.
type Match struct {
	Entry Entry
	Exact bool     // the entry's platform is the one asked for, not one that it can also run
	Steps []string // the walk in words

	// Undeclared are images and indexes without a platform. An engine looks into them, after
	// those that have one.
	Undeclared []Entry
}

// Find returns the entry that an engine takes for the platform, choosing as containerd
// does: the platform itself, then the older ones that it also runs (arm/v7 runs v6 and v5,
// arm64 also 32-bit arm, amd64 also 386), best first and first in the list among equals.
//
// The entry may be an index itself, in which the walk goes on. Nothing found is a
// *NotFoundError; Steps and Undeclared are filled in both cases.
func (ix Index) Find(p ocispec.Platform) (Match, error) {
	order := match.Only(p)
	m := Match{Steps: []string{
		fmt.Sprintf("resolved to an index with %s: %s", count(len(ix.Entries), "entry", "entries"), formatAll(ix.Platforms())),
		"looking for " + platforms.Asked(p),
	}}
	var fits []Entry
	for _, e := range ix.Entries {
		switch {
		case e.HasPlatform() && order.Match(*e.Platform):
			fits = append(fits, e)
		case e.Platform == nil && (IsImage(e.MediaType) || IsIndex(e.MediaType)):
			m.Undeclared = append(m.Undeclared, e)
		}
	}
	if len(fits) == 0 {
		m.missed()
		return m, &NotFoundError{Platform: &p, Have: ix.Platforms()}
	}
	slices.SortStableFunc(fits, func(a, b Entry) int {
		switch {
		case order.Less(*a.Platform, *b.Platform):
			return -1
		case order.Less(*b.Platform, *a.Platform):
			return 1
		}
		return 0
	})
	m.found(p, fits)
	return m, nil
}

func (m *Match) missed() {
	if n := len(m.Undeclared); n > 0 {
		m.Steps = append(m.Steps, count(n, "entry without a platform: only what is in it can tell", "entries without a platform: only what is in them can tell"))
		return
	}
	m.Steps = append(m.Steps, "found none")
}

func (m *Match) found(p ocispec.Platform, fits []Entry) {
	m.Entry = fits[0]
	m.Exact = platforms.Meets(*m.Entry.Platform, p)
	if n := len(fits); n > 1 {
		m.Steps = append(m.Steps, fmt.Sprintf("%d entries fit, the best is taken", n))
	}
	step := fmt.Sprintf("found %s, digest %s", platforms.Format(*m.Entry.Platform), m.Entry.Digest)
	if !m.Exact {
		step += fmt.Sprintf("; it is not %s itself, but an engine there also takes it", platforms.Asked(p))
	}
	m.Steps = append(m.Steps, step)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Get returns the entry of exactly that platform.
func (ix Index) Get(p ocispec.Platform) (Entry, bool) {
	i := slices.IndexFunc(ix.Entries, Target{Platform: &p}.matches)
	if i < 0 {
		return Entry{}, false
	}
	return ix.Entries[i], true
}

// Platforms returns the platforms of the images, in order.
func (ix Index) Platforms() []ocispec.Platform {
	var out []ocispec.Platform
	for _, e := range ix.Entries {
		if e.HasPlatform() {
			out = append(out, *e.Platform)
		}
	}
	return out
}

// Flatten returns all entries as they are written: images, then attestations.
func (ix Index) Flatten() []Entry { return flatten(ix.Entries) }
