package lists

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// tokens makes a registry ask for one, and hands it out itself.
func tokens(s *scene) {
	s.one.Add(faults.Rule{Match: faults.On("", "/token"), Fault: faults.Answer(http.StatusOK, "application/json", `{"token":"t","expires_in":300}`)})
	s.one.Add(faults.Rule{
		Match: func(r *http.Request) bool { return r.Header.Get("Authorization") == "" },
		Fault: faults.Status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer realm="https://one.example/token",service="s",scope="repository:app:pull"`),
	})
}

// With a token there are two rounds more, whatever the number of images: one request is refused, and one token is fetched that
// reads and publishes. Without credentials nothing says beforehand that one will be needed, so that all of the first round are refused.
func TestCreateNeedsOneToken(t *testing.T) {
	for _, n := range []int{2, 10, 30} {
		for name, test := range map[string]struct {
			cred   registry.Credential
			rounds []int
		}{
			"password":  {registry.Credential{Username: "alice", Password: "secret"}, []int{1, 1, n, n + 1, 1}},
			"anonymous": {registry.Credential{}, []int{n, 1, n, n + 1, 1}},
		} {
			t.Run(fmt.Sprintf("%s, %d", name, n), func(t *testing.T) {
				s := newScene(t)
				from := s.many(n)
				tokens(s)
				steps := faults.NewLockstep(t, test.rounds...)
				s.one.Hold = steps.Hold
				client := s.clientOf(registry.Options{Credentials: func(context.Context, string) (registry.Credential, error) { return test.cred, nil }})
				if _, err := Create(t.Context(), client, []string{"one.example/app:list"}, from, CreateOptions{Publish: PublishOptions{now: (&clock{}).now}}); err != nil {
					t.Error(err)
				}
				steps.Done()
				for _, r := range s.one.Requests() {
					if r.Path == "/token" && !strings.Contains(r.Query, "push") {
						t.Errorf("a token that cannot publish: %s", r.Query)
					}
				}
			})
		}
	}
}

// What reads and then writes has one token for both.
func TestEditsAndPublicationsNeedOneToken(t *testing.T) {
	for name, do := range map[string]func(*scene, *registry.Client, index.Index) error{
		"edit": func(s *scene, c *registry.Client, _ index.Index) error {
			_, err := Apply(s.Context(), c, "one.example/app:1", Edit{Remove: []index.Target{target("linux/arm64")}}, CreateOptions{})
			return err
		},
		"publish": func(s *scene, c *registry.Client, ix index.Index) error {
			_, err := Publish(s.Context(), c, named("one.example/app"), []string{"2"}, ix, PublishOptions{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			ix := s.pushList("one.example/app:1", imageFor("linux/amd64"), imageFor("linux/arm64"))
			s.one.Reset()
			tokens(s)
			client := s.clientOf(registry.Options{Credentials: func(context.Context, string) (registry.Credential, error) {
				return registry.Credential{Username: "alice", Password: "secret"}, nil
			}})
			if err := do(s, client, ix); err != nil {
				t.Fatal(err)
			}
			asked := 0
			for _, r := range s.one.Requests() {
				if r.Path == "/token" {
					asked++
				}
			}
			if asked != 1 {
				t.Errorf("asked for %d tokens", asked)
			}
		})
	}
}

// guarded makes a registry ask for a user, and collects what it is told.
func guarded(p *faults.Proxy, user string) {
	p.Add(faults.Rule{
		Match: func(r *http.Request) bool { got, _, _ := r.BasicAuth(); return got != user },
		Fault: faults.Status(http.StatusUnauthorized, "WWW-Authenticate", `Basic realm="r"`),
	})
}

// Each registry is asked with its own credentials, and hears of no others; where they are missing the sentence says for which.
func TestASourceThatNeedsOtherCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		logins map[string]string
		says   string // "" is published
	}{
		"both":              {map[string]string{"one.example": "alice", "two.example": "bob"}, ""},
		"not the source's":  {map[string]string{"one.example": "alice"}, "two.example wants credentials and there are none; run `docker login two.example`"},
		"of somebody else":  {map[string]string{"one.example": "alice", "two.example": "eve"}, "run `docker login two.example` or `podman login two.example` as somebody who may"},
		"not the target's":  {map[string]string{"two.example": "bob"}, "run `docker login one.example`"},
		"the other's alone": {map[string]string{"one.example": "bob", "two.example": "alice"}, "run `docker login two.example` or `podman login two.example` as somebody who may"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.push("two.example/app:arm64", imageFor("linux/arm64"))
			s.one.Reset()
			s.two.Reset()
			guarded(s.one, "alice")
			guarded(s.two, "bob")
			client := s.clientOf(registry.Options{Credentials: func(_ context.Context, host string) (registry.Credential, error) {
				return registry.Credential{Username: c.logins[host], Password: c.logins[host]}, nil
			}})
			_, err := Create(t.Context(), client, []string{"one.example/app:1"}, sources("two.example/app:arm64"), CreateOptions{})
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			for host, proxy := range map[string]*faults.Proxy{"one.example": s.one, "two.example": s.two} {
				for _, r := range proxy.Requests() {
					own := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.logins[host]+":"+c.logins[host]))
					if r.Authorization != "" && r.Authorization != own {
						t.Errorf("%s was told %q", host, r.Authorization)
					}
				}
			}
		})
	}
}
