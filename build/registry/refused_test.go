package registry

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

// Where nobody listens the sentence ends with what to do.
func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ref, err := reference.ParseNormalizedNamed(host + "/me/app:1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(Options{Retry: -1}).Manifest(t.Context(), ref)
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "check that it runs") {
		t.Errorf("%v", err)
	}
}

// A rule of the registry is told from a login that does not suffice, in whatever words.
func TestPolicies(t *testing.T) {
	for body, policy := range map[string]bool{
		`{"errors":[{"code":"DENIED","message":"The requested tag already exists and cannot be overwritten."}]}`: true,
		`{"errors":[{"code":"DENIED","message":"tag is Immutable"}]}`:                                            true,
		`{"errors":[{"code":"DENIED","message":"quota exceeded"}]}`:                                              true,
		`{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`:                  false,
		`{}`: false,
	} {
		if got := parseComplaint([]byte(body)).isPolicy(); got != policy {
			t.Errorf("%s: %v, want %v", body, got, policy)
		}
	}
}
