package modules

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/manymage/manymage/build/image/tree"
)

// NodePackage is the folder in which require finds a package from a folder on, "" where it is not there.
func NodePackage(t *tree.Tree, name, from string) (string, error) {
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

// NodeName is the name of a package in an id that may have a version: @nestjs/cli@10 is @nestjs/cli.
func NodeName(id string) string {
	if i := strings.Index(id[min(1, len(id)):], "@"); i >= 0 {
		return id[:i+1]
	}
	return id
}

// NodeFolderOptions are the options of Node's package managers whose value is the folder to work in.
func NodeFolderOptions() []string { return []string{"--prefix", "-C", "--dir", "--cwd"} }

// NodePreloadOptions are Node's and Bun's options that name what is loaded before a script.
func NodePreloadOptions() []string {
	return []string{"-r", "--require", "--import", "--loader", "--experimental-loader", "--preload"}
}
