// Package registry moves content to and from OCI registries, verified and retried, with the user's own credentials.
//
//	Options -> New -> *Client
//	  read     Head, Manifest, Config, Blob, HasBlob, Tags, Referrers, Root
//	  write    PutBlob, Mount, CopyBlob, PutManifest
//	  remove   DeleteManifest, DeleteTag
//	  look     Ping
//
// What a method returns has been checked against the digest and size that were asked for; a flipped bit, a short or a
// substituted body is fetched again and never handed on. Every request is tried again on 408, 429, 500, 502, 503, 504
// and above 511, on a broken connection and on a stalled body, with exponential back-off and jitter, until Options.Retry is over. What is
// tried again is the whole operation, fetch and verification, and after an answer that was lost it first looks whether there
// is anything left to do.
//
// Inside, a request goes down these floors:
//
//	operation (manifest.go, blob.go, upload.go, ...)   what to ask, what the answer must be
//	run       (retry.go)                               again, later, or enough
//	send      (exchange.go, keyring.go, token.go)      with the key that the registry's 401 asks for
//	exchange  (exchange.go)                            one request, under a watchdog
//	transport (transport.go, host.go)                  TLS, certs.d, proxies, redirects
//
// The protocol is the OCI distribution specification v1.1; authentication is Docker's token scheme and Basic.
package registry

import (
	"context"
	"crypto/x509"
	"net/http"
	"sync"
	"time"
)

// Options say how registries are reached. The zero value works: anonymous, TLS verified, retried for two minutes.
type Options struct {
	// Credentials looks up who we are at a registry's host; nil is anonymous everywhere. It is asked again
	// whenever a token has to be fetched, because helpers hand out credentials that expire (ECR's after 12 h).
	Credentials Credentials
	// LoggedIn tells for which hosts there may be a credential, without starting a helper; see LoggedIn. A host that asks for
	// credentials most likely is then sent one request first and the others after its answer, for one 401 and not many. It only has
	// to be right mostly. Nil asks Credentials.
	LoggedIn func(host string) bool
	// Insecure tells for which hosts there may be what docker's insecure-registries allows: TLS that does not verify, and plain
	// HTTP where there is no TLS. Nil is none but loopback addresses, which always may: that is docker's default too.
	Insecure func(host string) bool
	// CertsDir holds a directory per host with *.crt (a CA), *.cert and *.key (a client certificate);
	// empty is /etc/docker/certs.d, which is where docker has them.
	CertsDir string
	// Roots gives the certificate authorities for a machine that has none of its own, such as an image from scratch; nil: then none
	// is trusted. It is called when the first TLS connection to a host needs it.
	Roots func() *x509.CertPool
	// Retry bounds the time that one operation may spend in trying again, from its first failure on, or from the request that
	// nobody has answered; 0 is two minutes
	// (a registry that restarts or a rate limit's window is over by then, and nobody likes to wait longer for an answer).
	// Negative: try once. A host that has never answered gets ten seconds of it: it is more likely to be misspelt. One that takes
	// connections and says nothing is waited for as long as Retry, but for five to thirty seconds; where it has answered before, for ten
	// at least.
	Retry time.Duration
	// Notice is told in one line when an answer or trying again takes long; nil is silence. It may be called concurrently.
	Notice func(string)
	// Getenv is the environment for HTTP_PROXY, HTTPS_PROXY and NO_PROXY; nil is no proxy.
	Getenv func(string) string
	// Transport replaces the network, for tests; nil is HTTP/1.1 and HTTP/2 over TCP with keep-alive.
	Transport http.RoundTripper
}

// Client speaks to registries. It is safe for concurrent use and keeps connections and tokens; how much is done at once is
// the caller's choice.
type Client struct {
	opts     Options
	http     *http.Client
	keys     *keyring
	schemes  schemes
	answered sync.Map // hosts that have answered at least once
	waiting  sync.Map // hosts that were told to be slow
	retry    time.Duration
	idle     time.Duration
	verdict  time.Duration
	notice   func(string)

	// The clock, which tests turn.
	now    func() time.Time
	sleep  func(context.Context, time.Duration) error
	jitter func() float64
}

// New makes a client. Nothing is sent until a method is called.
func New(opts Options) *Client {
	c := &Client{opts: opts, retry: opts.Retry, idle: defaultIdle, verdict: defaultVerdict, notice: opts.Notice,
		now: time.Now, sleep: sleep, jitter: randomJitter}
	if c.retry == 0 {
		c.retry = defaultRetry
	}
	if c.notice == nil {
		c.notice = func(string) {}
	}
	transport := opts.Transport
	if transport == nil {
		transport = newTransports(opts, c.plainAllowed)
	}
	c.opts.Credentials = opts.Credentials.Awaited(c.notice)
	c.http = &http.Client{Transport: transport, CheckRedirect: c.checkRedirect}
	c.keys = &keyring{credentials: c.opts.Credentials, loggedIn: opts.LoggedIn, fetch: c.fetchToken, now: func() time.Time { return c.now() }}
	return c
}

// Close gives idle connections back. The client may be used on.
func (c *Client) Close() { c.http.CloseIdleConnections() }
