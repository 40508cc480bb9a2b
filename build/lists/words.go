package lists

import (
	"context"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/platforms"
)

// Split takes a list of a command line apart, at commas and white space.
func Split(text string) []string { return words(text) }

// pairStart is where a new annotation begins behind a comma: values may hold commas, too.
var pairStart = regexp.MustCompile(`(?:^|,\s*|\n\s*)([A-Za-z0-9][A-Za-z0-9._/-]*)=`)

// ParseAnnotations reads NAME=value pairs, separated by commas or line ends. A comma that no
// NAME= follows is part of the value, as is one in quotes, which are those of the knob
// ANNOTATIONS; an empty value removes the annotation in an edit.
func ParseAnnotations(given string) (map[string]string, error) {
	given = strings.TrimSpace(given)
	if given == "" {
		return nil, nil
	}
	text, open, err := unquoted(given)
	if err != nil {
		return nil, usage("annotations %q: the text %w", given, err)
	}
	starts := pairStart.FindAllStringSubmatchIndex(open, -1)
	if len(starts) == 0 || starts[0][0] != 0 || text[0] == ',' {
		return nil, usage("annotations %q: write NAME=value, more of them separated by commas", text)
	}
	out := map[string]string{}
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		name := text[at[2]:at[3]]
		if _, twice := out[name]; twice {
			return nil, usage("annotations %q: %s is given twice", text, name)
		}
		out[name] = text[at[1]:end]
	}
	return out, nil
}

// unquoted is a text without its quotes; in open, which is as long, what they hold separates nothing.
func unquoted(given string) (text, open string, err error) {
	var all, separating strings.Builder
	err = config.Unquote(given, func(part string, literal bool) {
		all.WriteString(part)
		if literal && (part == "," || part == "\n") {
			part = ";" // neither separates nor belongs to a name
		}
		separating.WriteString(part)
	})
	return all.String(), separating.String(), err
}

// ParseMediaType reads which kind of list is wanted: oci, docker, or the media type in full.
func ParseMediaType(text string) (string, error) {
	switch strings.ToLower(text) {
	case "":
		return "", nil
	case "oci", index.OCIIndex:
		return index.OCIIndex, nil
	case "docker", index.DockerList:
		return index.DockerList, nil
	}
	return "", usage("%q is no type of list; write oci or docker", text)
}

// ParseEntry reads which entry of a list is meant: a platform, a digest, an image that is in
// it, or "index" for the list itself.
func ParseEntry(ctx context.Context, c Reader, text string) (index.Target, error) {
	if d := digest.Digest(text); d.Validate() == nil {
		return index.Target{Digest: d}, nil
	}
	switch {
	case text == "index":
		return index.Target{}, nil
	case strings.ContainsAny(text, ":@"):
		ref, err := ParseReference(text)
		if err != nil {
			return index.Target{}, err
		}
		desc, err := c.Head(ctx, ref)
		return index.Target{Digest: desc.Digest}, err
	}
	p, err := platforms.ParseAny(text)
	if err != nil {
		return index.Target{}, &usageError{err}
	}
	return index.Target{Platform: &p}, nil
}
