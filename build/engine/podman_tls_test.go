package engine

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
)

// caught is a transport that only notes where a request goes.
type caught struct{ url string }

func (c *caught) RoundTrip(req *http.Request) (*http.Response, error) {
	c.url = req.URL.Path + "?" + req.URL.RawQuery
	return httptest.NewRecorder().Result(), nil
}

func TestPodmanIsToldThatTLSIsNotNeeded(t *testing.T) {
	for docker, want := range map[string]string{
		"/v1.41/images/127.0.0.1:5000/a/b/push?tag=1": "/v1.41/images/127.0.0.1:5000/a/b/push?tag=1&tlsVerify=false",
		"/v1.41/images/create?fromImage=127.0.0.1%3A5000%2Fa&tag=1&platform=linux%2Farm%2Fv7": podmanPull +
			"?Arch=arm&OS=linux&Variant=v7&reference=127.0.0.1%3A5000%2Fa%3A1&tlsVerify=false",
		"/v1.41/images/create?fromImage=reg.lan%2Fa&tag=sha256%3Aaa&platform=linux%2Famd64": podmanPull +
			"?Arch=amd64&OS=linux&Variant=&reference=reg.lan%2Fa%40sha256%3Aaa&tlsVerify=false",
	} {
		var to caught
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://engine"+docker, nil)
		answer, err := unverified{&to}.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if to.url != want || req.URL.Query().Has("tlsVerify") {
			t.Errorf("%s\ngot  %s\nwant %s", docker, to.url, want)
		}
	}
}

// Only Podman is told, and only where docker would do without TLS, or INSECURE says so.
func TestOnlyInsecureRegistriesNeedNoTLS(t *testing.T) {
	lan := func(host string) bool { return host == "reg.lan:5000" }
	for _, test := range []struct {
		engine, host string
		lax          func(string) bool
		want         bool
	}{
		{podman, "127.0.0.1:5000", nil, true},
		{podman, "localhost", nil, true},
		{podman, "LOCALHOST:5000", nil, true},
		{podman, "[::1]:5000", nil, true},
		{podman, "reg.lan:5000", lan, true},
		{podman, "ghcr.io", lan, false},
		{podman, "ghcr.io", nil, false},
		{"Docker", "127.0.0.1:5000", nil, false},
		{"Docker", "reg.lan:5000", lan, false},
	} {
		var told bool
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told = r.URL.Query().Has("tlsVerify") }))
		api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion(minAPI))
		if err != nil {
			t.Fatal(err)
		}
		e := &Engine{api: api, info: Info{Name: test.engine}, lax: test.lax}
		at, err := e.towards(test.host)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := at.ImagePush(t.Context(), test.host+"/a:1", image.PushOptions{RegistryAuth: "e30="})
		if err != nil {
			t.Fatal(err)
		}
		stream.Close()
		server.Close()
		if told != test.want {
			t.Errorf("%s, %s: told %t, want %t", test.engine, test.host, told, test.want)
		}
	}
}
