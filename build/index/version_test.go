package index

import (
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestNewer(t *testing.T) {
	of := func(version string) Index {
		return Index{Annotations: map[string]string{ocispec.AnnotationVersion: version}}
	}
	for _, c := range []struct {
		mine, other string
		want        bool
	}{
		{"1.3.0", "1.2.9", true},
		{"1.2.10", "1.2.9", true},
		{"v1.3.0", "1.2.9", true},
		{"1.3", "1.2.9", true},
		{"1.3.0", "1.3.0-rc.1", true},
		{"1.3.0", "1.3.0", false},
		{"1.2.9", "1.3.0", false},
		{"dev", "1.2.9", false},
		{"1.2.9", "dev", false},
		{"", "1.2.9", false},
		{"1.2.9", "", false},
	} {
		if got := of(c.mine).Newer(of(c.other)); got != c.want {
			t.Errorf("%q is newer than %q: %v, want %v", c.mine, c.other, got, c.want)
		}
	}
	if (Index{}).Newer(Index{}) || of("1.0.0").Newer(Index{}) {
		t.Error("a list without annotations has an age")
	}
}
