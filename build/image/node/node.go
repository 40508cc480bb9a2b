// Package node is what Node and its package managers have in common: what packages are called and where they are found, and the options
// that name folders and modules.
package node

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/manymage/manymage/build/image/tree"
)

// Find is the folder in which require finds a package from a folder on, "" where it is not there.
func Find(t *tree.Tree, name, from string) (string, error) {
	if name == "" || !fs.ValidPath(name) {
		return "", nil
	}
	for dir := from; ; dir = path.Dir(dir) {
		in := dir
		if path.Base(dir) != "node_modules" {
			in = path.Join(dir, "node_modules")
		}
		at, err := t.At(path.Join(in, name))
		switch {
		case err == nil && at.Info.IsDir():
			return at.Real, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", err
		case dir == "/":
			return "", nil
		}
	}
}

// Name is the name of a package in an id that may have a version: @nestjs/cli@10 is @nestjs/cli.
func Name(id string) string {
	if i := strings.Index(id[min(1, len(id)):], "@"); i >= 0 {
		return id[:i+1]
	}
	return id
}

// FolderOptions are the options of package managers whose value is the folder to work in.
func FolderOptions() []string { return []string{"--prefix", "-C", "--dir", "--cwd"} }

// PreloadOptions are Node's and Bun's options that name what is loaded before a script.
func PreloadOptions() []string {
	return []string{"-r", "--require", "--import", "--loader", "--experimental-loader", "--preload"}
}
