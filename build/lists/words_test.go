package lists

import (
	"errors"
	"fmt"
	"testing"

	"github.com/manymage/manymage/build/index"
)

func TestParseAnnotations(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "map[]",
		"a=b":                       "map[a:b]",
		"a=b,c.d/e=f":               "map[a:b c.d/e:f]",
		"a=one, two,b=":             "map[a:one, two b:]",
		"a=x=y":                     "map[a:x=y]",
		"a=https://x/?q=1&r=2,b=c ": "map[a:https://x/?q=1&r=2 b:c]",
		"a=b\nc=d":                  "map[a:b c:d]",
		`a="hello, world"`:          "map[a:hello, world]",
		`a="x, b=c",d='"'`:          `map[a:x, b=c d:"]`,
		`"a=x, b=c"`:                "map[a:x, b=c]",
		`a=x\, b=c`:                 "map[a:x, b=c]",
		`a="",b=c`:                  "map[a: b:c]",
	} {
		got, err := ParseAnnotations(text)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"a", "=b", "a=b,a=c", ",a=b", `a="b`, `"a, b=c"`} {
		if got, err := ParseAnnotations(text); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParseEntry(t *testing.T) {
	s := newScene(t)
	img := s.push("one.example/app:a", imageFor("linux/arm64"))
	arm64 := platformsOf("linux/arm64")[0]
	for text, want := range map[string]index.Target{
		"index":                   {},
		"linux/arm64/v8":          {Platform: &arm64},
		img.entry.Digest.String(): {Digest: img.entry.Digest},
		"one.example/app:a":       {Digest: img.entry.Digest},
		"one.example/app:a@" + img.entry.Digest.String(): {Digest: img.entry.Digest},
	} {
		got, err := ParseEntry(t.Context(), s.client, text)
		if err != nil || got.Digest != want.Digest || (got.Platform == nil) != (want.Platform == nil) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "linux/", "One:x:y"} {
		if _, err := ParseEntry(t.Context(), s.client, text); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{"": "", "oci": index.OCIIndex, "Docker": index.DockerList, index.OCIIndex: index.OCIIndex} {
		if got, err := ParseMediaType(text); err != nil || got != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	if _, err := ParseMediaType("ocI2"); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
}
