package registry

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/registry/registrytest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/crypto/bcrypt"
)

const (
	testUser     = "alice"
	testPassword = "s3cret:with colon"
)

func static(cred Credential) Credentials {
	return func(context.Context, string) (Credential, error) { return cred, nil }
}

func TestHtpasswd(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte(testPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "htpasswd")
	write(t, file, testUser+":"+string(hash)+"\n")
	host := registrytest.Start(t, "auth:\n  htpasswd: {realm: test, path: "+file+"}")

	good := New(Options{Credentials: static(Credential{Username: testUser, Password: testPassword})})
	defer good.Close()
	at := ref(t, host+"/team/app:1")
	publish(t, good, at, imageOf(t, "a", []byte("layer")))
	if answer, err := good.Ping(t.Context(), host); err != nil || answer != (Answer{URL: "http://" + host, Auth: "basic", User: testUser}) {
		t.Errorf("Ping = %+v, %v", answer, err)
	}
	for name, cred := range map[string]Credential{"nobody": {}, "wrong password": {Username: testUser, Password: "wrong"}} {
		c := New(Options{Credentials: static(cred)})
		_, err := c.Head(t.Context(), at)
		if !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), "docker login "+host) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: %v", name, err)
		}
		c.Close()
	}
}

// tokenServer signs tokens that docker-registry accepts, for who has the password, a refresh token, or is anonymous and pulls.
type tokenServer struct {
	*httptest.Server
	key         *ecdsa.PrivateKey
	certificate []byte
	life        time.Duration

	mu     sync.Mutex
	asked  []string // "GET alice repository:x:pull"
	broken int      // how many requests are answered with 503 first
}

func newTokenServer(t *testing.T) *tokenServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tokens"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := &tokenServer{key: key, certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), life: time.Minute * 5}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	requested := r.URL.Query()["scope"]
	if r.Method == http.MethodPost {
		requested = strings.Fields(r.FormValue("scope"))
		if r.FormValue("refresh_token") == "refresh" {
			user, password = testUser, testPassword
		}
	}
	s.mu.Lock()
	s.asked = append(s.asked, strings.Join(append([]string{r.Method, user}, requested...), " "))
	s.broken--
	broken := s.broken >= 0
	s.mu.Unlock()
	switch {
	case broken:
		w.WriteHeader(http.StatusServiceUnavailable)
	case user != "" && (user != testUser || password != testPassword):
		w.WriteHeader(http.StatusUnauthorized)
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{"token": s.sign(user, requested), "expires_in": s.life.Seconds()})
	}
}

// sign makes a JWT as distribution/spec/auth/jwt has it.
func (s *tokenServer) sign(user string, requested []string) string {
	type access struct {
		Type    string   `json:"type"`
		Name    string   `json:"name"`
		Actions []string `json:"actions"`
	}
	granted := []access{}
	for _, scope := range requested {
		parts := strings.Split(scope, ":")
		actions := strings.Split(parts[2], ",")
		if user == "" {
			actions = []string{"pull"}
		}
		granted = append(granted, access{parts[0], parts[1], actions})
	}
	now := time.Now()
	head, _ := json.Marshal(map[string]any{"typ": "JWT", "alg": "ES256", "kid": s.keyID()})
	claims, _ := json.Marshal(map[string]any{"iss": "tests", "sub": user, "aud": "registry", "jti": fmt.Sprint(now.UnixNano()),
		"exp": now.Add(time.Hour).Unix(), "nbf": now.Add(-time.Minute).Unix(), "iat": now.Unix(), "access": granted})
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	a, b, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		panic(err)
	}
	signature := append(a.FillBytes(make([]byte, 32)), b.FillBytes(make([]byte, 32))...)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// keyID is libtrust's fingerprint, by which the registry finds the certificate.
func (s *tokenServer) keyID() string {
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(der)
	id := strings.TrimRight(base32.StdEncoding.EncodeToString(sum[:30]), "=")
	var groups []string
	for i := 0; i < len(id); i += 4 {
		groups = append(groups, id[i:i+4])
	}
	return strings.Join(groups, ":")
}

func (s *tokenServer) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.asked
	s.asked = nil
	return out
}

// withTokens is a docker-registry whose tokens come from s.
func withTokens(t *testing.T, s *tokenServer) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens.pem")
	write(t, file, string(s.certificate))
	return registrytest.Start(t, "auth:\n  token: {realm: '"+s.URL+"/token', service: registry, issuer: tests, rootcertbundle: "+file+"}")
}

func TestTokens(t *testing.T) {
	tokens := newTokenServer(t)
	host := withTokens(t, tokens)
	at := ref(t, host+"/team/app:1")
	for name, cred := range map[string]Credential{
		"password":       {Username: testUser, Password: testPassword},
		"identity token": {IdentityToken: "refresh"},
	} {
		t.Run(name, func(t *testing.T) {
			c := New(Options{Credentials: static(cred)})
			defer c.Close()
			publish(t, c, at, imageOf(t, name, []byte("layer of "+name)))
			if answer, err := c.Ping(t.Context(), host); err != nil || answer.Auth != "bearer" {
				t.Errorf("Ping = %+v, %v", answer, err)
			}
		})
	}
	t.Run("anonymous", func(t *testing.T) {
		c := New(Options{})
		defer c.Close()
		if _, err := c.Manifest(t.Context(), at); err != nil {
			t.Error(err)
		}
		_, err := c.PutManifest(t.Context(), at, ocispec.MediaTypeImageManifest, []byte("{}"))
		if !errors.Is(err, ErrUnauthorized) {
			t.Errorf("publishing anonymously: %v", err)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		c := New(Options{Credentials: static(Credential{Username: testUser, Password: "wrong"})})
		defer c.Close()
		tokens.requests()
		_, err := c.Manifest(t.Context(), at)
		if asked := tokens.requests(); !errors.Is(err, ErrUnauthorized) || len(asked) != 1 {
			t.Errorf("%v after %d token requests, want a refusal after one", err, len(asked))
		}
	})
	t.Run("a token server in trouble", func(t *testing.T) {
		c := (&clock{}).run(New(Options{}))
		defer c.Close()
		tokens.mu.Lock()
		tokens.broken = 2
		tokens.mu.Unlock()
		if _, err := c.Manifest(t.Context(), at); err != nil {
			t.Error(err)
		}
	})
}

// TestOneTokenForAll holds the requests of making an index over N children: each manifest, each config, one PUT, and one token
// for all of it, pushing included.
func TestOneTokenForAll(t *testing.T) {
	tokens := newTokenServer(t)
	for name, test := range map[string]struct {
		host   string
		tokens int
	}{
		"anonymous": {registrytest.Start(t, ""), 0},
		"token":     {withTokens(t, tokens), 1},
	} {
		t.Run(name, func(t *testing.T) {
			const children = 10
			proxy := faults.New("http://" + test.host)
			server := httptest.NewServer(proxy)
			defer server.Close()
			host := strings.TrimPrefix(server.URL, "http://")
			creds := static(Credential{Username: testUser, Password: testPassword})
			setup := New(Options{Credentials: creds})
			defer setup.Close()
			img := imageOf(t, "child", []byte("layer"))
			for i := range children {
				publish(t, setup, ref(t, fmt.Sprintf("%s/team/app:%d", host, i)), img)
			}
			c := New(Options{Credentials: creds})
			defer c.Close()
			if _, err := c.base(t.Context(), host); err != nil { // which scheme it speaks is asked of loopback alone
				t.Fatal(err)
			}
			proxy.Reset()
			tokens.requests()
			target := ref(t, host+"/team/app:all")
			ctx := WithPush(t.Context(), target)
			inParallel(children, func(i int) {
				if _, err := c.Manifest(ctx, ref(t, fmt.Sprintf("%s/team/app:%d", host, i))); err != nil {
					t.Error(err)
				}
			})
			inParallel(children, func(int) {
				if _, err := c.Config(ctx, target, descOf("", img.config)); err != nil {
					t.Error(err)
				}
			})
			if _, err := c.PutManifest(ctx, target, ocispec.MediaTypeImageManifest, img.manifest); err != nil {
				t.Error(err)
			}
			seen := proxy.Requests()
			asked := tokens.requests()
			unanswered := 0
			for _, r := range seen {
				if r.Status == http.StatusUnauthorized {
					unanswered++
				}
			}
			if got := len(seen) - unanswered; got != 2*children+1 {
				t.Errorf("%d requests, want %d", got, 2*children+1)
			}
			if len(asked) != test.tokens || unanswered != test.tokens {
				t.Errorf("asked for %d tokens after %d times 401: %q", len(asked), unanswered, asked)
			}
		})
	}
}

func inParallel(n int, do func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { do(i) })
	}
	group.Wait()
}

// gate is a registry's handler that wants one of its tokens, and a token endpoint.
type gate struct {
	mu      sync.Mutex
	valid   string // the token that opens
	issued  int
	expires int // seconds, as the endpoint says
	seen    []string
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = append(g.seen, r.URL.Path)
	switch {
	case r.URL.Path == "/token":
		g.issued++
		g.valid = fmt.Sprintf("token-%d", g.issued)
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":%d}`, g.valid, g.expires)
	case r.Header.Get("Authorization") != "Bearer "+g.valid:
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="s",scope="repository:a:pull"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
	default:
		w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
		w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
		w.Header().Set("Content-Length", "5")
	}
}

// A token server suffers what registries do. Nothing but the registry can tell whether a token is the right one.
func TestTokensOutliveEveryPassingFault(t *testing.T) {
	for method, cred := range map[string]Credential{
		http.MethodGet:  {Username: testUser, Password: testPassword},
		http.MethodPost: {IdentityToken: "refresh"},
	} {
		for _, fault := range passing {
			if fault.name == "flipped bit" {
				continue
			}
			t.Run(method+"/"+fault.name, func(t *testing.T) {
				t.Parallel()
				g := &gate{expires: 60}
				proxy := faults.Around(g)
				server := httptest.NewServer(proxy)
				defer server.Close()
				c := (&clock{}).run(New(Options{Credentials: static(cred)}))
				defer c.Close()
				if strings.HasPrefix(fault.name, "silence") {
					c.idle, c.verdict = patience, 2*patience
				}
				proxy.Add(faults.Rule{Match: faults.On(method, "/token"), Times: 1, Fault: fault.fault})
				if _, err := c.Head(t.Context(), ref(t, strings.TrimPrefix(server.URL, "http://")+"/a:1")); err != nil {
					t.Error(err)
				}
				if asked := slices.DeleteFunc(proxy.Requests(), func(r faults.Request) bool { return r.Path != "/token" }); len(asked) < 2 {
					t.Errorf("the token server was asked %d times", len(asked))
				}
			})
		}
	}
}

func TestATokenThatExpires(t *testing.T) {
	for name, test := range map[string]struct {
		expires int
		between func(*gate, *clock)
		want    int // tokens in all
	}{
		"it holds":                  {300, func(*gate, *clock) {}, 1},
		"earlier than it said":      {300, func(g *gate, _ *clock) { g.mu.Lock(); g.valid = "none"; g.mu.Unlock() }, 2},
		"when it said":              {300, func(_ *gate, c *clock) { _ = c.sleep(context.Background(), 300*time.Second) }, 2},
		"without saying, a minute":  {0, func(_ *gate, c *clock) { _ = c.sleep(context.Background(), time.Minute) }, 2},
		"without saying, a half of": {0, func(_ *gate, c *clock) { _ = c.sleep(context.Background(), time.Minute/2) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gate{expires: test.expires}
			server := httptest.NewServer(g)
			defer server.Close()
			asked := 0
			waits := &clock{}
			c := waits.run(New(Options{Credentials: func(context.Context, string) (Credential, error) {
				asked++
				return Credential{Username: testUser, Password: testPassword}, nil
			}}))
			defer c.Close()
			at := ref(t, strings.TrimPrefix(server.URL, "http://")+"/a:1")
			for range 2 {
				if _, err := c.Head(t.Context(), at); err != nil {
					t.Fatal(err)
				}
				test.between(g, waits)
			}
			if _, err := c.Head(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			if want := test.want; g.issued < want || g.issued > want+1 || asked != g.issued {
				t.Errorf("%d tokens for %d look-ups of credentials, want %d", g.issued, asked, want)
			}
		})
	}
}

// What the keyring is given decides whom a registry sees, or why nobody.
func TestKeysOfOtherKinds(t *testing.T) {
	g := &gate{valid: "given"}
	server := httptest.NewServer(g)
	defer server.Close()
	basic := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer basic.Close()
	head := func(c *Client, server *httptest.Server) error {
		_, err := c.Head(t.Context(), ref(t, strings.TrimPrefix(server.URL, "http://")+"/a:1"))
		return err
	}
	c := New(Options{Credentials: static(Credential{RegistryToken: "given"})})
	defer c.Close()
	if err := head(c, server); err != nil || g.issued > 0 {
		t.Errorf("a registry's own token: %v after %d others", err, g.issued)
	}
	locked := New(Options{Credentials: func(context.Context, string) (Credential, error) {
		return Credential{}, errors.New("the keychain is locked")
	}})
	defer locked.Close()
	if err := head(locked, server); !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), "the keychain is locked") {
		t.Errorf("credentials that cannot be looked up: %v", err)
	}
	wrong := New(Options{Credentials: static(Credential{Username: testUser, Password: "wrong"})})
	defer wrong.Close()
	for _, says := range []string{"answers 401", "does not accept the credentials of " + testUser} { // the second time it is known that they were given
		if err := head(wrong, basic); !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), says) {
			t.Errorf("a wrong password: %v, want %q", err, says)
		}
	}
}

// A 401 takes the key that it was for, whatever stands before it in the ring.
func TestAKeyThatIsRefusedIsForgotten(t *testing.T) {
	here := make(chan struct{})
	close(here)
	failed := &key{ready: here, err: errors.New("no token")}
	used := &key{ready: here, bearer: bearer{token: "used"}}
	good := &key{ready: here, bearer: bearer{token: "good"}}
	coming := &key{ready: make(chan struct{})}
	l := &lock{keys: []*key{failed, coming, used, good}}
	l.forget("Bearer used")
	if !slices.Equal(l.keys, []*key{coming, good}) {
		t.Errorf("%d keys are left", len(l.keys))
	}
}

func TestCredentialsGoNowhereElse(t *testing.T) {
	var mu sync.Mutex
	var leaked []string
	reached := map[string]bool{}
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		reached[r.Method+" "+r.URL.Path] = true
		if got := r.Header.Get("Authorization"); got != "" {
			leaked = append(leaked, r.Method+" "+r.URL.Path+" "+got)
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token"`) // it would like to have them
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer stranger.Close()
	s := newScene(t, Options{Credentials: static(Credential{Username: testUser, Password: testPassword})})
	s.Add(faults.Rule{Match: func(r *http.Request) bool { return r.Header.Get("Authorization") == "" },
		Fault: faults.Status(401, "WWW-Authenticate", `Basic realm="r"`)})
	s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Fault: faults.Redirect(307, stranger.URL+"/blob")})
	s.Add(faults.Rule{Match: faults.On("GET", "/tags/"), Fault: faults.WithHeader("Link", `<`+stranger.URL+`/more>; rel="next"`)})
	s.Add(faults.Rule{Match: faults.On("POST", "/uploads/"), Fault: faults.WithHeader("Location", stranger.URL+"/upload")})
	for _, op := range operations {
		switch op.name {
		case "Blob", "Config", "Tags", "PutBlob":
			if err := op.run(t.Context(), s); err == nil {
				t.Errorf("%s succeeded at a stranger's", op.name)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"GET /blob", "PUT /upload"} {
		if !reached[want] {
			t.Errorf("%s has not come to the stranger: %v", want, reached)
		}
	}
	if len(leaked) > 0 {
		t.Errorf("leaked: %q", leaked)
	}
}

func TestRealmsThatAreRefused(t *testing.T) {
	c := New(Options{})
	for _, test := range []struct {
		from issuer
		ok   bool
	}{
		{issuer{host: "ghcr.io", realm: "https://auth.example/token"}, true},
		{issuer{host: "ghcr.io", realm: "http://auth.example/token"}, false},
		{issuer{host: "ghcr.io", realm: "http://127.0.0.1/token"}, false},
		{issuer{host: "127.0.0.1:5000", plain: true, realm: "http://127.0.0.1:5001/token"}, true},
		{issuer{host: "127.0.0.1:5000", plain: true, realm: "http://auth.example/token"}, false},
		{issuer{host: "ghcr.io", realm: "https://user:pw@auth.example/token"}, false},
		{issuer{host: "ghcr.io", realm: "/token"}, false},
		{issuer{host: "ghcr.io", realm: ""}, false},
		{issuer{host: "ghcr.io", realm: "file:///etc/passwd"}, false},
		{issuer{host: "ghcr.io", realm: "https:auth.example"}, false},
		{issuer{host: "ghcr.io", realm: "https://auth.example:bad/"}, false},
	} {
		if _, err := c.realm(test.from); (err == nil) != test.ok {
			t.Errorf("%+v: %v, want allowed %v", test.from, err, test.ok)
		}
	}
}
