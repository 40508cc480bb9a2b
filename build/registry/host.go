package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
)

const (
	dockerHub    = "docker.io"            // as references have it
	dockerHubAPI = "registry-1.docker.io" // where it answers
)

// apiHost is the network name of a reference's domain.
func apiHost(host string) string {
	if host == dockerHub || host == "index.docker.io" {
		return dockerHubAPI
	}
	return host
}

// IsLoopback says whether a host, with or without a port, is this machine's own: what docker allows without TLS by default.
func IsLoopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, _ := netip.ParseAddr(strings.Trim(name, "[]"))
	return addr.Unmap().IsLoopback()
}

func (c *Client) plainAllowed(host string) bool {
	return IsLoopback(host) || c.opts.Insecure != nil && c.opts.Insecure(host)
}

// schemes remembers which hosts speak TLS, found out once per host.
type schemes struct {
	mu    sync.Mutex
	known map[string]*schemeOf
}

type schemeOf struct {
	asking chan struct{} // a semaphore of one, so that waiting for it can be given up
	scheme string
}

func (s *schemes) of(host string) *schemeOf {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]*schemeOf{}
	}
	if s.known[host] == nil {
		s.known[host] = &schemeOf{asking: make(chan struct{}, 1)}
	}
	return s.known[host]
}

// base is the URL that a registry answers at. Where plain HTTP is allowed TLS is tried first, as docker does; everywhere
// else it is TLS, and nothing is sent to find out.
func (c *Client) base(ctx context.Context, host string) (*url.URL, error) {
	if !c.plainAllowed(host) {
		return &url.URL{Scheme: "https", Host: apiHost(host)}, nil
	}
	s := c.schemes.of(host)
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if s.scheme == "" {
		scheme, err := c.probe(ctx, apiHost(host))
		if err != nil {
			return nil, err
		}
		s.scheme = scheme
	}
	return &url.URL{Scheme: s.scheme, Host: apiHost(host)}, nil
}

// probe finds out whether a host speaks TLS. Only a server that answers in plain HTTP when it is spoken to so is believed
// not to: a connection that merely broke says nothing.
func (c *Client) probe(ctx context.Context, host string) (string, error) {
	secure := &url.URL{Scheme: "https", Host: host, Path: "/v2/"}
	_, err := c.peek(ctx, secure)
	switch {
	case err == nil:
		return "https", nil
	case isNoTLS(err):
		return "http", nil
	case !mayBePlain(err):
		return "", err
	}
	plain := &url.URL{Scheme: "http", Host: host, Path: "/v2/"}
	status, perr := c.peek(ctx, plain)
	if perr != nil {
		return "", perr
	}
	if status == http.StatusBadRequest { // "Client sent an HTTP request to an HTTPS server."
		return "", err
	}
	return "http", nil
}

func (c *Client) peek(ctx context.Context, u *url.URL) (int, error) {
	resp, err := c.exchange(ctx, &call{method: http.MethodHead}, u, "")
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}

// mayBePlain says whether a TLS attempt broke in a way that a server without TLS could cause.
func mayBePlain(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || isEOF(err)
}

// isNoTLS says whether a TLS attempt was answered in something else, in HTTP or not.
func isNoTLS(err error) bool {
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, new(tls.RecordHeaderError))
}
