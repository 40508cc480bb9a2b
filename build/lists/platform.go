package lists

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// parseDeclared reads a platform that somebody declares for an image. Unlike platforms.Parse it
// does not fill in the variant that was not written: the image's config may know it.
func parseDeclared(text string) (ocispec.Platform, error) {
	p, err := platforms.ParseAny(strings.TrimSpace(text))
	if err != nil {
		return ocispec.Platform{}, &usageError{err}
	}
	last := text[strings.LastIndexByte(text, '/')+1:]
	if strings.EqualFold(strings.TrimSpace(last), "arm") {
		p.Variant = ""
	}
	return p, nil
}

// ParsePlatforms reads platforms to look for, separated by commas or spaces.
func ParsePlatforms(text string) ([]ocispec.Platform, error) {
	var out []ocispec.Platform
	for _, word := range words(text) {
		p, err := platforms.ParseAny(word)
		if err != nil {
			return nil, &usageError{err}
		}
		if slices.ContainsFunc(out, func(have ocispec.Platform) bool { return platforms.Equal(have, p) }) {
			return nil, usage("the platform %s is given twice", platforms.Format(p))
		}
		out = append(out, p)
	}
	return out, nil
}

// ParsePlatform reads one platform to look for, with its default variant when that is written; nothing is nil.
func ParsePlatform(text string) (*ocispec.Platform, error) {
	if text == "" {
		return nil, nil
	}
	p, err := platforms.ParseAny(text)
	if err != nil {
		return nil, &usageError{err}
	}
	p.Variant = cmp.Or(p.Variant, asWritten(text, p).Variant)
	return &p, nil
}

// asWritten is a platform in the user's own spelling: linux/arm64/v8 is normalised to linux/arm64.
func asWritten(word string, p ocispec.Platform) ocispec.Platform {
	parts := strings.Split(word, "/")
	if len(parts) < 2 {
		return p
	}
	if _, err := platforms.ParseAny(parts[0]); err == nil { // an architecture
		parts = append([]string{p.OS}, parts...)
	}
	written := ocispec.Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) > 2 {
		written.Variant = parts[2]
	}
	return written
}

// unusual says what is strange about a platform, "" when nothing is. Strange ones are allowed
// in lists: there are more systems than anybody knows.
func unusual(p ocispec.Platform) string {
	_, err := platforms.Parse(strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/"))
	if errors.Is(err, platforms.ErrUnknown) {
		return err.Error() + "; it is listed all the same"
	}
	return ""
}

// words splits a list at commas and white space.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
}

// reconcile puts together what was declared of an image and what its config says. What only
// one of them says holds; it is not ok when they contradict each other.
func reconcile(declared, config ocispec.Platform) (p ocispec.Platform, ok bool) {
	config.OS = cmp.Or(config.OS, declared.OS)
	if config.Architecture == "" {
		config.Architecture, config.Variant = declared.Architecture, declared.Variant
	}
	p, c := platforms.Normalize(declared), platforms.Normalize(config)
	if p.OS != c.OS || p.Architecture != c.Architecture {
		return p, false
	}
	if p.Variant != c.Variant {
		switch {
		case saysNoVariant(declared, p):
			p.Variant = c.Variant
		case !saysNoVariant(config, c):
			return p, false
		}
	}
	if p.OSVersion == "" {
		p.OSVersion = c.OSVersion
	}
	if len(p.OSFeatures) == 0 {
		p.OSFeatures = c.OSFeatures
	}
	sameVersion := c.OSVersion == "" || p.OSVersion == c.OSVersion
	sameFeatures := len(c.OSFeatures) == 0 || slices.Equal(p.OSFeatures, c.OSFeatures)
	return p, sameVersion && sameFeatures
}

// saysNoVariant reports whether the variant is not written, not even inside a name such as
// armhf.
func saysNoVariant(p, normalized ocispec.Platform) bool {
	return p.Variant == "" && strings.EqualFold(p.Architecture, normalized.Architecture)
}
