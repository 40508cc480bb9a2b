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
