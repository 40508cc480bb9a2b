package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/registry/registrytest"
)

func descOf(mediaType string, body []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(body), Size: int64(len(body))}
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// image is a config, a layer and the manifest over them.
type image struct {
	config, layer, manifest []byte
}

func imageOf(t testing.TB, salt string, layer []byte) image {
	t.Helper()
	config := mustJSON(t, map[string]any{"architecture": "arm64", "os": "linux", "author": salt})
	return image{config: config, layer: layer, manifest: mustJSON(t, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    descOf(ocispec.MediaTypeImageConfig, config),
		Layers:    []ocispec.Descriptor{descOf(ocispec.MediaTypeImageLayer, layer)},
	})}
}

func publish(t testing.TB, c *Client, at reference.Named, img image) ocispec.Descriptor {
	t.Helper()
	ctx := context.Background()
	for mediaType, body := range map[string][]byte{ocispec.MediaTypeImageConfig: img.config, ocispec.MediaTypeImageLayer: img.layer} {
		if err := c.PutBlob(ctx, at, descOf(mediaType, body), Bytes(body)); err != nil {
			t.Fatal(err)
		}
	}
	desc, err := c.PutManifest(ctx, at, ocispec.MediaTypeImageManifest, img.manifest)
	if err != nil {
		t.Fatal(err)
	}
	return desc
}

func TestPublishToDockerRegistry(t *testing.T) {
	host := registrytest.Start(t, "")
	c := New(Options{})
	defer c.Close()
	ctx := t.Context()
	at := ref(t, host+"/team/app:1")
	img := imageOf(t, "a", bytes.Repeat([]byte("layer"), 100_000))
	desc := publish(t, c, at, img)

	if got, err := c.Head(ctx, at); err != nil || got.Digest != desc.Digest || got.Size != desc.Size || got.MediaType != desc.MediaType {
		t.Errorf("Head = %+v, %v; want %+v", got, err, desc)
	}
	if got, err := c.Manifest(ctx, at); err != nil || !bytes.Equal(got.Bytes, img.manifest) {
		t.Errorf("Manifest = %s, %v", got.Bytes, err)
	}
	byDigest, _ := reference.WithDigest(reference.TrimNamed(at), desc.Digest)
	if got, err := c.Manifest(ctx, byDigest); err != nil || got.Descriptor.Digest != desc.Digest {
		t.Errorf("Manifest by digest = %+v, %v", got.Descriptor, err)
	}
	if got, err := c.Config(ctx, at, descOf("", img.config)); err != nil || !bytes.Equal(got, img.config) {
		t.Errorf("Config = %s, %v", got, err)
	}
	blob, err := c.Blob(ctx, at, descOf("", img.layer))
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if got, err := io.ReadAll(blob); err != nil || !bytes.Equal(got, img.layer) {
		t.Errorf("Blob = %d bytes, %v", len(got), err)
	}

	unread := func() (io.ReadCloser, error) { return nil, errors.New("it is sent again") }
	if err := c.PutBlob(ctx, at, descOf("", img.layer), unread); err != nil {
		t.Errorf("PutBlob of what is there: %v", err)
	}

	other := ref(t, host+"/team/other:1")
	var sent int64
	if how, err := c.CopyBlob(ctx, other, at, descOf("", img.layer), func(n int64) { sent = n }); err != nil || how != Mounted || sent != 0 {
		t.Errorf("CopyBlob in one registry = %v, %v, %d bytes; want mounted", how, err, sent)
	}
	if how, err := c.CopyBlob(ctx, other, at, descOf("", img.layer), nil); err != nil || how != Present {
		t.Errorf("CopyBlob of what is there = %v, %v", how, err)
	}
	if ok, err := c.Mount(ctx, other, at, descOf("", img.config)); err != nil || !ok {
		t.Errorf("Mount = %v, %v", ok, err)
	}
	if ok, err := c.Mount(ctx, other, at, descOf("", []byte("nowhere"))); err != nil || ok {
		t.Errorf("Mount of a blob that is not there = %v, %v", ok, err)
	}
	if tags, err := c.Tags(ctx, at); err != nil || len(tags) != 1 || tags[0] != "1" {
		t.Errorf("Tags = %q, %v", tags, err)
	}
	if found, err := c.Referrers(ctx, at, desc.Digest, ""); err != nil || len(found) != 0 {
		t.Errorf("Referrers = %v, %v", found, err)
	}
	if err := c.DeleteManifest(ctx, at, desc.Digest); err != nil {
		t.Error(err)
	}
	if _, err := c.Head(ctx, at); !errors.Is(err, ErrNotFound) {
		t.Errorf("Head of a deleted manifest: %v", err)
	}
}
