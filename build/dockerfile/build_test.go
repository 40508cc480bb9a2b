package dockerfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/manymage/manymage/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// d is a Dockerfile of the given lines.
func d(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

func read(t *testing.T, src string) *File {
	t.Helper()
	f, err := Read([]byte(src), "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func platform(t *testing.T, s string) ocispec.Platform {
	t.Helper()
	p, err := platforms.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// armOnAmd is a build for arm/v7 by an amd64 engine.
func armOnAmd(t *testing.T) Options {
	t.Helper()
	return Options{Build: platform(t, "amd64"), Platform: platform(t, "arm/v7")}
}

// at asserts an *Error at the line of the Dockerfile that says all of the words.
func at(t *testing.T, err error, line int, words ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if e.Line != line || e.Name != "Dockerfile" {
		t.Errorf("error at %s:%d, want line %d: %v", e.Name, e.Line, line, err)
	}
	where := fmt.Sprintf("Dockerfile:%d: ", line)
	if line == 0 {
		where = "Dockerfile: "
	}
	if !strings.HasPrefix(err.Error(), where) {
		t.Errorf("%q does not begin with %q", err, where)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
	if strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("error in more than a line: %q", err)
	}
}
