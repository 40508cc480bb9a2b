// Package rootfs is a container's root filesystem as an io/fs, made from tar streams without unpacking them.
//
//	image layers, base first  -> Layers  -> whiteouts applied -+
//	one container archive     -> Archive ----------------------+-> *FS: Open, Stat, Lstat, ReadLink, ReadDir
//
// Only headers, the heads of executable files and libraries, and what a check asks of them stay in memory, so that the size of
// an image does not matter: an ELF header, its program headers, its interpreter's name and a `#!` line lie in the first
// kilobytes; the names of the libraries that it needs and a Go program's build information are picked out while the file
// streams by. Any other read opens the file's tar stream again and spools that one file, as far as it is read, to an unlinked
// temporary file.
//
// Names are those of io/fs: slash separated, relative to the root, no "..". Symbolic links are followed as the kernel
// follows them in a chroot: absolute targets begin at the root and ".." never leaves it.
package rootfs

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"
)

var (
	// ErrTooManyEntries says that a filesystem has more entries than Options.MaxEntries.
	ErrTooManyEntries = errors.New("too many files in the image")
	// ErrMalformed says that a stream is no tar archive, or one that names something a filesystem cannot hold.
	ErrMalformed = errors.New("malformed layer")
)

// Source is one tar stream: plain, gzip or zstd, told apart by its first bytes.
type Source struct {
	// Name is how errors call the stream: "layer sha256:..." for example.
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
	// Parallel is how many layers are read at once; 0 is 2 (decompression is what costs, and two cores are what a laptop or a
	// CI runner has to spare).
	Parallel int
}

const (
	defaultMaxEntries = 1 << 20
	defaultParallel   = 2
)

func (o Options) withDefaults() Options {
	if o.MaxEntries == 0 {
		o.MaxEntries = defaultMaxEntries
	}
	if o.Parallel == 0 {
		o.Parallel = defaultParallel
	}
	return o
}

// Layers reads image layers, base first, and applies their whiteouts (image-spec, layer.md). Layers are read concurrently and
// put together in their order.
func Layers(ctx context.Context, layers []Source, opts Options) (*FS, error) {
	opts = opts.withDefaults()
	budget := newBudget(opts.MaxEntries)
	scanned := make([][]entry, len(layers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(opts.Parallel)
	for i, layer := range layers {
		group.Go(func() (err error) {
			scanned[i], err = scan(ctx, layer, budget)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	t := newTree(budget)
	for i, entries := range scanned {
		if err := t.addLayer(entries); err != nil {
			return nil, err
		}
		scanned[i] = nil
	}
	return &FS{root: t.root}, nil
}

// Archive reads one container archive, as GET /containers/ID/archive?path=/ or /export gives it. There are no
// whiteouts in it: a file named .wh.x is a file.
func Archive(ctx context.Context, archive Source, opts Options) (*FS, error) {
	budget := newBudget(opts.withDefaults().MaxEntries)
	entries, err := scan(ctx, archive, budget)
	if err != nil {
		return nil, err
	}
	t := newTree(budget)
	for _, e := range entries {
		if err := t.add(e); err != nil {
			return nil, err
		}
	}
	return &FS{root: t.root}, nil
}
