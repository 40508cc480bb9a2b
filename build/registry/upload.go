package registry

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// PutBlob uploads a blob in one piece, unless the repository has it. open is called once for each try; what it gives must be
// what desc says, or the registry refuses it.
func (c *Client) PutBlob(ctx context.Context, repo reference.Named, desc ocispec.Descriptor, open Open) error {
	t := &tries{client: c, op: "put blob", ref: at(repo, desc.Digest)}
	return t.run(ctx, func(ctx context.Context) error {
		has, err := c.hasBlob(WithPush(ctx, repo), repo, desc)
		if err != nil || has {
			return err
		}
		location, err := c.startUpload(ctx, repo)
		if err != nil {
			return err
		}
		return c.finishUpload(ctx, repo, location, desc, t.timed(open))
	})
}

// startUpload opens an upload session and says where its content goes.
func (c *Client) startUpload(ctx context.Context, repo reference.Named) (*url.URL, error) {
	resp, err := c.send(ctx, uploadCall(repo))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusAccepted {
		return nil, refused(reference.Domain(repo), resp)
	}
	drain(resp)
	return c.uploadLocation(resp)
}

func uploadCall(repo reference.Named) *call {
	return &call{
		method: http.MethodPost,
		host:   reference.Domain(repo),
		path:   "v2/" + reference.Path(repo) + "/blobs/uploads/",
		scopes: pushing(repo),
	}
}

// uploadLocation reads where an upload goes on. Another host may take it, but gets no credentials (send sees to that), and
// plain HTTP is followed only where it is allowed. A registry behind a proxy that ends TLS often names itself with http: it
// means itself.
func (c *Client) uploadLocation(resp *http.Response) (*url.URL, error) {
	location, err := resp.Location()
	asked := resp.Request.URL
	switch {
	case err != nil || location.Host == "" || location.User != nil:
		return nil, refusal(ErrDenied, "it names no usable place for the upload")
	case location.Scheme == "http" && asked.Scheme == "https" && location.Hostname() == asked.Hostname():
		location.Scheme, location.Host = asked.Scheme, asked.Host
	case location.Scheme == "https":
	case location.Scheme != "http" || asked.Scheme == "https" || !c.plainAllowed(location.Host):
		return nil, refusal(ErrDenied, "it wants the upload sent to %s://%s, which is refused", location.Scheme, location.Host)
	}
	return location, nil
}

// finishUpload sends a blob's content and closes its session.
func (c *Client) finishUpload(ctx context.Context, repo reference.Named, location *url.URL, desc ocispec.Descriptor, open Open) error {
	query := location.Query()
	query.Set("digest", desc.Digest.String())
	resp, err := c.send(ctx, &call{
		method: http.MethodPut,
		host:   reference.Domain(repo),
		url:    location,
		query:  query,
		header: http.Header{"Content-Type": {"application/octet-stream"}},
		body:   open,
		size:   desc.Size,
		scopes: pushing(repo),
	})
	if err != nil {
		return err
	}
	switch resp.StatusCode {
	case http.StatusCreated, http.StatusNoContent:
		defer drain(resp)
		return verifyTaken(resp, desc.Digest)
	case http.StatusNotFound: // the session, which a registry's restart ends
		f := refused(reference.Domain(repo), resp)
		f.again = few
		return f
	}
	f := refused(reference.Domain(repo), resp)
	if resp.StatusCode < http.StatusBadRequest {
		f.again = few // the next try looks whether it is there
	}
	return f
}

func verifyTaken(resp *http.Response, want digest.Digest) error {
	got, err := digestHeader(resp)
	if err != nil {
		return err
	}
	if got != "" && got.Algorithm() == want.Algorithm() && got != want {
		return corrupt("the registry has taken it as %s", got)
	}
	return nil
}

// Mount makes a blob of another repository of the same registry appear in repo. false: the registry does not do it here, and
// the blob has to be copied.
func (c *Client) Mount(ctx context.Context, repo, from reference.Named, desc ocispec.Descriptor) (mounted bool, err error) {
	err = c.run(ctx, "mount blob", at(repo, desc.Digest), func(ctx context.Context) error {
		var location *url.URL
		mounted, location, err = c.mount(ctx, repo, from, desc)
		if location != nil {
			c.cancelUpload(ctx, repo, location)
		}
		return err
	})
	return mounted, err
}

// mount asks for a blob of another repository. Where a registry opens an upload instead, which the specification
// has it do, location is that upload's. A refusal is no error: the copy that follows shows what is wrong, if anything.
func (c *Client) mount(ctx context.Context, repo, from reference.Named, desc ocispec.Descriptor) (mounted bool, location *url.URL, err error) {
	if reference.Domain(repo) != reference.Domain(from) {
		return false, nil, nil
	}
	if err := validDescriptor(desc); err != nil {
		return false, nil, err
	}
	r := uploadCall(repo)
	r.query = url.Values{"mount": {desc.Digest.String()}, "from": {reference.Path(from)}}
	r.scopes = r.scopes.union(repositoryScope(from, pull))
	resp, err := c.send(ctx, r)
	if err != nil {
		if asFailure(err).again == never && ctx.Err() == nil {
			err = nil
		}
		return false, nil, err
	}
	defer drain(resp)
	switch {
	case resp.StatusCode == http.StatusCreated:
		return true, nil, verifyTaken(resp, desc.Digest)
	case resp.StatusCode == http.StatusAccepted:
		location, err = c.uploadLocation(resp)
		return false, location, err
	case persistenceOf(resp.StatusCode) != never:
		return false, nil, refused(reference.Domain(repo), resp)
	}
	return false, nil, nil
}

// cancelUpload tidies up; a registry that does not care purges its uploads by itself.
func (c *Client) cancelUpload(ctx context.Context, repo reference.Named, location *url.URL) {
	resp, err := c.send(ctx, &call{method: http.MethodDelete, host: reference.Domain(repo), url: location, scopes: pushing(repo)})
	if err == nil {
		drain(resp)
	}
}

// Copied is how CopyBlob got a blob to where it is now.
type Copied int

// The ways of a blob, cheapest first.
const (
	Present Copied = iota // it was there already
	Mounted               // the registry took it from another repository of its own
	Sent                  // it was streamed through us
)

func (c Copied) String() string { return [...]string{"present", "mounted", "sent"}[c] }

// CopyBlob brings a blob from one repository to another, of the same or another registry: present, else mounted, else
// streamed. progress, which may be nil, is told how many bytes of the blob have been sent; it goes back when a try fails.
func (c *Client) CopyBlob(ctx context.Context, to, from reference.Named, desc ocispec.Descriptor, progress func(sent int64)) (how Copied, err error) {
	err = c.run(ctx, "copy blob", at(to, desc.Digest), func(ctx context.Context) error {
		how, err = c.copyBlob(ctx, to, from, desc, progress)
		return err
	})
	return how, err
}

func (c *Client) copyBlob(ctx context.Context, to, from reference.Named, desc ocispec.Descriptor, progress func(int64)) (Copied, error) {
	has, err := c.hasBlob(WithPush(ctx, to), to, desc)
	if err != nil || has {
		return Present, err
	}
	mounted, location, err := c.mount(ctx, to, from, desc)
	if err != nil || mounted {
		return Mounted, err
	}
	if location == nil {
		if location, err = c.startUpload(ctx, to); err != nil {
			return Sent, err
		}
	}
	return Sent, c.finishUpload(ctx, to, location, desc, c.source(ctx, from, desc, progress))
}

// source opens a blob for its upload elsewhere.
func (c *Client) source(ctx context.Context, from reference.Named, desc ocispec.Descriptor, progress func(int64)) Open {
	return func() (io.ReadCloser, error) {
		body, err := c.Blob(ctx, from, desc)
		if err != nil || progress == nil {
			return body, err
		}
		progress(0)
		return &counted{ReadCloser: body, tell: progress}, nil
	}
}

type counted struct {
	io.ReadCloser
	tell func(int64)
	sum  int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if n > 0 {
		c.sum += int64(n)
		c.tell(c.sum)
	}
	return n, err
}
