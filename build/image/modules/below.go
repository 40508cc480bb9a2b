package modules

import (
	"path"

	"github.com/manymage/manymage/build/image/shell"
)

// below visits the files of a folder and of all in it, the nearer ones first, in at most so many folders, until enough says so behind one.
func (c *Checker) below(dir string, most int, in interpreted, visit func(name string), enough func() bool) error {
	queue := []string{dir}
	for n := 0; n < len(queue) && !enough(); n++ {
		if n == most {
			in.note("%s has so many folders that not all were looked into", shell.Show(dir))
			break
		}
		real, entries, err := c.Tree.Folder(queue[n])
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
