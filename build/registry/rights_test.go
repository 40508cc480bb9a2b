package registry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/e2e/faults"
)

// Who may not push is told so by the registry's own answer to an upload's beginning. No other answer says anything, and none is
// asked for twice.
func TestMayPush(t *testing.T) {
	body := func(status int, text string) faults.Fault { return faults.Answer(status, "application/json", text) }
	basic := faults.Status(401, "WWW-Authenticate", `Basic realm="r"`)
	alice := Credential{Username: testUser, Password: testPassword}
	for name, test := range map[string]struct {
		fault faults.Fault
		who   Credential
		kind  error
		says  string
	}{
		"denied":           {body(403, `{"errors":[{"code":"DENIED","message":"no permission"}]}`), alice, ErrUnauthorized, "does not let alice push there (403: DENIED no permission); run `docker login"},
		"in other words":   {body(403, "<html>"), Credential{}, ErrUnauthorized, "does not let anonymous push there (403); run"},
		"wrong password":   {basic, alice, ErrUnauthorized, "does not let alice push there (401); run `docker login"},
		"no password":      {basic, Credential{}, ErrUnauthorized, "wants credentials and there are none; run `docker login"},
		"over quota":       {body(403, `{"errors":[{"code":"DENIED","message":"quota exceeded"}]}`), alice, ErrDenied, "takes nothing from alice (403: DENIED quota exceeded); ask"},
		"to be made first": {body(404, `{"errors":[{"code":"NAME_UNKNOWN","message":"no ways/app"}]}`), alice, ErrNotFound, "makes none for alice (404: NAME_UNKNOWN no ways/app); create it there first"},
		"read-only":        {body(405, `{"errors":[{"code":"UNSUPPORTED"}]}`), alice, ErrDenied, "from alice or anybody (405: UNSUPPORTED), as a mirror or read-only; set IMG"},
		"not there":        {body(404, "not here"), alice, nil, ""},
		"done at once":     {faults.Status(200), alice, nil, ""},
		"nowhere to go on": {faults.WithHeader("Location", ":"), alice, nil, ""},
		"unknown scheme":   {faults.Status(401, "WWW-Authenticate", "Negotiate"), alice, nil, ""},
		"overloaded":       {faults.Status(503), alice, nil, ""},
		"too many":         {faults.Status(429), alice, nil, ""},
		"for a minute":     {body(429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"quota exceeded for requests per minute"}]}`), alice, nil, ""},
		"broken":           {body(500, `{"errors":[{"code":"NAME_UNKNOWN","message":"no database"}]}`), alice, nil, ""},
		"breaking off":     {faults.Reset(), alice, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFaulty(t, Options{Credentials: static(test.who)})
			f.Add(faults.Rule{Match: faults.On("POST", "/blobs/uploads/"), Fault: test.fault})
			cancel, err := f.client.MayPush(t.Context(), ref(t, f.host+"/ways/app"))
			cancel(t.Context())
			if !errors.Is(err, test.kind) {
				t.Fatalf("%v, want %v", err, test.kind)
			}
			if err != nil && (!strings.HasPrefix(err.Error(), "push to "+f.host+"/ways/app: ") || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%v, want %q", err, test.says)
			}
			if sent := len(f.Requests()); sent > 2 || sent > 1 && test.kind != ErrUnauthorized {
				t.Errorf("%d requests", sent)
			}
		})
	}
}

// A token server that gives no token for pushing has said no, too; one that fails has not.
func TestMayPushByToken(t *testing.T) {
	for status, kind := range map[int]error{401: ErrUnauthorized, 403: ErrUnauthorized, 400: nil, 500: nil, 503: nil} {
		f := newFaulty(t, Options{Credentials: static(Credential{Username: testUser, Password: testPassword})})
		tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(tokens.Close)
		f.Add(faults.Rule{Fault: faults.Status(401, "WWW-Authenticate", `Bearer realm="`+tokens.URL+`",service="s"`)})
		_, err := f.client.MayPush(t.Context(), ref(t, f.host+"/ways/app"))
		if !errors.Is(err, kind) || err != nil && !strings.Contains(err.Error(), "gives alice no token") {
			t.Errorf("%d: %v, want %v", status, err, kind)
		}
	}
}

// The upload is given up again, at the place that was named for it and by who opened it; or at least it was tried.
func TestMayPushLeavesNothing(t *testing.T) {
	for _, broken := range []bool{false, true} {
		f := newFaulty(t, Options{Credentials: static(Credential{Username: testUser, Password: testPassword})})
		f.Add(faults.Rule{Match: func(r *http.Request) bool { return r.Header.Get("Authorization") == "" },
			Fault: faults.Status(401, "WWW-Authenticate", `Basic realm="r"`)})
		cancel, err := f.client.MayPush(t.Context(), ref(t, f.host+"/ways/app"))
		if err != nil {
			t.Fatal(err)
		}
		want := http.StatusNoContent
		if broken {
			want = 0
			f.Add(faults.Rule{Match: faults.On("DELETE", ""), Fault: faults.Reset()})
		}
		cancel(t.Context())
		seen := f.Requests()
		i := slices.IndexFunc(seen, func(r faults.Request) bool { return r.Method == http.MethodDelete })
		if i < 0 || seen[i].Status != want || !strings.Contains(seen[i].Path, "/ways/app/blobs/uploads/") {
			t.Errorf("%+v", seen)
		}
	}
}
