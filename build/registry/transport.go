package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpproxy"
)

const (
	defaultCertsDir = "/etc/docker/certs.d"
	maxRedirects    = 10 // as net/http has it

	dialTimeout      = 10 * time.Second // docker's; a host that has not answered a SYN by then is not there
	handshakeTimeout = 10 * time.Second
	keepIdle         = 90 * time.Second // net/http's own
	keepPerHost      = 32               // an index of 30 children is read in one go; its connections are worth keeping
)

// transports is a RoundTripper with one http.Transport per host, because certs.d is per host.
type transports struct {
	certsDir string
	insecure func(host string) bool
	proxy    func(*http.Request) (*url.URL, error)
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
	machine  func() (*x509.CertPool, error) // the authorities that this machine trusts
	spare    func() *x509.CertPool          // those for a machine that has none; may be nil

	mu    sync.Mutex
	hosts map[string]*http.Transport // by scheme and host
}

func newTransports(opts Options, insecure func(string) bool) *transports {
	dir := opts.CertsDir
	if dir == "" {
		dir = defaultCertsDir
	}
	return &transports{
		certsDir: dir,
		insecure: insecure,
		proxy:    proxyFrom(opts.Getenv),
		dial:     (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		machine:  x509.SystemCertPool,
		spare:    opts.Roots,
		hosts:    map[string]*http.Transport{},
	}
}

// RoundTrip implements http.RoundTripper.
func (t *transports) RoundTrip(req *http.Request) (*http.Response, error) {
	transport, err := t.of(req.URL)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	return transport.RoundTrip(req)
}

func (t *transports) of(to *url.URL) (*http.Transport, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := to.Scheme + "://" + to.Host
	if known := t.hosts[key]; known != nil {
		return known, nil
	}
	transport := &http.Transport{
		Proxy:               t.proxy,
		DialContext:         t.dial,
		TLSHandshakeTimeout: handshakeTimeout,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: keepPerHost,
		IdleConnTimeout:     keepIdle,
		DisableCompression:  true, // sizes and ranges are of the bytes that the digest is of
	}
	if to.Scheme == "https" { // reading authorities takes longer than a request to loopback
		var err error
		if transport.TLSClientConfig, err = t.tls(to.Host); err != nil {
			return nil, err
		}
	}
	t.hosts[key] = transport
	return transport, nil
}

func (t *transports) tls(host string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	if t.insecure(host) { // what docker does for its insecure-registries
		config.InsecureSkipVerify = true
	} else {
		config.RootCAs = t.roots()
	}
	if err := addCerts(config, t.certsDir, host); err != nil {
		return nil, err
	}
	return config, nil
}

// roots are the machine's authorities, or the spare ones where it has none, as in an image from scratch.
func (t *transports) roots() *x509.CertPool {
	pool, err := t.machine()
	if err == nil && !pool.Equal(x509.NewCertPool()) {
		return pool
	}
	if t.spare != nil {
		return t.spare()
	}
	return x509.NewCertPool()
}

// CloseIdleConnections is what http.Client.CloseIdleConnections asks for.
func (t *transports) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, transport := range t.hosts {
		transport.CloseIdleConnections()
	}
}

// proxyFrom reads the usual variables, lower case winning as in curl and net/http.
func proxyFrom(getenv func(string) string) func(*http.Request) (*url.URL, error) {
	if getenv == nil {
		return nil
	}
	either := func(name string) string {
		if v := getenv(strings.ToLower(name)); v != "" {
			return v
		}
		return getenv(name)
	}
	config := &httpproxy.Config{HTTPProxy: either("HTTP_PROXY"), HTTPSProxy: either("HTTPS_PROXY"), NoProxy: either("NO_PROXY")}
	find := config.ProxyFunc()
	return func(req *http.Request) (*url.URL, error) { return find(req.URL) }
}

// errCerts marks a certs.d that cannot be used: a configuration to be mended, not a registry to be asked again.
var errCerts = errors.New("bad certificate configuration")

// addCerts reads a host's folder in certs.d: every *.crt is a CA beside the machine's, every *.cert with its *.key is a client
// certificate. A host without a folder has neither.
func addCerts(config *tls.Config, dir, host string) error {
	entries, err := os.ReadDir(filepath.Join(dir, host))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errCerts, err)
	}
	for _, entry := range entries {
		if err := addCert(config, filepath.Join(dir, host, entry.Name())); err != nil {
			return fmt.Errorf("%w: %w", errCerts, err)
		}
	}
	return nil
}

func addCert(config *tls.Config, file string) error {
	switch filepath.Ext(file) {
	case ".crt":
		return addCA(config, file)
	case ".cert":
		pair, err := tls.LoadX509KeyPair(file, strings.TrimSuffix(file, ".cert")+".key")
		if err != nil {
			return fmt.Errorf("client certificate %s and its .key beside it: %w", file, err)
		}
		config.Certificates = append(config.Certificates, pair)
	case ".key":
		if _, err := os.Stat(strings.TrimSuffix(file, ".key") + ".cert"); err != nil {
			return fmt.Errorf("%s has no .cert beside it", file)
		}
	}
	return nil
}

func addCA(config *tls.Config, file string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return nil
}

// checkRedirect lets reads follow a registry to where its blobs are, and the beginning of an upload to where it takes them, but never
// to plain HTTP from TLS, and never with our credentials to another origin. Content is not sent a second time. net/http compares host names without ports and lets subdomains keep the header;
// we do not. Headers of a later hop are made from the first request's, so all hops are looked at each time.
func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) >= maxRedirects:
		return refusal(ErrUnexpected, "it redirected %d times", maxRedirects)
	case req.Method != first.Method || first.Body != nil:
		return http.ErrUseLastResponse
	case req.URL.Scheme == "https":
	case req.URL.Scheme != "http" || first.URL.Scheme == "https" || !c.plainAllowed(req.URL.Host):
		return refusal(ErrUnexpected, "it redirected from %s to %s://%s, which is refused", first.URL.Scheme, req.URL.Scheme, req.URL.Host)
	}
	if leftOrigin(req, via) {
		req.Header.Del("Authorization")
	}
	return nil
}

func leftOrigin(req *http.Request, via []*http.Request) bool {
	origin := via[0].URL
	foreign := func(hop *http.Request) bool { return !sameOrigin(origin, hop.URL) }
	return foreign(req) || slices.ContainsFunc(via, foreign)
}

// sameOrigin compares scheme, host and port, with a scheme's default port filled in.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case strings.EqualFold(u.Scheme, "https"):
		return "443"
	}
	return "80"
}
