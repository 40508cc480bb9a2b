package registry

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"sync"
	"time"
)

// keyring holds what each registry wants to see in an Authorization header. The way in is learnt from the first 401; then
// every token is fetched once, however many requests wait for it.
type keyring struct {
	credentials Credentials
	loggedIn    func(host string) bool // may be nil
	fetch       func(ctx context.Context, from issuer, cred Credential, want scopes) (bearer, error)
	now         func() time.Time

	mu    sync.Mutex
	hosts map[string]*lock
}

// lock is what one host asks for, and the keys that have opened it.
type lock struct {
	scheme string // "" until a 401 has told, then "basic" or "bearer"
	scout  *scout // nil until a request is on its way
	issuer issuer
	basic  string
	keys   []*key
}

// issuer is who hands out a registry's tokens.
type issuer struct {
	host    string // the registry
	plain   bool   // the registry itself was spoken to without TLS
	realm   string
	service string
}

// key is a token for some scopes, or the wait for it.
type key struct {
	scopes scopes
	ready  chan struct{}
	bearer bearer
	err    error
}

// bearer is a token and when it stops to be one.
type bearer struct {
	token   string
	expires time.Time
}

// expiryMargin is how long before its end a token is not started with any more: a request takes its time to arrive.
const expiryMargin = 5 * time.Second

// fetchLimit bounds the fetch of a token, which outlives the request that began it because others wait for it too.
const fetchLimit = time.Minute

func (k *keyring) of(host string) *lock {
	if k.hosts == nil {
		k.hosts = map[string]*lock{}
	}
	if k.hosts[host] == nil {
		k.hosts[host] = &lock{}
	}
	return k.hosts[host]
}

// header is the Authorization header for a request, "" when none is known to be needed. Once a registry has told where its
// tokens are, one for new scopes is fetched beforehand, which saves a 401.
func (k *keyring) header(ctx context.Context, host string, want scopes) (string, error) {
	if err := k.follow(ctx, host); err != nil {
		return "", err
	}
	k.mu.Lock()
	l := k.of(host)
	switch l.scheme {
	case "":
		k.mu.Unlock()
		return "", nil
	case "basic":
		defer k.mu.Unlock()
		return l.basic, nil
	}
	held := k.hold(ctx, l, want)
	k.mu.Unlock()
	return wait(ctx, held)
}

// answer is the header with which to try again after a 401 to a request that carried used. If another request has already
// had the key renewed since, that is the one.
func (k *keyring) answer(ctx context.Context, host string, plain bool, want scopes, offers []challenge, used string) (string, error) {
	chosen, err := choose(host, offers)
	if err != nil {
		return "", err
	}
	if chosen.scheme == "basic" {
		return k.answerBasic(ctx, host, used)
	}
	k.mu.Lock()
	l := k.of(host)
	l.scheme = "bearer"
	l.issuer = issuer{host: host, plain: plain, realm: chosen.params["realm"], service: chosen.params["service"]}
	l.forget(used)
	held := k.hold(ctx, l, want.union(parseScopes(chosen.params["scope"])))
	k.mu.Unlock()
	return wait(ctx, held)
}

// choose prefers a token to a password.
func choose(host string, offers []challenge) (challenge, error) {
	for _, scheme := range []string{"bearer", "basic"} {
		for _, c := range offers {
			if c.scheme == scheme {
				return c, nil
			}
		}
	}
	return challenge{}, refusal(ErrUnauthorized, "%s asks for credentials in no way that is known here (Basic, Bearer)", host)
}

func (k *keyring) answerBasic(ctx context.Context, host, used string) (string, error) {
	cred, err := k.credentials.of(ctx, host)
	if err != nil {
		return "", err
	}
	if cred.Username == "" && cred.Password == "" {
		return "", noCredential(host)
	}
	header := "Basic " + base64.StdEncoding.EncodeToString([]byte(cred.Username+":"+cred.Password))
	if header == used {
		return "", rejected("%s does not accept the credentials of %s; %s", host, cred.Username, login(host))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.of(host)
	l.scheme, l.basic = "basic", header
	return header, nil
}

func noCredential(host string) error {
	return rejected("%s wants credentials and there are none; %s", host, login(host))
}

// rejected is a 401 for which there is no other key.
func rejected(format string, args ...any) *failure {
	f := refusal(ErrUnauthorized, format, args...)
	f.status = http.StatusUnauthorized
	return f
}

// forget drops the keys that a 401 has shown to be of no use, and those that never came.
func (l *lock) forget(used string) {
	l.keys = slices.DeleteFunc(l.keys, func(held *key) bool {
		select {
		case <-held.ready:
			return held.err != nil || "Bearer "+held.bearer.token == used
		default:
			return false
		}
	})
}

// hold finds a key that opens what is wanted, on its way or here, or sends for one. Call it with the mutex.
func (k *keyring) hold(ctx context.Context, l *lock, want scopes) *key {
	for _, held := range l.keys {
		if held.scopes.covers(want) && held.usable(k.now()) {
			return held
		}
	}
	held := &key{scopes: want, ready: make(chan struct{})}
	l.keys = append(l.keys, held)
	go k.send(context.WithoutCancel(ctx), l.issuer, held)
	return held
}

// usable says whether a key is on its way, or here and good. One that never came has ended long ago.
func (held *key) usable(now time.Time) bool {
	select {
	case <-held.ready:
		return now.Add(expiryMargin).Before(held.bearer.expires)
	default:
		return true
	}
}

func (k *keyring) send(ctx context.Context, from issuer, held *key) {
	defer close(held.ready)
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	cred, err := k.credentials.of(ctx, from.host)
	if err != nil {
		held.err = err
		return
	}
	held.bearer, held.err = k.fetch(ctx, from, cred, held.scopes)
}

func wait(ctx context.Context, held *key) (string, error) {
	select {
	case <-held.ready:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if held.err != nil {
		return "", held.err
	}
	return "Bearer " + held.bearer.token, nil
}
