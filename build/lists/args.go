package lists

import (
	"context"
	"fmt"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// FromArgs makes a list of images whose names follow from their platforms, as manifest-tool's
// push from-args does. In the template these words are replaced wherever they stand:
//
//	OS  ARCH  VARIANT       the parts of the platform, as written
//	ARCHVARIANT             both together: armv7, arm64v8, amd64
//
// The platform is declared for its image: an image of another one is refused.
func FromArgs(ctx context.Context, c Creator, platformList, template, target string, opts CreateOptions) (Created, error) {
	sources, err := expand(platformList, template)
	if err != nil {
		return Created{}, err
	}
	return Create(ctx, c, []string{target}, sources, opts)
}

// expand gives a source for each platform.
func expand(platformList, template string) ([]Source, error) {
	list := words(platformList)
	if len(list) == 0 {
		return nil, usage("no platforms are given; list them like linux/amd64,linux/arm64")
	}
	var out []Source
	by := map[string]string{}
	for _, word := range list {
		p, err := parseDeclared(word)
		if err != nil {
			return nil, err
		}
		ref := fill(template, asWritten(word, p)) // the image of linux/arm64/v8 may well be app:arm64v8
		if other, twice := by[ref]; twice {
			return nil, usage("the template %q gives %s for both %s and %s; put ARCH, VARIANT or ARCHVARIANT where their names differ", template, ref, other, word)
		}
		by[ref] = word
		out = append(out, Source{Ref: ref, Platform: &p})
	}
	return out, nil
}

func fill(template string, p ocispec.Platform) string {
	return strings.NewReplacer( // tried in this order at each place, so that the longer word comes first
		"ARCHVARIANT", p.Architecture+p.Variant,
		"ARCH", p.Architecture,
		"OS", p.OS,
		"VARIANT", p.Variant,
	).Replace(template)
}

// ParseSources reads sources as they are written on a command line, separated by commas or
// spaces. A platform may be declared in front: linux/arm/v7=me/app:armv7.
func ParseSources(text string) ([]Source, error) {
	var out []Source
	seen := map[string]bool{}
	for _, word := range words(text) {
		s := Source{Ref: word}
		if platform, ref, declared := strings.Cut(word, "="); declared {
			p, err := parseDeclared(platform)
			if err != nil {
				return nil, fmt.Errorf("source %q: %w", word, err)
			}
			s = Source{Ref: ref, Platform: &p}
		}
		if seen[word] {
			return nil, usage("the source %s is given twice", word)
		}
		seen[word] = true
		out = append(out, s)
	}
	return out, nil
}
