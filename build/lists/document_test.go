package lists

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// Property: everything that an accepted manifest names can be asked for by its digest.
func FuzzReadImage(f *testing.F) {
	const d = `"digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":5`
	f.Add([]byte(`{"schemaVersion":2,"config":{`+d+`},"layers":[{`+d+`}]}`), index.OCIManifest)
	f.Add([]byte(`{"schemaVersion":2,"config":{`+d+`},"layers":[{"digest":"sha256:..","size":1}]}`), index.DockerManifest)
	f.Add([]byte(`{"config":{`+d+`},"layers":[{`+d+`},{}]}`), index.OCIManifest)
	f.Add([]byte(`{"config":null,"layers":null}`), index.OCIManifest)
	f.Add([]byte(`[]`), index.OCIManifest)
	f.Add([]byte(``), index.OCIIndex)
	f.Fuzz(func(t *testing.T, raw []byte, mediaType string) {
		desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(raw), Size: int64(len(raw))}
		doc, err := readImage(registry.Manifest{Descriptor: desc, Bytes: raw})
		if err != nil {
			return
		}
		for _, b := range blobsOf(doc) {
			if withDigest(named("one.example/app"), b.Digest).Digest() != b.Digest || b.Size < 0 {
				t.Fatalf("accepted a blob %+v", b)
			}
		}
	})
}

func TestImagesThatCannotBe(t *testing.T) {
	good := ocispec.Descriptor{Digest: digest.FromString("x"), Size: 1}
	with := func(data string) ocispec.Manifest {
		return ocispec.Manifest{Config: ocispec.Descriptor{Digest: good.Digest, Size: 1, Data: []byte(data)}}
	}
	layers := func(n int) ocispec.Manifest {
		return ocispec.Manifest{Config: good, Layers: slices.Repeat([]ocispec.Descriptor{good}, n)}
	}
	for name, c := range map[string]struct {
		doc  ocispec.Manifest
		says string
	}{
		"as many layers as are read": {layers(maxLayers), ""},
		"one layer more":             {layers(maxLayers + 1), "at most 1000 are read"},
		"an empty layer":             {ocispec.Manifest{Config: ocispec.Descriptor{Digest: good.Digest}}, ""},
		"less than nothing":          {ocispec.Manifest{Config: ocispec.Descriptor{Digest: good.Digest, Size: -1}}, "of -1 bytes, which cannot be"},
		"its config in itself":       {with("x"), ""},
		"another config in itself":   {with("y"), "the embedded data is not " + good.Digest.String()},
		"no digest":                  {ocispec.Manifest{Config: good, Layers: []ocispec.Descriptor{{Digest: "sha256:1", Size: 1}}}, "sha256:1"},
	} {
		raw := mustJSON(t, c.doc)
		_, err := readImage(registry.Manifest{Descriptor: indexEntry(raw), Bytes: raw})
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An entry whose size is not its manifest's is pulled by no engine: nothing takes it over, and everything says so.
func TestAnEntryOfAnotherSize(t *testing.T) {
	s := newScene(t)
	ix := s.pushList("one.example/app:sound", imageFor("linux/amd64").attested(), imageFor("linux/arm64"))
	ix.Entries[1].Size = 99
	s.pushIndex("one.example/app:bad", ix)
	arm64 := platformsOf("linux/arm64")[0]
	ctx := t.Context()
	for name, try := range map[string]func(ref string) error{
		"create": func(ref string) error {
			_, err := Create(ctx, s.client, []string{"one.example/app:new"}, sources(ref), CreateOptions{})
			return err
		},
		"copy": func(ref string) error {
			_, err := Copy(ctx, s.client, ref, []string{"two.example/app:new"}, CopyOptions{})
			return err
		},
		"copy inside": func(ref string) error {
			_, err := Copy(ctx, s.client, ref, []string{"one.example/app:new"}, CopyOptions{})
			return err
		},
		"fetch": func(ref string) error {
			_, err := Fetch(ctx, s.client, ref, io.Discard, FetchOptions{Platform: &arm64})
			return err
		},
		"why": func(ref string) error {
			_, err := Why(ctx, s.client, ref, WhyOptions{Platform: &arm64})
			return err
		},
		"inspect one": func(ref string) error {
			_, err := Inspect(ctx, s.client, ref, InspectOptions{Platform: &arm64})
			return err
		},
	} {
		if err := try("one.example/app:sound"); err != nil {
			t.Errorf("%s: the sound one: %v", name, err)
		}
		if err := try("one.example/app:bad"); err == nil || !strings.Contains(err.Error(), "and the list that names it says 99") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := complaints(s, "one.example/app:bad"); !strings.Contains(got, "says 99") {
		t.Errorf("inspect has %q", got)
	}
}

// Attestations are listed with their images; where nothing is copied they are looked at all the same.
func TestAnAttestationOfAnotherSize(t *testing.T) {
	s := newScene(t)
	ix := s.pushList("one.example/app:sound", imageFor("linux/amd64").attested())
	ix.Entries[0].Attestations[0].Size = 98
	s.pushIndex("one.example/app:bad", ix)
	lone := index.Index{Entries: []index.Entry{s.upload("one.example/app", imageFor("linux/arm64")).entry, ix.Entries[0].Attestations[0]}}
	s.pushIndex("one.example/app:alone", lone)
	for _, from := range []string{"one.example/app:bad", "one.example/app:alone"} {
		for _, to := range []string{"one.example/app:new", "two.example/app:new"} {
			_, err := Create(t.Context(), s.client, []string{to}, sources(from), CreateOptions{})
			if !errors.Is(err, registry.ErrCorrupt) || !strings.Contains(err.Error(), "the list that names it says 98") || s.digest(to) != "" {
				t.Errorf("%s to %s: %v", from, to, err)
			}
		}
	}
	if err := s.client.DeleteManifest(t.Context(), named("one.example/app"), ix.Entries[0].Attestations[0].Digest); err != nil {
		t.Fatal(err)
	}
	_, err := Create(t.Context(), s.client, []string{"one.example/app:new"}, sources("one.example/app:sound"), CreateOptions{})
	if !errors.Is(err, registry.ErrNotFound) || !strings.Contains(err.Error(), "its attestation") {
		t.Errorf("one that is gone: %v", err)
	}
}
