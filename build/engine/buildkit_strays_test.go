package engine

import (
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An engine's own image of another platform is a stray; a registry's is told of when its programs will not run.
func TestStrays(t *testing.T) {
	const named = digest.Digest("sha256:1")
	for _, test := range []struct {
		found      digest.Digest
		arch, want string
		stray      bool
		other      string
	}{
		{"", "amd64", "amd64", false, ""},
		{"", "arm", "arm64", true, ""},
		{named, "arm64", "arm64", false, ""},
		{named, "arm", "arm64", false, ""},
		{named, "", "arm64", false, ""},
		{named, "amd64", "arm64", false, "the image a:1 is one for linux/amd64 alone, and is taken for linux/arm64"},
	} {
		var s strays
		config := fmt.Appendf(nil, `{"os":"linux","architecture":%q}`, test.arch)
		other := s.note("a:1", test.found, config, &ocispec.Platform{OS: "linux", Architecture: test.want})
		if other != test.other || len(s.names) > 0 != test.stray {
			t.Errorf("%+v: %q, strays %q", test, other, s.names)
		}
	}
}
