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
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distribution/reference"
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

// Where a host will ask who we are, most likely, the others wait for the answer to the first request; and whether it will is known
// without a helper where it can be.
func TestWhoWaitsForTheFirstAnswer(t *testing.T) {
	someone := static(Credential{Username: testUser, Password: testPassword})
	unasked := func(context.Context, string) (Credential, error) {
		t.Error("a helper was asked")
		return Credential{}, nil
	}
	locked := func(context.Context, string) (Credential, error) {
		return Credential{Username: testUser}, errors.New("locked")
	}
	is := func(yes bool) func(string) bool {
		return func(host string) bool { return yes && host == "registry.test" }
	}
	for name, test := range map[string]struct {
		credentials Credentials
		loggedIn    func(string) bool
		waits       bool
	}{
		"nobody":            {nil, nil, false},
		"anonymous":         {static(Credential{}), nil, false},
		"someone":           {someone, nil, true},
		"nobody knows who":  {locked, nil, false},
		"said to be known":  {unasked, is(true), true},
		"said to be nobody": {unasked, is(false), false},
	} {
		k := &keyring{credentials: test.credentials, loggedIn: test.loggedIn}
		stopped := errors.New("interrupted")
		impatient, cancel := context.WithCancelCause(t.Context())
		cancel(stopped)
		if err := k.follow(impatient, "registry.test"); err != nil {
			t.Errorf("%s: the first: %v", name, err)
		}
		for range 2 {
			if err := k.follow(impatient, "registry.test"); errors.Is(err, stopped) != test.waits {
				t.Errorf("%s: another waits: %v, want %v", name, err, test.waits)
			}
		}
		for range 2 {
			k.arrived("registry.test")
			if err := k.follow(impatient, "registry.test"); err != nil {
				t.Errorf("%s: after the answer: %v", name, err)
			}
		}
	}
	(&keyring{}).arrived("registry.test") // of a host that nobody has asked
}

// Each operation asks for the right that it needs and no other, whatever the registry's challenge proposes: here, nothing.
func TestRightsThatAreAskedFor(t *testing.T) {
	const app, fresh = "repository:team/app:", "repository:team/new:"
	scoped := func(t *testing.T) (s *scene, asked func() []string) {
		s = newScene(t, Options{})
		var tokens []string
		issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tokens = append(tokens, strings.Join(r.URL.Query()["scope"], " "))
			_, _ = io.WriteString(w, `{"token":"t"}`)
		}))
		t.Cleanup(issuer.Close)
		s.Add(faults.Rule{Match: func(r *http.Request) bool { return r.Header.Get("Authorization") == "" },
			Fault: faults.Status(401, "WWW-Authenticate", `Bearer realm="`+issuer.URL+`"`)})
		return s, func() []string { return tokens }
	}
	wants := map[string][]string{
		"PutBlob":        {fresh + "pull,push"},
		"Mount":          {app + "pull " + fresh + "pull,push"},
		"CopyBlob":       {fresh + "pull,push", app + "pull " + fresh + "pull,push"},
		"PutManifest":    {app + "pull,push"},
		"DeleteManifest": {app + "delete,pull"},
		"Ping":           {""},
	}
	for _, op := range operations {
		s, asked := scoped(t)
		err := op.run(t.Context(), s)
		want, writes := wants[op.name]
		if !writes {
			want = []string{app + "pull"}
		}
		if got := asked(); !slices.Equal(got, want) {
			t.Errorf("%s: asked for %q, want %q (%v)", op.name, got, want, err)
		}
	}

	// Who is going to push says so before reading.
	s, asked := scoped(t)
	outer := WithPush(t.Context(), s.at)
	inner := WithPush(outer, s.to)
	other := ref(t, s.host+"/team/other:1")
	for _, ask := range []struct {
		ctx context.Context
		of  reference.Named
	}{{outer, s.to}, {inner, s.at}, {inner, s.to}, {inner, other}, {outer, s.at}} { // the last has its token
		_, _ = s.client.Head(ask.ctx, ask.of)
	}
	if want := []string{fresh + "pull", app + "pull,push", fresh + "pull,push", "repository:team/other:pull"}; !slices.Equal(asked(), want) {
		t.Errorf("with the intention to push: asked for %q, want %q", asked(), want)
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

// Ping says where and who we are, whatever comes of it.
func TestPing(t *testing.T) {
	asks := answering(401, "WWW-Authenticate", `Basic realm="r"`)
	alice := static(Credential{Username: testUser, Password: testPassword})
	for name, test := range map[string]struct {
		network roundTrip
		who     Credentials
		want    Answer
		err     error
	}{
		"open":              {answering(200), nil, Answer{Auth: "none"}, nil},
		"open to anybody":   {answering(200), alice, Answer{Auth: "none", User: testUser}, nil},
		"with a password":   {first(asks, answering(200)), alice, Answer{Auth: "basic", User: testUser}, nil},
		"not with this one": {asks, alice, Answer{Auth: "basic", User: testUser}, ErrUnauthorized},
		"no registry":       {answering(404), nil, Answer{Auth: "none"}, ErrNotFound},
		"a locked keychain": {answering(200), func(context.Context, string) (Credential, error) { return Credential{}, errors.New("locked") }, Answer{Auth: "none"}, ErrUnauthorized},
	} {
		test.want.URL = "https://registry.test"
		got, err := New(Options{Credentials: test.who, Transport: test.network}).Ping(t.Context(), "registry.test")
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %+v, %v; want %+v, %v", name, got, err, test.want, test.err)
		}
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
	asked := 0
	c := New(Options{Credentials: func(context.Context, string) (Credential, error) {
		asked++
		return Credential{RegistryToken: "given"}, nil
	}})
	defer c.Close()
	for range 2 {
		if err := head(c, server); err != nil || g.issued > 0 || asked != 1 {
			t.Errorf("a registry's own token: %v after %d others and %d look-ups", err, g.issued, asked)
		}
	}
	locked := New(Options{Credentials: func(context.Context, string) (Credential, error) {
		return Credential{}, errors.New("the keychain is locked")
	}})
	defer locked.Close()
	for _, asks := range []*httptest.Server{server, basic} {
		if err := head(locked, asks); !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), "the keychain is locked") {
			t.Errorf("credentials that cannot be looked up: %v", err)
		}
	}
	wrong := New(Options{Credentials: static(Credential{Username: testUser, Password: "wrong"})})
	defer wrong.Close()
	for _, says := range []string{"answers 401", "does not accept the credentials of " + testUser} { // the second time it is known that they were given
		if err := head(wrong, basic); !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), says) {
			t.Errorf("a wrong password: %v, want %q", err, says)
		}
	}
}

// Basic wants a name or a password.
func TestBasicKeys(t *testing.T) {
	for want, cred := range map[string]Credential{
		"Basic " + b64("u:p"): {Username: "u", Password: "p"},
		"Basic " + b64("u:"):  {Username: "u"},
		"Basic " + b64(":p"):  {Password: "p"},
		"":                    {IdentityToken: "r"},
	} {
		k := &keyring{credentials: static(cred)}
		if got, err := k.answerBasic(t.Context(), "registry.test", ""); got != want || (err == nil) != (want != "") {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}

// A token is preferred to a password, and where it is asked for depends on how the registry itself was spoken to.
func TestTheWayToATokenServer(t *testing.T) {
	for scheme, want := range map[string]string{
		"http":  "http://insecure.test/token?account=alice&scope=repository%3Aa%3Apull&service=s",
		"https": "insecure.test wants credentials sent to http://insecure.test, which is refused",
	} {
		c := New(Options{Retry: -1, Insecure: only("insecure.test"), Credentials: static(Credential{Username: testUser, Password: testPassword}),
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				switch {
				case r.URL.Path == "/token":
					return nil, errors.New(r.URL.String())
				case r.URL.Scheme != scheme:
					return nil, http.ErrSchemeMismatch
				}
				return answering(401, "WWW-Authenticate", `Basic realm="r", Bearer realm="http://insecure.test/token",service="s"`)(r)
			})})
		_, err := c.Head(t.Context(), ref(t, "insecure.test/a:1"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", scheme, err, want)
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

// The address that a registry redirects to is signed for a while: one that is refused is asked for again, and nobody waits in vain for
// what the first answer would have told.
func TestARedirectThatIsOutOfDate(t *testing.T) {
	for _, refusal := range []int{400, 401, 403} {
		s := newScene(t, Options{})
		store := faults.Around(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(s.there.layer) }))
		store.Add(faults.Rule{Times: 1, Fault: faults.Status(refusal)})
		server := httptest.NewServer(store)
		defer server.Close()
		s.Add(faults.Rule{Match: faults.On("GET", "/blobs/"), Fault: faults.Redirect(307, server.URL)})
		s.client = s.waits.run(New(Options{Credentials: static(Credential{Username: testUser, Password: testPassword})}))
		defer s.client.Close()
		if err := called(t, "Blob")[0].run(t.Context(), s); err != nil || len(store.Requests()) != 2 {
			t.Errorf("%d: %v\n%s", refusal, err, s.trace())
		}
		store.Add(faults.Rule{Fault: faults.Status(refusal)})
		err := called(t, "Blob")[0].run(t.Context(), s)
		if says := fmt.Sprintf("it sends us to %s, which does not let us in (%d)", server.Listener.Addr(), refusal); !errors.Is(err, ErrUnexpected) || !strings.Contains(err.Error(), says) {
			t.Errorf("%d for ever: %v", refusal, err)
		}
	}
}

// What a token server is sent is Docker's scheme to the letter: who we are, what for, and a password in no address.
func TestTokenRequests(t *testing.T) {
	const get, basic = "GET https://auth.test/token?", "Basic "
	secret := "u:p" // the password's characters would be escaped in an address
	for name, test := range map[string]struct {
		cred    Credential
		service string
		want    string // method, address, Authorization and body
	}{
		"anonymous":              {Credential{}, "s", get + "keep=1&scope=a%3Apull&scope=b%3Apull%2Cpush&service=s"},
		"no service":             {Credential{}, "", get + "keep=1&scope=a%3Apull&scope=b%3Apull%2Cpush"},
		"name and password":      {Credential{Username: "u", Password: "p"}, "s", get + "account=u&keep=1&scope=a%3Apull&scope=b%3Apull%2Cpush&service=s " + basic + b64(secret)},
		"a name alone":           {Credential{Username: "u"}, "s", get + "account=u&keep=1&scope=a%3Apull&scope=b%3Apull%2Cpush&service=s " + basic + b64("u:")},
		"a password alone":       {Credential{Password: "p"}, "s", get + "account=&keep=1&scope=a%3Apull&scope=b%3Apull%2Cpush&service=s " + basic + b64(":p")},
		"an identity token":      {Credential{IdentityToken: "r"}, "s", "POST https://auth.test/token?keep=1 client_id=manymage&grant_type=refresh_token&refresh_token=r&scope=a%3Apull+b%3Apull%2Cpush&service=s"},
		"the registry's own":     {Credential{RegistryToken: "given"}, "s", ""},
		"both kinds of identity": {Credential{Username: "u", IdentityToken: "r"}, "s", "POST https://auth.test/token?keep=1 client_id=manymage&grant_type=refresh_token&refresh_token=r&scope=a%3Apull+b%3Apull%2Cpush&service=s"},
	} {
		var sent string
		c := New(Options{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			sent = strings.TrimSpace(r.Method + " " + r.URL.String() + " " + r.Header.Get("Authorization"))
			if r.UserAgent() != "manymage" {
				t.Errorf("%s: we are called %s", name, r.UserAgent())
			}
			if r.Body != nil {
				body, _ := io.ReadAll(r.Body)
				sent += " " + string(body)
				if r.ContentLength != int64(len(body)) || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
					t.Errorf("%s: %d bytes of %s", name, r.ContentLength, r.Header.Get("Content-Type"))
				}
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"token":"given"}`)), Request: r}, nil
		})})
		from := issuer{host: "registry.test", realm: "https://auth.test/token?keep=1", service: test.service}
		got, err := c.fetchToken(t.Context(), from, test.cred, scopes{"b": {push, pull}, "a": {pull}})
		if err != nil || got.token != "given" || sent != test.want {
			t.Errorf("%s: %v, sent\n%s, want\n%s", name, err, sent, test.want)
		}
	}
}

func TestRealmsThatAreRefused(t *testing.T) {
	c := New(Options{Insecure: only("insecure.test"), Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("sent") })})
	const plain, loopback = true, "127.0.0.1:5000"
	for _, test := range []struct {
		from issuer
		ok   bool
	}{
		{issuer{host: "ghcr.io", realm: "https://auth.example/token"}, true},
		{issuer{host: "ghcr.io", realm: "http://auth.example/token"}, false},
		{issuer{host: "ghcr.io", realm: "http://127.0.0.1/token"}, false},
		{issuer{host: "ghcr.io", realm: "http://insecure.test/token"}, false},
		{issuer{host: loopback, plain: plain, realm: "http://127.0.0.1:5001/token"}, true},
		{issuer{host: loopback, plain: plain, realm: "http://auth.example/token"}, false},
		{issuer{host: loopback, plain: plain, realm: "ftp://127.0.0.1:5001/token"}, false},
		{issuer{host: loopback, realm: "http://127.0.0.1:5001/token"}, true},
		{issuer{host: loopback, realm: "ftp://127.0.0.1:5001/token"}, false},
		{issuer{host: loopback, realm: "http://insecure.test/token"}, false},
		{issuer{host: "insecure.test", plain: plain, realm: "http://insecure.test/token"}, true},
		{issuer{host: "insecure.test", plain: plain, realm: "http://auth.example/token"}, false},
		{issuer{host: "insecure.test", realm: "http://insecure.test/token"}, false}, // it speaks TLS itself
		{issuer{host: "ghcr.io", realm: "https://user:pw@auth.example/token"}, false},
		{issuer{host: "ghcr.io", realm: "/token"}, false},
		{issuer{host: "ghcr.io", realm: ""}, false},
		{issuer{host: "ghcr.io", realm: "file:///etc/passwd"}, false},
		{issuer{host: "ghcr.io", realm: "https:auth.example"}, false},
		{issuer{host: "ghcr.io", realm: "https:///token"}, false},
		{issuer{host: "ghcr.io", realm: "https://auth.example:bad/"}, false},
	} {
		_, err := c.fetchToken(t.Context(), test.from, Credential{Username: testUser, Password: testPassword}, nil)
		if refused := errors.Is(err, ErrUnauthorized); refused == test.ok || refused == strings.HasSuffix(err.Error(), "sent") {
			t.Errorf("%+v: %v, want allowed %v", test.from, err, test.ok)
		}
	}
}
