package engine

import (
	"archive/tar"
	"bytes"
	"cmp"
	"encoding/json"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A thin image is an image without its layers: what `docker save` writes, with
// the config and the manifest alone. An engine that already has the layers
// takes it in milliseconds, whatever their size.
//
//	oci-layout, index.json, blobs/sha256/MANIFEST   read by containerd stores and Podman
//	blobs/sha256/CONFIG                             read by all
//	manifest.json                                   read by graph drivers
//
// Each engine reads the form that it knows and ignores the other, so one tar
// serves them all.
type thin struct {
	config []byte
	frame  ocispec.Manifest // around it: the types, the layers, base first, and what is annotated; its config's digest and size are not read
}

// thinOf makes a thin image whose layers are named by their diff_ids, which is
// how graph drivers and Podman look for layers that they have.
func thinOf(config []byte) (thin, error) {
	ids, err := diffIDs(config)
	if err != nil {
		return thin{}, err
	}
	layers := make([]ocispec.Descriptor, len(ids))
	for i, id := range ids {
		layers[i] = ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: id}
	}
	return thin{config, ocispec.Manifest{Layers: layers}}, nil
}

// with is the same image with another config.
func (t thin) with(config []byte) thin { return thin{config, t.frame} }

// configDigest is the image's identity.
func (t thin) configDigest() digest.Digest { return digest.FromBytes(t.config) }

// framed is the manifest that the OCI form carries: OCI's where the frame does
// not say otherwise.
func (t thin) framed() ocispec.Manifest {
	m := t.frame
	m.SchemaVersion = 2
	m.MediaType = cmp.Or(m.MediaType, ocispec.MediaTypeImageManifest)
	m.Config.MediaType = cmp.Or(m.Config.MediaType, ocispec.MediaTypeImageConfig)
	m.Config.Digest, m.Config.Size, m.Config.Data = t.configDigest(), int64(len(t.config)), nil
	if m.Layers == nil {
		m.Layers = []ocispec.Descriptor{} // null is refused by readers that follow the specification
	}
	return m
}

// manifest is framed in bytes.
func (t thin) manifest() ([]byte, error) { return json.Marshal(t.framed()) }

// tar writes both forms. Equal images give equal bytes.
func (t thin) tar() ([]byte, error) {
	manifest, err := t.manifest()
	if err != nil {
		return nil, err
	}
	index, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		Manifests: []ocispec.Descriptor{{MediaType: t.framed().MediaType, Digest: digest.FromBytes(manifest), Size: int64(len(manifest))}},
	})
	if err != nil {
		return nil, err
	}
	legacy, err := t.legacyManifest()
	if err != nil {
		return nil, err
	}
	return tarOf(
		member{ocispec.ImageLayoutFile, []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		member{ocispec.ImageIndexFile, index},
		member{blobPath(digest.FromBytes(manifest)), manifest},
		member{blobPath(t.configDigest()), t.config},
		member{"manifest.json", legacy},
	)
}

// legacyManifest is the Docker form: the config's path, and as many layer
// paths as the config has diff_ids. Nothing is read from a path whose layer
// the engine has.
func (t thin) legacyManifest() ([]byte, error) {
	paths := make([]string, len(t.frame.Layers))
	for i, l := range t.frame.Layers {
		paths[i] = blobPath(l.Digest)
	}
	return json.Marshal([]struct {
		Config   string
		RepoTags []string
		Layers   []string
	}{{Config: blobPath(t.configDigest()), Layers: paths}})
}

func blobPath(d digest.Digest) string {
	return ocispec.ImageBlobsDir + "/" + d.Algorithm().String() + "/" + d.Encoded()
}

// member is one file of a tar.
type member struct {
	name string
	data []byte
}

func tarOf(members ...member) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.data))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(m.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
