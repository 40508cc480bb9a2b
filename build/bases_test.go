package build

import (
	"testing"

	"github.com/distribution/reference"

	"github.com/manymage/manymage/platforms"
)

// A base is known by its platform's own manifest, or not at all: what an engine pulls by that digest is nothing else.
func TestChildOfABase(t *testing.T) {
	p, host := patient(t, "FROM HOST/base:1\n", "arm64", "HOST/me/app")
	client, err := p.Registry()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ image, platform, same string }{
		"of a list":                {"base:1", "linux/arm64", "base:arm64"},
		"an image":                 {"base:amd64", "linux/amd64", "base:amd64"},
		"one that the list lacks":  {"base:1", "linux/s390x", ""},
		"one that would run there": {"base:1", "linux/amd64/v2", ""},
		"of nothing":               {"gone:1", "linux/arm64", ""},
	} {
		platform, err := platforms.Parse(test.platform)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if test.same != "" {
			ref, err := reference.ParseNormalizedNamed(host + "/" + test.same)
			if err != nil {
				t.Fatal(err)
			}
			desc, err := client.Head(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			want = desc.Digest.String()
		}
		if got := p.child(t.Context(), host+"/"+test.image, platform); got.String() != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
