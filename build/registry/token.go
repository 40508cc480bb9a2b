package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxToken bounds a token endpoint's answer. A token has to fit a header, of which servers take 8 to 16 KiB; an answer may
	// hold it twice and a refresh token besides.
	maxToken = 128 << 10

	// A token without expires_in lives this long (Docker's token specification).
	defaultExpiry = 60 * time.Second

	clientID = "manymage"
)

// fetchToken gets a bearer token: with the refresh token by OAuth2 (POST), else with name and password, or anonymously,
// by Docker's scheme (GET).
func (c *Client) fetchToken(ctx context.Context, from issuer, cred Credential, want scopes) (bearer, error) {
	if cred.RegistryToken != "" {
		return bearer{token: cred.RegistryToken, expires: c.now().Add(defaultExpiry)}, nil
	}
	realm, err := c.realm(from)
	if err != nil {
		return bearer{}, err
	}
	ask := tokenByGet(realm, from, cred, want)
	if cred.IdentityToken != "" {
		ask = tokenByPost(from, cred, want)
	}
	resp, err := c.exchange(ctx, ask.call, realm, ask.authorization)
	if err != nil {
		return bearer{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return bearer{}, tokenRefused(from.host, cred, resp)
	}
	return c.readToken(resp.Body, from)
}

type tokenRequest struct {
	call          *call
	authorization string
}

func tokenByGet(realm *url.URL, from issuer, cred Credential, want scopes) tokenRequest {
	query := realm.Query()
	if from.service != "" {
		query.Set("service", from.service)
	}
	query["scope"] = append(query["scope"], want.strings()...)
	out := tokenRequest{call: &call{method: http.MethodGet, query: query}}
	if cred.Username != "" || cred.Password != "" {
		query.Set("account", cred.Username)
		out.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(cred.Username+":"+cred.Password))
	}
	return out
}

func tokenByPost(from issuer, cred Credential, want scopes) tokenRequest {
	form := url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {cred.IdentityToken},
		"service":       {from.service},
		"client_id":     {clientID},
		"scope":         {strings.Join(want.strings(), " ")},
	}.Encode()
	return tokenRequest{call: &call{
		method: http.MethodPost,
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		body:   Bytes([]byte(form)),
		size:   int64(len(form)),
	}}
}

// realm checks the address that a registry sends us to with our credentials: TLS, unless the registry itself is spoken to in plain
// HTTP or the address is this machine's.
func (c *Client) realm(from issuer) (*url.URL, error) {
	realm, err := url.Parse(from.realm)
	switch {
	case err != nil || realm.Host == "" || realm.User != nil:
		return nil, refusal(ErrUnauthorized, "%s names no usable address for tokens", from.host)
	case realm.Scheme == "https":
	case realm.Scheme == "http" && from.plain && c.plainAllowed(realm.Host):
	case realm.Scheme == "http" && IsLoopback(realm.Host) && IsLoopback(from.host):
	default:
		return nil, refusal(ErrUnauthorized, "%s wants credentials sent to %s://%s, which is refused", from.host, realm.Scheme, realm.Host)
	}
	return realm, nil
}

// tokenRefused is a token endpoint's no. It never quotes the answer's body, in which some echo the request.
func tokenRefused(host string, cred Credential, resp *http.Response) error {
	if again := persistenceOf(resp.StatusCode); again != never {
		f := refusal(ErrUnreachable, "the token server of %s answers %d", host, resp.StatusCode)
		f.status, f.again, f.after = resp.StatusCode, again, resp.Header.Get("Retry-After")
		return f
	}
	f := refusal(ErrUnauthorized, "%s gives %s no token for this (%d); %s", host, cred.who(), resp.StatusCode, login(host))
	f.status = resp.StatusCode
	return f
}

func (c *Client) readToken(body io.Reader, from issuer) (bearer, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxToken+1))
	if err != nil {
		return bearer{}, broken(err)
	}
	answer, err := parseToken(raw)
	if err != nil {
		return bearer{}, corrupt("the token server of %s: %w", from.host, err)
	}
	return bearer{token: answer.token, expires: c.now().Add(answer.life)}, nil
}

// What a token endpoint's answer can lack. They do not quote it.
var (
	errTokenTooLong = errors.New("its answer is too long")
	errTokenNoJSON  = errors.New("its answer is no JSON")
	errTokenMissing = errors.New("its answer holds no usable token")
)

type tokenAnswer struct {
	token string
	life  time.Duration
}

// maxLife keeps a nonsensical expires_in from overflowing; a longer one is asked for again after a day.
const maxLife = 24 * time.Hour

// parseToken reads a token endpoint's JSON. Its errors do not quote it.
func parseToken(raw []byte) (tokenAnswer, error) {
	var answer struct {
		Token       string  `json:"token"`
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if len(raw) > maxToken {
		return tokenAnswer{}, errTokenTooLong
	}
	if json.Unmarshal(raw, &answer) != nil {
		return tokenAnswer{}, errTokenNoJSON
	}
	out := tokenAnswer{token: answer.Token, life: defaultExpiry}
	if out.token == "" {
		out.token = answer.AccessToken
	}
	if !validToken(out.token) {
		return tokenAnswer{}, errTokenMissing
	}
	if answer.ExpiresIn > 0 {
		out.life = time.Duration(min(answer.ExpiresIn, maxLife.Seconds()) * float64(time.Second))
	}
	return out, nil
}

// validToken says whether a token can stand in a header: visible ASCII.
func validToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) < 0
}
