package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxConfig bounds an image's config. Real ones are kilobytes; 8 MiB is BuildKit's and containerd's bound too.
const maxConfig = 8 << 20

// Config fetches an image's config, 8 MiB at most.
func (c *Client) Config(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) (body []byte, err error) {
	ref := at(repo, desc.Digest)
	err = c.run(ctx, "get config", ref, func(ctx context.Context) error {
		body, err = c.config(ctx, repo, desc)
		return err
	})
	return body, err
}

func (c *Client) config(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size > maxConfig {
		return nil, tooLarge("config", maxConfig)
	}
	if err := validDescriptor(desc); err != nil {
		return nil, err
	}
	resp, err := c.send(ctx, blobCall(ctx, http.MethodGet, repo, desc.Digest))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refused(reference.Domain(repo), resp)
	}
	defer drain(resp)
	body, err := readBounded(resp, maxConfig, "config")
	switch {
	case err != nil:
		return nil, err
	case int64(len(body)) != desc.Size:
		return nil, corrupt("the config has %d bytes instead of %d", len(body), desc.Size)
	case desc.Digest.Algorithm().FromBytes(body) != desc.Digest:
		return nil, corrupt("the config is not what its digest says, but %s", digest.FromBytes(body))
	}
	return body, nil
}

func validDescriptor(desc ocispec.Descriptor) error {
	if err := desc.Digest.Validate(); err != nil {
		return refusal(ErrCorrupt, "%q is no digest: %w", desc.Digest, err)
	}
	if desc.Size < 0 {
		return refusal(ErrCorrupt, "its size is %d", desc.Size)
	}
	return nil
}

func blobCall(ctx context.Context, method string, repo reference.Named, dgst digest.Digest) *call {
	return &call{
		method: method,
		host:   reference.Domain(repo),
		path:   "v2/" + reference.Path(repo) + "/blobs/" + dgst.String(),
		scopes: pulling(ctx, repo),
	}
}

// HasBlob says whether the repository has the blob, with the size that it should have.
func (c *Client) HasBlob(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) (has bool, err error) {
	err = c.run(ctx, "look for blob", at(repo, desc.Digest), func(ctx context.Context) error {
		has, err = c.hasBlob(ctx, repo, desc)
		return err
	})
	return has, err
}

func (c *Client) hasBlob(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) (bool, error) {
	if err := validDescriptor(desc); err != nil {
		return false, err
	}
	resp, err := c.send(ctx, blobCall(ctx, http.MethodHead, repo, desc.Digest))
	if err != nil {
		return false, err
	}
	defer drain(resp)
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return false, nil
	case resp.StatusCode != http.StatusOK:
		return false, refused(reference.Domain(repo), resp)
	case resp.ContentLength == 0 && desc.Size > 0:
		return c.hasByGet(ctx, repo, desc)
	case resp.ContentLength >= 0 && resp.ContentLength != desc.Size:
		return false, corrupt("the registry has %d bytes of it instead of %d", resp.ContentLength, desc.Size)
	}
	return true, nil
}

// hasByGet is for a HEAD that says 0 bytes: the blob may have been lost, or a proxy takes the length of a HEAD's body for the blob's.
func (c *Client) hasByGet(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) (bool, error) {
	b := &blob{ctx: ctx, client: c, repo: repo, desc: desc}
	err := b.open()
	b.shut()
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Blob streams a blob. A broken stream is resumed inside. The last bytes come only after size and digest were right, so
// that nobody gets hold of a whole blob that is not the one asked for: ErrCorrupt then, and reading again from the start may help.
func (c *Client) Blob(ctx context.Context, repo reference.Named, desc ocispec.Descriptor) (io.ReadCloser, error) {
	ref := at(repo, desc.Digest)
	b := &blob{ctx: ctx, client: c, repo: repo, desc: desc}
	b.tries.client, b.tries.op, b.tries.ref = c, "get blob", ref
	if err := validDescriptor(desc); err != nil {
		return nil, b.tries.give(asFailure(err))
	}
	b.hash = desc.Digest.Verifier()
	for {
		err := b.open()
		if err == nil {
			return b, nil
		}
		if err = b.tries.failed(ctx, err); err != nil {
			return nil, err
		}
	}
}

// blob is a blob on its way.
type blob struct {
	ctx    context.Context // of the whole reading, across its connections
	client *Client
	repo   reference.Named
	desc   ocispec.Descriptor
	hash   digest.Verifier
	body   io.ReadCloser
	offset int64
	tries  tries
	mark   int64 // where the offset was when tries last began to count
	err    error
}

// progressStep is how much has to arrive before earlier failures are forgiven: a connection that yields a byte
// each time would be tried for ever otherwise.
const progressStep = 1 << 20

func (b *blob) Read(p []byte) (int, error) {
	for b.err == nil {
		n, err := b.read(p)
		switch err {
		case nil:
			return n, nil
		case io.EOF:
			b.err = err
		default:
			b.again(err)
		}
	}
	return 0, b.err
}

// read reads from the connection that there is. io.EOF is the blob's verified end.
func (b *blob) read(p []byte) (int, error) {
	if b.offset == b.desc.Size {
		return 0, b.end()
	}
	if int64(len(p)) > b.desc.Size-b.offset {
		p = p[:b.desc.Size-b.offset]
	}
	n, err := b.body.Read(p)
	_, _ = b.hash.Write(p[:n])
	b.offset += int64(n)
	switch {
	case b.offset == b.desc.Size && !b.hash.Verified():
		return 0, refusal(ErrCorrupt, "the blob is not what its digest says")
	case n > 0:
		return n, nil
	case err == io.EOF:
		return 0, broken(io.ErrUnexpectedEOF)
	}
	return 0, err
}

// end checks that nothing follows the last byte, where the connection still tells.
func (b *blob) end() error {
	if !b.hash.Verified() { // an empty blob, which no byte has been checked of
		return refusal(ErrCorrupt, "the blob is not what its digest says")
	}
	var more [1]byte
	if n, _ := b.body.Read(more[:]); n > 0 {
		return refusal(ErrCorrupt, "the blob is longer than its %d bytes", b.desc.Size)
	}
	return io.EOF
}

// again goes on from where a connection broke, or ends the reading.
func (b *blob) again(err error) {
	if b.offset-b.mark >= progressStep {
		b.mark = b.offset
		b.tries.count = 0
	}
	for err != nil && b.err == nil {
		if b.err = b.tries.failed(b.ctx, err); b.err == nil {
			err = b.open()
		}
	}
}

// open connects at the offset. A registry that cannot do ranges sends everything, of which the beginning is passed over.
func (b *blob) open() error {
	b.shut()
	r := blobCall(b.ctx, http.MethodGet, b.repo, b.desc.Digest)
	if b.offset > 0 {
		r.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-", b.offset)}}
	}
	resp, err := b.client.send(b.ctx, r)
	if err != nil {
		return err
	}
	skip, err := b.accept(resp)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, resp.Body, skip); err != nil {
		resp.Body.Close()
		return broken(err)
	}
	b.body = resp.Body
	return nil
}

// accept checks an answer to open, and says how many of its bytes are behind the offset.
func (b *blob) accept(resp *http.Response) (skip int64, err error) {
	switch resp.StatusCode {
	case http.StatusOK:
		if resp.ContentLength >= 0 && resp.ContentLength != b.desc.Size {
			drain(resp)
			return 0, corrupt("the registry sends %d bytes instead of %d", resp.ContentLength, b.desc.Size)
		}
		return b.offset, nil
	case http.StatusPartialContent:
		if start := rangeStart(resp.Header.Get("Content-Range")); b.offset > 0 && start == b.offset {
			return 0, nil
		}
		drain(resp)
		return 0, corrupt("the registry sends another part than the one asked for")
	}
	return 0, refused(reference.Domain(b.repo), resp)
}

// rangeStart reads "bytes 42-1233/1234"; 0, which is nobody's wish, when it is none.
func rangeStart(header string) int64 {
	var start int64
	if _, err := fmt.Sscanf(header, "bytes %d-", &start); err != nil {
		return 0
	}
	return start
}

func (b *blob) shut() {
	if b.body != nil {
		b.body.Close()
		b.body = nil
	}
}

func (b *blob) Close() error {
	b.shut()
	if b.err == nil {
		b.err = errors.New("read after close")
	}
	return nil
}
