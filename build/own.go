package build

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/record"
)

// own are the patterns, in a context, of what a run leaves in its folder: sent, it would make every context another one, and the image of a
// COPY . . another image on the second run. While dist holds nothing else it is left out as a whole, an empty folder being content, too.
func (p *Pipeline) own(context string) []string {
	folder := path.Dir(record.Path)
	left := []string{registryDir, record.Path, path.Join(folder, record.Temporary)}
	if onlyOurs(filepath.Join(p.cfg.Dir, folder), left) {
		left = append(left, folder)
	}
	var paths []string
	for _, folder := range withParents(p.cfg.CacheFolders()) {
		paths = append(paths, literal.Replace(resolved(folder)))
	}
	for _, name := range left {
		paths = append(paths, filepath.Join(literal.Replace(resolved(p.cfg.Dir)), filepath.FromSlash(name)))
	}
	context = literal.Replace(resolved(context))
	var patterns []string
	for _, path := range paths {
		rel, err := filepath.Rel(context, path)
		if err == nil && rel != "." && filepath.IsLocal(rel) {
			patterns = append(patterns, filepath.ToSlash(rel))
		}
	}
	return patterns
}

// literal makes a pattern of a path. A ! means something at a pattern's beginning alone, and is itself anywhere.
var literal = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `!`, `\!`)

// resolved is a path without symbolic links, as far as it is there.
func resolved(path string) string {
	if found, err := filepath.EvalSymlinks(path); err == nil || path == filepath.Dir(path) {
		return cmp.Or(found, path)
	}
	return filepath.Join(resolved(filepath.Dir(path)), filepath.Base(path))
}

// withParents adds the folders that hold nothing but the given ones.
func withParents(folders []string) []string {
	for i := 0; i < len(folders); i++ {
		if parent := filepath.Dir(folders[i]); !slices.Contains(folders, parent) && onlyOurs(parent, folders) {
			folders = append(folders, parent)
		}
	}
	return folders
}

// onlyOurs tells whether a folder holds something, and nothing but what the patterns name. An empty one is the user's.
func onlyOurs(dir string, patterns []string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return false
	}
	for _, e := range entries {
		ours := false
		for _, pattern := range patterns {
			matches, err := path.Match(path.Base(pattern), e.Name())
			ours = ours || err == nil && matches
		}
		if !ours {
			return false
		}
	}
	return true
}
