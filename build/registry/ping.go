package registry

import (
	"context"
	"net/http"
)

// Answer is what a registry says of itself and of us.
type Answer struct {
	URL  string // where it answered, with the scheme that was used
	Auth string // "none", "basic" or "bearer": what it asks for
	User string // who we are there; empty is anonymous
}

// Ping asks a registry's host whether it is one and whether our credentials are good. It says who we are even when the error
// is ErrUnauthorized.
func (c *Client) Ping(ctx context.Context, host string) (answer Answer, err error) {
	err = c.run(ctx, "ping", host, func(ctx context.Context) error {
		answer, err = c.ping(ctx, host)
		return err
	})
	return answer, err
}

func (c *Client) ping(ctx context.Context, host string) (Answer, error) {
	answer := Answer{Auth: "none"}
	base, err := c.base(ctx, host)
	if err != nil {
		return answer, err
	}
	answer.URL = base.String()
	cred, err := c.opts.Credentials.of(ctx, host)
	if err != nil {
		return answer, err
	}
	if cred != (Credential{}) {
		answer.User = cred.who()
	}
	resp, err := c.send(ctx, &call{method: http.MethodGet, host: host, path: "v2/"})
	answer.Auth = c.keys.scheme(host)
	if err != nil {
		return answer, err
	}
	if resp.StatusCode != http.StatusOK {
		return answer, refused(host, resp)
	}
	drain(resp)
	return answer, nil
}

// scheme is what a host has asked for so far.
func (k *keyring) scheme(host string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l := k.of(host); l.scheme != "" {
		return l.scheme
	}
	return "none"
}
