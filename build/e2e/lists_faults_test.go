package e2e

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/e2e/faults"
)

// behind is a way to a scene's repository that leads through a proxy, which does what networks and registries do.
func behind(t *testing.T, at listScene) (proxy *faults.Proxy, repo string) {
	t.Helper()
	proxy = faults.New("http://" + at.Host)
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return proxy, strings.Replace(at.repo, at.Host, server.Listener.Addr().String(), 1)
}

// Every request of a run suffers once, and the list is made all the same: of the very images that are in the registry.
func TestListsOutliveFaults(t *testing.T) {
	at := newListScene(t, Plain(t))
	Run(t, at.dir, nil, "manifest:create", at.repo+":sound", at.repo+":amd64-1,"+at.repo+":arm64-1").Exits(t, 0)
	want := at.Index(t, at.repo+":sound").Manifests
	for _, test := range []struct {
		tag   string
		fault faults.Fault
	}{
		{"408", faults.Status(408)}, {"429", faults.Status(429, "Retry-After", "1")}, {"500", faults.Status(500)},
		{"502", faults.Answer(502, "text/html", "<h1>Bad Gateway</h1>")}, {"503", faults.Status(503)}, {"504", faults.Status(504)},
		{"reset", faults.Reset()}, {"reset-in-body", faults.ResetInBody()}, {"early-close", faults.CloseInBody()}, {"lost-answer", faults.LoseAnswer()},
		{"flipped-bit", faults.FlipBit()}, {"truncated", faults.Truncate()}, {"empty", faults.Empty()},
		{"substituted", faults.Substitute(`{"schemaVersion":2,"config":{},"layers":[]}`)},
	} {
		t.Run(test.tag, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			proxy, repo := behind(t, at)
			proxy.Add(faults.Rule{Match: faults.OncePerRequest(), Fault: test.fault})
			// A list of its own: where several write the same manifest, docker-registry has moments in which it cannot be read.
			own := "-annotations=fault=" + test.tag
			Run(t, at.dir, nil, "manifest:create", repo+":"+test.tag, repo+":amd64-1,"+repo+":arm64-1", own).Exits(t, 0)
			if got := at.Index(t, at.repo+":"+test.tag).Manifests; !reflect.DeepEqual(got, want) {
				t.Errorf("published %v, want %v", got, want)
			}
		})
	}
}

// What stays wrong is refused with the code that fits, named, and nothing is published.
func TestListsRefuseLastingFaults(t *testing.T) {
	at := newListScene(t, Plain(t))
	manifest, config := faults.On(http.MethodGet, "/manifests/amd64-1"), faults.On(http.MethodGet, "/blobs/")
	for _, test := range []struct {
		name string
		code int
		says string
		rule faults.Rule
	}{
		{"a flipped bit in an image", 1, "corrupt content", faults.Rule{Match: manifest, Fault: faults.FlipBit()}},
		{"another image in its place", 1, "corrupt content", faults.Rule{Match: manifest, Fault: faults.Substitute(`{"schemaVersion":2,"config":{},"layers":[]}`)}},
		{"a truncated config", 1, "corrupt content", faults.Rule{Match: config, Fault: faults.Truncate()}},
		{"an image that is gone", 1, "not found", faults.Rule{Match: manifest, Fault: faults.Status(404)}},
		{"an image of before 2016", 1, "schema 1", faults.Rule{Match: manifest, Fault: faults.Substitute(`{"schemaVersion":1,"fsLayers":[]}`)}},
		{"an image of five megabytes", 1, "larger than 4 MiB", faults.Rule{Match: manifest, Fault: faults.Substitute(`{"x":"` + strings.Repeat("x", 5<<20) + `"}`)}},
		{"a registry that cannot do it", 1, "answers 501; check that this", faults.Rule{Match: manifest, Fault: faults.Status(501)}},
		{"a redirect to elsewhere without TLS", 1, "which is refused", faults.Rule{Match: config, Fault: faults.Redirect(307, "http://blobs.example/x")}},
		{"an immutable tag", 4, "TAG_INVALID", faults.Rule{Match: faults.On(http.MethodPut, "/manifests/"),
			Fault: faults.Answer(400, "application/json", `{"errors":[{"code":"TAG_INVALID","message":"the tag is immutable"}]}`)}},
		{"a registry that is down", 5, "503", faults.Rule{Fault: faults.Status(503)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			proxy, repo := behind(t, at)
			proxy.Add(test.rule)
			tag := strings.ReplaceAll(test.name, " ", "-")
			Run(t, at.dir, nil, "manifest:create", repo+":"+tag, repo+":amd64-1,"+repo+":arm64-1", "RETRY=2s").Exits(t, test.code).Says(t, test.says)
			if at.Has(t, at.repo+":"+tag) {
				t.Error("it was published")
			}
		})
	}
}

// The second of three tags fails: the others move, and that is what is reported.
func TestListsReportEachTag(t *testing.T) {
	at := newListScene(t, Plain(t))
	proxy, repo := behind(t, at)
	proxy.Add(faults.Rule{Match: faults.On(http.MethodPut, "/manifests/b"), Fault: faults.Status(403)})
	Run(t, at.dir, nil, "manifest:create", repo+":a", repo+":amd64-1,"+repo+":arm64-1", "-tags=b,c").Exits(t, 1).Says(t, "failed: b; moved: a, c")
	for tag, want := range map[string]bool{"a": true, "b": false, "c": true} {
		if got := at.Has(t, at.repo+":"+tag); got != want {
			t.Errorf("%s is there: %v, want %v", tag, got, want)
		}
	}
}
