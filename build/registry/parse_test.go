package registry

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
)

func TestChallenges(t *testing.T) {
	for header, want := range map[string][]challenge{
		`Basic realm="r"`: {{"basic", map[string]string{"realm": "r"}}},
		`Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"`: {{"bearer",
			map[string]string{"realm": "https://a/t", "service": "s", "scope": "repository:x:pull,push"}}},
		`bearer realm=https://a/t, service=s`:       {{"bearer", map[string]string{"realm": "https://a/t", "service": "s"}}},
		`Bearer  realm = "a" ,, service="b\"c"`:     {{"bearer", map[string]string{"realm": "a", "service": `b"c`}}},
		`Basic realm="r", Bearer realm="https://a"`: {{"basic", map[string]string{"realm": "r"}}, {"bearer", map[string]string{"realm": "https://a"}}},
		`Negotiate, Basic realm="r"`:                {{"negotiate", map[string]string{}}, {"basic", map[string]string{"realm": "r"}}},
		`Negotiate YII==, Basic realm="r"`:          {{"negotiate", map[string]string{}}, {"basic", map[string]string{"realm": "r"}}},
		`Negotiate a-b._~+/9 , Bearer realm="a"`:    {{"negotiate", map[string]string{}}, {"bearer", map[string]string{"realm": "a"}}},
		`Negotiate YII==`:                           {{"negotiate", map[string]string{}}},
		`Bearer =x, realm="a"`:                      {{"bearer", map[string]string{}}},
		`Bearer realm="a",realm="b"`:                {{"bearer", map[string]string{"realm": "a"}}},
		`Bearer realm="never ends`:                  {{"bearer", map[string]string{}}},
		``:                                          nil,
		`"`:                                         nil,
	} {
		got := parseChallenges(http.Header{"Www-Authenticate": {header}})
		if header == `Bearer realm="never ends` {
			got = got[:min(1, len(got))]
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", header, got)
		}
	}
}

func TestScopes(t *testing.T) {
	got := parseScopes("repository:a/b:push,pull repository:host:5000/x:pull registry:catalog:* repository:a/b:pull nonsense : a: :pull").strings()
	want := []string{"registry:catalog:*", "repository:a/b:pull,push", "repository:host:5000/x:pull"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	both, all := scopes{"repository:a": {pull, push}}, scopes{"repository:a": {"*"}}
	for _, test := range []struct {
		have, want scopes
		covered    bool
	}{
		{both, scopes{"repository:a": {pull}}, true},
		{both, both, true},
		{both, scopes{"repository:b": {pull}}, false},
		{both, scopes{"repository:a": {pull, remove}}, false},
		{both, scopes{"repository:a": {pull}, "repository:b": {pull}}, false},
		{all, both, true},
		{all, scopes{"repository:b": {pull}}, false},
		{both, all, false},
	} {
		if got := test.have.covers(test.want); got != test.covered {
			t.Errorf("%q covers %q: %v", test.have.strings(), test.want.strings(), got)
		}
	}
}

func TestLinks(t *testing.T) {
	const secure, plain = "https://a.test/v2/x/tags/list?n=2", "http://a.test:5000/v2/x/tags/list"
	for _, test := range []struct{ asked, header, want string }{
		{secure, `</v2/x/tags/list?last=b&n=2>; rel="next"`, "https://a.test/v2/x/tags/list?last=b&n=2"},
		{secure, `<https://a.test/more>; rel=next`, "https://a.test/more"},
		{"https://a.test/v2/docker/x/tags/list?n=2", `</v2/x/tags/list?last=2&n=2>; rel="next"`, "https://a.test/v2/docker/x/tags/list?last=2&n=2"},
		{secure, `<http://a.test/more>; rel="next"`, "https://a.test/more"},
		{secure, `</first>; rel="first", </more>; rel="next"`, "https://a.test/more"},
		{secure, `</more>; title="x"; rel="prev next"`, "https://a.test/more"},
		{secure, `</other>; rel="prev"`, ""}, {secure, ``, ""}, {secure, `<`, ""}, {secure, `>x<`, ""}, {secure, `</x>`, ""},
		{secure, `<https://b.test/more>; rel="next"`, "refused"},
		{secure, `<http://b.test/more>; rel="next"`, "refused"},
		{secure, `<ftp://a.test/more>; rel="next"`, "refused"},
		{secure, `<http://%zz>; rel="next"`, "refused"},
		{plain, `</more>; rel="next"`, "http://a.test:5000/more"},
		{plain, `<http://a.test/more>; rel="next"`, "refused"},
		{plain, `<https://a.test/more>; rel="next"`, "refused"},
	} {
		asked, _ := url.Parse(test.asked)
		next, err := nextLink(&http.Response{Header: http.Header{"Link": {test.header}}, Request: &http.Request{URL: asked}})
		got := ""
		switch {
		case err != nil:
			got = "refused"
		case next != nil:
			got = next.String()
		}
		if got != test.want {
			t.Errorf("%s: %s, %v; want %s", test.header, got, err, test.want)
		}
	}
}

func TestUploadLocations(t *testing.T) {
	asked, _ := url.Parse("https://a.test/v2/x/blobs/uploads/")
	plain, _ := url.Parse("http://127.0.0.1:5000/v2/x/blobs/uploads/")
	c := New(Options{})
	for _, test := range []struct {
		asked    *url.URL
		location string
		want     string
	}{
		{asked, "/v2/x/blobs/uploads/1?_state=a", "https://a.test/v2/x/blobs/uploads/1?_state=a"},
		{asked, "https://a.test:443/u", "https://a.test:443/u"},
		{asked, "https://b.test/u", "https://b.test/u"},
		{asked, "http://a.test/u", "https://a.test/u"},
		{asked, "http://a.test:5000/u", "https://a.test/u"},
		{asked, "http://b.test/u", ""},
		{asked, "http://127.0.0.1/u", ""},
		{asked, "ftp://a.test/u", ""},
		{asked, "https://user:pw@a.test/u", ""},
		{asked, "", ""},
		{asked, "https:opaque", ""},
		{asked, "https:///u", ""},
		{plain, "/u", "http://127.0.0.1:5000/u"},
		{plain, "http://127.0.0.1:5001/u", "http://127.0.0.1:5001/u"},
		{plain, "http://a.test/u", ""},
		{plain, "ftp://127.0.0.1:5000/u", ""},
		{plain, "https://a.test/u", "https://a.test/u"},
	} {
		got, err := c.uploadLocation(&http.Response{Header: http.Header{"Location": {test.location}}, Request: &http.Request{URL: test.asked}})
		if (err == nil) != (test.want != "") || err == nil && got.String() != test.want {
			t.Errorf("%s: %v, %v; want %q", test.location, got, err, test.want)
		}
	}
}

func TestManifestTypes(t *testing.T) {
	const list, img = `"manifests":[]`, `"config":{},"layers":[]`
	for _, test := range []struct{ header, body, want string }{
		{ocispec.MediaTypeImageIndex, `{` + list + `}`, ocispec.MediaTypeImageIndex},
		{index.DockerList, `{"mediaType":"` + index.DockerList + `",` + list + `}`, index.DockerList},
		{"", `{"mediaType":"` + index.DockerManifest + `",` + img + `}`, index.DockerManifest},
		{"application/json", `{` + img + `}`, ocispec.MediaTypeImageManifest},
		{"", `{"config":{}}`, ocispec.MediaTypeImageManifest},
		{"", `{"layers":[]}`, ocispec.MediaTypeImageManifest},
		{"text/plain", `{` + list + `}`, ocispec.MediaTypeImageIndex},
		{ocispec.MediaTypeImageIndex, `{` + img + `}`, "corrupt"},
		{ocispec.MediaTypeImageManifest, `{"mediaType":"` + ocispec.MediaTypeImageIndex + `",` + list + `}`, "corrupt"},
		{"", `{"mediaType":"` + ocispec.MediaTypeImageIndex + `",` + img + `}`, "corrupt"},
		{ocispec.MediaTypeImageIndex, `{` + list + `,` + img + `}`, "unsupported"},
		{ocispec.MediaTypeImageIndex, `{` + list + `,"Manifests":[]}`, "unsupported"}, // another list to those who read in any case
		{"", `{` + img + `,"Config":{}}`, "unsupported"},
		{ocispec.MediaTypeImageIndex, `{}`, "unsupported"},
		{ocispec.MediaTypeImageIndex, `[]`, "corrupt"},
		{ocispec.MediaTypeImageIndex, `not JSON`, "corrupt"},
		{ocispec.MediaTypeImageIndex, `{`, "corrupt"},
		{ocispec.MediaTypeImageIndex, ` `, "corrupt"},
	} {
		got, err := manifestType(test.header, []byte(test.body))
		switch {
		case errors.Is(err, ErrCorrupt):
			got = "corrupt"
		case errors.Is(err, ErrUnsupported):
			got = "unsupported"
		}
		if got != test.want {
			t.Errorf("%s %s: %s, %v", test.header, test.body, got, err)
		}
	}
	for _, body := range []string{`[]`, ` "text"`, `null`} {
		if _, err := manifestType("", []byte(body)); !errors.Is(err, ErrCorrupt) || !strings.HasSuffix(err.Error(), "is no JSON object") {
			t.Errorf("%s: %v", body, err)
		}
	}
	for header, body := range map[string]string{index.DockerSchema1: "{}", index.DockerSigned1: "{}", "": `{"schemaVersion":1,"fsLayers":[]}`} {
		if err := refuseSchema1(header, []byte(body)); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "schema 1") {
			t.Errorf("%s %s: %v", header, body, err)
		}
	}
}

func TestTokenAnswers(t *testing.T) {
	for body, want := range map[string]tokenAnswer{
		`{"token":"a"}`:                         {"a", time.Minute},
		`{"access_token":"a","expires_in":300}`: {"a", 5 * time.Minute},
		`{"token":"a","access_token":"b"}`:      {"a", time.Minute},
		`{"token":"a","expires_in":1e300}`:      {"a", maxLife},
		`{"token":"a","expires_in":-5}`:         {"a", time.Minute},
		`{"token":"a","expires_in":"soon"}`:     {},
		`{"token":"two words"}`:                 {},
		`{"token":" a"}`:                        {},
		`{"token":"a\u007f"}`:                   {},
		`{"token":"caf\u00e9"}`:                 {},
		`{"token":"line\nbreak"}`:               {},
		`{"token":""}`:                          {},
		`{}`:                                    {},
		`s3cret`:                                {},
		`{"token":"a"}` + strings.Repeat(" ", maxToken-len(`{"token":"a"}`)):   {"a", time.Minute},
		`{"token":"a"}` + strings.Repeat(" ", maxToken-len(`{"token":"a"}`)+1): {},
	} {
		got, err := parseToken([]byte(body))
		if got != want || (err != nil) != (want == tokenAnswer{}) || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%.40s: %v, %v", body, got, err)
		}
	}
}

func TestWhereAHostAnswers(t *testing.T) {
	for host, want := range map[string]string{"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io", "ghcr.io": "ghcr.io", "127.0.0.1:5000": "127.0.0.1:5000"} {
		if got := apiHost(host); got != want {
			t.Errorf("%s answers at %s, want %s", host, got, want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{"localhost": true, "LOCALHOST:5000": true, "127.0.0.1": true, "127.9.9.9:80": true, "[::1]:5000": true, "::1": true,
		"localhost.example": false, "127.0.0.1.example": false, "10.0.0.1": false, "ghcr.io": false, "": false, "[::ffff:127.0.0.1]:1": true} {
		if IsLoopback(host) != want {
			t.Errorf("IsLoopback(%q) = %v", host, !want)
		}
	}
}

func TestRanges(t *testing.T) {
	for header, want := range map[string]int64{"bytes 42-99/100": 42, "bytes 7-": 7, "bytes 0-": 0, "bytes -5": 0, "42-99/100": 0, "items 1-2": 0, "bytes 42": 0, "": 0,
		"bytes 9999999999999999999-": 0} {
		if got := rangeStart(header); got != want {
			t.Errorf("%q: %d", header, got)
		}
	}
}

func TestReferrersTag(t *testing.T) {
	if got := ReferrersTag(digest.Digest("sha256:" + strings.Repeat("a", 64))); got != "sha256-"+strings.Repeat("a", 64) {
		t.Error(got)
	}
	if got := ReferrersTag(digest.Digest("sha512:" + strings.Repeat("b", 128))); got != "sha512-"+strings.Repeat("b", 64) {
		t.Error(got)
	}
}

// The fuzz tests hold that what a registry, a helper or a file says is either understood or refused, within bounds, and that a
// refusal does not repeat it.

func FuzzChallenge(f *testing.F) {
	for _, s := range []string{`Bearer realm="https://a/t",service="s"`, `Basic realm="r", Bearer realm="x"`, `"`, `a=b`, `Bearer x="\`, strings.Repeat("a ", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got := parseChallenges(http.Header{"Www-Authenticate": {header}})
		if len(got) > maxChallenges {
			t.Errorf("%d challenges", len(got))
		}
		for _, c := range got {
			if c.scheme == "" || c.scheme != strings.ToLower(c.scheme) {
				t.Errorf("scheme %q", c.scheme)
			}
		}
	})
}

func FuzzLink(f *testing.F) {
	for _, s := range []string{`</v2/x?n=1>; rel="next"`, `<https://b/>; rel=next`, `<`, `<>;rel=next,<a>;rel=next`, `<//b/x>; rel="next"`} {
		f.Add(s)
	}
	asked, _ := url.Parse("https://a.test/v2/x/tags/list")
	f.Fuzz(func(t *testing.T, header string) {
		got, err := nextLink(&http.Response{Header: http.Header{"Link": {header}}, Request: &http.Request{URL: asked}})
		if err == nil && got != nil && !sameOrigin(got, asked) {
			t.Errorf("leads to %s", got)
		}
	})
}

func FuzzLocation(f *testing.F) {
	for _, s := range []string{"/u?_state=1", "https://b.test/u", "http://a.test/u", "//b/u", "http://127.0.0.1/u", "http:a", "https://u:p@a.test/"} {
		f.Add(s)
	}
	asked, _ := url.Parse("https://a.test/v2/x/blobs/uploads/")
	c := New(Options{})
	f.Fuzz(func(t *testing.T, header string) {
		got, err := c.uploadLocation(&http.Response{Header: http.Header{"Location": {header}}, Request: &http.Request{URL: asked}})
		if err == nil && (got.Scheme != "https" || got.Host == "" || got.User != nil) {
			t.Errorf("leads to %s", got)
		}
	})
}

func FuzzManifestType(f *testing.F) {
	f.Add(ocispec.MediaTypeImageIndex, `{"manifests":[]}`)
	f.Add(index.DockerManifest, `{"mediaType":"x","config":{},"layers":[]}`)
	f.Add("", `{"manifests":null,"layers":{}}`)
	f.Fuzz(func(t *testing.T, header, body string) {
		got, err := manifestType(header, []byte(body))
		if (err == nil) != isManifestType(got) {
			t.Errorf("%q, %v", got, err)
		}
		_ = refuseSchema1(header, []byte(body))
	})
}

func FuzzToken(f *testing.F) {
	for _, s := range []string{`{"token":"a","expires_in":60}`, `{"access_token":"a"}`, `{"token":1}`, `[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := parseToken([]byte(body))
		if err == nil && (!validToken(got.token) || got.life <= 0 || got.life > maxLife) {
			t.Errorf("%+v", got)
		}
		if len(body) > 20 && err != nil && strings.Contains(err.Error(), body) {
			t.Errorf("repeats it: %v", err)
		}
	})
}

func FuzzDockerConfig(f *testing.F) {
	for _, s := range []string{`{"auths":{"ghcr.io":{"auth":"dTpw"}}}`, `{"credsStore":"x"}`, `{"credHelpers":{"a":"b"}}`, `{"auths":null}`, `{"auths":{"https://":{}}}`} {
		f.Add(s, "ghcr.io")
	}
	f.Fuzz(func(t *testing.T, body, host string) {
		config, err := parseDockerConfig([]byte(body))
		if err != nil {
			return
		}
		config.CredsStore, config.CredHelpers = "", nil // what they run is not for fuzzing
		cred, err := config.find(t.Context(), host, "", environment())
		if err != nil && cred != (Credential{}) {
			t.Errorf("%v beside %v", cred, err)
		}
	})
}

func FuzzHelper(f *testing.F) {
	for _, s := range []string{`{"Username":"u","Secret":"s"}`, `{"Username":"<token>","Secret":"s"}`, `x`, `{}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, out string) {
		if cred, err := parseHelper("x", []byte(out)); err != nil && cred != (Credential{}) {
			t.Errorf("%v beside %v", cred, err)
		}
	})
}

func FuzzComplaint(f *testing.F) {
	for _, s := range []string{`{"errors":[{"code":"A","message":"b"}]}`, `{"errors":[{}]}`, `<html>`, `{"errors":[{"message":"\u0007\n"}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		said := parseComplaint([]byte(body)).String()
		if len(said) > maxSaid+10 || strings.ContainsAny(said, "\r\n") {
			t.Errorf("%q", said)
		}
	})
}

// FuzzAnswers is a registry that answers anything to every request: no operation panics, each comes to its end, and what one hands
// on is what it was asked for.
func FuzzAnswers(f *testing.F) {
	f.Add(200, "application/json", "", `{"tags":["b","a","b"]}`)
	f.Add(200, ocispec.MediaTypeImageIndex, `</v2/a/tags/list?n=1>; rel="next"`, `{"manifests":[{"digest":"x"}]}`)
	f.Add(200, index.DockerManifest, "", `{"schemaVersion":2,"config":{"digest":"sha256:x","size":-1},"layers":[]}`)
	f.Add(401, "", "", "")
	f.Add(307, "", "", "")
	f.Add(404, "application/json", "", `{"errors":[{"code":"X","message":"\u001b[31m"}]}`)
	at, _ := reference.ParseNormalizedNamed("registry.test/a:1")
	f.Fuzz(func(t *testing.T, status int, mediaType, link, body string) {
		c := New(Options{Retry: -1, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			h := http.Header{"Content-Type": {mediaType}, "Link": {link}, "Location": {link}, "Www-Authenticate": {link}}
			return &http.Response{StatusCode: 100 + (status%500+500)%500, Header: h, ContentLength: -1, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})})
		want := digest.FromString(body)
		named, _ := reference.WithDigest(reference.TrimNamed(at), want)
		if m, err := c.Manifest(t.Context(), named); err == nil && (string(m.Bytes) != body || !isManifestType(m.Descriptor.MediaType)) {
			t.Errorf("%+v", m)
		}
		if got, err := c.Config(t.Context(), at, ocispec.Descriptor{Digest: want, Size: int64(len(body))}); err == nil && string(got) != body {
			t.Errorf("config %q", got)
		}
		if tags, err := c.Tags(t.Context(), at); err == nil && !slices.IsSorted(tags) {
			t.Errorf("tags %q", tags)
		}
		_, err := c.Referrers(t.Context(), at, want, "")
		for _, err := range []error{err, c.DeleteManifest(t.Context(), at, want), c.PutBlob(t.Context(), at, descOf("", []byte("x")), Bytes([]byte("x")))} {
			if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q", err)
			}
		}
	})
}
