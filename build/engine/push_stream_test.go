package engine

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
)

const (
	someDigest = "sha256:12088f250c99dac7a1c8417e55b20bd7ea5050fd74d198f34065df74e2c8d991"
	pushedBy20 = `{"status":"The push refers to repository [example.com/a]"}
{"status":"Preparing","progressDetail":{},"id":"14cae71a4b1c"}
{"status":"Pushing","progressDetail":{"current":512,"total":1024},"progress":"[>  ]","id":"14cae71a4b1c"}
{"status":"Pushed","progressDetail":{},"id":"14cae71a4b1c"}
{"status":"Layer already exists","progressDetail":{},"id":"24cae71a4b1c"}
{"status":"Mounted from b","progressDetail":{},"id":"34cae71a4b1c"}
{"status":"1: digest: ` + someDigest + ` size: 524"}
{"progressDetail":{},"aux":{"Tag":"1","Digest":"` + someDigest + `","Size":524}}
`
	pushedByContainerd = `{"status":"The push refers to repository [example.com/a]"}
{"status":"Pushed","progressDetail":{},"id":"d57a3f8f7b4c"}
{"status":"1: digest: ` + someDigest + ` size: 480"}
`
	pushedByPodman = `{"status":"Getting image source signatures"}
{"status":"Copying blob sha256:aaaa"}
{"status":"Writing manifest to image destination"}
{"status":"1: digest: ` + someDigest + ` size: 7"}
`
)

func TestReadPush(t *testing.T) {
	for _, one := range []struct {
		name, stream string
		want         Pushed
	}{
		{"Docker 20.10", pushedBy20, Pushed{Digest: someDigest, Size: 524, Uploaded: 1, Present: 2}},
		{"containerd store", pushedByContainerd, Pushed{Digest: someDigest, Size: 480, Uploaded: 1}},
		{"a value alone", `{"aux":{"Tag":"1","Digest":"` + someDigest + `","Size":524}}`, Pushed{Digest: someDigest, Size: 524}},
		{"Podman", pushedByPodman, Pushed{Digest: someDigest, Size: 7}},
	} {
		got, err := readPush(t.Context(), "example.com/a:1", strings.NewReader(one.stream), func(Event) {})
		if err != nil || got != one.want {
			t.Errorf("%s: got %+v %v, want %+v", one.name, got, err, one.want)
		}
	}
}

// What is told of a push is the sum of its layers, each never more than its size, and in the end that it is done, once.
func TestReadPushCountsBytes(t *testing.T) {
	const second = `{"status":"Pushing","progressDetail":{"current":500,"total":2000},"id":"44cae71a4b1c"}
{"status":"Pushing","progressDetail":{"current":2009,"total":2000},"id":"44cae71a4b1c"}
{"status":"Pushed","progressDetail":{},"id":"44cae71a4b1c"}
`
	head, tail, _ := strings.Cut(pushedBy20, `{"status":"1: digest`)
	var got []Event
	if _, err := readPush(t.Context(), "a:1", strings.NewReader(head+second+`{"status":"1: digest`+tail), func(e Event) { got = append(got, e) }); err != nil {
		t.Fatal(err)
	}
	want := []Event{Bytes{Name: "push"}, Bytes{Name: "push", Current: 512, Total: 1024}, Bytes{Name: "push", Current: 1024, Total: 1024},
		Bytes{Name: "push", Current: 1524, Total: 3024}, Bytes{Name: "push", Current: 3024, Total: 3024}, Bytes{Name: "push", Current: 3024, Total: 3024, Done: true}}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestPushFaults(t *testing.T) {
	failed := func(text string) string { return `{"errorDetail":{"message":"` + text + `"},"error":"` + text + `"}` }
	for _, one := range []struct {
		stream string
		want   error
	}{
		{failed("unauthorized: authentication required"), ErrUnauthorized},
		{failed("denied: requested access to the resource is denied"), ErrUnauthorized},
		{failed("no basic auth credentials"), ErrUnauthorized},
		{failed("tag invalid: The image tag '1' already exists in the 'a' repository and cannot be overwritten because the repository is immutable."), ErrTagRefused},
		{failed("unknown: Failed to process request due to 'a:1' configured as immutable."), ErrTagRefused},
		{failed("denied: The requested tag already exists and cannot be overwritten."), ErrTagRefused},
		{failed(`failed commit on ref \"manifest-sha256:00\": unexpected status from PUT request to http://r/v2/a/manifests/1: 409 Conflict`), ErrManifestRefused},
		{failed("unexpected status from PUT request to https://r/v2/a/manifests/1: 403 Forbidden"), ErrManifestRefused},
		{failed("unexpected status from PUT request to https://r/v2/a/manifests/1: 400 Bad Request"), ErrManifestRefused},
		{failed("unexpected status from PUT request to https://r/v2/a/manifests/1: 503 Service Unavailable"), errTransient},
		{failed("unexpected status from PUT request to https://r/v2/a/manifests/1: 401 Unauthorized"), ErrUnauthorized},
		{failed("unexpected status from POST request to https://r/v2/a/blobs/uploads/: 403 Forbidden"), ErrUnauthorized},
		{failed("Get https://r/v2/: dial tcp 127.0.0.1:1: connect: connection refused"), ErrRegistryUnreachable},
		{failed("http: server gave HTTP response to HTTPS client"), ErrRegistryUnreachable},
		{failed("Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?"), ErrUnreachable},
		{failed("An image does not exist locally with the tag: a"), ErrNotFound},
		{failed("failed to find image a:1: a:1: image not known"), ErrNotFound},
		{failed("failed to copy: rpc error: code = NotFound desc = content digest sha256:c042: not found"), ErrNotFound},
		{failed("received unexpected HTTP status: 503 Service Unavailable"), errTransient},
		{failed("toomanyrequests: slow down"), errTransient},
		{failed("blob unknown: blob unknown to registry"), errTransient},
		{failed("read tcp 1.2.3.4:1->5.6.7.8:443: read: connection reset by peer"), errTransient},
		{`{"status":"Pushing","id":"a"}`, errTransient},
		{`{"status":"Pushing"`, errTransient},
		{"", errTransient},
		{"<html>", nil},
		{failed("manifest invalid: too many layers"), nil},
		{failed(`Put \"https://reg.lan/v2/me/certificate-manager/blobs/uploads/1\": EOF`), errTransient},
		{failed(`Put \"https://reg.lan/v2/me/app/manifests/amd64-1.2.401\": EOF`), errTransient},
		{failed("me/forbidden-island: read tcp 1.2.3.4:403->5.6.7.8:443: read: connection reset by peer"), errTransient},
		{failed("unknown: a:1 cannot be stored"), nil},
		{failed(`Get \"https://reg.lan/v2/\": x509: certificate signed by unknown authority`), ErrRegistryUnreachable},
	} {
		_, err := readPush(t.Context(), "a:1", strings.NewReader(one.stream), func(Event) {})
		var refused *PushError
		if !errors.As(err, &refused) || refused.Ref != "a:1" {
			t.Errorf("%s: got %v", one.stream, err)
			continue
		}
		for _, kind := range []error{ErrUnauthorized, ErrTagRefused, ErrManifestRefused, ErrRegistryUnreachable, ErrUnreachable, ErrNotFound, errTransient} {
			if errors.Is(err, kind) != (kind == one.want) {
				t.Errorf("%s: got %v, want %v", one.stream, err, one.want)
			}
		}
	}
}

// A push that fails on the way to its registry is told as a pull is; where the registry speaks, its own words are the clearest.
func TestPushErrors(t *testing.T) {
	for text, want := range map[string]string{
		"Get \"https://r.example/v2/\": http: server gave HTTP response to HTTPS client":    "r.example speaks plain HTTP, and the engine asks for HTTPS; name r.example among the engine's insecure-registries, and for Podman in INSECURE",
		"Get \"https://r.example/v2/\": dial tcp 10.0.0.1:443: connect: connection refused": "the engine does not reach r.example (connection refused); check its name, and that r.example answers the engine",
		"x509: certificate signed by unknown authority":                                     "x509: certificate signed by unknown authority; give the engine the certificate of r.example's authority, as in /etc/docker/certs.d/r.example/ca.crt",
		"unauthorized: authentication required":                                             "unauthorized: authentication required; log in with `docker login r.example`, and check that this account may push there",
		"denied: the repository is immutable":                                               "denied: the repository is immutable; the tag cannot be moved: choose another VERSION",
		"unknown: a:1 cannot be stored":                                                     "unknown: a:1 cannot be stored",
	} {
		if err := pushError(t.Context(), "r.example/a:1", text); err.Error() != "push r.example/a:1: "+want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// Podman tells of each format in which a manifest was refused, and the same: once is enough.
func TestPushFaultsAreToldOnce(t *testing.T) {
	const (
		why  = "uploading manifest 1 to r.example/a: tag invalid: The image tag '1' (of a) already exists and cannot be overwritten because the repository is immutable."
		oci  = "application/vnd.oci.image.manifest.v1+json(" + why + ")"
		more = ", application/vnd.docker.distribution.manifest.v2+json(" + why + "), application/vnd.docker.distribution.manifest.v1+json(" + why + ")"
		tale = "writing manifest: uploading manifest failed, attempted the following formats: "
	)
	for _, text := range []string{why, tale + oci, tale + oci + more} {
		err := pushError(t.Context(), "r.example/a:1", text)
		if got := err.Error(); !strings.HasPrefix(got, "push r.example/a:1: "+why+";") || strings.Count(got, why) != 1 || !errors.Is(err, ErrTagRefused) {
			t.Errorf("%s\ngot %v", text, err)
		}
	}
}

// A push that is said to have gone well always has a digest, and never more
// layers than the stream has lines.
func FuzzReadPush(f *testing.F) {
	f.Add(pushedBy20)
	f.Add(pushedByContainerd)
	f.Add(`{"aux":{"Digest":"sha256:zz"}}`)
	f.Add(`{"error":"x"}{"status":"1: digest: ` + someDigest + ` size: 99999999999999999999"}`)
	f.Fuzz(func(t *testing.T, stream string) {
		got, err := readPush(t.Context(), "a:1", strings.NewReader(stream), func(Event) {})
		if err == nil && (got.Digest.Validate() != nil || got.Uploaded+got.Present > strings.Count(stream, "{")) {
			t.Errorf("got %+v", got)
		}
	})
}

// An engine is given the credentials of the one registry that it is to talk to.
func TestTransfersHaveCredentials(t *testing.T) {
	e := (&playedEngine{}).open(t)
	e.auth = func(_ context.Context, host string) (Credential, error) {
		switch host {
		case "docker.io":
			return Credential{Username: "ada", Password: "secret"}, nil
		case "oauth.example:5000":
			return Credential{IdentityToken: "refresh"}, nil
		}
		return Credential{}, errors.New("no helper")
	}
	for ref, want := range map[string]registry.AuthConfig{
		"me/app:1":                 {Username: "ada", Password: "secret", ServerAddress: "docker.io"},
		"oauth.example:5000/app:1": {IdentityToken: "refresh", ServerAddress: "oauth.example:5000"},
	} {
		_, auth, err := e.transfer(t.Context(), ref)
		if got, broken := registry.DecodeAuthConfig(auth); err != nil || broken != nil || *got != want {
			t.Errorf("%s: %+v, %v, %v", ref, got, err, broken)
		}
	}
	for ref, want := range map[string]string{"other.example/app:1": "other.example/app:1: the credentials of other.example: no helper", "No:1": "No:1: invalid reference format: "} {
		if _, _, err := e.transfer(t.Context(), ref); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

// A real engine does not fail on demand, so this one is played.
type playedEngine struct {
	answers []string
	asked   int
}

func (p *playedEngine) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(req.URL.Path, "/push") {
		return nil, net.ErrClosed
	}
	text := p.answers[min(p.asked, len(p.answers)-1)]
	p.asked++
	answer := httptest.NewRecorder()
	_, _ = io.WriteString(answer, text)
	return answer.Result(), nil
}

func (p *playedEngine) open(t *testing.T) *Engine {
	t.Helper()
	api, err := client.NewClientWithOpts(client.WithHost("tcp://engine:1"), client.WithHTTPClient(&http.Client{Transport: p}), client.WithScheme("http"), client.WithVersion(minAPI))
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{api: api, auth: Options{}.credentials()}
}

func TestPushTriesTransientFaultsAgain(t *testing.T) {
	const lost, refused = `{"error":"blob unknown to registry"}`, `{"error":"denied"}`
	const perhaps = `{"error":"unexpected status from PUT request to https://r/v2/a/manifests/1: 400 Bad Request"}` // of containerd, for either
	for _, one := range []struct {
		name    string
		answers []string
		want    digest.Digest
		err     error
		asked   int
	}{
		{"cured", []string{lost, pushedBy20}, someDigest, nil, 2},
		{"for good", []string{lost}, "", errTransient, pushTries},
		{"refused", []string{refused}, "", ErrUnauthorized, 1},
		{"lost or refused, cured", []string{perhaps, pushedBy20}, someDigest, nil, 2},
		{"lost or refused, for good", []string{perhaps}, "", ErrManifestRefused, pushTries},
		{"refused later", []string{lost, refused}, "", ErrUnauthorized, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			played := &playedEngine{answers: one.answers}
			told := 0
			got, err := played.open(t).Push(t.Context(), "example.com/a:1", func(e Event) {
				if _, ok := e.(Notice); ok {
					told++
				}
			})
			if got.Digest != one.want || !errors.Is(err, one.err) || played.asked != one.asked || told != one.asked-1 {
				t.Errorf("%s: got %+v %v, asked %d times, told %d", one.name, got, err, played.asked, told)
			}
		})
	}
}

func TestPushStopsWaitingWhenTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		played := &playedEngine{answers: []string{`{"error":"blob unknown to registry"}`}}
		_, err := played.open(t).Push(ctx, "example.com/a:1", func(e Event) {
			if _, ok := e.(Notice); ok {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || played.asked != 1 {
			t.Errorf("got %v, asked %d times", err, played.asked)
		}
	})
}
