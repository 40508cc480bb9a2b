package index

import (
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// Target says which entry is meant: all that have the digest, or the one of the platform
// (compared after normalisation). The zero value means the index itself.
type Target struct {
	Platform *ocispec.Platform
	Digest   digest.Digest
}

func (t Target) matches(e Entry) bool {
	switch {
	case t.Digest != "":
		return e.Digest == t.Digest
	case t.Platform != nil:
		return e.HasPlatform() && platforms.Equal(*e.Platform, *t.Platform)
	}
	return false
}

func (t Target) notFound(ix Index) error {
	return &NotFoundError{Platform: t.Platform, Digest: t.Digest, Have: ix.Platforms()}
}

// Add returns the index with the entries behind its own. An entry whose platform is there
// already takes that one's place when replace is true (its attestations go with it), and is
// refused with *DuplicateError otherwise; the very same image again changes nothing.
func Add(ix Index, replace bool, entries ...Entry) (Index, error) {
	out := ix.clone()
	for _, e := range group(flatten(entries)) {
		if err := checkEntry(e); err != nil {
			return Index{}, invalid("%s: %w", e.name(), err)
		}
		i := out.slot(e)
		switch {
		case i < 0:
			out.Entries = append(out.Entries, e)
		case out.Entries[i].Digest == e.Digest:
			out.Entries[i] = together(out.Entries[i], e)
		case replace:
			out.Entries[i] = e
		default:
			return Index{}, duplicate(out.Entries[i], e)
		}
	}
	return out, nil
}

// slot returns where the platform of e is already, or -1.
func (ix Index) slot(e Entry) int {
	if !e.HasPlatform() {
		return -1
	}
	return slices.IndexFunc(ix.Entries, func(have Entry) bool {
		return have.HasPlatform() && have.key() == e.key()
	})
}

// together is one image that is named twice: the old entry with what the new one adds.
func together(old, again Entry) Entry {
	if len(again.Annotations) > 0 {
		merged := maps.Clone(again.Annotations)
		maps.Copy(merged, old.Annotations)
		old.Annotations = merged
	}
	for _, a := range again.Attestations {
		known := func(have Entry) bool { return have.Digest == a.Digest }
		if !slices.ContainsFunc(old.Attestations, known) {
			old.Attestations = append(old.Attestations, a)
		}
	}
	return old
}

// Remove returns the index without the targets and their attestations. The digest of an
// attestation removes that one alone. A target that is not there is a *NotFoundError.
func Remove(ix Index, targets ...Target) (Index, error) {
	out := ix.clone()
	for _, t := range targets {
		if t == (Target{}) {
			return Index{}, fmt.Errorf("nothing to remove is named; give a platform or a digest")
		}
		out.Entries = slices.DeleteFunc(out.Entries, t.matches)
		for i := range out.Entries {
			out.Entries[i].Attestations = slices.DeleteFunc(out.Entries[i].Attestations, t.matches)
		}
		if !slices.ContainsFunc(ix.Flatten(), t.matches) {
			return Index{}, t.notFound(ix)
		}
	}
	return out, nil
}

// Change says what Annotate does to an entry, or to the index. Nil and empty fields leave
// things as they are; an annotation with an empty value is removed.
type Change struct {
	OS, Architecture, Variant, OSVersion *string
	OSFeatures                           []string // replaces the list when not nil
	Annotations                          map[string]string
}

// OfPlatform reports whether a platform changes, which an index has none of.
func (c Change) OfPlatform() bool {
	return c.OS != nil || c.Architecture != nil || c.Variant != nil || c.OSVersion != nil || c.OSFeatures != nil
}

// Annotate returns the index with the change made to the target; of the index itself only
// annotations can change. A platform that another entry has already is a *DuplicateError,
// a target that is not there a *NotFoundError. What is wrong with other entries stays so.
//
// A Docker list becomes an OCI index when it is given annotations; the note says so.
func Annotate(ix Index, target Target, change Change) (out Index, notes []string, err error) {
	out = ix.clone()
	if target == (Target{}) {
		if change.OfPlatform() {
			return Index{}, nil, fmt.Errorf("an index has no platform of its own; say which entry is meant")
		}
		out.Annotations = annotate(out.Annotations, change.Annotations)
		out, notes = Fit(out)
		return out, notes, nil
	}
	var changed []int
	for i, e := range out.Entries {
		if target.matches(e) {
			changed = append(changed, i)
			out.Entries[i] = change.apply(e)
		}
	}
	if len(changed) == 0 {
		return Index{}, nil, target.notFound(ix)
	}
	for _, i := range changed {
		if err := out.fits(i); err != nil && change.OfPlatform() {
			return Index{}, nil, err
		}
	}
	out, notes = Fit(out)
	return out, notes, nil
}

// fits says what speaks against an entry beside the others.
func (ix Index) fits(i int) error {
	e := ix.Entries[i]
	if err := checkEntry(e); err != nil {
		return invalid("%s: %w", e.name(), err)
	}
	for j, other := range ix.Entries {
		if i != j && e.HasPlatform() && other.HasPlatform() && e.key() == other.key() {
			return duplicate(other, e)
		}
	}
	return nil
}

func (c Change) apply(e Entry) Entry {
	e.Annotations = annotate(e.Annotations, c.Annotations)
	if !c.OfPlatform() {
		return e
	}
	p := ocispec.Platform{}
	if e.Platform != nil {
		p = *e.Platform
	}
	set(&p.OS, c.OS)
	set(&p.Architecture, c.Architecture)
	set(&p.Variant, c.Variant)
	set(&p.OSVersion, c.OSVersion)
	if c.OSFeatures != nil {
		p.OSFeatures = slices.Clone(c.OSFeatures)
	}
	e.Platform = &p
	return e
}

func set(to *string, value *string) {
	if value != nil {
		*to = *value
	}
}

// annotate returns have with the changes made.
func annotate(have, changes map[string]string) map[string]string {
	out := maps.Clone(have)
	for key, value := range changes {
		if value == "" {
			delete(out, key)
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = value
	}
	return out
}
