package build

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// Verification is what reading a published image back has shown.
type Verification struct {
	Ref      string           `json:"reference"`
	Digest   digest.Digest    `json:"digest"`
	Children []VerifiedChild  `json:"children"`
	Unasked  []string         `json:"unasked,omitempty"` // platforms that are there and not in ARCHES, which is no fault
	Absent   []string         `json:"absent,omitempty"`  // platforms of the default ARCHES that are not there, likewise
	Faults   []PublishedFault `json:"faults,omitempty"`
}

// VerifiedChild is one image of the list, or the image itself where there is no list.
type VerifiedChild struct {
	Platform string        `json:"platform"`
	Digest   digest.Digest `json:"digest"`
	Size     int64         `json:"size"`    // bytes of its layers and config in the registry
	Verdict  string        `json:"verdict"` // verified, unverified or refused
	Notes    []string      `json:"notes,omitempty"`
}

// PublishedFault is one thing that is wrong with what was published.
type PublishedFault struct {
	Platform string `json:"platform,omitempty"`
	Text     string `json:"text"`
}

// FaultyError is a published image that is not what it should be. It is image.ErrRefused.
type FaultyError struct {
	Ref    string
	Faults []PublishedFault
}

// Error is one line for each fault.
func (e *FaultyError) Error() string {
	lines := make([]string, 0, len(e.Faults)+1)
	lines = append(lines, fmt.Sprintf("%s is not what it should be:", e.Ref))
	for _, f := range e.Faults {
		lines = append(lines, "  "+strings.TrimPrefix(f.Platform+": "+f.Text, ": "))
	}
	return strings.Join(lines, "\n")
}

// Is makes every *FaultyError an image.ErrRefused.
func (e *FaultyError) Is(target error) bool { return target == image.ErrRefused }

// Verify checks a published reference, the configured image's when text is empty: that one must have every tag of TAGS, all naming
// the same, and the platforms of ARCHES, too: one of those that nobody said is told and no fault.
func (p *Pipeline) Verify(ctx context.Context, text string) (Verification, error) {
	ref, err := p.Reference(ctx, text)
	if err != nil {
		return Verification{}, err
	}
	client, err := p.Registry()
	if err != nil {
		return Verification{}, err
	}
	var want Wanted
	if text == "" {
		arches := p.cfg.Value("ARCHES")
		if ref, err = p.current(ctx, client, ref); err != nil {
			return Verification{}, err
		}
		want = Wanted{Tags: p.cfg.Tags, Series: p.cfg.StaysOf(), Version: p.version(), Platforms: p.cfg.Platforms, Origin: arches.Origin, Unsaid: arches.IsDefault()}
	}
	v, err := Verify(ctx, client, ref, image.Options{AllowForeign: p.cfg.AllowForeign}, want)
	if text == "" && errors.Is(err, registry.ErrNotFound) {
		err = fmt.Errorf("%w; `build push` publishes it, or name another image with -ref", err)
	}
	return v, err
}

// current is the first of the image's tags that no newer release of its series keeps; the first of all where each is kept.
func (p *Pipeline) current(ctx context.Context, client *registry.Client, first reference.Named) (reference.Named, error) {
	if len(p.cfg.Series) < len(p.cfg.Tags) {
		return first, nil // which is of no series
	}
	for _, tag := range p.cfg.Tags {
		ref, err := reference.WithTag(reference.TrimNamed(first), tag)
		if err != nil {
			return nil, err
		}
		_, now, err := lists.Now(ctx, client, ref)
		if err != nil {
			return nil, err
		}
		if kept, err := p.kept(ctx, client, ref, now); err != nil || kept == "" {
			return ref, err
		}
	}
	return first, nil
}

// Wanted is what a published image has to have, and who says so. The zero value wants nothing.
type Wanted struct {
	Tags      []string                               // of its repository, which all have to name it
	Series    map[string]func(has, next string) bool // those of Tags that may name a newer release instead (lists.PublishOptions)
	Version   string                                 // which they are newer than
	Platforms []ocispec.Platform
	Origin    string // of ARCHES
	Unsaid    bool   // ARCHES is a default, which an image need not follow
}

// compare adds what of the wanted is missing, and what else is there.
func (w Wanted) compare(have []ocispec.Platform, v *Verification) {
	for _, p := range w.Platforms {
		switch name := platforms.Format(p); {
		case contains(have, p):
		case w.Unsaid:
			v.Absent = append(v.Absent, name)
		default:
			v.Faults = append(v.Faults, PublishedFault{name, "is missing, and ARCHES (" + w.Origin + ") has it: build and push again, or correct ARCHES"})
		}
	}
	if len(w.Platforms) == 0 || w.Unsaid {
		return
	}
	for _, p := range have {
		if !contains(w.Platforms, p) {
			v.Unasked = append(v.Unasked, platforms.Format(p))
		}
	}
}
