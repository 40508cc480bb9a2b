package engine

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// keepLimit bounds the documents that are kept while a save stream passes by.
// Layers are never kept; an image has a handful of documents of a few kilobytes.
const keepLimit = 64 << 20

// ErrIndex says that a reference names a manifest list where one image is wanted.
var ErrIndex = errors.New("a manifest list, not one image")

var (
	errConfigless = errors.New("the stream ends before the config; the engine's image is damaged, build it again")
	// errUnpacked: a containerd store pulls no layer that another image has unpacked already, whatever it was packed in, and leaves
	// an image that lacks one out of its streams.
	errUnpacked = errors.New("the engine keeps a layer of it unpacked alone, from another image, and does not export it: build it with BuildKit, or repair its label in the registry")
)

// documents are the JSON files of a save stream by digest.
type documents struct {
	blobs map[digest.Digest][]byte
	large map[digest.Digest]int64 // sizes of those that were not kept
	size  int64
}

// exact reads an image's config from the save stream. Only documents are kept,
// and the stream is left as soon as all is there.
func (e *Engine) exact(ctx context.Context, id string) (stored, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // tells the engine that the rest of the stream is not wanted
	stream, err := e.api.ImageSave(ctx, []string{id})
	if err != nil {
		return stored{}, imageError("read", short(id), err)
	}
	defer stream.Close()
	want := digest.Digest(withAlgorithm(id))
	d := documents{blobs: map[digest.Digest][]byte{}, large: map[digest.Digest]int64{}}
	found, err := d.find(tar.NewReader(stream), func() (stored, bool, error) {
		if e.info.Store == StoreContainerd {
			return d.ofManifest(want)
		}
		return d.ofConfig(want)
	})
	if errors.Is(err, errConfigless) && d.blobs[want] != nil {
		err = errUnpacked
	}
	if err != nil {
		return stored{}, fmt.Errorf("read image %s from the engine's save stream: %w", short(id), err)
	}
	found.id = id
	return found, nil
}

// find reads members until done has what it looks for.
func (d *documents) find(stream *tar.Reader, done func() (stored, bool, error)) (stored, error) {
	for {
		header, err := stream.Next()
		if err == io.EOF {
			return stored{}, errConfigless
		}
		var kept bool
		if err == nil {
			kept, err = d.keep(header, stream)
		}
		if isCut(err) {
			err = errCut
		}
		if err != nil {
			return stored{}, err
		}
		if !kept {
			continue
		}
		if s, ok, err := done(); ok || err != nil {
			return s, err
		}
	}
}

// keep takes a member if it may be a document: by its name in older streams, by
// its first byte where names are digests.
func (d *documents) keep(h *tar.Header, r io.Reader) (bool, error) {
	blob := strings.HasPrefix(h.Name, ocispec.ImageBlobsDir+"/")
	if h.Typeflag != tar.TypeReg || h.Size == 0 || !(blob || path.Ext(h.Name) == ".json") {
		return false, nil
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(r, first); err != nil || (blob && first[0] != '{') {
		return false, err
	}
	if h.Size > maxConfig {
		d.large[digest.NewDigestFromEncoded(digest.SHA256, strings.TrimSuffix(path.Base(h.Name), ".json"))] = h.Size
		return true, nil
	}
	if d.size += h.Size; d.size > keepLimit {
		return false, fmt.Errorf("%w: more than %d bytes of documents; build the image again", ErrConfig, keepLimit)
	}
	rest, err := io.ReadAll(r)
	if err != nil {
		return false, err
	}
	data := append(first, rest...)
	d.blobs[digest.FromBytes(data)] = data
	return true, nil
}

// blob gives a document that has passed by, and refuses one that is too large.
func (d *documents) blob(id digest.Digest) ([]byte, bool, error) {
	if size, ok := d.large[id]; ok {
		return nil, false, fmt.Errorf("%w: %s has %d bytes, at most %d are read; build the image again", ErrConfig, id, size, maxConfig)
	}
	data, ok := d.blobs[id]
	return data, ok, nil
}

// ofConfig finds an image whose ID is its config's digest.
func (d *documents) ofConfig(id digest.Digest) (stored, bool, error) {
	config, ok, err := d.blob(id)
	if !ok {
		return stored{}, false, err
	}
	t, err := thinOf(config)
	return stored{config: config, proven: true, thin: t}, true, err
}

// ofManifest finds an image whose ID is its manifest's digest, or that of an
// index with one image and attestations beside it.
func (d *documents) ofManifest(id digest.Digest) (stored, bool, error) {
	raw, ok, err := d.blob(id)
	if !ok {
		return stored{}, false, err
	}
	var doc struct {
		ocispec.Manifest
		Manifests []ocispec.Descriptor
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return stored{}, false, fmt.Errorf("%w: manifest %s: %w; build the image again", ErrConfig, id, err)
	}
	if doc.Manifests != nil {
		child, err := onlyImage(doc.Manifests)
		if err != nil {
			return stored{}, false, err
		}
		return d.ofManifest(child)
	}
	config, ok, err := d.blob(doc.Config.Digest)
	if !ok {
		return stored{}, false, err
	}
	if _, err := diffIDs(config); err != nil {
		return stored{}, false, err
	}
	return stored{config: config, proven: true, thin: thin{config, doc.Manifest}}, true, nil
}

// attestationType is the annotation of BuildKit's attestation manifests.
const attestationType = "vnd.docker.reference.type"

// onlyImage picks the one image of an index that holds no other.
func onlyImage(manifests []ocispec.Descriptor) (digest.Digest, error) {
	var images []digest.Digest
	for _, m := range manifests {
		if m.Annotations[attestationType] == "" {
			images = append(images, m.Digest)
		}
	}
	if len(images) != 1 {
		return "", fmt.Errorf("%w: it holds %d images; name one of them", ErrIndex, len(images))
	}
	return images[0], nil
}
