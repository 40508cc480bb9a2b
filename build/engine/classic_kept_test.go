package engine

import (
	"strings"
	"testing"

	"github.com/distribution/reference"
)

// Every base and platform has a name of its own, which every engine takes and reads as it is.
func TestKeptNames(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"app", "app:1", "app@" + someDigest, "app:1@" + someDigest, "Reg.example:5000/a/b:1", "[::1]:5000/app:1", "other.example/library/app:1"} {
		for _, p := range []string{"linux/arm64", "linux/arm/v7"} {
			kept := keptName(name, platform(t, p))
			named, err := reference.ParseNormalizedNamed(kept)
			if err != nil || named.String() != kept || reference.Domain(named) != "localhost" {
				t.Errorf("%s: %q: %v", name, kept, err)
			}
			if other, ok := seen[kept]; ok {
				t.Errorf("%s is for %s and for %s", kept, other, name)
			}
			seen[kept] = name
		}
	}
	if keptName("app", platform(t, "linux/arm64")) != keptName("docker.io/library/app:latest", platform(t, "linux/arm64")) {
		t.Error("one base has two names")
	}
	if got := keptName(strings.ToUpper("not a name"), platform(t, "linux/arm64")); got != "" {
		t.Errorf("%q is for what is no name", got)
	}
}
