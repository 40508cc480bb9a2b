package tree

import (
	"errors"
	"io/fs"
)

// Found is a file behind a name.
type Found struct {
	Name string // absolute, as it was named
	Real string // links resolved
	Info fs.FileInfo
}

// At finds what a name leads to. The errors are those of Resolve.
func (t *Tree) At(name string) (Found, error) {
	real, info, err := t.Resolve(name)
	return Found{Name: name, Real: real, Info: info}, err
}

// Regular finds a regular file. Where a name leads to nothing there is not even an Info.
func (t *Tree) Regular(name string) (at Found, ok bool, err error) {
	at, err = t.At(name)
	if errors.Is(err, fs.ErrNotExist) {
		return at, false, nil
	}
	return at, err == nil && at.Info.Mode().IsRegular(), err
}
