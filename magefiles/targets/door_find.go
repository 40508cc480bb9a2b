package targets

import (
	"errors"
	"strings"

	"github.com/hbollon/go-edlib"
)

// find looks a target up by its name or an alias. after is the target before it on the line, for which the word may have been
// meant as an option.
func (r *reader) find(word string, after *target) (*target, error) {
	t, err := r.binary.describe(word)
	if t != nil || err != nil {
		return t, err
	}
	if strings.HasPrefix(word, "-") {
		return nil, refuse("unknown option %s", word)
	}
	if name, value, ok := strings.Cut(word, "="); ok && knob.MatchString(strings.ToUpper(word)) {
		return nil, refuse("%q is no target, and knobs are written in capitals: write %s=%s", word, strings.ToUpper(name), value)
	}
	all, err := r.binary.list()
	if err != nil {
		return nil, err
	}
	names := all
	for _, name := range all {
		candidate, err := r.binary.describe(name)
		if err != nil || candidate == nil {
			return nil, errors.Join(errCannotAsk, err)
		}
		for _, alias := range candidate.aliases {
			if strings.EqualFold(alias, word) {
				return candidate, nil
			}
		}
		names = append(names, candidate.aliases...)
	}
	return nil, unknown(word, names, after)
}

// unknown is the sentence about a word that is no target.
func unknown(word string, names []string, after *target) error {
	if close := closest(word, names); close != "" {
		return refuse("unknown target %s, did you mean %s?", word, close)
	}
	if after != nil {
		if several := after.several(); several != "" {
			return refuse("unknown target %s: if it is one of the %s of %s, these are one argument, separated by commas: FIRST,%s", word, several, after.name, word)
		}
		for _, o := range after.options {
			if o.kind == "string" {
				return refuse("unknown target %s: if it is meant for %s, write %s -%s=%s", word, after.name, after.name, o.name, word)
			}
		}
	}
	if word == "." {
		return refuse("unknown target .: the folder here is the context anyway, and CONTEXT=services/api would be another")
	}
	if strings.HasPrefix(word, ".") || strings.HasPrefix(word, "/") || strings.HasSuffix(word, "/") {
		return refuse("unknown target %s: CONTEXT=%s makes that folder the context", word, word)
	}
	return refuse("unknown target %s: %s -l lists them all", word, program())
}

// several is the name of a last argument that holds more than one: the word behind it is meant for it, as docker manifest
// would take it.
func (t *target) several() string {
	if len(t.required) == 0 || !strings.HasSuffix(t.required[len(t.required)-1], "s") {
		return ""
	}
	return t.required[len(t.required)-1]
}

// closest is the name that a word was probably meant to be; "" when none is near. A name that ends in the very word, behind the
// name under which targets were imported, is the nearest; else one that differs in a third of its letters at most.
func closest(word string, names []string) string {
	word = strings.ToLower(word)
	best, least := "", max(1, len(word)/3)+1
	for _, name := range names {
		lower := strings.ToLower(name)
		if strings.HasSuffix(lower, ":"+word) {
			return name
		}
		d := edlib.OSADamerauLevenshteinDistance(word, lower)
		if short := lower[strings.LastIndex(lower, ":")+1:]; !strings.Contains(word, ":") {
			d = min(d, edlib.OSADamerauLevenshteinDistance(word, short))
		}
		if d < least {
			best, least = name, d
		}
	}
	return best
}
