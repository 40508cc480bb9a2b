package registry

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/registry/registrytest"
)

// authority is a test CA.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{key: key, cert: cert, pem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// issue signs a certificate for a host, or for a client, and returns it and its key in PEM form.
func (a authority) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}))
}

// resolving makes a client find every host at one address of this machine.
func resolving(c *Client, address string) *Client {
	c.http.Transport.(*transports).dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return c
}

func TestTLS(t *testing.T) {
	const host = "registry.test"
	ca, dir := newAuthority(t), t.TempDir()
	cert, key := ca.issue(t, host)
	write(t, filepath.Join(dir, "ca.pem"), ca.pem)
	write(t, filepath.Join(dir, "server.pem"), cert)
	write(t, filepath.Join(dir, "server.key"), key)
	address := registrytest.Start(t, "http:\n  addr: 127.0.0.1:0\n  tls: {certificate: "+dir+"/server.pem, key: "+dir+"/server.key, clientcas: ["+dir+"/ca.pem]}")

	mine, mineKey := ca.issue(t, "client")
	certs := filepath.Join(dir, "certs.d")
	write(t, filepath.Join(certs, host, "ca.crt"), ca.pem)
	write(t, filepath.Join(certs, host, "me.cert"), mine)
	write(t, filepath.Join(certs, host, "me.key"), mineKey)
	onlyCA := filepath.Join(dir, "only-ca")
	write(t, filepath.Join(onlyCA, host, "ca.crt"), ca.pem)

	at := ref(t, host+"/team/app:1")
	for _, test := range []struct {
		name string
		opts Options
		want error
	}{
		{"CA and client certificate from certs.d", Options{CertsDir: certs}, nil},
		{"an unknown CA", Options{CertsDir: filepath.Join(dir, "none")}, ErrUnreachable},
		{"no client certificate", Options{CertsDir: onlyCA}, ErrUnreachable},
	} {
		t.Run(test.name, func(t *testing.T) {
			waits := &clock{}
			c := resolving(waits.run(New(test.opts)), address)
			defer c.Close()
			_, err := c.Tags(t.Context(), at)
			if test.want == nil {
				test.want = ErrNotFound
			}
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			// In TLS 1.3 a server that misses a certificate says so too late for some connections to hear it.
			if test.opts.CertsDir != onlyCA && errors.Is(err, ErrUnreachable) && (len(waits.waits) > 0 || !strings.Contains(err.Error(), "certs.d/"+host)) {
				t.Errorf("waited %v and said %v; want the cure at once", waits.waits, err)
			}
		})
	}
}

// An image from scratch has no authorities: then, and only then, those that the program brings count.
func TestSpareRoots(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.issue(t, "registry.test")
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(registrytest.InMemory())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	defer server.Close()

	pool := func(authorities ...authority) *x509.CertPool {
		p := x509.NewCertPool()
		for _, a := range authorities {
			p.AddCert(a.cert)
		}
		return p
	}
	for _, test := range []struct {
		name           string
		machine, spare *x509.CertPool
		want           error
	}{
		{"none but the spare ones", pool(), pool(ca), ErrNotFound},
		{"the machine's own", pool(ca), nil, ErrNotFound},
		{"the machine's own, whatever is spare", pool(other), pool(ca), ErrUnreachable},
		{"none at all", pool(), nil, ErrUnreachable},
		{"a machine that cannot tell", nil, pool(ca), ErrNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			opts := Options{}
			if test.spare != nil {
				opts.Roots = func() *x509.CertPool { return test.spare }
			}
			c := resolving((&clock{}).run(New(opts)), server.Listener.Addr().String())
			defer c.Close()
			c.http.Transport.(*transports).machine = func() (*x509.CertPool, error) {
				if test.machine == nil {
					return nil, errors.New("no such file")
				}
				return test.machine, nil
			}
			if _, err := c.Head(t.Context(), ref(t, "registry.test/a:1")); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// only is an INSECURE of one host.
func only(insecure string) func(string) bool {
	return func(host string) bool { return host == insecure }
}

func TestTLSThatDoesNotVerify(t *testing.T) {
	server := httptest.NewUnstartedServer(faults.Around(registrytest.InMemory()))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	address := server.Listener.Addr().String()
	img := imageOf(t, "tls", []byte("layer"))

	certs := t.TempDir() // with an authority that has not signed it
	write(t, filepath.Join(certs, "registry.test/ca.crt"), newAuthority(t).pem)
	insecure := resolving(New(Options{Insecure: only("registry.test"), CertsDir: certs}), address)
	defer insecure.Close()
	publish(t, insecure, ref(t, "registry.test/a:1"), img)
	loopback := New(Options{})
	defer loopback.Close()
	publish(t, loopback, ref(t, address+"/b:1"), img)
	if answer, err := loopback.Ping(t.Context(), address); err != nil || answer.URL != "https://"+address {
		t.Errorf("Ping = %+v, %v; want TLS where there is TLS", answer, err)
	}
}

func TestPlainHTTPOnlyWhereAllowed(t *testing.T) {
	proxy := faults.Around(registrytest.InMemory())
	server := httptest.NewServer(proxy)
	defer server.Close()
	address := server.Listener.Addr().String()

	strict := resolving((&clock{}).run(New(Options{Insecure: only("other.test"), Credentials: static(Credential{Username: "u", Password: "p"})})), address)
	defer strict.Close()
	_, err := strict.Head(t.Context(), ref(t, "registry.test/a:1"))
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "INSECURE=registry.test") {
		t.Errorf("plain HTTP at a strange host: %v", err)
	}
	if len(proxy.Requests()) > 0 {
		t.Errorf("something was sent in plain: %+v", proxy.Requests())
	}
	insecure := resolving(New(Options{Insecure: only("registry.test")}), address)
	defer insecure.Close()
	publish(t, insecure, ref(t, "registry.test/a:1"), imageOf(t, "plain", []byte("layer")))

	alone := resolving(New(Options{Insecure: only("registry.test")}), address) // nothing is at the port of TLS
	defer alone.Close()
	to := alone.http.Transport.(*transports)
	dial := to.dial
	to.dial = func(ctx context.Context, network, at string) (net.Conn, error) {
		if strings.HasSuffix(at, ":443") {
			return nil, syscall.ECONNREFUSED
		}
		return dial(ctx, network, at)
	}
	if _, err := alone.Head(t.Context(), ref(t, "registry.test/a:1")); err != nil {
		t.Errorf("where only plain HTTP is: %v", err)
	}
}

// A server may break off what it does not understand; only its answer in plain HTTP makes it one without TLS.
func TestProbeOfWhatBreaksOff(t *testing.T) {
	bye := func(c *net.TCPConn) { _ = c.CloseWrite(); _, _ = io.Copy(io.Discard, c) }
	reset := func(c *net.TCPConn) { _ = c.SetLinger(0) }
	alert := func(c *net.TCPConn) { _, _ = c.Write([]byte{21, 3, 3, 0, 2, 2, 40}); bye(c) } // handshake_failure (RFC 8446, 6)
	for name, c := range map[string]struct {
		end    func(*net.TCPConn)
		answer string
		want   string
	}{
		"it hangs up":            {bye, "401 Unauthorized", "http"},
		"it resets":              {reset, "200 OK", "http"},
		"it wants TLS after all": {bye, "400 Bad Request", ""},
		"it speaks another TLS":  {alert, "200 OK", ""},
		"it answers nobody":      {bye, "", ""},
	} {
		client := New(Options{})
		scheme, err := client.probe(t.Context(), breaksOff(t, c.end, c.answer))
		client.Close()
		if scheme != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v; want %q", name, scheme, err, c.want)
		}
	}
}

// breaksOff is a server that ends every connection on which TLS begins, and gives all others the same answer.
func breaksOff(t *testing.T, end func(*net.TCPConn), answer string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	serve := func(conn *net.TCPConn) {
		defer conn.Close()
		first := bufio.NewReader(conn)
		const handshake = 22 // the type of the record that a TLS connection begins with
		if b, err := first.Peek(1); err != nil || b[0] == handshake {
			end(conn)
			return
		}
		if _, err := http.ReadRequest(first); err == nil && answer != "" {
			_, _ = io.WriteString(conn, "HTTP/1.1 "+answer+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn.(*net.TCPConn))
		}
	}()
	return listener.Addr().String()
}

// Nothing is compressed on the way: sizes and ranges are of the bytes that a digest is of.
func TestHTTP2IsUsed(t *testing.T) {
	var protocol, encoding string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol, encoding = r.Proto, r.Header.Get("Accept-Encoding")
		_, _ = w.Write([]byte("{}"))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	c := New(Options{})
	defer c.Close()
	if _, err := c.Ping(t.Context(), server.Listener.Addr().String()); err != nil || protocol != "HTTP/2.0" || encoding != "" {
		t.Errorf("%s, in %q, %v", protocol, encoding, err)
	}
}

// Given up for its silence, HTTP/2 says that somebody has cancelled the request.
func TestSilenceOverHTTP2IsTold(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			<-r.Context().Done()
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	c := New(Options{Retry: -1})
	c.idle = patience
	defer c.Close()
	_, err := c.Tags(t.Context(), ref(t, server.Listener.Addr().String()+"/team/app"))
	if !errors.Is(err, ErrUnreachable) || !strings.HasSuffix(err.Error(), "nothing came for too long") {
		t.Error(err)
	}
}

func TestCertsThatCannotBeUsed(t *testing.T) {
	if dir := newTransports(Options{}, nil).certsDir; dir != "/etc/docker/certs.d" {
		t.Errorf("certificates are looked for in %s", dir)
	}
	for name, files := range map[string]map[string]string{
		"a CA that is none":   {"ca.crt": "hello"},
		"a certificate alone": {"me.cert": "hello"},
		"a key alone":         {"me.key": "hello"},
		"no folder":           {"": "hello"},
	} {
		dir := t.TempDir()
		for file, content := range files {
			write(t, filepath.Join(dir, "registry.test", file), content)
		}
		c := New(Options{CertsDir: dir})
		if _, err := c.Tags(t.Context(), ref(t, "registry.test/a")); !errors.Is(err, errCerts) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProxiesAreHonoured(t *testing.T) {
	proxied := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied <- r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	env := map[string]string{"HTTPS_PROXY": server.URL, "no_proxy": "other.test"}
	c := New(Options{Retry: -1, Getenv: func(name string) string { return env[name] }})
	defer c.Close()
	_, _ = c.Tags(t.Context(), ref(t, "registry.test/a"))
	if got := <-proxied; got != "CONNECT registry.test:443" {
		t.Errorf("the proxy saw %q", got)
	}
	env["HTTP_PROXY"] = "http://plain.test"
	find := proxyFrom(c.opts.Getenv)
	for to, want := range map[string]string{"https://other.test/v2/": "", "https://registry.test/v2/": server.URL, "http://registry.test/v2/": "http://plain.test"} {
		request, _ := http.NewRequest(http.MethodGet, to, nil)
		if through, err := find(request); err != nil || (through != nil) != (want != "") || through != nil && through.String() != want {
			t.Errorf("%s goes through %v, %v; want %s", to, through, err, want)
		}
	}
}

func TestRedirects(t *testing.T) {
	c := New(Options{})
	request := func(method, url string) *http.Request {
		r, err := http.NewRequest(method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "secret")
		return r
	}
	for _, test := range []struct {
		from, to string
		follow   bool
		keeps    bool
	}{
		{"https://a.test/x", "https://a.test/y", true, true},
		{"https://a.test/x", "https://a.test:443/y", true, true},
		{"https://a.test/x", "https://b.test/y", true, false},
		{"https://a.test/x", "https://sub.a.test/y", true, false},
		{"https://a.test/x", "https://a.test:444/y", true, false},
		{"https://a.test/x", "http://a.test/y", false, false},
		{"https://a.test/x", "http://127.0.0.1/y", false, false},
		{"https://a.test/x", "ftp://a.test/y", false, false},
		{"http://127.0.0.1:1/x", "http://127.0.0.1:2/y", true, false},
		{"http://127.0.0.1:1/x", "http://a.test/y", false, false},
		{"http://127.0.0.1:1/x", "https://a.test/y", true, false},
		{"http://127.0.0.1:1/x", "ftp://127.0.0.1:1/y", false, false},
		{"http://127.0.0.1:443/x", "https://127.0.0.1/y", true, false},
		{"http://127.0.0.1/x", "http://127.0.0.1:80/y", true, true},
		{"http://127.0.0.1/x", "http://127.0.0.1:443/y", true, false},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
			next := request(method, test.to)
			err := c.checkRedirect(next, []*http.Request{request(method, test.from)})
			if (err == nil) != test.follow {
				t.Errorf("%s %s -> %s: %v, want followed %v", method, test.from, test.to, err, test.follow)
			}
			if err == nil && (next.Header.Get("Authorization") != "") != test.keeps {
				t.Errorf("%s %s -> %s: keeps credentials %v", method, test.from, test.to, !test.keeps)
			}
		}
	}
	origin := request(http.MethodGet, "https://a.test/x")
	if err := c.checkRedirect(request(http.MethodGet, "https://a.test/y"), slices.Repeat([]*http.Request{origin}, maxRedirects-1)); err != nil {
		t.Errorf("the last redirect that is followed: %v", err)
	}
	if err := c.checkRedirect(request(http.MethodGet, "https://a.test/y"), slices.Repeat([]*http.Request{origin}, maxRedirects)); !errors.Is(err, ErrUnexpected) {
		t.Errorf("one redirect too many: %v", err)
	}
	put := request(http.MethodPut, "https://a.test/x")
	put.Body = http.NoBody
	if err := c.checkRedirect(request(http.MethodPut, "https://a.test/y"), []*http.Request{put}); err != http.ErrUseLastResponse {
		t.Errorf("what is written is sent elsewhere: %v", err)
	}
	if err := c.checkRedirect(request(http.MethodGet, "https://a.test/y"), []*http.Request{request(http.MethodPost, "https://a.test/x")}); err != http.ErrUseLastResponse {
		t.Errorf("what asks for an upload becomes what reads: %v", err)
	}
	back := request(http.MethodGet, "https://a.test/z")
	_ = c.checkRedirect(back, []*http.Request{request(http.MethodGet, "https://a.test/x"), request(http.MethodGet, "https://b.test/y")})
	if back.Header.Get("Authorization") != "" {
		t.Error("credentials come back after a stranger")
	}
}

// One connection after the other is not opened for requests that follow one another: a connect is a round trip, with TLS two more.
// A registry may have uploads taken by another one, which says where in its own words.
func TestUploadsThatBeginElsewhere(t *testing.T) {
	s, other := newScene(t, Options{}), newFaulty(t, Options{})
	s.Add(faults.Rule{Match: faults.On("POST", "/uploads/"), Fault: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, "http://"+other.host+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	}})
	other.Add(faults.Rule{Match: faults.On("POST", "/uploads/"), Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		faults.WithHeader("Location", r.URL.Path+"session")(w, r, next)
	}})
	taken := 0
	other.Add(faults.Rule{Match: faults.On("PUT", "/uploads/session"), Fault: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		taken++
		w.WriteHeader(http.StatusCreated)
	}})
	if err := s.client.PutBlob(t.Context(), s.to, descOf("", s.fresh.layer), Bytes(s.fresh.layer)); err != nil || taken != 1 {
		t.Errorf("%v, taken %d times", err, taken)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		s := httptest.NewUnstartedServer(registrytest.InMemory())
		var opened atomic.Int32
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				opened.Add(1)
			}
		}
		want := int32(2) // the first finds out that there is no TLS
		if encrypted {
			s.StartTLS()
			want = 1
		} else {
			s.Start()
		}
		c := New(Options{})
		at := ref(t, s.Listener.Addr().String()+"/a:1")
		publish(t, c, at, imageOf(t, "kept", []byte("layer")))
		if _, err := c.Manifest(t.Context(), at); err != nil {
			t.Error(err)
		}
		if got := opened.Load(); got != want {
			t.Errorf("TLS %v: %d connections, want %d", encrypted, got, want)
		}
		c.Close()
		s.Close()
	}
}

// Nor is it for those that come at once: an index's children are read side by side, and then their configs.
func TestAsManyConnectionsAreKeptAsThereWere(t *testing.T) {
	const children = 10
	var opened atomic.Int32
	rounds := map[string]*sync.WaitGroup{"/1": {}, "/2": {}}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		rounds[r.URL.Path].Done() // each waits for the others of its round, so that none can have another's connection
		rounds[r.URL.Path].Wait()
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := New(Options{})
	defer c.Close()
	target, _ := url.Parse(s.URL)
	for _, round := range []string{"/1", "/2"} {
		rounds[round].Add(children)
		inParallel(children, func(int) {
			resp, err := c.exchange(t.Context(), &call{method: http.MethodHead}, target.JoinPath(round), "")
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
		})
	}
	if got := opened.Load(); got != children {
		t.Errorf("%d connections for %d requests at once, twice", got, children)
	}
}
