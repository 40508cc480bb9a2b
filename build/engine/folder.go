package engine

import (
	"errors"
	"io"
	"io/fs"
)

// openFolder is an open folder of a root.
type openFolder struct {
	root fs.ReadDirFS
	name string
	info fs.FileInfo
	next int
}

func (d *openFolder) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openFolder) Close() error               { return nil }
func (d *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a folder")}
}

// ReadDir gives the next n entries, or all with n <= 0.
func (d *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	all, err := d.root.ReadDir(d.name)
	if err != nil {
		return nil, err
	}
	rest := all[min(d.next, len(all)):]
	if n > 0 && len(rest) == 0 {
		return nil, io.EOF
	}
	if n > 0 {
		rest = rest[:min(n, len(rest))]
	}
	d.next += len(rest)
	return rest, nil
}
