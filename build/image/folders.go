package image

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// folder lists a folder, and nothing where there is none.
func (c *checker) folder(name string) (real string, entries []fs.DirEntry, err error) {
	return c.tree.Folder(name)
}

// inside are the files in folders that are wanted. A folder that several names lead to is looked into once.
func (c *checker) inside(folders []string, wanted func(fs.DirEntry) bool) (list []string, err error) {
	if err := each(len(folders), func(i int) error { _, _, err := c.folder(folders[i]); return err }); err != nil { // all at once, to be remembered
		return nil, err
	}
	seen := map[string]bool{}
	for _, dir := range folders {
		real, entries, err := c.folder(dir)
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

// under are the files in a folder by patterns of their names.
func (c *checker) under(dir string, patterns ...string) (list []string, err error) {
	for _, pattern := range patterns {
		names, err := c.partwise(dir, pattern, func(int) bool { return true })
		if err != nil {
			return nil, err
		}
		list = append(list, names...)
	}
	return list, nil
}

// partwise are the files in a folder by a pattern, which is looked into part by part. What each part is compared with costs as much as there
// is of it; it goes on as long as that is affordable.
func (c *checker) partwise(dir, pattern string, afford func(names int) bool) (names []string, err error) {
	names = []string{dir}
	for part := range strings.SplitSeq(strings.TrimPrefix(pattern, "/"), "/") {
		if !afford(len(names) * folderCost) {
			return nil, nil
		}
		if names, err = c.inside(names, func(e fs.DirEntry) bool { is, _ := path.Match(part, e.Name()); return afford(1) && is }); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// below visits the files of a folder and of all in it, the nearer ones first, in at most so many folders, until enough says so behind one.
func (c *checker) below(dir string, most int, in interpreted, visit func(name string), enough func() bool) error {
	queue := []string{dir}
	for n := 0; n < len(queue) && !enough(); n++ {
		if n == most {
			c.note(in.frame, "%s has so many folders that not all were looked into", shell.Show(dir))
			break
		}
		real, entries, err := c.folder(queue[n])
		if err != nil {
			return err
		}
		for _, e := range entries {
			if name := path.Join(real, e.Name()); e.IsDir() {
				queue = append(queue, name)
			} else {
				visit(name)
			}
		}
	}
	return nil
}

// there are the folders of a list that are there, links resolved, each once.
func (c *checker) there(names []string) (folders []string, err error) {
	for _, name := range names {
		if !shell.Known(name) {
			continue
		}
		at, err := c.resolve(name)
		if nowhere(err) || err == nil && (!at.info.IsDir() || slices.Contains(folders, at.real)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		folders = append(folders, at.real)
	}
	return folders, nil
}

// foldersIn are those of the list that a variable of the environment may hold.
func (c *checker) foldersIn(name string, f frame) (list []string) {
	for _, value := range c.values(name, f) {
		for dir := range strings.SplitSeq(value, ":") {
			if dir != "" {
				list = append(list, shell.Absolute(f.Dir, dir))
			}
		}
	}
	return list
}
