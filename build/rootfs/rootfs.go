// Package rootfs is a container's root filesystem as an io/fs, made from tar streams without unpacking them.
//
//	image layers, base first  -> Layers  -> whiteouts applied -+
//	one container archive     -> Archive ----------------------+-> *FS: Open, Stat, Lstat, ReadLink, ReadDir
//
// Only headers, the heads of programs and libraries, and what a check asks of them stay in memory, so that the size of
// an image does not matter: an ELF header, its program headers and its interpreter's name lie in the first
// kilobytes; the names of the libraries that it needs and a Go program's build information are picked out while the file
// streams by. Other files of up to 1 MiB are put on a shelf, one unlinked temporary file. Any other read opens the file's tar
// stream again and spools that one file, as far as it is read.
//
// Names are those of io/fs: slash separated, relative to the root, no ".."; they need not be UTF-8. Symbolic links are followed as the kernel
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
	// that is neither small nor read in its head alone; a source that can be read only once returns an error then.
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
// put together in their order. Close ends the filesystem.
func Layers(ctx context.Context, layers []Source, opts Options) (*FS, error) {
	return newFS(opts, func(t *tree, shelf *shelf) error {
		scanned := make([][]entry, len(layers))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(opts.withDefaults().Parallel)
		for i, layer := range layers {
			group.Go(func() (err error) {
				scanned[i], err = scan(ctx, layer, shelf, t.made)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for i, entries := range scanned {
			if err := t.addLayer(entries); err != nil {
				return err
			}
			scanned[i] = nil
		}
		return nil
	})
}

// Archive reads one container archive, as GET /containers/ID/archive?path=/ or /export gives it. There are no
// whiteouts in it: a file named .wh.x is a file. Close ends the filesystem.
func Archive(ctx context.Context, archive Source, opts Options) (*FS, error) {
	return newFS(opts, func(t *tree, shelf *shelf) error {
		entries, err := scan(ctx, archive, shelf, t.made)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := t.add(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// newFS puts a filesystem together.
func newFS(opts Options, fill func(*tree, *shelf) error) (*FS, error) {
	t, shelf := newTree(newBudget(opts.withDefaults().MaxEntries)), &shelf{}
	if err := fill(t, shelf); err != nil {
		_ = shelf.close() // the first error is the telling one
		return nil, err
	}
	return &FS{t.root, shelf}, nil
}
