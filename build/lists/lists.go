// Package lists does what people do with manifest lists in registries: make them from images,
// edit, inspect, compare, copy and remove them, fetch one platform's image, and say why an
// image does not run.
//
//	sources --resolve--> images --check--> entries --index.New--> Index --Publish--> tags
//	                     (manifests at once,          guards: what the tag would lose,
//	                      configs at once)            tags last, read back, compared
//
// Every operation is a function of a client, references and options; its result is a value
// with JSON names and, where people read it, a Write method. Nothing is kept between calls,
// and nothing on disk. What a registry serves has been verified by the client before it is
// looked at here.
//
// Publish is the one way by which a tag is moved, for the lists made here and for those of
// the build.
package lists

import (
	"context"
	"io"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/build/rootfs"
)

// Reader reads manifests and configs. A *registry.Client is one, as it is everything below;
// see its methods for what they promise.
type Reader interface {
	Head(ctx context.Context, ref reference.Named) (ocispec.Descriptor, error)
	Manifest(ctx context.Context, ref reference.Named) (registry.Manifest, error)
	Config(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) ([]byte, error)
}

// Writer publishes manifests.
type Writer interface {
	PutManifest(ctx context.Context, ref reference.Named, mediaType string, body []byte) (ocispec.Descriptor, error)
}

// Publisher is what Publish needs.
type Publisher interface {
	Reader
	Writer
}

// Mover brings blobs from one repository to another.
type Mover interface {
	CopyBlob(ctx context.Context, to, from reference.Named, desc ocispec.Descriptor, progress func(sent int64)) (registry.Copied, error)
	PutBlob(ctx context.Context, repo reference.Named, desc ocispec.Descriptor, open registry.Open) error
}

// Lister finds what is in a repository.
type Lister interface {
	Tags(ctx context.Context, repo reference.Named) ([]string, error)
	Referrers(ctx context.Context, repo reference.Named, subject digest.Digest, artifactType string) ([]ocispec.Descriptor, error)
}

// Streamer reads layers.
type Streamer interface {
	Blob(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) (io.ReadCloser, error)
	Root(ctx context.Context, repo reference.Named, layers []ocispec.Descriptor) (*rootfs.FS, error)
}

// Deleter removes from a repository.
type Deleter interface {
	DeleteManifest(ctx context.Context, repo reference.Named, dgst digest.Digest) error
	DeleteTag(ctx context.Context, ref reference.NamedTagged) error
}

// Client is all of it, for the operations that need most of it.
type Client interface {
	Publisher
	Mover
	Lister
	Streamer
	Deleter
}

var _ Client = (*registry.Client)(nil)
