package lists

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
		"index:a=b,index:c=x:y":     "map[a:b c:x:y]",
		`a="hello, world"`:          "map[a:hello, world]",
		`a="x, b=c",d='"'`:          `map[a:x, b=c d:"]`,
		`a=x\, b=c`:                 "map[a:x, b=c]",
		`a="",b=c`:                  "map[a: b:c]",
		`a="say \"x, b=c\"" , d=e`:  `map[a:say "x, b=c" d:e]`,
		`a={"b":"c"}`:               `map[a:{"b":"c"}]`,
		`a={"b":1,"c":2},d=[1, 2]`:  `map[a:{"b":1,"c":2} d:[1, 2]]`,
		`a=C:\new\table`:            `map[a:C:\new\table]`,
		`a=It's fine,b=isn't it`:    `map[a:It's fine b:isn't it]`,
		`a="one" and "two",b=c`:     `map[a:"one" and "two" b:c]`,
	} {
		got, err := ParseAnnotations(text)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"a", "=b", "a=b,a=c", ",a=b", `a="b`, `a='b`, `"a, b=c"`, `"a=b"`} {
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

// A reference that cannot be is refused before anything is asked, showing the place.
func TestReferencesThatCannotBe(t *testing.T) {
	for text, says := range map[string]string{
		"":                        "a reference is empty",
		"one.example/App:1":       `the capital letter at "App:1"`,
		"one.example/app:1:2":     `it cannot go on with ":2" (character 18)`,
		"one.example:65536/app:1": "it has the port 65536 at character 13: ports go from 1 to 65535",
		"[::1]:0/app":             "it has the port 0 at character 7",
		"me:pw@one.example/app":   "leave out all up to the @ before one.example",
	} {
		_, err := ParseReference(text)
		if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
		if _, err := ParseRepository(text); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q as a repository: %v, want %q", text, err, says)
		}
	}
	for _, text := range []string{"one.example:65535/app", "[::1]/app", "[2001:db8::1]:5000/app", "app", "localhost:1/app"} {
		if _, err := ParseReference(text); err != nil {
			t.Error(err)
		}
	}
}

func TestSeveral(t *testing.T) {
	for n, want := range map[int]string{0: "", 1: "t", 11: "t" + strings.Repeat(", t", 10), 12: "t" + strings.Repeat(", t", 9) + " and 2 more"} {
		if got := several(slices.Repeat([]string{"t"}, n)); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
