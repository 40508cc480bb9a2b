package registry

import (
	"context"
	"errors"
	"net/http"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// DeleteManifest removes a manifest and every tag on it. ErrDenied: the registry does not delete. ErrNotFound: it was not there.
func (c *Client) DeleteManifest(ctx context.Context, repo reference.Named, dgst digest.Digest) error {
	ref, err := reference.WithDigest(reference.TrimNamed(repo), dgst)
	if err != nil {
		return &Error{Op: "delete manifest", Ref: at(repo, dgst), Err: err}
	}
	return c.remove(ctx, "delete manifest", ref)
}

// DeleteTag removes a tag and leaves its manifest. ErrDenied: the registry cannot, which is the case for many.
func (c *Client) DeleteTag(ctx context.Context, ref reference.NamedTagged) error {
	tagged, _ := reference.WithTag(reference.TrimNamed(ref), ref.Tag()) // without a digest, which would win
	return c.remove(ctx, "delete tag", tagged)
}

// remove deletes what a reference names. That there is nothing when it is tried again means that an answer got lost.
func (c *Client) remove(ctx context.Context, op string, ref reference.Named) error {
	again := false
	return c.run(ctx, op, ref.String(), func(ctx context.Context) error {
		err := c.delete(ctx, ref)
		if again && errors.Is(err, ErrNotFound) {
			return nil
		}
		again = true
		return err
	})
}

func (c *Client) delete(ctx context.Context, ref reference.Named) error {
	r := manifestCall(ctx, http.MethodDelete, ref)
	r.scopes = removing(ref)
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	switch resp.StatusCode {
	case http.StatusAccepted, http.StatusOK, http.StatusNoContent:
		drain(resp)
		return nil
	}
	return refused(reference.Domain(ref), resp)
}
