package lists

import (
	"context"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/platforms"
)

// Split takes a list of a command line apart, at commas and white space.
func Split(text string) []string { return words(text) }

// pairStart is where another annotation begins behind a comma or line end: values may hold them, too. What docker buildx writes before
// those of a list is left out.
var pairStart = regexp.MustCompile(`[,\n]\s*(?:index:)?([A-Za-z0-9][A-Za-z0-9._/-]*)=`)

// ParseAnnotations reads NAME=value pairs, separated by commas or line ends. A comma that no NAME= follows is part of the value, as are
// one behind a backslash and all of a value in quotes. What has quotes or backslashes elsewhere, such as JSON, is taken as it is.
// An empty value removes the annotation in an edit.
func ParseAnnotations(given string) (map[string]string, error) {
	if given = strings.TrimSpace(given); given == "" {
		return nil, nil
	}
	out := map[string]string{}
	for rest := "," + given; rest != ""; {
		at := pairStart.FindStringSubmatchIndex(rest)
		if at == nil || at[0] != 0 {
			return nil, usage("annotations %q: write NAME=value, more of them separated by commas", given)
		}
		name := rest[at[2]:at[3]]
		if _, twice := out[name]; twice {
			return nil, usage("annotations %q: %s is given twice", given, name)
		}
		value, behind, ok := quotedValue(rest[at[1]:])
		if !ok {
			value, behind = plainValue(rest[at[1]:])
		}
		if !ok && value != "" && strings.ContainsAny(value[:1], `"'`) && strings.Count(value, value[:1]) == 1 {
			return nil, usage("annotations %q: the text has a quote that is not closed: close it, or put the value into the other quotes", given)
		}
		out[name], rest = value, behind
	}
	return out, nil
}

// quoted is a value in quotes, up to a separator or the end; in double ones a backslash takes a quote or backslash as it is.
var quoted = regexp.MustCompile(`^(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*([,\n]|$)`)

func quotedValue(text string) (value, rest string, ok bool) {
	at := quoted.FindStringSubmatchIndex(text)
	switch {
	case at == nil:
		return "", "", false
	case at[2] >= 0:
		value = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(text[at[2]:at[3]])
	default:
		value = text[at[4]:at[5]]
	}
	return value, text[at[6]:], true
}

// plainValue goes up to where another annotation begins.
func plainValue(text string) (value, rest string) {
	end := len(text)
	for _, at := range pairStart.FindAllStringIndex(text, -1) {
		if !strings.HasSuffix(text[:at[0]], `\`) {
			end = at[0]
			break
		}
	}
	return strings.ReplaceAll(text[:end], `\,`, ","), text[end:]
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
