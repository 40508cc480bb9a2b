package lists

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// layout writes an image as an OCI layout with Docker's manifest.json beside it, which is what
// docker save writes since version 25 and what all engines read:
//
//	oci-layout  blobs/sha256/...  index.json  manifest.json
type layout struct {
	client   Fetcher
	repo     reference.Named
	name     reference.Named
	to       sink
	progress Progress
	size     int64
}

// write takes a manifest of OCI's type.
func (l *layout) write(ctx context.Context, m registry.Manifest, doc ocispec.Manifest) error {
	if err := l.json(ocispec.ImageLayoutFile, ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion}); err != nil {
		return err
	}
	if err := l.to.add(blobPath(m.Descriptor.Digest), m.Descriptor.Size, bytes.NewReader(m.Bytes)); err != nil {
		return err
	}
	written := map[digest.Digest]bool{}
	for _, d := range blobsOf(doc) {
		if written[d.Digest] {
			continue
		}
		if !registry.IsDistributed(d) {
			return fmt.Errorf("layer %s is not distributed by registries; fetch it from its URLs %s", d.Digest, strings.Join(d.URLs, " "))
		}
		if err := l.blob(ctx, d); err != nil {
			return err
		}
		written[d.Digest] = true
	}
	if err := l.index(m.Descriptor); err != nil {
		return err
	}
	if err := l.archive(doc); err != nil {
		return err
	}
	return l.to.close()
}

// asOCI gives the manifest of a Docker image the media types of an OCI layout: its readers know
// no others. Config and layers, and with them the image's ID, are the same.
func asOCI(m registry.Manifest, doc ocispec.Manifest) (registry.Manifest, error) {
	if m.Descriptor.MediaType == index.OCIManifest {
		return m, nil
	}
	doc.MediaType, doc.Config.MediaType = index.OCIManifest, ocispec.MediaTypeImageConfig
	doc.Layers = slices.Clone(doc.Layers)
	for i, d := range doc.Layers {
		if !strings.HasPrefix(d.MediaType, "application/vnd.oci.") {
			doc.Layers[i].MediaType = ocispec.MediaTypeImageLayer + compression(d.MediaType)
		}
	}
	raw, err := json.Marshal(doc)
	return registry.Manifest{Bytes: raw, Descriptor: ocispec.Descriptor{
		MediaType: index.OCIManifest, Digest: digest.FromBytes(raw), Size: int64(len(raw)),
	}}, err
}

// compression is how OCI's media types name the compression that Docker's names.
func compression(mediaType string) string {
	switch {
	case strings.HasSuffix(mediaType, ".gzip"):
		return "+gzip"
	case strings.HasSuffix(mediaType, "zstd"):
		return "+zstd"
	}
	return ""
}

// blobTries is how often a blob that proves corrupt at its end is read, each time from its start.
const blobTries = 3

// blob streams one blob. Its digest is verified when it ends; a wrong one is read again where
// what was written can be taken back, and is an error of the whole otherwise, so that nobody
// gets to see it.
func (l *layout) blob(ctx context.Context, d ocispec.Descriptor) error {
	l.size += d.Size
	for try := 1; ; try++ {
		err := l.stream(ctx, d)
		if try == blobTries || !errors.Is(err, registry.ErrCorrupt) || l.to.rewind() != nil {
			return err
		}
	}
}

func (l *layout) stream(ctx context.Context, d ocispec.Descriptor) error {
	r, err := l.client.Blob(ctx, l.repo, d)
	if err != nil {
		return err
	}
	defer r.Close()
	return l.to.add(blobPath(d.Digest), d.Size, &told{r: r, tell: l.progress, p: Progressing{
		Repository: reference.FamiliarName(l.repo), Digest: d.Digest, Size: d.Size,
	}})
}

func (l *layout) index(desc ocispec.Descriptor) error {
	desc.Annotations = map[string]string{}
	if tagged, ok := l.name.(reference.Tagged); ok && !isDigest(l.name) {
		desc.Annotations["io.containerd.image.name"] = l.name.String()
		desc.Annotations[ocispec.AnnotationRefName] = tagged.Tag()
	}
	ix := ocispec.Index{MediaType: index.OCIIndex, Manifests: []ocispec.Descriptor{desc}}
	ix.SchemaVersion = 2
	return l.json(ocispec.ImageIndexFile, ix)
}

// archive writes Docker's manifest.json over the same blobs.
func (l *layout) archive(doc ocispec.Manifest) error {
	type image struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	one := image{Config: blobPath(doc.Config.Digest), Layers: []string{}}
	if _, ok := l.name.(reference.Tagged); ok && !isDigest(l.name) {
		one.RepoTags = []string{reference.FamiliarString(l.name)}
	}
	for _, d := range doc.Layers {
		one.Layers = append(one.Layers, blobPath(d.Digest))
	}
	return l.json("manifest.json", []image{one})
}

func (l *layout) json(name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return l.to.add(name, int64(len(raw)), bytes.NewReader(raw))
}

func blobPath(d digest.Digest) string {
	return "blobs/" + d.Algorithm().String() + "/" + d.Encoded()
}

// told tells how far a stream has come.
type told struct {
	r    io.Reader
	tell Progress
	p    Progressing
}

func (t *told) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	t.p.Sent += int64(n)
	t.p.Done = err == io.EOF
	if t.tell != nil {
		t.tell(t.p)
	}
	return n, err
}

// tarSink writes a tarball in which nothing depends on when and by whom it was written.
type tarSink struct {
	w     *tar.Writer
	file  *os.File // what w writes into, where that can be rewound; nil for a stream
	start int64    // of the last entry, in the file
}

func newTarSink(w io.Writer) *tarSink { return &tarSink{w: tar.NewWriter(w)} }

func (s *tarSink) add(name string, size int64, r io.Reader) (err error) {
	if s.file != nil {
		if err := s.w.Flush(); err != nil { // the padding of the entry before
			return err
		}
		if s.start, err = s.file.Seek(0, io.SeekCurrent); err != nil {
			return err
		}
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, Format: tar.FormatUSTAR}
	if size >= 1<<33 { // what USTAR can say
		header.Format = tar.FormatPAX
	}
	if err := s.w.WriteHeader(header); err != nil {
		return err
	}
	return copyAll(s.w, r)
}

// errNoRewind is a sink that has given away what it was given.
var errNoRewind = errors.New("what is written is gone")

func (s *tarSink) rewind() error {
	if s.file == nil {
		return errNoRewind
	}
	s.w = tar.NewWriter(s.file)
	_, err := s.file.Seek(s.start, io.SeekStart)
	return errors.Join(err, s.file.Truncate(s.start))
}

func (s *tarSink) close() error { return s.w.Close() }

// dirSink writes files below a directory. Their rights are what the umask leaves.
type dirSink string

func (s dirSink) add(name string, _ int64, r io.Reader) error {
	path := filepath.Join(string(s), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	if err := copyAll(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (s dirSink) rewind() error { return nil } // add begins a file anew

func (s dirSink) close() error { return nil }

// copyAll reads to the end, which is where a blob's stream says whether it was right.
func copyAll(w io.Writer, r io.Reader) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, 256<<10))
	return err
}
