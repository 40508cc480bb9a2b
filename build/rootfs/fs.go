package rootfs

import (
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// FS is a read-only root filesystem. It implements fs.FS, fs.ReadLinkFS, fs.ReadDirFS and fs.StatFS, and is safe for
// concurrent use. Regular files of Open implement io.ReaderAt.
type FS struct {
	root  *node
	shelf *shelf
}

var (
	_ fs.ReadLinkFS = (*FS)(nil)
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
)

// maxLinks is how many symbolic links one look-up follows, as in Linux.
const maxLinks = 40

// Close gives back the disk that small files take; they cannot be read any more. A nil FS has none.
func (f *FS) Close() error {
	if f == nil {
		return nil
	}
	return f.shelf.close()
}

// Open opens a file, following symbolic links. Only regular files and directories can be read: a FIFO or a device
// opens, describes itself, and fails to be read.
func (f *FS) Open(name string) (fs.File, error) {
	n, err := f.look("open", name, true)
	if err != nil {
		return nil, err
	}
	info := info{name: path.Base(name), file: n.file}
	if n.children != nil {
		return &openDir{info: info, left: n.entries()}, nil
	}
	return &reader{info: info, rest: rest{file: n.file}}, nil
}

// Near tells whether reading a file opens no stream again, or only behind what a check asks of it. A folder, or what is not there, is near.
func (f *FS) Near(name string) bool {
	n, err := f.look("near", name, true)
	return err != nil || !n.file.mode.IsRegular() || n.file.size == 0 || n.file.at > 0 || n.file.kept.isELF()
}

// Stat describes a file, following symbolic links.
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.info("stat", name, true) }

// Lstat describes a file, not following a symbolic link in the last place.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.info("lstat", name, false) }

func (f *FS) info(op, name string, follow bool) (fs.FileInfo, error) {
	n, err := f.look(op, name, follow)
	if err != nil {
		return nil, err
	}
	return info{name: path.Base(name), file: n.file}, nil
}

// ReadLink returns a symbolic link's target as the archive has it: it may be absolute or hold "..".
func (f *FS) ReadLink(name string) (string, error) {
	n, err := f.look("readlink", name, false)
	if err != nil {
		return "", err
	}
	if n.file.mode&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return n.file.link, nil
}

// ReadDir lists a directory in name order.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.look("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if n.children == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: syscall.ENOTDIR}
	}
	return n.entries(), nil
}

func (n *node) entries() []fs.DirEntry {
	out := make([]fs.DirEntry, 0, len(n.children))
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		out = append(out, fs.FileInfoToDirEntry(info{name: name, file: n.children[name].file}))
	}
	return out
}

// ValidPath is fs.ValidPath for names of Linux, which need not be UTF-8.
func ValidPath(name string) bool { return fs.ValidPath(strings.ToValidUTF8(name, "?")) }

func (f *FS) look(op, name string, follow bool) (*node, error) {
	if !ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, err := f.resolve(name, follow)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return n, nil
}

// resolve walks a name. way holds the directories from the root to here, so that ".." in a link's target goes where it goes in
// the kernel; todo holds the parts still to go, those of links put in front.
func (f *FS) resolve(name string, follow bool) (*node, error) {
	way := []*node{f.root}
	todo := strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		here := way[len(way)-1]
		if here.children == nil {
			return nil, syscall.ENOTDIR
		}
		part := todo[0]
		todo = todo[1:]
		if part == ".." {
			way = way[:max(1, len(way)-1)]
		}
		if part == "" || part == "." || part == ".." {
			continue
		}
		next := here.children[part]
		if next == nil {
			return nil, fs.ErrNotExist
		}
		if next.file.mode&fs.ModeSymlink == 0 || (len(todo) == 0 && !follow) {
			way = append(way, next)
			continue
		}
		if links++; links > maxLinks {
			return nil, syscall.ELOOP
		}
		if strings.HasPrefix(next.file.link, "/") {
			way = way[:1]
		}
		todo = slices.Concat(strings.Split(next.file.link, "/"), todo)
	}
	return way[len(way)-1], nil
}

// info is fs.FileInfo.
type info struct {
	name string
	file *file
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.file.size }
func (i info) Mode() fs.FileMode  { return i.file.mode }
func (i info) ModTime() time.Time { return time.Unix(i.file.mtime, 0) }
func (i info) IsDir() bool        { return i.file.mode.IsDir() }
func (i info) Sys() any           { return nil }

// openDir is an open directory.
type openDir struct {
	info
	left []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: syscall.EISDIR}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		out := d.left
		d.left = nil
		return out, nil
	}
	if len(d.left) == 0 {
		return nil, io.EOF
	}
	out := d.left[:min(n, len(d.left))]
	d.left = d.left[len(out):]
	return out, nil
}
