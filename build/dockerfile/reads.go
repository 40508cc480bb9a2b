package dockerfile

import (
	"path"
	"slices"
	"strings"
)

// Reads is what a build reads of its context. The zero value is nothing.
type Reads struct {
	Paths []string // sorted, with slashes, and patterns as they stand
	By    []string // the arguments that Paths go by, sorted: a base that has a variable by one of these names may make others of them
}

// Reads is what building the target under the strategy may read of the context; not known where that is told by the build alone. Base
// images may have more waiting in ONBUILD, where Options.OnBuild does not have it.
func (f *File) Reads(s Strategy, o Options) (r Reads, known bool) {
	g, _, err := f.under(s, o)
	if err != nil {
		return Reads{}, false
	}
	known, r.Paths = true, []string{}
	_ = g.built(func(n node, in instruction) error {
		for _, t := range taken(in) {
			if t.from != "" || isHTTP(t.path) {
				continue
			}
			name, by, sure := g.read(n, t.path)
			known = known && sure && name != ""
			r.Paths, r.By = append(r.Paths, name), append(r.By, by...)
		}
		return nil
	})
	if !known {
		return Reads{}, false
	}
	for _, list := range []*[]string{&r.Paths, &r.By} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return r, true
}

// read is the path, or the pattern, by which a word of a stage takes files, and the arguments that it goes by.
func (g *graph) read(n node, word string) (name string, by []string, sure bool) {
	text, by, sure := g.told(n, word)
	name = strings.TrimPrefix(path.Join("/", text), "/")
	return name, by, sure && !strings.ContainsAny(word, `\'"`) && !strings.ContainsAny(text, `\'"$`) && isPattern(name)
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
