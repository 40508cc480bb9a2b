package e2e

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/e2e/faults"
)

// stubborn is a registry whose tags stay what they are, and what it answers.
type stubborn struct {
	name   string
	refuse faults.Fault
}

func stubborns() []stubborn {
	return []stubborn{
		{"Amazon", faults.Immutable(400, `{"errors":[{"code":"TAG_INVALID","message":"The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten because the tag is immutable."}]}`)},
		{"Harbor", faults.Immutable(412, `{"errors":[{"code":"PRECONDITION","message":"Failed to process request due to '{repository}:{tag}' configured as immutable."}]}`)},
		{"Quay", faults.Immutable(409, `{"errors":[{"code":"TAG_IMMUTABLE","message":"tag is immutable and cannot be overwritten"}]}`)},
		{"others", faults.Immutable(403, `{"errors":[{"code":"DENIED","message":"The requested tag already exists and cannot be overwritten."}]}`)},
	}
}

// immutable is the shared registry behind a proxy that refuses what match says, if its tag is there.
func immutable(t *testing.T, refuse faults.Fault, match func(*http.Request) bool) (*faults.Proxy, string) {
	t.Helper()
	proxy := faults.New("http://" + Plain(t).Host)
	proxy.Add(faults.Rule{Match: match, Fault: refuse})
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	r := Registry{Host: strings.TrimPrefix(server.URL, "http://")}
	return proxy, r.Repo(t)
}

// writes are the requests that sent something: an upload that is begun and given up only asks for the right to push.
func writes(proxy *faults.Proxy) []string {
	var all []string
	for _, r := range proxy.Requests() {
		if r.Method == http.MethodPut || r.Method == http.MethodPatch {
			all = append(all, r.Method+" "+r.Path)
		}
	}
	return all
}

// Where tags are immutable the first run publishes, the same run again asks for nothing that would be refused, and a changed one is
// refused in a sentence with the tag and the way out; the tag names what it did. Docker 20.10 repeats the registry's words, which
// differ; containerd gives the status alone.
func TestImmutableTags(t *testing.T) {
	EachEngine(t, []Kind{Docker20, Docker26Containerd}, func(t *testing.T, e *EngineUnderTest) {
		for _, s := range stubborns() {
			t.Run(s.name, func(t *testing.T) {
				proxy, repo := immutable(t, s.refuse, nil)
				dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY a /\n", "a": t.Name() + "1"})
				words := []string{"build", "push", "IMG=" + repo, "VERSION=1", "ARCHES=amd64"}
				Run(t, dir, With(e), words...).Exits(t, 0)
				first, before := Plain(t).Raw(t, repo+":1"), len(writes(proxy))
				Run(t, dir, With(e), words...).Exits(t, 0).Says(t, "unchanged "+repo+":1", "already there")
				if again := writes(proxy)[before:]; len(again) > 0 {
					t.Errorf("the second run wrote %v", again)
				}
				change(t, dir)
				last := lastLine(Run(t, dir, With(e), words...).Exits(t, 4).Stderr)
				if !strings.HasPrefix(last, "Error: linux/amd64: ") || !strings.Contains(last, repo+":amd64-1") || !strings.Contains(last, "choose another VERSION") || strings.Contains(last, "docker login") {
					t.Errorf("it says %s", last)
				}
				if now := Plain(t).Raw(t, repo+":1"); now != first {
					t.Errorf("the tag names %s now", now)
				}
			})
		}
	})
}

// A rule for the list's tags alone refuses in the same way: the images are there, and the list is as it was.
func TestImmutableListTag(t *testing.T) {
	e := Engine(t, Docker20)
	for _, s := range stubborns() {
		t.Run(s.name, func(t *testing.T) {
			_, repo := immutable(t, s.refuse, faults.On(http.MethodPut, "/manifests/1"))
			dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY a /\n", "a": t.Name() + "1"})
			words := []string{"build", "push", "IMG=" + repo, "VERSION=1", "ARCHES=amd64"}
			Run(t, dir, With(e), words...).Exits(t, 0)
			first := Plain(t).Raw(t, repo+":1")
			change(t, dir)
			last := lastLine(Run(t, dir, With(e), words...).Exits(t, 4).Stderr)
			if !strings.HasPrefix(last, "Error: ") || !strings.Contains(last, repo+":1: ") || !strings.Contains(last, "choose another VERSION") || strings.Contains(last, "docker login") {
				t.Errorf("it says %s", last)
			}
			if now := Plain(t).Raw(t, repo+":1"); now != first {
				t.Errorf("the tag names %s now", now)
			}
		})
	}
}

// change makes the folder's image another one.
func change(t *testing.T, dir string) {
	t.Helper()
	if err := write(filepath.Join(dir, "a"), t.Name()+"2"); err != nil {
		t.Fatal(err)
	}
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}
