package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/distribution/reference"
)

// Where nobody listens the sentence ends with what to do.
func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ref, err := reference.ParseNormalizedNamed(host + "/me/app:1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(Options{Retry: -1}).Manifest(t.Context(), ref)
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "check that it runs") || strings.Contains(err.Error(), "%!") {
		t.Errorf("%v", err)
	}
}

// A rule of the registry is told from a login that does not suffice, in whatever words.
func TestPolicies(t *testing.T) {
	for body, policy := range map[string]bool{
		`{"errors":[{"code":"DENIED","message":"The requested tag already exists and cannot be overwritten."}]}`: true,
		`{"errors":[{"code":"DENIED","message":"tag is Immutable"}]}`:                                            true,
		`{"errors":[{"code":"DENIED","message":"quota exceeded"}]}`:                                              true,
		`{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`:                  false,
		`{}`: false,
	} {
		if got := parseComplaint([]byte(body)).isPolicy(); got != policy {
			t.Errorf("%s: %v, want %v", body, got, policy)
		}
	}
}

// What a proxy before a registry says in plain words is told, and no more of it than a line: some repeat the whole request.
func TestComplaintsInPlainWords(t *testing.T) {
	for _, test := range []struct{ mediaType, body, want string }{
		{"text/plain; charset=utf-8", "default backend - 404\n", ": default backend - 404"},
		{"text/plain", "GET /v2/ HTTP/1.1\nAuthorization: Bearer s3cret\n", ": GET /v2/ HTTP/1.1"},
		{"text/plain", `{"errors":[{"code":"DENIED","message":"no"}]}`, ": DENIED no"},
		{"text/plain", " \n", ""},
		{"text/html", "<h1>403</h1>", ""},
		{"", "no", ""},
	} {
		said := complaintOf(&http.Response{Header: http.Header{"Content-Type": {test.mediaType}}, Body: io.NopCloser(strings.NewReader(test.body))})
		if got := said.String(); got != test.want {
			t.Errorf("%s %q: %q, want %q", test.mediaType, test.body, got, test.want)
		}
	}
}

// These answers pass and those of no known kind, such as Cloudflare's, and no others.
func TestAnswersThatPass(t *testing.T) {
	passing := []int{408, 429, 500, 502, 503, 504}
	for status := 200; status < 600; status++ {
		if got := persistenceOf(status); (got == bounded) != (slices.Contains(passing, status) || status > 511) || got != bounded && got != never {
			t.Errorf("%d: to be tried again %d", status, got)
		}
	}
}

// Why there was no answer decides how long it makes sense to ask again, and what to do.
func TestUnanswered(t *testing.T) {
	alert := func(op, text string) error { return &net.OpError{Op: op, Err: errors.New(text)} }
	for name, c := range map[string]struct {
		err   error
		is    error
		again persistence // of a host that has not answered before
		known persistence // of one that has
		says  string
	}{
		"a redirect that is not followed": {refusal(ErrUnexpected, "it redirected"), ErrUnexpected, never, never, "it redirected"},
		"a source that is corrupt":        {&sourceError{corrupt("flipped")}, ErrCorrupt, few, few, "reading what is to be sent"},
		"a source that cannot be read":    {&sourceError{os.ErrPermission}, os.ErrPermission, never, never, "reading what is to be sent"},
		"silence":                         {fmt.Errorf("%w (%w)", errStalled, context.Canceled), ErrUnreachable, contact, bounded, "nothing came"},
		"the run was stopped":             {context.Canceled, context.Canceled, never, never, ""},
		"the run's time is over":          {context.DeadlineExceeded, context.DeadlineExceeded, never, never, ""},
		"certificates that are no use":    {fmt.Errorf("%w: no PEM", errCerts), errCerts, never, never, "no PEM"},
		"a certificate in doubt":          {&tls.CertificateVerificationError{Err: io.EOF}, ErrUnreachable, never, never, "certs.d/HOST/ca.crt, or set INSECURE=HOST"},
		"an unknown authority":            {x509.UnknownAuthorityError{}, ErrUnreachable, never, never, "certs.d/HOST/ca.crt"},
		"another's certificate":           {x509.HostnameError{Certificate: &x509.Certificate{}, Host: "HOST"}, ErrUnreachable, never, never, "certs.d/HOST/ca.crt"},
		"no client certificate":           {alert("remote error", "tls: certificate required"), ErrUnreachable, never, never, "wants a client certificate: put it and its key into certs.d/HOST/"},
		"no client certificate, TLS 1.2":  {alert("remote error", "tls: handshake failure"), ErrUnreachable, never, never, "wants a client certificate"},
		"another alert":                   {alert("remote error", "tls: internal error"), ErrUnreachable, contact, bounded, "internal error"},
		"a failure that is no alert":      {alert("read", "bad certificate"), ErrUnreachable, contact, bounded, "bad certificate"},
		"plain HTTP":                      {http.ErrSchemeMismatch, ErrUnreachable, never, never, "does not speak TLS; set INSECURE=HOST"},
		"no TLS":                          {tls.RecordHeaderError{Msg: "no record"}, ErrUnreachable, never, never, "does not speak TLS"},
		"no such host":                    {&net.DNSError{Name: "HOST", IsNotFound: true}, ErrUnreachable, few, few, "there is no host HOST; check its name"},
		"no name server":                  {&net.DNSError{Name: "HOST"}, ErrUnreachable, contact, bounded, ""},
		"nobody listens":                  {syscall.ECONNREFUSED, ErrUnreachable, contact, bounded, "check that it runs"},
		"a reset":                         {syscall.ECONNRESET, ErrUnreachable, contact, bounded, "reset"},
	} {
		client := New(Options{})
		for _, want := range []persistence{c.again, c.known} {
			err := client.unanswered("HOST", &url.Error{Op: "Get", URL: "https://HOST/?signature=secret", Err: c.err})
			if got := asFailure(err).again; !errors.Is(err, c.is) || got != want || !strings.Contains(err.Error(), c.says) || c.is == ErrUnreachable && strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v, to be tried again %d, want %d", name, err, got, want)
			}
			client.answered.Store("HOST", true)
		}
	}
}
