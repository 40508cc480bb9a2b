// Package rootfs is a container's root filesystem as an io/fs, made from tar streams without unpacking them.
//
//	image layers, base first  -> Layers  -> whiteouts applied -+
//	one container archive     -> Archive ----------------------+-> *FS: Open, Stat, Lstat, ReadLink, ReadDir
//
// Only headers and the heads of executable files stay in memory, so that the size of an image does not matter: an ELF
// header, its program headers, its interpreter's name and a `#!` line all lie in the first kilobytes. A read beyond a
// head opens the file's tar stream again and spools that one file to an unlinked temporary file.
//
// Names are those of io/fs: slash separated, relative to the root, no "..". Symbolic links are followed as the kernel
// follows them in a chroot: absolute targets begin at the root and ".." never leaves it.
package rootfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
)

var (
	// ErrTooManyEntries says that a filesystem has more entries than Options.MaxEntries.
	ErrTooManyEntries = errors.New("too many files in the image")
	// ErrMalformed says that a stream is no tar archive, or one that names something a filesystem cannot hold.
	ErrMalformed = errors.New("malformed layer")
)

// Source is one tar stream: plain, gzip or zstd, told apart by its first bytes.
type Source struct {
	// Name is how errors call the stream, a layer's digest for example.
	Name string
	// Open starts the stream from its beginning. It is called once by Layers and Archive, and again for every file
	// that is read beyond its head; a source that can be read only once returns an error then.
	Open func() (io.ReadCloser, error)
}

// Options bound what a hostile or very large image may cost. The zero value works.
type Options struct {
	// MaxEntries bounds the entries of all streams together; 0 is 1,048,576 (the largest images in use hold
	// some 400,000 files, and an entry costs about 200 bytes of memory).
	MaxEntries int
	// Parallel is how many layers are read at once; 0 is 2 (decompression is what costs, and a laptop has two cores to spare).
	Parallel int
}

// FS is a read-only root filesystem. It implements fs.FS, fs.ReadLinkFS, fs.ReadDirFS and fs.StatFS, and is safe for
// concurrent use. Files of Open implement io.ReaderAt.
type FS struct{ root *node }

type node struct{}

// Layers reads image layers, base first, and applies their whiteouts (image-spec, layer.md).
func Layers(ctx context.Context, layers []Source, opts Options) (*FS, error) {
	return nil, errors.ErrUnsupported
}

// Archive reads one container archive, as GET /containers/ID/archive?path=/ or /export gives it. There are no
// whiteouts in it: a file named .wh.x is a file.
func Archive(ctx context.Context, archive Source, opts Options) (*FS, error) {
	return nil, errors.ErrUnsupported
}

// Open opens a file, following symbolic links.
func (f *FS) Open(name string) (fs.File, error) { return nil, errors.ErrUnsupported }

// Stat describes a file, following symbolic links.
func (f *FS) Stat(name string) (fs.FileInfo, error) { return nil, errors.ErrUnsupported }

// Lstat describes a file, not following a symbolic link in the last place.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return nil, errors.ErrUnsupported }

// ReadLink returns a symbolic link's target as the archive has it: it may be absolute or hold "..".
func (f *FS) ReadLink(name string) (string, error) { return "", errors.ErrUnsupported }

// ReadDir lists a directory in name order.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) { return nil, errors.ErrUnsupported }
