package lists

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

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
}

// Fetched is an image that was written out.
type Fetched struct {
	Reference string        `json:"reference"`
	Platform  string        `json:"platform"`
	Digest    digest.Digest `json:"digest"` // of the image's manifest
	Config    digest.Digest `json:"config"` // its ID in engines
	Size      int64         `json:"size"`   // of its blobs
	Steps     []string      `json:"steps"`  // how it was found
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
// slash or is an empty directory. Nothing is left there when it fails.
func FetchFile(ctx context.Context, c Fetcher, ref, path string, opts FetchOptions) (Fetched, error) {
	info, err := os.Stat(path)
	if strings.HasSuffix(path, "/") || err == nil && info.IsDir() {
		return fetchDir(ctx, c, ref, filepath.Clean(path), opts)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".fetch-*")
	if err != nil {
		return Fetched{}, fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // gone already when all went well
	out, err := Fetch(ctx, c, ref, f, opts)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return out, err
	}
	return out, os.Rename(f.Name(), path)
}

func fetchDir(ctx context.Context, c Fetcher, ref, path string, opts FetchOptions) (Fetched, error) {
	if entries, err := os.ReadDir(path); err == nil && len(entries) > 0 {
		return Fetched{}, usage("%s is not empty; name a new directory", path)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), ".fetch-*")
	if err != nil {
		return Fetched{}, fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.RemoveAll(tmp)
	out, err := fetch(ctx, c, ref, dirSink(tmp), opts)
	if err != nil {
		return out, err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return out, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return out, err
	}
	return out, os.Rename(tmp, path)
}

// sink takes the files of a layout.
type sink interface {
	add(name string, size int64, r io.Reader) error
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
		entry, steps, err := find(ctx, c, named, ix, p)
		f.Steps = steps
		if err != nil {
			return m, err
		}
		f.Platform = platforms.Format(*entry.Platform)
		return c.Manifest(ctx, withDigest(named, entry.Digest))
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
