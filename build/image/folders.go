package image

import (
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
)

// below visits the files of a folder and of all in it, the nearer ones first, in at most so many folders, until enough says so behind one.
func (c *checker) below(dir string, most int, in interpreted, visit func(name string), enough func() bool) error {
	queue := []string{dir}
	for n := 0; n < len(queue) && !enough(); n++ {
		if n == most {
			c.note(in.frame, "%s has so many folders that not all were looked into", shell.Show(dir))
			break
		}
		real, entries, err := c.tree.Folder(queue[n])
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
		at, err := c.tree.At(name)
		if nowhere(err) || err == nil && (!at.Info.IsDir() || slices.Contains(folders, at.Real)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		folders = append(folders, at.Real)
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
