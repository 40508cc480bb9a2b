package modules

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// Bounds on what is read of the configurations of servers. Debian's Apache has a hundred files, Redis's only one has 100 KB.
const (
	maxIncluded = 256
	maxSetting  = 1 << 20 // bytes of one
	maxSettings = 8 << 20 // bytes of all in the image
	maxCompared = 2 << 20 // names in the image that patterns are compared with
)

// included reads the files that patterns mean for whoever starts a server, and level by level those of which read says that these include them.
func (c *Checker) included(patterns []string, f shell.Frame, read func(by, text string) (patterns []string)) error {
	seen := map[string]bool{}
	for len(patterns) > 0 {
		var names []string
		for _, pattern := range patterns {
			some, err := c.meant(path.Clean(pattern), f)
			if err != nil {
				return err
			}
			names = append(names, some...)
		}
		before := len(seen)
		names = c.room(slices.DeleteFunc(names, func(name string) bool {
			known := seen[name]
			seen[name] = true
			return known
		}), before)
		texts, err := c.settings(names, f)
		if err != nil {
			return err
		}
		patterns = nil
		for i, name := range names {
			patterns = append(patterns, read(name, texts[i])...)
		}
	}
	return nil
}

// room is what of some files may be read beside so many others.
func (c *Checker) room(names []string, read int) []string {
	left := max(0, maxIncluded-read)
	if len(names) <= left {
		return names
	}
	c.Note(fmt.Sprintf("a server's configuration has more than %d files: those behind were not read", maxIncluded))
	return names[:left]
}

// meant are the files that a pattern may mean, with those that are put there.
func (c *Checker) meant(pattern string, f shell.Frame) (names []string, err error) {
	special := strings.IndexAny(pattern, "*?[")
	if !path.IsAbs(pattern) || !shell.Known(pattern) {
		return nil, nil
	}
	if special < 0 {
		return []string{pattern}, nil
	}
	fixed := strings.LastIndex(pattern[:special], "/")
	names, err = c.patterned("/"+pattern[:fixed], pattern[fixed:])
	names = slices.Clone(names)
	for _, place := range slices.Sorted(maps.Keys(f.Put)) {
		if is, _ := path.Match(pattern, place); is && !slices.Contains(names, place) {
			names = append(names, place)
		}
	}
	return names, err
}

// patterned are the files in a folder by a pattern of a configuration. Each pattern is looked for once, and all together may cost only so much:
// files may include each other by thousands of patterns.
func (c *Checker) patterned(dir, pattern string) (names []string, err error) {
	key := path.Join(dir, pattern)
	if names, known := c.meantBy[key]; known || c.compared > maxCompared {
		return names, nil
	}
	names, err = c.Tree.Matching(dir, pattern, func(names int) bool { c.compared += names; return c.compared <= maxCompared })
	if err != nil {
		return nil, err
	}
	if c.compared > maxCompared {
		names = nil
		c.Note(shell.Show(key) + " and the patterns before it are so many, or match so much, that not all of it was looked into")
	}
	c.meantBy[key] = names
	return names, nil
}

// settings are the texts of files as who starts a server has them, "" of those that he does not have. Each file of the image is read once.
func (c *Checker) settings(names []string, f shell.Frame) ([]string, error) {
	texts, files := make([]string, len(names)), make([]tree.Found, len(names))
	if err := tree.Each(len(names), func(i int) (err error) { files[i], texts[i], err = c.Held(names[i], f); return err }); err != nil {
		return nil, err
	}
	for _, at := range files {
		if at.Info == nil {
			continue
		}
		if _, known := c.configs[at.Real]; !known {
			most := min(at.Info.Size(), maxSetting, maxSettings-c.settled)
			if c.settled += most; most < at.Info.Size() {
				c.Note(shell.Show(at.Real) + " is so long that not all of it was read")
			}
			c.configs[at.Real] = sync.OnceValues(func() (string, error) { return c.Tree.Begin(at.Real, at.Info.Size(), most) })
		}
	}
	err := tree.Each(len(names), func(i int) (err error) {
		if at := files[i]; at.Info != nil {
			texts[i], err = c.configs[at.Real]()
		}
		return err
	})
	return texts, err
}

// late tells whether what starts a server may change which module it loads: it puts or edits the file that names one, or what lies where it is.
func late(f shell.Frame, m modules) bool {
	return slices.ContainsFunc(append(m.files[:len(m.files):len(m.files)], m.by), func(name string) bool {
		for name = path.Clean(name); len(name) > 1; name = path.Dir(name) {
			if f.Put.Changed(name) {
				return true
			}
		}
		return false
	})
}

// manyVariables is the note of a bound that was reached.
const manyVariables = "variables give the configuration of %s so much that not all of it was read"

// fill puts values in a text for what an expression finds in it, as far as they are known and there is room for so many bytes.
func fill(text string, variable *regexp.Regexp, room *int, value func(found string) (string, bool)) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		given, ok := value(found)
		if ok = ok && shell.Known(given); ok {
			*room -= len(given)
		}
		if !ok || *room < 0 {
			return found
		}
		return given
	})
}
