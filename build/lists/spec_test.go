package lists

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manymage/manymage/platforms"
)

func TestSpecOfManifestTool(t *testing.T) {
	spec, err := ReadSpec(filepath.Join("testdata", "spec.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if spec.Target != "one.example/app:1.0" || strings.Join(spec.Tags, " ") != "1 latest" || spec.Annotations["org.opencontainers.image.version"] != "1.0" {
		t.Errorf("%+v", spec)
	}
	var got []string
	for _, s := range spec.Sources {
		p := "config"
		if s.Platform != nil {
			p = platforms.Format(*s.Platform)
		}
		got = append(got, s.Ref+" "+p)
	}
	want := `one.example/app:amd64 linux/amd64
one.example/app:armv6 linux/arm/v6
one.example/app:win windows(10.0.17763.1+win32k)/amd64
one.example/app:win2 windows(10.0.20348.2)/amd64
one.example/app:any config`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestASpecFileThatIsNotThere(t *testing.T) {
	_, err := ReadSpec(filepath.Join(t.TempDir(), "spec.yaml"))
	if !errors.Is(err, ErrUsage) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "spec.yaml") {
		t.Errorf("got %v", err)
	}
}

func TestSpecRefuses(t *testing.T) {
	const ok = "image: me/app:1\nmanifests:\n- image: me/app:a\n"
	for name, c := range map[string][2]string{
		"nothing":                  {"", "s.yaml is empty"},
		"an open bracket":          {"image: [", "s.yaml:1: did not find"},
		"a list":                   {"- image: x", "s.yaml:1: the spec must be a mapping"},
		"no image":                 {"manifests:\n- image: me/app:a", "s.yaml:1: no image"},
		"no manifests":             {"image: me/app:1\nmanifests: []\n", "s.yaml:1: no manifests"},
		"an annotation twice":      {ok + "annotations:\n  a: b\n  a: c", `s.yaml:6: "a" comes twice`},
		"a misspelt key":           {ok + "  platfrom: {os: linux}", `s.yaml:4: unknown key "platfrom" in a manifest; known are annotations, image, platform`},
		"a misspelt key on top":    {ok + "tag: x", `s.yaml:4: unknown key "tag"`},
		"a misspelt platform key":  {ok + "  platform:\n    os: linux\n    arch: arm64", `s.yaml:6: unknown key "arch" in a platform`},
		"a key twice":              {ok + "  image: me/app:b", `s.yaml:4: "image" comes twice`},
		"a malformed target":       {strings.Replace(ok, "app:1", "App:1", 1), "s.yaml:1: malformed reference"},
		"a malformed source":       {strings.Replace(ok, "app:a", "app:a:b", 1), `s.yaml:3: malformed reference "me/app:a:b"`},
		"a target with a digest":   {strings.Replace(ok, "app:1", "app@sha256:"+strings.Repeat("1", 64), 1), "has a digest"},
		"a manifest without image": {ok + "- platform: {os: linux, architecture: arm}", "s.yaml:4: a manifest without image"},
		"no architecture":          {ok + "  platform: {os: linux}", "s.yaml:4: a platform without architecture"},
		"a mapping for a text":     {"image: {a: b}\nmanifests: []", "s.yaml:1: a text was expected"},
		"a text for a list":        {ok + "tags: latest", "s.yaml:4: a list was expected"},
		"an impossible tag":        {ok + "tags: [\"a b\"]", `tags=a b is no valid tag`},
		"a malformed platform":     {ok + "  platform: {architecture: a/b/c}", "s.yaml:4: malformed platform"},
		"a text for a mapping":     {ok + "annotations: x", "s.yaml:4: a mapping of names to texts"},
		"features of processors":   {ok + "  platform: {architecture: arm, features: [vfp]}", "use variant"},
		"a bomb":                   {"a: &a [x,x]\nb: &b [*a,*a]\nimage: *b", `s.yaml:1: unknown key "a"`},
		"no YAML":                  {"image: a\nmanifests:\n\t- b", "s.yaml:3: found character"},
		"two documents":            {ok + "---\nimage: b\n", "s.yaml:4: a second document"},
		"a broken second document": {ok + "---\n\t- b", "s.yaml:5: "},
		"too much":                 {ok + strings.Repeat("#", maxSpec), "at most"},
	} {
		if _, err := ParseSpec("s.yaml", []byte(c[0])); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: got %v, want %q", name, err, c[1])
		}
	}
}

func TestFromSpec(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:a", imageFor("linux/amd64"))
	s.push("one.example/app:b", imageFor("linux/arm/v6"))
	spec, err := ParseSpec("s.yaml", []byte(`
image: one.example/app:1
tags: [latest]
annotations: {a: b}
manifests:
- image: one.example/app:a
  annotations: {c: d}
- image: one.example/app:b
  platform: {architecture: arm}
`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := FromSpec(t.Context(), s.client, spec, CreateOptions{Tags: []string{"more"}}); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"1", "latest", "more"} {
		ix := s.index("one.example/app:" + tag)
		if got := s.platforms("one.example/app:" + tag); got != "linux/amd64 linux/arm/v6" || ix.Annotations["a"] != "b" || ix.Entries[0].Annotations["c"] != "d" {
			t.Errorf("%s: %s %+v", tag, got, ix)
		}
	}
}

// Property: what is read is complete, and what is not is ErrUsage; nothing panics.
func FuzzParseSpec(f *testing.F) {
	raw, err := os.ReadFile(filepath.Join("testdata", "spec.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte("image: a\nmanifests: [{image: b, platform: {}}]"))
	f.Add([]byte("a: &a\n  <<: *a\nimage: !!binary x\n"))
	f.Add([]byte("image: ~\nmanifests: ~"))
	f.Add([]byte("? [a]\n: b"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		spec, err := ParseSpec("spec.yaml", raw)
		if err != nil {
			if !errors.Is(err, ErrUsage) {
				t.Fatalf("%v", err)
			}
			return
		}
		if _, err := parseTarget(spec.Target); err != nil || len(spec.Sources) == 0 {
			t.Fatalf("accepted %+v, %v", spec, err)
		}
		for _, s := range spec.Sources {
			if _, err := ParseReference(s.Ref); err != nil {
				t.Fatal(err)
			}
		}
	})
}
