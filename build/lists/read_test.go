package lists

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

func TestInspectShowsTheTree(t *testing.T) {
	s := newScene(t)
	ix := s.listOf("one.example/app", imageFor("linux/amd64").attested().labelled("l", "x\n[2J"), imageFor("linux/arm64").annotated("note", "n"))
	ix.Annotations = map[string]string{"of": "index"}
	desc := s.pushIndex("one.example/app:1", ix)
	tree, err := Inspect(t.Context(), s.client, "one.example/app:1", InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if raw, _, _ := ix.Marshal(); !bytes.Equal(tree.Raw, raw) || tree.Digest != desc.Digest || tree.Kind != "index" {
		t.Errorf("not the exact bytes: %s", tree.Raw)
	}
	var text strings.Builder
	if err := tree.Write(&text); err != nil {
		t.Fatal(err)
	}
	e := ix.Entries
	for _, want := range []string{"one.example/app:1\n", desc.Digest.String(), "annotation of=index", "  linux/amd64\n", e[0].Digest.String(), "1 layer, created 2026-01-02T03:04:05Z",
		"runs /app", "label l=x [2J", "attestation " + e[0].Attestations[0].Digest.String(), "https://slsa.dev/provenance/v1", "annotation note=n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "PROBLEM") {
		t.Errorf("in\n%s", text.String())
	}
}

func TestInspectTellsProblems(t *testing.T) {
	s := newScene(t)
	ix := s.pushList("one.example/app:1", imageFor("linux/amd64").listed("linux/arm64"), imageFor("linux/arm64"), imageFor("linux/s390x"))
	if err := s.client.DeleteManifest(t.Context(), named("one.example/app"), ix.Entries[2].Digest); err != nil {
		t.Fatal(err)
	}
	tree, err := Inspect(t.Context(), s.client, "one.example/app:1", InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range tree.Images {
		got = append(got, strings.Join(l.Problems, "; "))
	}
	want := []string{"the entry says linux/arm64, the image's config linux/amd64", "an earlier entry has the same platform, and engines take that one", "it is not in the registry"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInspectResolvesAPlatform(t *testing.T) {
	s := newScene(t)
	ix := s.pushList("one.example/app:1", imageFor("linux/amd64"), imageFor("linux/arm/v6"))
	p := platformsOf("linux/arm/v7")[0]
	tree, err := Inspect(t.Context(), s.client, "one.example/app:1", InspectOptions{Platform: &p})
	if err != nil || len(tree.Images) != 1 || tree.Images[0].Digest != ix.Entries[1].Digest || !bytes.Equal(tree.Raw, s.manifest("one.example/app", ix.Entries[1].Digest)) {
		t.Fatalf("%v %+v", err, tree)
	}
	if !containsAll(strings.Join(tree.Steps, "\n"), "an index with 2 entries", "looking for linux/arm/v7", "found linux/arm/v6") {
		t.Errorf("the walk: %q", tree.Steps)
	}
	s.pushList("one.example/app:amd64", imageFor("linux/amd64"))
	for asked, says := range map[string]string{"arm/v6": "linux/arm/v6", "linux/arm64/v8": "linux/arm64/v8", "arm64/v8": "linux/arm64/v8", "arm64": "linux/arm64"} {
		want, err := ParsePlatform(asked)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := Inspect(t.Context(), s.client, "one.example/app:amd64", InspectOptions{Platform: want})
		if !slices.Contains(tree.Steps, "looking for "+says) || err == nil || !strings.Contains(err.Error(), says+" is not in the index") {
			t.Errorf("%s: %v, %q", asked, err, tree.Steps)
		}
	}
	p = platformsOf("linux/s390x")[0]
	if _, err := Inspect(t.Context(), s.client, "one.example/app:1", InspectOptions{Platform: &p}); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// A list inside a list is looked into as engines do, and named where the whole tree is shown.
func TestAListInsideAList(t *testing.T) {
	const ref = "one.example/app:1"
	s := newScene(t)
	s.pushNested(ref, false, imageFor("linux/amd64"), imageFor("linux/arm64").attested())
	p := platformsOf("linux/arm64")[0]
	tree, err := Inspect(t.Context(), s.client, ref, InspectOptions{Platform: &p})
	if err != nil || len(tree.Images) != 1 || tree.Images[0].Config != "linux/arm64" || len(tree.Images[0].Attestations) != 1 {
		t.Errorf("inspect -platform: %v, %+v", err, tree.Images)
	}
	var tarball bytes.Buffer
	fetched, err := Fetch(t.Context(), s.client, ref, &tarball, FetchOptions{Platform: &p})
	if err != nil || fetched.Digest != tree.Images[0].Digest || !containsAll(strings.Join(fetched.Steps, "\n"), "is a list inside the list", "found linux/arm64") {
		t.Errorf("fetch: %v, %+v", err, fetched)
	}
	tree, err = Inspect(t.Context(), s.client, ref, InspectOptions{})
	if err != nil || len(tree.Images) != 2 || !containsAll(strings.Join(tree.Images[0].Problems, ""), "a list inside the list", "manifest:create TARGET "+ref) {
		t.Errorf("inspect: %v, %+v", err, tree.Images)
	}
	listing, err := Ls(t.Context(), s.client, "one.example/app", LsOptions{})
	if err != nil || len(listing.Tags) != 1 || listing.Tags[0].Problem != "" {
		t.Errorf("ls: %v, %+v", err, listing)
	}
}

// Lists inside lists inside lists end somewhere.
func TestListsInsideListsWithoutEnd(t *testing.T) {
	s := newScene(t)
	ix := s.listOf("one.example/app", imageFor("linux/amd64"))
	for range maxNesting + 1 {
		raw, desc, err := ix.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		ix = index.Index{Entries: []index.Entry{{Descriptor: s.put(named("one.example/app"), desc.MediaType, raw)}}}
	}
	s.pushIndex("one.example/app:deep", ix)
	p := platformsOf("linux/amd64")[0]
	if _, err := Inspect(t.Context(), s.client, "one.example/app:deep", InspectOptions{Platform: &p}); err == nil || !strings.Contains(err.Error(), "more than 4 deep") {
		t.Errorf("%v", err)
	}
	if _, err := Create(t.Context(), s.client, []string{"one.example/app:flat"}, sources("one.example/app:deep"), CreateOptions{}); err == nil || !strings.Contains(err.Error(), "more than 4 deep") {
		t.Errorf("as a source: %v", err)
	}
	if _, err := Copy(t.Context(), s.client, "one.example/app:deep", []string{"two.example/app:1"}, CopyOptions{}); err == nil || !strings.Contains(err.Error(), "more than 4 deep") {
		t.Errorf("to be copied: %v", err)
	}
}

func TestInspectOneImage(t *testing.T) {
	s := newScene(t)
	img := s.push("one.example/app:1", imageFor("linux/arm64"))
	tree, err := Inspect(t.Context(), s.client, "one.example/app:1", InspectOptions{})
	if err != nil || tree.Kind != "image" || tree.Images[0].Platform != "linux/arm64" || tree.Images[0].ConfigDigest != img.config.Digest {
		t.Errorf("%v %+v", err, tree)
	}
	s.one.Reset()
	raw, err := Inspect(t.Context(), s.client, "one.example/app:1", InspectOptions{RawOnly: true})
	if err != nil || len(raw.Raw) == 0 || len(s.one.Requests()) != 1 {
		t.Errorf("%v after %d requests", err, len(s.one.Requests()))
	}
}

// A single image is what engines take whatever they ask for, and what it is for is told.
func TestInspectResolvesOneImage(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:1", imageFor("linux/arm64"))
	asked := platformsOf("linux/amd64")[0]
	tree, err := Inspect(t.Context(), s.client, "one.example/app:1", InspectOptions{Platform: &asked})
	if err != nil || !containsAll(strings.Join(tree.Steps, "\n"), "one image, no index", "its config says linux/arm64") {
		t.Errorf("%v, %q", err, tree.Steps)
	}
}

func TestInspectShowsReferrers(t *testing.T) {
	s := newScene(t)
	ix := s.pushList("one.example/app:1", imageFor("linux/amd64"), imageFor("linux/arm64"))
	of := []digest.Digest{s.digest("one.example/app:1"), ix.Entries[1].Digest}
	want := []digest.Digest{s.refer("one.example/app", of[0], "signature"), s.refer("one.example/app", of[1], "sbom")}
	tree, err := Inspect(t.Context(), s.client, "one.example/app:1", InspectOptions{Referrers: s.client})
	if err != nil || len(tree.Referrers) != 2 {
		t.Fatalf("%v, %+v", err, tree.Referrers)
	}
	var text strings.Builder
	if err := tree.Write(&text); err != nil {
		t.Fatal(err)
	}
	for i, r := range tree.Referrers {
		line := "  referrer " + want[i].String() + " application/x of " + of[i].String()
		if r.Digest != want[i] || r.Subject != of[i] || !strings.Contains(text.String(), line) {
			t.Errorf("%+v, not %q in\n%s", r, line, text.String())
		}
	}
}

func TestInspectOfAnArtifact(t *testing.T) {
	s := newScene(t)
	s.artifact("one.example/app:1", map[string]string{"a": "b"})
	tree, err := Inspect(t.Context(), s.client, "one.example/app:1", InspectOptions{})
	var text strings.Builder
	if err != nil || tree.Kind != "artifact" || tree.Write(&text) != nil || !containsAll(text.String(), "annotation a=b", "\n  no image\n") {
		t.Errorf("%v, %s\n%s", err, tree.Kind, text.String())
	}
}

func TestLs(t *testing.T) {
	s := newScene(t)
	list := s.pushList("one.example/app:list", imageFor("linux/amd64"), imageFor("linux/arm64"))
	one := s.push("one.example/app:one", imageFor("linux/s390x"))
	dated := s.listOf("one.example/app", imageFor("linux/amd64"))
	dated.Annotations = map[string]string{"org.opencontainers.image.created": "2025-05-05T05:05:05Z"}
	s.pushIndex("one.example/app:dated", dated)
	s.artifact("one.example/app:chart", map[string]string{"org.opencontainers.image.created": "2024-04-04T04:04:04Z"})
	s.push("one.example/app:broken", imageFor("linux/arm64"))
	s.one.Add(faults.Rule{Match: faults.On("", "/manifests/broken"), Fault: faults.Status(http.StatusNotFound)})
	got, err := Ls(t.Context(), s.client, "one.example/app", LsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, desc, _ := list.Marshal()
	var lines []string
	for _, tag := range got.Tags {
		created := ""
		if tag.Created != nil {
			created = tag.Created.Format("2006")
		}
		lines = append(lines, strings.Join([]string{tag.Tag, tag.Kind, created, strings.Join(tag.Platforms, " "), tag.Problem}, "|"))
	}
	want := []string{"broken|unknown|||it is not in the registry", "chart|artifact|2024||", "dated|index|2025|linux/amd64|", "list|index|2026|linux/amd64 linux/arm64|", "one|image|2026|linux/s390x|"}
	if !slices.Equal(lines, want) || got.Tags[3].Digest != desc.Digest || got.Tags[4].Digest != one.entry.Digest {
		t.Errorf("got %q\nwant %q", lines, want)
	}
	if _, err := Ls(t.Context(), s.client, "one.example/app:list", LsOptions{}); !errors.Is(err, ErrUsage) {
		t.Errorf("a tag: %v", err)
	}
	if _, err := Ls(t.Context(), s.client, "one.example/none", LsOptions{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("no repository: %v", err)
	}
	var text strings.Builder
	if err := got.Write(&text); err != nil || !containsAll(text.String(), "TAG", "dated", "PROBLEM it is not") {
		t.Errorf("%v\n%s", err, text.String())
	}

	s.one.Reset()
	text.Reset()
	names, err := Ls(t.Context(), s.client, "one.example/app", LsOptions{Names: true})
	if err := errors.Join(err, names.Write(&text)); err != nil || text.String() != "broken\nchart\ndated\nlist\none\n" || len(s.one.Requests()) != 1 {
		t.Errorf("names alone, in %d requests: %v\n%s", len(s.one.Requests()), err, text.String())
	}
	s.one.Add(faults.Rule{Match: faults.On("", "/manifests/"), Fault: faults.Status(http.StatusForbidden)})
	if got, err := Ls(t.Context(), s.client, "one.example/app", LsOptions{}); !errors.Is(err, registry.ErrUnauthorized) || len(got.Tags) != 5 {
		t.Errorf("nothing can be read: %+v, %v", got, err)
	}
}

// Who waits for thousands of answers is told so.
// What several tags name is looked into once.
func TestLsOfTagsOfTheSame(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:1", imageFor("linux/amd64"))
	for _, tag := range []string{"2", "3", "4"} {
		s.pushIndex("one.example/app:"+tag, s.index("one.example/app:1"))
	}
	s.one.Reset()
	got, err := Ls(t.Context(), s.client, "one.example/app", LsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, tag := range got.Tags {
		if want := strconv.Itoa(i + 1); tag.Tag != want || tag.Created == nil || !slices.Equal(tag.Platforms, []string{"linux/amd64"}) {
			t.Errorf("%s: %+v", want, tag)
		}
	}
	if asked := s.one.Requests(); len(asked) != 1+4+2 { // the tags, each, an image and its config
		t.Errorf("%d requests: %v", len(asked), asked)
	}
}

func TestLsOfManyTags(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:0", imageFor("linux/amd64"))
	names := make([]string, manyTags+1)
	for i := range names {
		names[i] = strconv.Quote(strconv.Itoa(i)) // of which one can be read
	}
	for want, n := range map[string]int{"": 1, "one.example/app has": manyTags + 1} {
		s.one.Reset()
		s.one.Add(faults.Rule{Match: faults.On("", "/tags/list"), Fault: faults.Answer(200, "application/json", `{"tags":[`+strings.Join(names[:n], ",")+`]}`)})
		told := ""
		if _, err := Ls(t.Context(), s.client, "one.example/app", LsOptions{Notice: func(text string) { told += text }}); err != nil || !strings.HasPrefix(told, want) || (want == "") != (told == "") {
			t.Errorf("%d tags: %q, %v", n, told, err)
		}
	}
}

func TestDiff(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:1", imageFor("linux/amd64"), imageFor("linux/arm64"))
	s.pushList("two.example/app:2", imageFor("linux/amd64"))
	s.push("two.example/app:one", imageFor("linux/amd64"))
	for _, c := range []struct{ a, b, want string }{
		{"one.example/app:1", "one.example/app:1", "they are the same"},
		{"one.example/app:1", "two.example/app:2", "- linux/arm64"},
		{"two.example/app:2", "one.example/app:1", "+ linux/arm64"},
		{"two.example/app:2", "two.example/app:one", "they say the same in different bytes"},
	} {
		got, err := Diff(t.Context(), s.client, c.a, c.b)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := got.Write(&text); err != nil || !strings.Contains(text.String(), c.want) {
			t.Errorf("%s, %s: %v\n%s", c.a, c.b, err, text.String())
		}
	}
	if _, err := Diff(t.Context(), s.client, "one.example/app:1", "one.example/app:none"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// Names that a registry serves do not break out of their lines, as little as values do.
func TestNamesThatBreakOutOfTheirLines(t *testing.T) {
	s := newScene(t)
	ix := s.listOf("one.example/app", imageFor("linux/amd64").annotated("evil\n::error::", "x"))
	ix.Annotations = map[string]string{"worse\r\v": "y"}
	s.pushIndex("one.example/app:1", ix)
	s.pushList("one.example/app:2", imageFor("linux/amd64"))
	tree, err := Inspect(t.Context(), s.client, "one.example/app:1", InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	compared, err := Diff(t.Context(), s.client, "one.example/app:2", "one.example/app:1")
	if err != nil {
		t.Fatal(err)
	}
	published := Published{Tags: []TagMove{{Tag: "1"}}, Diff: compared.Changes}
	for name, result := range map[string]interface{ Write(io.Writer) error }{"inspect": tree, "diff": compared, "a published list": published} {
		var text strings.Builder
		if err := result.Write(&text); err != nil {
			t.Error(err)
		}
		if strings.ContainsAny(text.String(), "\r\v") || strings.Contains(text.String(), "\n::") || !containsAll(text.String(), "evil", "worse") {
			t.Errorf("%s: %q", name, text.String())
		}
	}
}
