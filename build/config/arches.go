package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/manymage/manymage/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const defaultArches = "amd64 arm64"

// platforms reads ARCHES, ONLY and ALLOW_DROP.
func (l *loader) platforms() {
	s := l.get("ARCHES")
	switch {
	case s.level > fromNowhere && len(s.items) == 0:
		l.fail(&UsageError{Knob: "ARCHES", Origin: s.origin, Problem: `is empty: list every platform of the image, such as ARCHES="` + defaultArches + `"`})
		return
	case s.level == fromNowhere:
		s.text, s.origin = defaultArches, byDefault
	default:
		s.text = strings.Join(s.texts(), " ")
	}
	l.record("ARCHES", s.text, s.origin)
	l.config.Platforms = l.platformList(s)
	l.only()
	l.drop()
}

func (l *loader) platformList(s setting) []ocispec.Platform {
	all, err := platforms.ParseList(s.text)
	if err != nil {
		l.fail(&UsageError{Knob: s.knob.Name, Text: s.text, Origin: s.origin, Problem: badPlatform(err), Err: err})
	}
	return all
}

// only reads ONLY. The order of its platforms is that of ARCHES, so that a narrowed run is a part of the whole one.
func (l *loader) only() {
	s := l.get("ONLY")
	if !s.said() {
		return
	}
	l.record("ONLY", s.text, s.origin)
	wanted := l.platformList(s)
	for _, p := range wanted {
		if len(l.config.Platforms) > 0 && !slices.ContainsFunc(l.config.Platforms, func(q ocispec.Platform) bool { return platforms.Equal(p, q) }) {
			l.fail(s.wrong("names " + platforms.Format(p) + ", which ARCHES has not: ARCHES is always the whole list, add it there"))
		}
	}
	for _, p := range l.config.Platforms {
		if slices.ContainsFunc(wanted, func(q ocispec.Platform) bool { return platforms.Equal(p, q) }) {
			l.config.Only = append(l.config.Only, p)
		}
	}
}

// drop reads ALLOW_DROP, which may name whatever a published list can hold.
func (l *loader) drop() {
	s := l.get("ALLOW_DROP")
	if !s.said() {
		return
	}
	l.record("ALLOW_DROP", s.text, s.origin)
	for _, i := range s.items {
		p, err := platforms.ParseAny(i.text)
		if err != nil {
			l.fail(&UsageError{Knob: "ALLOW_DROP", Text: i.text, Origin: i.origin, Problem: badPlatform(err), Err: err})
			continue
		}
		l.config.AllowDrop = append(l.config.AllowDrop, p)
	}
}

// badPlatform makes the end of a sentence that begins with a knob of what is wrong with a platform in it.
func badPlatform(err error) string {
	switch {
	case errors.Is(err, platforms.ErrUnknown):
		return "names an " + err.Error()
	case errors.Is(err, platforms.ErrDuplicate):
		return "names a platform twice: " + err.Error()
	}
	return "cannot be read: " + err.Error()
}
