package lists

import (
	"strings"
	"unicode"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/registry"
)

// ParseReference reads the name of an image as docker does: docker.io and library/ may be left
// out, and without tag and digest the tag is latest. An error is ErrUsage and shows the place.
func ParseReference(text string) (reference.Named, error) {
	ref, err := parse(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	return reference.TagNameOnly(ref), nil
}

func parse(text string) (reference.Named, error) {
	ref, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return nil, malformed(text, err)
	}
	if problem := config.BadPort(text, ref); problem != "" {
		return nil, usage("malformed reference %q: it has %s", text, problem)
	}
	return ref, nil
}

// malformed points at the first character that cannot be.
func malformed(text string, err error) error {
	if text == "" {
		return usage("a reference is empty; give REGISTRY/NAME:TAG")
	}
	if _, after, ok := strings.Cut(text, "@"); ok && strings.Contains(after, "/") { // user:password@host/name: not to be repeated
		host, _, _ := strings.Cut(after, "/")
		return usage("a reference holds no name and password; leave out all up to the @ before %s, and run `docker login %s`", host, host)
	}
	if scheme, _, ok := strings.Cut(text, "://"); ok { // docker://, as skopeo writes it
		return usage("malformed reference %q: it is an address; leave %s:// out", text, scheme)
	}
	if _, lowered := reference.ParseNormalizedNamed(strings.ToLower(text)); lowered == nil {
		at := strings.IndexFunc(text, unicode.IsUpper)
		return usage("malformed reference %q: the capital letter at %q is not allowed in a name; write it in lower case", text, text[at:])
	}
	for end := len(text); end > 0; end-- {
		if _, err := reference.ParseNormalizedNamed(text[:end]); err == nil {
			return usage("malformed reference %q: it cannot go on with %q (character %d); the form is REGISTRY/NAME:TAG or NAME@DIGEST", text, text[end:], end+1)
		}
	}
	return usage("malformed reference %q: %w; the form is REGISTRY/NAME:TAG or NAME@DIGEST", text, err)
}

// parseTarget reads a reference that is to be written: it must not have a digest.
func parseTarget(text string) (reference.NamedTagged, error) {
	ref, err := ParseReference(text)
	if err != nil {
		return nil, err
	}
	if _, digested := ref.(reference.Digested); digested {
		return nil, usage("the target %q has a digest, which nobody can choose; leave it out", text)
	}
	return ref.(reference.NamedTagged), nil // ParseReference gives a tag to what has no digest
}

// ParseRepository reads the name of a repository, without tag and digest.
func ParseRepository(text string) (reference.Named, error) {
	ref, err := parse(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	if !reference.IsNameOnly(ref) {
		return nil, usage("%q is one image; give the repository, without tag and digest", text)
	}
	return ref, nil
}

func withTag(repo reference.Named, tag string) (reference.NamedTagged, error) {
	tagged, err := reference.WithTag(reference.TrimNamed(repo), tag)
	if err != nil {
		return nil, usage("%q cannot be a tag (letters, digits, _ . - and at most 128 of them)", tag)
	}
	return tagged, nil
}

func withDigest(repo reference.Named, d digest.Digest) reference.Canonical {
	canonical, err := reference.WithDigest(reference.TrimNamed(repo), d)
	if err != nil { // a digest that was validated when its document was read
		panic("lists: " + err.Error())
	}
	return canonical
}

// at is the name of one manifest for messages.
func at(repo reference.Named, d digest.Digest) string {
	return reference.FamiliarName(repo) + "@" + d.String()
}

func isDigest(ref reference.Named) bool {
	_, ok := ref.(reference.Digested)
	return ok
}

// destinations are the tags to write, by repository, in the order given.
type destinations []destination

type destination struct {
	repo reference.Named
	tags []string
}

// parseTargets reads references to write; more tags apply to the repository of the first.
func parseTargets(targets []string) (destinations, error) {
	if len(targets) == 0 {
		return nil, usage("no target is given; say what the list is to be called")
	}
	var out destinations
	for _, text := range targets {
		ref, err := parseTarget(text)
		if err != nil {
			return nil, err
		}
		out = out.with(ref, ref.Tag())
	}
	return out, nil
}

func (ds destinations) with(ref reference.Named, tag string) destinations {
	for i, d := range ds {
		if d.repo.Name() != ref.Name() {
			continue
		}
		for _, have := range d.tags {
			if have == tag {
				return ds
			}
		}
		ds[i].tags = append(ds[i].tags, tag)
		return ds
	}
	return append(ds, destination{reference.TrimNamed(ref), []string{tag}})
}

func (ds destinations) repos() []reference.Named {
	out := make([]reference.Named, len(ds))
	for i, d := range ds {
		out[i] = d.repo
	}
	return out
}

// IsLoopback reports whether the repository is in a registry on this machine, where a tag may lose platforms.
func IsLoopback(repo reference.Named) bool { return registry.IsLoopback(reference.Domain(repo)) }
