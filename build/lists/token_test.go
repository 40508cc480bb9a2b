package lists

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/e2e/faults"
)

// tokens makes a registry ask for one, and hands it out itself.
func tokens(s *scene) {
	s.one.Add(faults.Rule{Match: faults.On("", "/token"), Fault: faults.Answer(http.StatusOK, "application/json", `{"token":"t","expires_in":300}`)})
	s.one.Add(faults.Rule{
		Match: func(r *http.Request) bool { return r.Header.Get("Authorization") == "" },
		Fault: faults.Status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer realm="https://one.example/token",service="s",scope="repository:app:pull"`),
	})
}

// With a token there are two rounds more, and one token for all of it: to read and to publish.
func TestCreateNeedsOneToken(t *testing.T) {
	const n = 10
	s := newScene(t)
	var from []Source
	for i := range n {
		ref := fmt.Sprintf("one.example/app:%d", i)
		s.push(ref, imageFor(fmt.Sprintf("linux/riscv64/v%d", i)))
		from = append(from, Source{Ref: ref})
	}
	s.one.Reset()
	tokens(s)
	if _, err := Create(t.Context(), s.client, []string{"one.example/app:list"}, from, CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	asked, refused, let := 0, 0, 0
	for _, r := range s.one.Requests() {
		switch {
		case r.Path == "/token":
			asked++
			if !strings.Contains(r.Query, "push") {
				t.Errorf("a token that cannot publish: %s", r.Query)
			}
		case r.Status == http.StatusUnauthorized:
			refused++
		default:
			let++
		}
	}
	t.Logf("%d tokens, %d refused, %d let in", asked, refused, let)
	if asked != 1 || let != 2*n+3 {
		t.Errorf("%d tokens, %d requests with it; want 1 and %d", asked, let, 2*n+3)
	}
}
