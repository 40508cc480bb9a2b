package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Folder lists the folder that a name leads to, and nothing where there is none.
func (t *Tree) Folder(name string) (real string, entries []fs.DirEntry, err error) {
	real, info, err := t.Resolve(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	entries, err = t.list(real)
	return real, entries, err
}

// list returns the entries of a real directory, remembering what they are.
func (t *Tree) list(dir string) ([]fs.DirEntry, error) {
	return once(t, &t.folders, dir, func() ([]fs.DirEntry, error) {
		done := t.ask()
		entries, err := fs.ReadDir(t.root, key(dir))
		done()
		if err != nil {
			return nil, fmt.Errorf("listing %s in the image: %w", dir, err)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				t.infos[path.Join(dir, e.Name())] = stat{info: info}
			}
		}
		return entries, nil
	})
}

// folderCost is what opening a folder costs, in names that are compared.
const folderCost = 16

// Inside are the files in folders that are wanted. A folder that several names lead to is looked into once.
func (t *Tree) Inside(folders []string, wanted func(fs.DirEntry) bool) (list []string, err error) {
	if err := Each(len(folders), func(i int) error { _, _, err := t.Folder(folders[i]); return err }); err != nil { // all at once, to be remembered
		return nil, err
	}
	seen := map[string]bool{}
	for _, dir := range folders {
		real, entries, err := t.Folder(dir)
		if err != nil {
			return nil, err
		}
		if seen[real] {
			continue
		}
		seen[real] = true
		for _, e := range entries {
			if wanted(e) {
				list = append(list, path.Join(real, e.Name()))
			}
		}
	}
	return list, nil
}

// Under are the files in a folder by patterns of their names.
func (t *Tree) Under(dir string, patterns ...string) (list []string, err error) {
	for _, pattern := range patterns {
		names, err := t.Matching(dir, pattern, func(int) bool { return true })
		if err != nil {
			return nil, err
		}
		list = append(list, names...)
	}
	return list, nil
}

// Matching are the files in a folder by a pattern, which is looked into part by part. What each part is compared with costs as much as there
// is of it; it goes on as long as that is affordable.
func (t *Tree) Matching(dir, pattern string, afford func(names int) bool) (names []string, err error) {
	names = []string{dir}
	for part := range strings.SplitSeq(strings.TrimPrefix(pattern, "/"), "/") {
		if !afford(len(names) * folderCost) {
			return nil, nil
		}
		if names, err = t.Inside(names, func(e fs.DirEntry) bool { is, _ := path.Match(part, e.Name()); return afford(1) && is }); err != nil {
			return nil, err
		}
	}
	return names, nil
}
