package dockerfile

import (
	"path"
	"slices"
	"strings"
)

// Reads are the paths of the context that building the target under the strategy may read, sorted, with slashes, and patterns as they
// stand; all: it may be anything. Base images may have more waiting in ONBUILD, where Options.OnBuild does not have it.
func (f *File) Reads(s Strategy, o Options) (paths []string, all bool) {
	g, _, err := f.under(s, o)
	if err != nil {
		return nil, true
	}
	paths = []string{}
	_ = g.built(func(n node, in instruction) error {
		for _, t := range taken(in) {
			if t.from != "" || isHTTP(t.path) {
				continue
			}
			name, known := g.read(n, t.path)
			all = all || !known || name == ""
			paths = append(paths, name)
		}
		return nil
	})
	if all {
		return nil, true
	}
	slices.Sort(paths)
	return slices.Compact(paths), false
}

// read is the path, or the pattern, by which a word of a stage takes files; not known where that is told by the build alone.
func (g *graph) read(n node, word string) (name string, known bool) {
	switch {
	case strings.ContainsAny(word, `\'"`):
		return "", false
	case strings.Contains(word, "$"):
		word, known = g.told(n, word)
	default:
		known = true
	}
	name = strings.TrimPrefix(path.Join("/", word), "/")
	return name, known && isPattern(name)
}

// isPattern tells whether the patterns of an ignore file, by which the context is sent, fit the same names: blanks at the ends, a ! before
// and a ^ mean something else there, and so do some brackets.
func isPattern(name string) bool {
	return name == strings.TrimLeft(strings.TrimSpace(name), "!") && !strings.ContainsAny(name, "[^")
}

// isHTTP tells of an address, whatever variables are in it.
func isHTTP(word string) bool {
	return strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://")
}
