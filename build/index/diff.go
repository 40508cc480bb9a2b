package index

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// Changes is what lies between two indexes. The zero value is "nothing".
type Changes struct {
	Added     []Item        `json:"added,omitempty"`
	Removed   []Item        `json:"removed,omitempty"`
	Changed   []ItemChange  `json:"changed,omitempty"` // same platform, other digest
	Values    []ValueChange `json:"values,omitempty"`  // annotations and other fields
	Reordered bool          `json:"reordered,omitempty"`
}

// Item is one entry in a Changes.
type Item struct {
	Platform string        `json:"platform"`
	Digest   digest.Digest `json:"digest"`
	Kind     string        `json:"kind"` // "image", "attestation" or "other"
}

// ItemChange is an entry whose platform stayed and whose digest did not.
type ItemChange struct {
	Platform string        `json:"platform"`
	Kind     string        `json:"kind"`
	Old      digest.Digest `json:"old"`
	New      digest.Digest `json:"new"`
}

// ValueChange is a text that changed; an empty side means that it was not there.
type ValueChange struct {
	Where string `json:"where"` // "index", or the platform of the entry
	Key   string `json:"key"`   // "annotation NAME", "media type", "variant" ...
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}

// Diff compares two indexes. Entries belong together when their platforms are equal after
// normalisation, attestations when they stand below the same platform.
func Diff(old, new Index) Changes {
	if old.MediaType == "" && len(old.Entries) == 0 { // nothing was there
		old.MediaType = new.MediaType
	}
	before, after := itemsOf(old), itemsOf(new)
	var c Changes
	for _, b := range before.list {
		a, still := after.byKey[b.key]
		switch {
		case !still:
			c.Removed = append(c.Removed, b.Item)
		case a.Digest != b.Digest:
			c.Changed = append(c.Changed, ItemChange{Platform: b.Platform, Kind: b.Kind, Old: b.Digest, New: a.Digest})
		}
		if still {
			c.Values = append(c.Values, valueChanges(b.Platform, b.values, a.values)...)
		}
	}
	for _, a := range after.list {
		if _, had := before.byKey[a.key]; !had {
			c.Added = append(c.Added, a.Item)
		}
	}
	c.Values = append(c.Values, valueChanges("index", indexValues(old), indexValues(new))...)
	c.Reordered = !slices.Equal(before.common(after), after.common(before))
	return c
}

// keyed is an item with what identifies it in both indexes, and its texts.
type keyed struct {
	Item
	key    string
	values map[string]string
}

type items struct {
	list  []keyed
	byKey map[string]keyed
	times map[string]int // how often a key was claimed
}

func itemsOf(ix Index) items {
	out := items{byKey: map[string]keyed{}, times: map[string]int{}}
	for _, e := range ix.Entries {
		kind, platform, key := "other", "no platform", e.Digest.String()
		switch {
		case e.HasPlatform():
			kind, platform, key = "image", platforms.Format(*e.Platform), e.key()
		case e.IsAttestation():
			kind, platform = "attestation", "unknown/unknown"
		}
		out.add(kind, platform, key, e)
		for _, a := range e.Attestations {
			out.add("attestation", platform, "attestation of "+key, a)
		}
	}
	return out
}

// add keeps entries apart that a broken list gives the same platform, and the several
// attestations of one image, by counting them.
func (s *items) add(kind, platform, key string, e Entry) {
	s.times[key]++
	if n := s.times[key]; n > 1 {
		key = fmt.Sprintf("%s #%d", key, n)
	}
	k := keyed{Item: Item{Platform: platform, Digest: e.Digest, Kind: kind}, key: key, values: e.values()}
	s.list = append(s.list, k)
	s.byKey[key] = k
}

// common returns the keys that the other one has too, in order.
func (s items) common(other items) []string {
	var out []string
	for _, k := range s.list {
		if _, ok := other.byKey[k.key]; ok {
			out = append(out, k.key)
		}
	}
	return out
}

// values are the texts of an entry beside its digest, by name.
func (e Entry) values() map[string]string {
	out := map[string]string{"media type": e.MediaType, "artifact type": e.ArtifactType}
	for key, value := range e.Annotations {
		if key != RefDigest { // changes whenever the image does, and says nothing more
			out["annotation "+key] = value
		}
	}
	if p := e.Platform; p != nil {
		out["os"], out["architecture"], out["variant"] = p.OS, p.Architecture, p.Variant
		out["os.version"], out["os.features"] = p.OSVersion, strings.Join(p.OSFeatures, ",")
	}
	for key, value := range e.extra {
		out["field "+key] = string(value)
	}
	for key, value := range e.platformExtra {
		out["platform field "+key] = string(value)
	}
	return out
}

func indexValues(ix Index) map[string]string {
	out := map[string]string{"media type": ix.mediaType(), "artifact type": ix.ArtifactType}
	if ix.Subject != nil {
		out["subject"] = ix.Subject.Digest.String()
	}
	for key, value := range ix.Annotations {
		out["annotation "+key] = value
	}
	for key, value := range ix.extra {
		out["field "+key] = string(value)
	}
	return out
}

func valueChanges(where string, old, new map[string]string) []ValueChange {
	all := maps.Clone(old)
	maps.Copy(all, new)
	var out []ValueChange
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if old[key] != new[key] {
			out = append(out, ValueChange{Where: where, Key: key, Old: old[key], New: new[key]})
		}
	}
	return out
}

// Empty reports whether nothing changed.
func (c Changes) Empty() bool {
	return len(c.Added)+len(c.Removed)+len(c.Changed)+len(c.Values) == 0 && !c.Reordered
}

// Lines renders the changes for people, one a line: "+ linux/arm64 sha256:...".
func (c Changes) Lines() []string {
	var out []string
	for _, i := range c.Removed {
		out = append(out, fmt.Sprintf("- %s %s", i.label(), i.Digest))
	}
	for _, i := range c.Added {
		out = append(out, fmt.Sprintf("+ %s %s", i.label(), i.Digest))
	}
	for _, i := range c.Changed {
		out = append(out, fmt.Sprintf("~ %s %s -> %s", Item{Platform: i.Platform, Kind: i.Kind}.label(), i.Old, i.New))
	}
	for _, v := range c.Values {
		out = append(out, v.line())
	}
	if c.Reordered {
		out = append(out, "~ the order of the entries")
	}
	return out
}

func (i Item) label() string {
	if i.Kind == "image" {
		return i.Platform
	}
	return i.Platform + " (" + i.Kind + ")"
}

func (v ValueChange) line() string {
	switch {
	case v.Old == "":
		return fmt.Sprintf("+ %s %s = %q", v.Where, v.Key, v.New)
	case v.New == "":
		return fmt.Sprintf("- %s %s = %q", v.Where, v.Key, v.Old)
	}
	return fmt.Sprintf("~ %s %s = %q -> %q", v.Where, v.Key, v.Old, v.New)
}

// Dropped returns the platforms that old has and new has not: what somebody who pulls the
// tag today would lose. A Windows image with other patches of the same build is no loss.
func Dropped(old, new Index) []ocispec.Platform {
	var out []ocispec.Platform
	have := new.Platforms()
	for _, p := range old.Platforms() {
		if !slices.ContainsFunc(have, func(q ocispec.Platform) bool { return platforms.Equal(ofBuild(p), ofBuild(q)) }) {
			out = append(out, p)
		}
	}
	return out
}

// ofBuild leaves of a Windows version what engines choose by: of 10.0.20348.2700 the build,
// 10.0.20348, without the patches of a month.
func ofBuild(p ocispec.Platform) ocispec.Platform {
	if parts := strings.Split(p.OSVersion, "."); platforms.Normalize(p).OS == "windows" && len(parts) > 3 {
		p.OSVersion = strings.Join(parts[:3], ".")
	}
	return p
}
