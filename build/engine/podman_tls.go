package engine

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/docker/docker/client"

	"github.com/manymage/manymage/platforms"
)

// towards is the API for transfers with a registry. Docker has its own list of
// insecure registries, with loopback in it. Podman has registries.conf, where
// nobody has put a loopback registry, and a word in the request that outranks it.
func (e *Engine) towards(host string) (*client.Client, error) {
	if e.info.Name != podman || !isLoopbackHost(host) && (e.lax == nil || !e.lax(host)) {
		return e.api, nil
	}
	as := e.api.HTTPClient()
	as.Transport = unverified{as.Transport}
	return e.through(as, e.api.ClientVersion())
}

// unverified lets Podman do without TLS, or with a certificate that it does not know.
type unverified struct{ http.RoundTripper }

func (u unverified) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	query := req.URL.Query()
	if strings.HasSuffix(req.URL.Path, "/images/create") {
		req.URL.Path, query = podmanPull, pullQuery(query)
	}
	query.Set("tlsVerify", "false")
	req.URL.RawQuery = query.Encode()
	return u.RoundTripper.RoundTrip(req)
}

// podmanPull is Podman's own pull: its image of Docker's does not know the word.
// The version is the oldest that Podman 4 and 5 both answer.
const podmanPull = "/v4.0.0/libpod/images/pull"

// pullQuery says the same as Docker's query.
func pullQuery(docker url.Values) url.Values {
	image, tag := docker.Get("fromImage"), docker.Get("tag")
	separator := ":"
	if strings.Contains(tag, ":") {
		separator = "@" // it is a digest
	}
	query := url.Values{"reference": {image + separator + tag}}
	if p, err := platforms.ParseAny(docker.Get("platform")); err == nil {
		query.Set("OS", p.OS)
		query.Set("Arch", p.Architecture)
		query.Set("Variant", p.Variant)
	}
	return query
}
