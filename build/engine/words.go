package engine

import (
	"strings"

	"github.com/distribution/reference"
)

// named is what may hold any word in what engines and registries say:
// addresses, what is in quotes, names with a slash, hosts by number. A
// repository may be called "certificate-manager", and a tag "1.2.401".
var named = pattern(`"?[a-z]+://[^\s"]+"?:?|'[^'\s]*'|"[^"\s]*"|` + "`[^`\\s]*`" +
	`|[\w.-]+(?::\d+)?(?:/[\w.-]+)+(?::[\w.-]+)?(?:@sha256:\w+)?|\d+\.\d+\.\d+\.\d+(?::\d+)?`)

// manifestURL stands for the one address that says something: a request for it
// is about a tag.
const manifestURL = "MANIFEST"

// said takes the names out of an engine's words and leaves what happened. ref
// is the image that they are about, where that is known.
func said(text, ref string) string {
	for _, name := range spelled(ref) {
		text = strings.ReplaceAll(text, name, "NAME")
	}
	return named().ReplaceAllStringFunc(text, func(name string) string {
		switch {
		case name == "i/o":
			return name
		case strings.Contains(name, "://") && strings.Contains(name, "/manifests/"):
			return manifestURL
		}
		return "NAME"
	})
}

// spelled are the ways in which an image is named that has a tag or a host of
// its own, the longest first.
func spelled(ref string) []string {
	found, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil
	}
	tagged := reference.TagNameOnly(found)
	out := []string{tagged.String(), reference.FamiliarString(tagged)}
	if tag, ok := tagged.(reference.Tagged); ok {
		out = append(out, reference.Path(found)+":"+tag.Tag())
	}
	host := reference.Domain(found)
	bare, _, _ := strings.Cut(host, ":")
	if !strings.Contains(bare, ".") {
		return out
	}
	return append(out, host, bare)
}
