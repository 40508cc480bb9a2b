package index

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

const (
	d1 = `"sha256:1111111111111111111111111111111111111111111111111111111111111111"`
	d2 = `"sha256:2222222222222222222222222222222222222222222222222222222222222222"`
	// hello is the digest of what aGVsbG8= stands for.
	hello = `"sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"`
)

func one(rest string) string {
	return `{"schemaVersion":2,"manifests":[{"mediaType":"` + OCIManifest + `","digest":` + d1 + `,"size":5` + rest + `}]}`
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		raw, called string
		want        error
		says        string
	}{
		"nothing":                      {"", "", ErrInvalid, "EOF"},
		"no JSON":                      {"<html>", "", ErrInvalid, "invalid character"},
		"an array":                     {"[]", "", ErrInvalid, "not a JSON object"},
		"text behind the end":          {one("") + "x", "", ErrInvalid, ""},
		"two documents":                {one("") + one(""), "", ErrInvalid, "behind the end"},
		"cut off":                      {one("")[:60], "", ErrInvalid, ""},
		"a field twice":                {`{"schemaVersion":2,"manifests":[],"manifests":[]}`, "", ErrInvalid, `"manifests" comes twice`},
		"a digest twice":               {one(`,"digest":` + d2), "", ErrInvalid, `entry 1 of 1: the field "digest" comes twice`},
		"called something else":        {`{"schemaVersion":2,"mediaType":"` + OCIIndex + `","manifests":[]}`, DockerList, ErrInvalid, "was served as"},
		"an image":                     {`{"schemaVersion":2,"mediaType":"` + OCIManifest + `","config":{},"layers":[]}`, "", ErrNotIndex, OCIManifest},
		"an image without media type":  {`{"schemaVersion":2,"config":{},"layers":[]}`, "", ErrNotIndex, "does not say"},
		"schema 1":                     {`{"schemaVersion":1,"fsLayers":[]}`, DockerSigned1, ErrNotIndex, "schema 1"},
		"an image and an index":        {`{"schemaVersion":2,"manifests":[],"layers":[]}`, "", ErrInvalid, `"layers"`},
		"no manifests":                 {`{"schemaVersion":2}`, OCIIndex, ErrInvalid, "no manifests"},
		"schemaVersion 1":              {`{"schemaVersion":1,"manifests":[]}`, "", ErrInvalid, "schemaVersion is 1"},
		"other case is another field":  {`{"schemaversion":2,"manifests":[]}`, "", ErrInvalid, "schemaVersion is 0"},
		"a bad digest":                 {strings.Replace(one(""), "sha256:1", "sha256:", 1), "", ErrInvalid, "digest"},
		"an unknown algorithm":         {strings.Replace(one(""), "sha256:", "md5:", 1), "", ErrInvalid, "digest"},
		"no size":                      {strings.Replace(one(""), `"size":5`, `"size":0`, 1), "", ErrInvalid, "size 0"},
		"a negative size":              {strings.Replace(one(""), `"size":5`, `"size":-5`, 1), "", ErrInvalid, "size -5"},
		"a size with a point":          {strings.Replace(one(""), `"size":5`, `"size":5.5`, 1), "", ErrInvalid, `"size"`},
		"no media type":                {strings.Replace(one(""), OCIManifest, "", 1), "", ErrInvalid, "media type"},
		"annotations of other types":   {one(`,"annotations":{"a":1}`), "", ErrInvalid, `"annotations"`},
		"a media type of another type": {`{"schemaVersion":2,"mediaType":2,"manifests":[]}`, "", ErrInvalid, `"mediaType"`},
		"a version of another type":    {`{"schemaVersion":"2","manifests":[]}`, "", ErrInvalid, `"schemaVersion"`},
		"a subject that is none":       {`{"schemaVersion":2,"manifests":[],"subject":{"digest":` + d1 + `}}`, "", ErrInvalid, "subject: no media type"},
		"an os of another type":        {one(`,"platform":{"os":1,"architecture":"arm"}`), "", ErrInvalid, `platform: field "os"`},
		"a platform of another type":   {one(`,"platform":"linux/amd64"`), "", ErrInvalid, "platform"},
		"embedded data of other size":  {strings.Replace(one(`,"data":"aGVsbG8="`), d1+`,"size":5`, hello+`,"size":6`, 1), "", ErrInvalid, "embedded data"},
		"embedded data that lies":      {one(`,"data":"aGVsbG8="`), "", ErrInvalid, "embedded data"},
		"too large":                    {one("") + strings.Repeat(" ", MaxBytes), "", ErrTooLarge, "bytes"},
		"too many": {`{"schemaVersion":2,"manifests":[` + strings.Repeat("{},", MaxEntries) + `{}]}`, "", ErrTooLarge,
			"5001 entries"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.raw), c.called)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %v with %q", err, c.want, c.says)
			}
		})
	}
}

// The bounds are what is still read.
func TestParseBounds(t *testing.T) {
	full := one("") + strings.Repeat(" ", MaxBytes-len(one("")))
	entry := strings.TrimSuffix(strings.TrimPrefix(one(""), `{"schemaVersion":2,"manifests":[`), "]}")
	many := `{"schemaVersion":2,"manifests":[` + strings.Repeat(entry+",", MaxEntries-1) + entry + "]}"
	for name, raw := range map[string]string{"bytes": full, "entries": many} {
		ix, err := Parse([]byte(raw), "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := ix.Marshal(); err != nil {
			t.Errorf("%s again: %v", name, err)
		}
	}
	ix := Index{Entries: make([]Entry, MaxEntries+1)}
	for i := range ix.Entries {
		ix.Entries[i] = oci("linux/amd64")
	}
	if _, _, err := ix.Marshal(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many written: %v", err)
	}
	short, _, err := listOf(oci("linux/amd64")).with("k", "v").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	room := MaxBytes - len(short) + 1
	if _, desc, err := listOf(oci("linux/amd64")).with("k", strings.Repeat("v", room)).Marshal(); err != nil || desc.Size != MaxBytes {
		t.Errorf("all that fits: %v %d", err, desc.Size)
	}
	if _, _, err := listOf(oci("linux/amd64")).with("k", strings.Repeat("v", room+1)).Marshal(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a byte more: %v", err)
	}
}

// What docker manifest and buildx write is read, with everything that is in it.
func TestParseReadsWhatOthersWrite(t *testing.T) {
	ix := parseFile(t, "buildx.json")
	if len(ix.Entries) != 2 || len(ix.Entries[0].Attestations) != 1 || len(ix.Entries[1].Attestations) != 1 {
		t.Fatalf("entries are not grouped: %+v", ix.Entries)
	}
	if got := names(ix.Platforms()); got != "linux/amd64, linux/arm64" {
		t.Errorf("platforms %s", got)
	}
	if ix.Entries[1].Attestations[0].Attests() != ix.Entries[1].Digest {
		t.Error("the attestation hangs below the wrong image")
	}
	list := parseFile(t, "docker-manifest.json")
	if got := names(list.Platforms()); list.MediaType != DockerList || got != "linux/amd64, linux/arm/v7, windows(10.0.17763.1+win32k)/amd64" {
		t.Errorf("%s over %s", list.MediaType, got)
	}
}

func parseFile(t *testing.T, name string) Index {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	ix, err := Parse(raw, "")
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func TestAttestationWithoutItsImageIsKept(t *testing.T) {
	orphan := oci("linux/amd64").attested().Attestations[0]
	raw, _, err := listOf(oci("linux/arm64"), orphan).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	ix, err := Parse(raw, OCIIndex)
	if err != nil || len(ix.Entries) != 2 || ix.Entries[1].Digest != orphan.Digest {
		t.Fatalf("%v: %+v", err, ix.Entries)
	}
	if got := names(ix.Platforms()); got != "linux/arm64" {
		t.Errorf("an attestation counts as a platform: %s", got)
	}
	for _, key := range []string{RefDigest, RefType} {
		if half := oci("linux/amd64").with(key, "x"); half.IsAttestation() || half.Attests() != "" {
			t.Errorf("%s alone makes an attestation", key)
		}
	}
}

// An image that stands for two platforms has its attestation once, below the first.
func TestAttestationOfAnImageTwice(t *testing.T) {
	raw, _, err := listOf(oci("linux/amd64", "x").attested(), oci("linux/arm64", "x")).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	ix, err := Parse(raw, "")
	if err != nil || len(ix.Entries) != 2 || len(ix.Entries[0].Attestations) != 1 {
		t.Errorf("%v: %+v", err, ix.Entries)
	}
}

// What is null is not there.
func TestParseNull(t *testing.T) {
	null := strings.Replace(one(`,"platform":null`), `{`, `{"subject":null,`, 1)
	if ix, err := Parse([]byte(null), ""); err != nil || ix.Subject != nil || ix.Entries[0].Platform != nil {
		t.Errorf("%v: %+v", err, ix)
	}
}

func TestUnknownFieldsSurviveAnEdit(t *testing.T) {
	raw := []byte(`{"schemaVersion":2,"mediaType":"` + OCIIndex + `","artifactType":"a/list","com.example":{"a":[1,2.50]},
		"subject":{"mediaType":"` + OCIManifest + `","digest":` + d1 + `,"size":7,"y":1.0},"manifests":[
		{"mediaType":"` + OCIManifest + `","digest":` + hello + `,"size":5,"data":"aGVsbG8=","urls":["https://x/y"],"artifactType":"an/entry","x":true,"platform":{"os":"linux","architecture":"arm","features":["sse4"]}},
		{"mediaType":"` + OCIManifest + `","digest":` + d2 + `,"size":6,"platform":{"os":"linux","architecture":"s390x"}}]}`)
	ix, err := Parse(raw, "")
	if err != nil {
		t.Fatal(err)
	}
	s390x := platform(t, "linux/s390x")
	if ix, err = Remove(ix, Target{Platform: &s390x}); err != nil {
		t.Fatal(err)
	}
	out, _, err := ix.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	squeezed := strings.NewReplacer(" ", "", "\n", "").Replace(string(out))
	for _, want := range []string{`"com.example":{"a":[1,2.50]}`, `"x":true`, `"features":["sse4"]`, `"mediaType":"` + OCIIndex + `"`,
		`"artifactType":"a/list"`, `"subject":{"mediaType":"` + OCIManifest + `","digest":` + d1 + `,"size":7,"y":1.0}`,
		`"urls":["https://x/y"]`, `"artifactType":"an/entry"`, `"data":"aGVsbG8="`} {
		if !strings.Contains(squeezed, want) {
			t.Errorf("%s is lost in %s", want, out)
		}
	}
	if strings.Contains(squeezed, "s390x") || strings.Contains(squeezed, "2222") {
		t.Errorf("not removed: %s", out)
	}
}

func TestMarshal(t *testing.T) {
	ix := listOf(oci("linux/amd64").attested(), oci("linux/arm/v7").with("a", "<&>"), docker("").windows("10.0.17763.1", "win32k")).with("z", "1").with("b", "2")
	raw, desc, err := ix.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if desc.Digest != digest.FromBytes(raw) || desc.Size != int64(len(raw)) || desc.MediaType != OCIIndex {
		t.Errorf("descriptor %+v does not describe the bytes", desc)
	}
	again, _, _ := ix.Marshal()
	if !bytes.Equal(raw, again) {
		t.Error("the same value gives other bytes")
	}
	if !bytes.Contains(raw, []byte(`"a": "<&>"`)) {
		t.Errorf("escaped for HTML: %s", raw)
	}
	back, err := Parse(raw, OCIIndex)
	if err != nil || !reflect.DeepEqual(back, ix) {
		t.Fatalf("came back as %+v, %v", back, err)
	}
	if flat := back.Flatten(); len(flat) != 4 || !flat[3].IsAttestation() {
		t.Errorf("attestations are not behind the images: %+v", flat)
	}
}

func TestMarshalRefuses(t *testing.T) {
	typed := docker("linux/amd64")
	typed.ArtifactType = "x/y"
	for name, c := range map[string]struct {
		ix   Index
		want error
	}{
		"annotations in a Docker list":    {dockerList(docker("linux/amd64")).with("a", "b"), ErrAnnotations},
		"entry annotations in one":        {dockerList(docker("linux/amd64").with("a", "b")), ErrAnnotations},
		"attestations in one":             {dockerList(docker("linux/amd64").attested()), ErrAnnotations},
		"an artifact type in one":         {Index{MediaType: DockerList, ArtifactType: "x/y"}, ErrAnnotations},
		"an entry's artifact type in one": {dockerList(typed), ErrAnnotations},
		"a media type that is no index":   {Index{MediaType: OCIManifest}, ErrNotIndex},
		"an entry that cannot be loaded":  {listOf(Entry{}), ErrInvalid},
		"more than registries take":       {listOf(oci("linux/amd64").with("a", strings.Repeat("x", MaxBytes))), ErrTooLarge},
	} {
		if _, _, err := c.ix.Marshal(); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	for mediaType, want := range map[string]string{
		OCIIndex:       "index",
		OCIManifest:    "image",
		DockerList:     "index docker",
		DockerManifest: "image docker",
		DockerSchema1:  "schema1 docker",
		DockerSigned1:  "schema1 docker",
		"text/plain":   "",
	} {
		var got []string
		for _, c := range []struct {
			name string
			is   func(string) bool
		}{{"index", IsIndex}, {"image", IsImage}, {"schema1", IsSchema1}, {"docker", IsDocker}} {
			if c.is(mediaType) {
				got = append(got, c.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is %q, want %q", mediaType, got, want)
		}
	}
}

func TestZeroIndexIsAnEmptyOCIIndex(t *testing.T) {
	raw, desc, err := Index{}.Marshal()
	if err != nil || desc.MediaType != OCIIndex || !bytes.Contains(raw, []byte(`"manifests": []`)) {
		t.Fatalf("%v %s %s", err, desc.MediaType, raw)
	}
	if ix, notes := Fit(Index{}); ix.MediaType != OCIIndex || notes != nil {
		t.Errorf("fitted as %q, %q", ix.MediaType, notes)
	}
}

// Property: what Parse accepts can be written, and what was written reads back as the same
// value with the same bytes. Only a Docker list with things that it cannot hold is refused,
// and Fit makes that writable.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"buildx.json", "docker-manifest.json"} {
		raw, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "")
	}
	f.Add([]byte(one(`,"x":1e400,"annotations":{"a":"\ud800"},"urls":[""]`)), OCIIndex)
	f.Add([]byte(one(`,"platform":{"os":"","architecture":"","os.features":[]},"data":null`)), DockerList)
	f.Add([]byte(`{"schemaVersion":2,"manifests":null,"subject":null}`), "")
	f.Fuzz(func(t *testing.T, raw []byte, called string) {
		ix, err := Parse(raw, called)
		if err != nil {
			return
		}
		out, desc, err := ix.Marshal()
		if errors.Is(err, ErrAnnotations) {
			ix, _ = Fit(ix)
			out, desc, err = ix.Marshal()
		}
		if errors.Is(err, ErrTooLarge) {
			return // indentation grows it
		}
		if err != nil {
			t.Fatalf("accepted but cannot be written: %v", err)
		}
		back, err := Parse(out, desc.MediaType)
		if err != nil {
			t.Fatalf("cannot read what was written: %v\n%s", err, out)
		}
		if again, _, err := back.Marshal(); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%v: written again as\n%s\nbefore\n%s", err, again, out)
		}
		if c := Diff(ix, back); !c.Empty() {
			t.Fatalf("changed on the way: %s", strings.Join(c.Lines(), "\n"))
		}
		_, _ = ix.Find(platforms386)
		_ = ix.Validate()
	})
}
