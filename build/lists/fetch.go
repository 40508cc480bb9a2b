package lists

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// FetchOptions say which image Fetch takes. The zero value takes what this machine would get.
type FetchOptions struct {
	// Platform is whose image is wanted; nil is what this machine would get, and takes a single
	// image whatever it is for.
	Platform *ocispec.Platform
	// Progress is told of each blob that is being read; nil is silence.
	Progress Progress
	// Waits is told of a pipe that nobody reads yet; nil is silence.
	Waits func(path string)
}

// Fetched is an image that was written out.
type Fetched struct {
	Reference string        `json:"reference"`
	Platform  string        `json:"platform"`
	Digest    digest.Digest `json:"digest"`            // of the image's manifest in the registry
	Written   digest.Digest `json:"written,omitempty"` // of the one that was written, where that is another
	Config    digest.Digest `json:"config"`            // its ID in engines
	Size      int64         `json:"size"`              // of its blobs
	Steps     []string      `json:"steps"`             // how it was found
}

// Fetcher is what Fetch needs.
type Fetcher interface {
	Reader
	Streamer
}

// Fetch writes one platform's image as a tarball that every engine loads: it is a docker-archive
// and an OCI layout at the same time, over the same blobs, which stay compressed. The blobs are
// streamed; what w holds is complete only when there is no error.
func Fetch(ctx context.Context, c Fetcher, ref string, w io.Writer, opts FetchOptions) (Fetched, error) {
	return fetch(ctx, c, ref, newTarSink(w), opts)
}

// FetchFile writes the image to a path: a tarball, or an OCI layout when the path ends in a
// slash or is an empty directory. Nothing is left there when it fails, and a file that was there
// is replaced when all went well; what is no file, such as a pipe, is written into.
func FetchFile(ctx context.Context, c Fetcher, ref, path string, opts FetchOptions) (Fetched, error) {
	if path == "" {
		return Fetched{}, usage("no file is named for %s; name one, a folder with a slash at its end, or - for stdout", ref)
	}
	info, err := os.Stat(path)
	switch {
	case strings.HasSuffix(path, "/"), err == nil && info.IsDir():
		return fetchDir(ctx, c, ref, filepath.Clean(path), opts)
	case err == nil && info.Mode()&os.ModeNamedPipe != 0:
		return fetchPipe(ctx, c, ref, path, opts)
	case err == nil && !info.Mode().IsRegular():
		return fetchInto(ctx, c, ref, path, os.O_WRONLY, opts)
	}
	if path, err = behindLinks(path); err != nil {
		return Fetched{}, err
	}
	return beside(path, func(tmp string) (Fetched, error) {
		f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return Fetched{}, err
		}
		to := newTarSink(f)
		to.file = f
		out, err := fetch(ctx, c, ref, to, opts)
		return out, errors.Join(err, f.Close())
	})
}

// fetchInto writes into what is there, such as a device.
func fetchInto(ctx context.Context, c Fetcher, ref, path string, flags int, opts FetchOptions) (Fetched, error) {
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return Fetched{}, err
	}
	out, err := Fetch(ctx, c, ref, f, opts)
	return out, errors.Join(err, f.Close())
}

// readerPause is how often a pipe is tried that nobody reads.
const readerPause = 100 * time.Millisecond

// fetchPipe waits for somebody who reads. To open a pipe is to wait, which could not be given up; with O_NONBLOCK it fails instead.
func fetchPipe(ctx context.Context, c Fetcher, ref, path string, opts FetchOptions) (Fetched, error) {
	for told := false; ; {
		out, err := fetchInto(ctx, c, ref, path, os.O_WRONLY|syscall.O_NONBLOCK, opts)
		if !errors.Is(err, syscall.ENXIO) {
			return out, err
		}
		if !told && opts.Waits != nil {
			opts.Waits(path)
		}
		told = true
		if err := rest(ctx, readerPause); err != nil {
			return out, fmt.Errorf("nobody reads the pipe %s: %w", path, err)
		}
	}
}

// fetchDir makes a layout where nothing is yet, or fills an empty folder: that stays what it is, such as a mount, a link, or the one that
// we are in.
func fetchDir(ctx context.Context, c Fetcher, ref, path string, opts FetchOptions) (Fetched, error) {
	layout := func(tmp string) (Fetched, error) { return fetch(ctx, c, ref, dirSink(tmp), opts) }
	entries, err := os.ReadDir(path)
	switch {
	case err != nil:
		if path, err = behindLinks(path); err != nil {
			return Fetched{}, err
		}
		return beside(path, layout)
	case len(entries) > 0:
		return Fetched{}, usage("%s is not empty; name a new directory", path)
	}
	return within(path, path, layout, func(tmp string) error { return moveAll(tmp, path) })
}

// moveAll moves what is in a folder to another one on its disk.
func moveAll(from, to string) error {
	entries, err := os.ReadDir(from)
	for _, entry := range entries {
		err = errors.Join(err, os.Rename(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())))
	}
	return err
}

// beside has something written under a name of its own in the path's folder, and moves it to the
// path when that went well.
func beside(path string, write func(tmp string) (Fetched, error)) (Fetched, error) {
	return within(filepath.Dir(path), path, write, func(tmp string) error { return os.Rename(tmp, path) })
}

// within has something written in a folder, and put into its place when that went well. Its name is
// inside of a private folder, so that what is written can be created as anything else is: with the
// rights that the umask leaves.
func within(folder, path string, write func(tmp string) (Fetched, error), place func(tmp string) error) (Fetched, error) {
	private, err := os.MkdirTemp(folder, temporary+"*")
	if errors.Is(err, os.ErrNotExist) {
		return Fetched{}, usage("writing %s: there is no folder %s; create it first", path, folder)
	}
	if err != nil {
		cause, _ := nameless(err)
		return Fetched{}, fmt.Errorf("writing %s: nothing can be created in the folder %s: %w", path, folder, cause)
	}
	defer os.RemoveAll(private)
	tmp := filepath.Join(private, "new")
	out, err := write(tmp)
	if err == nil {
		return out, place(tmp)
	}
	cause, own := nameless(err)
	switch {
	case errors.Is(cause, syscall.ENOSPC):
		return out, fmt.Errorf("writing %s: %w; free some, or name a place on another disk", path, cause)
	case own:
		return out, fmt.Errorf("writing %s: %w", path, cause)
	}
	return out, err
}

// temporary is how the folders are called in which something is written before it has its name.
const temporary = ".fetch-"

// nameless is the cause of an error of one of our own files, whose name tells nobody anything; another error is what it is.
func nameless(err error) (cause error, own bool) {
	var at *os.PathError
	if errors.As(err, &at) && strings.Contains(at.Path, temporary) {
		return at.Err, true
	}
	return err, false
}

// maxLinks is how many symbolic links lead to a file at most, as in Linux (path_resolution(7)).
const maxLinks = 40

// behindLinks follows symbolic links to the file that they stand for, which need not be there yet.
func behindLinks(path string) (string, error) {
	at := path
	for range maxLinks {
		to, err := os.Readlink(at)
		if err != nil {
			return at, nil // no link
		}
		if !filepath.IsAbs(to) {
			folder, _ := filepath.Split(at) // which keeps ".." behind a link, where it counts
			to = folder + to
		}
		at = to
	}
	return "", usage("%s: more than %d symbolic links; name the file itself", path, maxLinks)
}

// sink takes the files of a layout.
type sink interface {
	add(name string, size int64, r io.Reader) error
	rewind() error // to before the last file, which is then added again; errNoRewind where that cannot be
	close() error
}

func fetch(ctx context.Context, c Fetcher, ref string, to sink, opts FetchOptions) (Fetched, error) {
	named, err := ParseReference(ref)
	if err != nil {
		return Fetched{}, err
	}
	out := Fetched{Reference: reference.FamiliarString(named)}
	m, err := c.Manifest(ctx, named)
	if err != nil {
		return out, err
	}
	m, err = out.pick(ctx, c, named, m, opts.Platform)
	if err != nil {
		return out, fmt.Errorf("%s: %w", out.Reference, err)
	}
	doc, err := readImage(m)
	if err != nil {
		return out, err
	}
	if !isImageConfig(doc.Config.MediaType) {
		return out, fmt.Errorf("%s is an artifact (%s), which no engine loads", out.Reference, doc.Config.MediaType)
	}
	out.Digest, out.Config = m.Descriptor.Digest, doc.Config.Digest
	if m, err = asOCI(m, doc); err != nil {
		return out, err
	}
	if m.Descriptor.Digest != out.Digest {
		out.Written = m.Descriptor.Digest
		out.Steps = append(out.Steps, fmt.Sprintf("its manifest is of Docker's type; the one written is OCI's, %s, over the same config and layers", out.Written))
	}
	if slices.ContainsFunc(doc.Layers, func(d ocispec.Descriptor) bool { return compression(d.MediaType) == "+zstd" }) {
		out.Steps = append(out.Steps, "its layers are compressed with zstd, which Docker loads since version 23")
	}
	l := &layout{client: c, repo: reference.TrimNamed(named), name: named, to: to, progress: opts.Progress}
	err = l.write(ctx, m, doc)
	out.Size = l.size
	return out, err
}

// pick finds the image's manifest.
func (f *Fetched) pick(ctx context.Context, c Fetcher, named reference.Named, m registry.Manifest, want *ocispec.Platform) (registry.Manifest, error) {
	p := platforms.Host()
	if want != nil {
		p = *want
	}
	if index.IsIndex(m.Descriptor.MediaType) {
		ix, err := index.Parse(m.Bytes, m.Descriptor.MediaType)
		if err != nil {
			return m, err
		}
		way, err := find(ctx, c, named, ix, p)
		f.Steps = way.steps
		if err != nil {
			return m, err
		}
		f.Platform = platforms.Format(*way.entry.Platform)
		return listed(ctx, c, named, way.entry.Descriptor)
	}
	one, err := indexOfOne(ctx, c, named, m)
	if err != nil || len(one.Entries) == 0 {
		return m, err
	}
	f.Platform = platforms.Format(*one.Entries[0].Platform)
	f.Steps = []string{"resolved to one image, no index: it is for " + f.Platform}
	if want != nil {
		_, err = one.Find(p)
	}
	return m, err
}
