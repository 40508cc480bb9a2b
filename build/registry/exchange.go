package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// call is one request to a registry.
type call struct {
	method string
	host   string // the registry, as references have it
	path   string // below the registry's base URL
	url    *url.URL
	query  url.Values
	header http.Header
	body   Open // nil is none
	size   int64
	scopes scopes
}

// Open starts reading content from its beginning; it is called again when an upload has to be tried again.
type Open func() (io.ReadCloser, error)

// Bytes is an Open for content in memory.
func Bytes(b []byte) Open {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// send makes one try of a call, with the credentials that the registry asks for. A 401 is answered once: with a key that
// somebody else has fetched in the meantime or with a new one, which is also what a token's end in the middle of a run gets.
func (c *Client) send(ctx context.Context, r *call) (*http.Response, error) {
	base, err := c.base(ctx, r.host)
	if err != nil {
		return nil, err
	}
	if !sameOrigin(r.target(base), base) {
		return c.reach(ctx, r, base, "")
	}
	header, err := c.keys.header(ctx, r.host, r.scopes)
	if err != nil {
		return nil, err
	}
	resp, err := c.reach(ctx, r, base, header)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		c.keys.arrived(r.host)
		return resp, err
	}
	drain(resp)
	header, err = c.keys.answer(ctx, r.host, base.Scheme == "http", r.scopes, parseChallenges(resp.Header), header)
	c.keys.arrived(r.host)
	if err != nil {
		return nil, err
	}
	return c.reach(ctx, r, base, header)
}

// reach is an exchange with a registry, or with whom it sends us to. Of those none of our credentials are: a refusal there is about the
// address, whose signature is over, or for another clock or method, and a fresh one may be better (S3 says 403, GCS 400 as well).
func (c *Client) reach(ctx context.Context, r *call, base *url.URL, header string) (*http.Response, error) {
	resp, err := c.exchange(ctx, r, r.target(base), header)
	if err != nil || sameOrigin(resp.Request.URL, base) {
		return resp, err
	}
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		drain(resp)
		f := refusal(ErrUnexpected, "it sends us to %s, which does not let us in (%d)", resp.Request.URL.Host, resp.StatusCode)
		f.status, f.again = resp.StatusCode, few
		return nil, f
	}
	return resp, nil
}

func (r *call) target(base *url.URL) *url.URL {
	if r.url != nil {
		return r.url
	}
	return base.JoinPath(r.path)
}

// exchange sends one request and nothing else. The connection is given up when nothing moves on it for too long, and sooner when
// its host has never answered.
func (c *Client) exchange(ctx context.Context, r *call, target *url.URL, authorization string) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	dog := newWatchdog(c.idle, c.silence(target.Host), func() { cancel(errStalled) })
	req, err := r.request(ctx, target, authorization, dog, c.verdictOn(r.size))
	if err != nil {
		dog.stop()
		cancel(nil)
		return nil, err
	}
	asked, slow := c.now(), c.slow(target.Host)
	if req.Body != nil { // while content is sent there is progress, and the answer comes after it
		slow.Stop()
	}
	resp, err := c.http.Do(req)
	slow.Stop()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w (%w)", cause, err)
		}
		dog.stop()
		cancel(nil)
		err = c.unanswered(target.Host, err)
		if f := (*failure)(nil); r.body == nil && errors.As(err, &f) {
			f.waited = c.now().Sub(asked)
		}
		return nil, err
	}
	c.answered.Store(target.Host, true)
	dog.pat()
	resp.Body = &watchedBody{body: resp.Body, ctx: ctx, dog: dog, cancel: cancel, slow: slow}
	return resp, nil
}

// slow tells of a host that takes long, once for each, unless it is stopped before.
func (c *Client) slow(host string) *time.Timer {
	return time.AfterFunc(waitingAfter, func() {
		if _, told := c.waiting.LoadOrStore(host, true); !told {
			c.notice("waiting for " + host + " to answer")
		}
	})
}

// silence is how long a host may take to show the first sign of life: about as long as it would be tried again. One that has never
// answered is more likely to be dead than slow.
func (c *Client) silence(host string) time.Duration {
	least := shortSilence
	if _, known := c.answered.Load(host); known {
		least = slowAnswer
	}
	return min(c.idle, max(c.retry, least))
}

// verdictOn is how long a registry may take to accept an upload that it has all of.
func (c *Client) verdictOn(size int64) time.Duration {
	if size >= int64(c.verdict.Seconds())*slowCopy {
		return c.verdict
	}
	return min(c.verdict, c.idle+time.Duration(size/slowCopy)*time.Second)
}

func (r *call) request(ctx context.Context, target *url.URL, authorization string, dog *watchdog, verdict time.Duration) (*http.Request, error) {
	u := *target
	if r.query != nil {
		u.RawQuery = r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", clientID)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if r.body == nil {
		return req, nil
	}
	req.ContentLength = r.size
	req.GetBody = func() (io.ReadCloser, error) {
		body, err := r.body()
		if err != nil {
			return nil, &sourceError{err}
		}
		return &sentBody{body: body, dog: dog, left: r.size, verdict: verdict}, nil
	}
	req.Body, err = req.GetBody()
	return req, err
}

// sourceError is a failure to read what is to be uploaded, as opposed to one of the network.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return "reading what is to be sent: " + e.err.Error() }

func (e *sourceError) Unwrap() error { return e.err }

var errStalled = errors.New("nothing came for too long")

// watchdog barks unless it is patted in time.
type watchdog struct {
	timer *time.Timer
	idle  time.Duration
}

// newWatchdog starts one that waits for the first pat for another time than for all others.
func newWatchdog(idle, first time.Duration, bark func()) *watchdog {
	return &watchdog{timer: time.AfterFunc(first, bark), idle: idle}
}

func (d *watchdog) pat() { d.timer.Reset(d.idle) }

func (d *watchdog) stop() { d.timer.Stop() }

type sentBody struct {
	body    io.ReadCloser
	dog     *watchdog
	left    int64
	verdict time.Duration // how long the registry may take when it has everything
}

// Read leaves the source as much time as it takes: one that is a blob of another registry has a watchdog of its own.
func (b *sentBody) Read(p []byte) (int, error) {
	b.dog.stop()
	n, err := b.body.Read(p)
	b.left -= int64(n)
	switch {
	case err != nil && err != io.EOF:
		err = &sourceError{err}
	case b.left <= 0: // net/http does not read on to the end of a body whose size it knows
		b.dog.timer.Reset(b.verdict)
	default:
		b.dog.pat()
	}
	return n, err
}

func (b *sentBody) Close() error { return b.body.Close() }

// watchedBody is a response's body under a watchdog, whose failures are failures to be tried again.
type watchedBody struct {
	body   io.ReadCloser
	ctx    context.Context // of this one exchange: its cause says who gave up
	dog    *watchdog
	cancel context.CancelCauseFunc
	slow   *time.Timer // tells of a wait, unless it is stopped
	once   sync.Once
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.dog.pat()
	b.slow.Reset(waitingAfter)
	defer b.slow.Stop()
	n, err := b.body.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	if cause := context.Cause(b.ctx); cause != nil {
		err = cause
	}
	return n, broken(err)
}

func (b *watchedBody) Close() error {
	b.once.Do(func() {
		b.dog.stop()
		b.cancel(nil)
	})
	return b.body.Close()
}

// drainLimit is how much of an unwanted body is read to keep its connection; a new one is cheaper than more.
const drainLimit = 64 << 10

func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, drainLimit)
	resp.Body.Close()
}

// broken is a body that ended wrongly.
func broken(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &failure{err: fmt.Errorf("%w: the answer broke off: %w", ErrUnreachable, err), again: bounded}
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// unanswered sorts out why there was no answer to a request.
func (c *Client) unanswered(host string, err error) error {
	if f := asFailure(err); errors.Is(f.err, ErrUnexpected) {
		return f // a redirect that we do not follow
	}
	var source *sourceError
	var unknown *net.DNSError
	switch {
	case errors.As(err, &source) && errors.Is(source, ErrCorrupt): // a blob on its way to another registry: once more from the start
		return &failure{err: source, again: few}
	case errors.As(err, &source):
		return source
	case errors.Is(err, errStalled):
		err = errStalled // HTTP/2 says that the context was cancelled
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, errCerts):
		return &failure{err: err}
	case isUntrusted(err):
		return refusal(ErrUnreachable, "%w; put its CA into %s, or set INSECURE=%s if that is meant", short(err), "certs.d/"+host+"/ca.crt", host)
	case isUnwanted(err):
		return refusal(ErrUnreachable, "%s wants a client certificate: put it and its key into certs.d/%[1]s/*.cert and *.key: %w", host, short(err))
	case isNoTLS(err):
		return refusal(ErrUnreachable, "%s does not speak TLS; set INSECURE=%s if that is meant: %w", host, host, short(err))
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return &failure{err: fmt.Errorf("%w: there is no host %s; check its name: %w", ErrUnreachable, unknown.Name, short(err)), again: few}
	}
	f := &failure{err: fmt.Errorf("%w: %w", ErrUnreachable, short(err)), again: contact}
	if errors.Is(err, syscall.ECONNREFUSED) {
		f.err = fmt.Errorf("%w; check that it runs, and that name and port are right", f.err)
	}
	if _, known := c.answered.Load(host); known {
		f.again = bounded
	}
	return f
}

func isUntrusted(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError))
}

// isUnwanted says whether the host refuses us for want of a client certificate: TLS 1.3 says so, older versions only that it fails.
func isUnwanted(err error) bool {
	var said *net.OpError
	return errors.As(err, &said) && said.Op == "remote error" && // as crypto/tls marks an alert of the other side
		(strings.Contains(said.Err.Error(), "certificate") || strings.Contains(said.Err.Error(), "handshake failure"))
}

// short takes the URL off a net/http error: it may be a signed one, and the operation names its subject anyway.
func short(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// persistenceOf says which answers are worth asking again.
func persistenceOf(status int) persistence {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return bounded
	}
	if status > http.StatusNetworkAuthenticationRequired { // one that is not known is as good as 500 (RFC 9110, 15): Cloudflare's 520 and on
		return bounded
	}
	return never
}

// maxComplaint bounds what is read of an error's body.
const maxComplaint = 64 << 10

// refused turns an answer that is none of those wanted into a failure, and closes it.
func refused(host string, resp *http.Response) *failure {
	said := complaintOf(resp)
	f := &failure{status: resp.StatusCode, again: persistenceOf(resp.StatusCode), after: resp.Header.Get("Retry-After")}
	kind, cure := ErrDenied, ""
	switch {
	case f.again != never:
		kind = ErrUnreachable
	case resp.StatusCode == http.StatusNotFound:
		kind = ErrNotFound
	case resp.Request.Method == http.MethodPut && (said.has("DIGEST_INVALID") || said.has("SIZE_INVALID")):
		kind, f.again = ErrCorrupt, few
	case said.has("MANIFEST_INVALID"), said.has("MANIFEST_BLOB_UNKNOWN"): // changed on its way, or ahead of its blobs in a lagging registry
		f.again = few
	case said.isPolicy():
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		kind, cure = ErrUnauthorized, "; "+login(host)+" as somebody who may"
	case resp.Request.Method == http.MethodGet, resp.Request.Method == http.MethodHead:
		kind, cure = ErrUnexpected, "; check that this is a registry's address, or ask who runs it"
	}
	f.err = fmt.Errorf("%w: %s answers %d%s%s", kind, host, resp.StatusCode, said, cure)
	return f
}

// complaint is a registry's error body (distribution specification, error codes), or what a proxy before it says, or the empty one.
type complaint struct {
	Errors []reason `json:"errors"`
}

type reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// complaintOf reads an answer that is not the one wanted, and closes it.
func complaintOf(resp *http.Response) complaint {
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxComplaint))
	resp.Body.Close()
	said := parseComplaint(raw)
	if len(said.Errors) == 0 && mediaTypeOf(resp) == "text/plain" { // its first line: what repeats the request does it below
		line, _, _ := strings.Cut(strings.TrimSpace(string(raw)), "\n")
		said.Errors = []reason{{Message: line}}
	}
	return said
}

func parseComplaint(raw []byte) complaint {
	var c complaint
	if json.Unmarshal(raw, &c) != nil {
		return complaint{}
	}
	return c
}

func (c complaint) has(code string) bool {
	for _, e := range c.Errors {
		if e.Code == code {
			return true
		}
	}
	return false
}

// isPolicy recognises a rule of the registry behind a 401 or 403, where a login would not help.
func (c complaint) isPolicy() bool {
	for _, e := range c.Errors {
		text := strings.ToLower(e.Message)
		if strings.Contains(text, "immutable") || strings.Contains(text, "cannot be overwritten") || strings.Contains(text, "quota") {
			return true
		}
	}
	return false
}

// maxSaid bounds how much of a registry's own words an error repeats.
const maxSaid = 200

func (c complaint) String() string {
	if len(c.Errors) == 0 {
		return ""
	}
	said := clip(c.Errors[0].Code + " " + c.Errors[0].Message)
	if said == "" {
		return ""
	}
	return ": " + said
}

// clip makes foreign words fit for a sentence: one line, bounded. Who prints the sentence makes them harmless.
func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxSaid {
		s = strings.ToValidUTF8(s[:maxSaid], "") + "..."
	}
	return s
}
