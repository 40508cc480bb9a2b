package registry

import (
	"context"
	"fmt"
	"net/http"

	"github.com/distribution/reference"
)

// MayPush asks whether a repository takes what we push, as a push would begin: it opens an upload, which cancel, never nil, gives up
// again. An error is a clear no that a push would get, too: ErrUnauthorized, ErrNotFound where a repository has to be made first, or
// ErrDenied where nothing is taken at all. It is asked once, and no answer or another one says nothing.
func (c *Client) MayPush(ctx context.Context, repo reference.Named) (cancel func(context.Context), err error) {
	cancel = func(context.Context) {}
	resp, err := c.send(ctx, uploadCall(repo))
	if err != nil {
		if f := asFailure(err); isUnwelcome(f.status) {
			return cancel, &Error{Op: "push to", Ref: repo.Name(), Status: f.status, Err: f.err}
		}
		return cancel, nil
	}
	if resp.StatusCode != http.StatusAccepted {
		return cancel, c.noPush(ctx, repo, resp)
	}
	drain(resp)
	if location, err := c.uploadLocation(resp); err == nil {
		cancel = func(ctx context.Context) { c.cancelUpload(ctx, repo, location) }
	}
	return cancel, nil
}

func isUnwelcome(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// noPush is the clear no in an answer to an upload's beginning, nil when it is none.
func (c *Client) noPush(ctx context.Context, repo reference.Named, resp *http.Response) error {
	host, said := reference.Domain(repo), complaintOf(resp)
	var kind error
	var why string
	switch {
	case isUnwelcome(resp.StatusCode) && said.isPolicy():
		kind, why = ErrDenied, "%[1]s takes nothing from %[2]s (%[3]s); ask who runs it, or set IMG to another repository"
	case isUnwelcome(resp.StatusCode):
		kind, why = ErrUnauthorized, "%[1]s does not let %[2]s push there (%[3]s); %[4]s as somebody who may, or set IMG to another repository"
	case resp.StatusCode == http.StatusNotFound && said.has("NAME_UNKNOWN"):
		kind, why = ErrNotFound, "%[1]s has no such repository, and makes none for %[2]s (%[3]s); create it there first, or set IMG to another one"
	case resp.StatusCode == http.StatusMethodNotAllowed:
		kind, why = ErrDenied, "%[1]s takes no uploads, from %[2]s or anybody (%[3]s), as a mirror or read-only; set IMG to another registry"
	default:
		return nil
	}
	cred, _ := c.opts.Credentials.of(ctx, host) // they were found a moment ago
	why = fmt.Sprintf(why, host, cred.who(), fmt.Sprintf("%d%s", resp.StatusCode, said), login(host))
	return &Error{Op: "push to", Ref: repo.Name(), Status: resp.StatusCode, Err: fmt.Errorf("%w: %s", kind, why)}
}
