// Package registry moves content to and from OCI registries, verified and retried, with the user's own credentials.
//
//	Options -> New -> *Client
//	  read     Head, Manifest, Config, Blob, HasBlob, Tags, Referrers, Root
//	  write    PutBlob, Mount, CopyBlob, PutManifest
//	  remove   DeleteManifest, DeleteTag
//	  look     Ping
//
// What a method returns has been checked against the digest and size that were asked for; a flipped bit, a short or a
// substituted body is fetched again and never handed on. Every request is tried again on 408, 429, 500, 502, 503, 504,
// on a broken connection and on a stalled body, with exponential back-off and jitter, until Options.Retry is over.
//
// The protocol is the OCI distribution specification v1.1; authentication is Docker's token scheme and Basic.
package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/distribution/reference"
	"github.com/manymage/manymage/build/rootfs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Options say how registries are reached. The zero value works: anonymous, TLS verified, retried for two minutes.
type Options struct {
	// Credentials looks up who we are at a registry's host; nil is anonymous everywhere. It is asked again
	// whenever a token has to be fetched, because helpers hand out credentials that expire (ECR's after 12 h).
	Credentials Credentials
	// Insecure allows what docker's insecure-registries allows for every host: TLS that does not verify, and plain HTTP
	// where there is no TLS. Loopback addresses may always speak plain HTTP.
	Insecure bool
	// CertsDir holds a directory per host with *.crt (a CA), *.cert and *.key (a client certificate);
	// empty is /etc/docker/certs.d, which is where docker has them.
	CertsDir string
	// Retry bounds the time that one operation may spend in trying again; 0 is two minutes (a registry that restarts
	// or a rate limit's window is over by then, and nobody waits longer for an answer). Negative: try once.
	Retry time.Duration
	// Notice is told in one line when trying again takes long; nil is silence.
	Notice func(string)
	// Getenv is the environment for HTTP_PROXY, HTTPS_PROXY and NO_PROXY; nil is no proxy.
	Getenv func(string) string
	// Transport replaces the network, for tests; nil is HTTP/1.1 and HTTP/2 over TCP with keep-alive.
	Transport http.RoundTripper
}

// Client speaks to registries. It is safe for concurrent use and keeps connections and tokens; how much is done at once is
// the caller's choice.
type Client struct{ opts Options }

// New makes a client. Nothing is sent until a method is called.
func New(opts Options) *Client { return &Client{opts: opts} }

// Manifest is a manifest's exact bytes and what they were verified to be.
type Manifest struct {
	Descriptor ocispec.Descriptor // media type, digest, size
	Bytes      []byte
}

// Open starts reading content from its beginning; it is called again when an upload has to be tried again.
type Open func() (io.ReadCloser, error)

// WithPush returns a context under which tokens for the repositories are asked for with the right to push, so that reading
// first and publishing afterwards costs one token and not two.
func WithPush(ctx context.Context, repos ...reference.Named) context.Context { return ctx }

// Head describes what a tag or digest names, without its bytes. ErrNotFound: there is nothing.
func (c *Client) Head(ctx context.Context, ref reference.Named) (ocispec.Descriptor, error) {
	return ocispec.Descriptor{}, errors.ErrUnsupported
}

// Manifest fetches the manifest or index that a tag or digest names. Over 4 MiB, empty ones and Docker schema 1
// are refused. ErrNotFound: there is nothing.
func (c *Client) Manifest(ctx context.Context, ref reference.Named) (Manifest, error) {
	return Manifest{}, errors.ErrUnsupported
}

// Config fetches an image's config, 8 MiB at most.
func (c *Client) Config(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

// Blob streams a blob. A broken stream is resumed inside; io.EOF comes only after size and digest were right, so what was
// read before is not to be acted on until then.
func (c *Client) Blob(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) (io.ReadCloser, error) {
	return nil, errors.ErrUnsupported
}

// HasBlob says whether the repository has the blob.
func (c *Client) HasBlob(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) (bool, error) {
	return false, errors.ErrUnsupported
}

// PutBlob uploads a blob in one piece, unless the repository has it. open is called once for each try.
func (c *Client) PutBlob(ctx context.Context, repo reference.Named, desc ocispec.Descriptor, open Open) error {
	return errors.ErrUnsupported
}

// Mount makes a blob of another repository of the same registry appear in repo. false: the registry does not do it here, and
// the blob has to be copied.
func (c *Client) Mount(ctx context.Context, repo, from reference.Named, desc ocispec.Descriptor) (bool, error) {
	return false, errors.ErrUnsupported
}

// Copied is how CopyBlob got a blob to where it is now.
type Copied int

// The ways of a blob, cheapest first.
const (
	Present Copied = iota // it was there already
	Mounted               // the registry took it from another repository of its own
	Sent                  // it was streamed through us
)

// CopyBlob brings a blob from one repository to another, of the same or another registry: present, else mounted, else
// streamed. progress, which may be nil, is told how many bytes of the blob have been sent; it goes back when a try fails.
func (c *Client) CopyBlob(ctx context.Context, to, from reference.Named, desc ocispec.Descriptor, progress func(sent int64)) (Copied, error) {
	return Present, errors.ErrUnsupported
}

// PutManifest publishes bytes under a tag or under their own digest. An answer that was lost counts as success when the
// registry turns out to have them. ErrDenied: the registry refuses (immutable tag, quota, ...).
func (c *Client) PutManifest(ctx context.Context, ref reference.Named, mediaType string, body []byte) (ocispec.Descriptor, error) {
	return ocispec.Descriptor{}, errors.ErrUnsupported
}

// Tags lists a repository's tags, sorted.
func (c *Client) Tags(ctx context.Context, repo reference.Named) ([]string, error) {
	return nil, errors.ErrUnsupported
}

// Referrers lists what refers to a manifest (signatures, SBOMs), of one artifact type or, when empty, of all. A registry
// without the referrers API is asked for the tag that the specification has for it instead.
func (c *Client) Referrers(ctx context.Context, repo reference.Named, subject digest.Digest, artifactType string) ([]ocispec.Descriptor, error) {
	return nil, errors.ErrUnsupported
}

// DeleteManifest removes a manifest and every tag on it. ErrDenied: the registry does not delete.
func (c *Client) DeleteManifest(ctx context.Context, repo reference.Named, dgst digest.Digest) error {
	return errors.ErrUnsupported
}

// DeleteTag removes a tag and leaves its manifest. ErrDenied: the registry cannot, which is the case for many.
func (c *Client) DeleteTag(ctx context.Context, ref reference.NamedTagged) error {
	return errors.ErrUnsupported
}

// Root reads an image's layers, base first, into a root filesystem; ctx holds as long as the filesystem is used. Layers
// that registries do not distribute are refused.
func (c *Client) Root(ctx context.Context, repo reference.Named, layers []ocispec.Descriptor) (*rootfs.FS, error) {
	return nil, errors.ErrUnsupported
}

// Answer is what a registry says of itself and of us.
type Answer struct {
	URL  string // where it answered, with the scheme that was used
	Auth string // "none", "basic" or "bearer": what it asks for
	User string // who we are there; empty is anonymous
}

// Ping asks a registry's host whether it is one and whether our credentials are good. It says who we are even when the error
// is ErrUnauthorized.
func (c *Client) Ping(ctx context.Context, host string) (Answer, error) {
	return Answer{}, errors.ErrUnsupported
}
