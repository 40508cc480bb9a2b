package lists

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/e2e/faults"
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
				if _, err := Create(t.Context(), client, []string{"one.example/app:list"}, from, CreateOptions{}); err != nil {
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
