package lists

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

func TestCopyTakesEverythingAlong(t *testing.T) {
	s := newScene(t)
	ix := s.pushList("one.example/app:1", imageFor("linux/amd64").attested(), imageFor("linux/arm64"))
	top := s.digest("one.example/app:1")
	signature := s.refer("one.example/app", top, "signature")
	sbom := s.refer("one.example/app", ix.Entries[1].Digest, "sbom")
	signed := s.refer("one.example/app", sbom, "signature of the sbom")
	got, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/copy", "one.example/other:x"}, CopyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"two.example/copy:1", "one.example/other:x"} {
		if s.digest(ref) != top || complaints(s, ref) != "" {
			t.Errorf("%s: %s, %s", ref, s.digest(ref), complaints(s, ref))
		}
		for subject, want := range map[digest.Digest]digest.Digest{top: signature, ix.Entries[1].Digest: sbom, sbom: signed} {
			found, err := s.client.Referrers(t.Context(), named(ref), subject, "")
			if err != nil || len(found) != 1 || found[0].Digest != want || found[0].ArtifactType != "application/x" {
				t.Errorf("%s: referrers of %s: %+v, %v", ref, subject, found, err)
			}
		}
		s.manifest(ref, ix.Entries[0].Attestations[0].Digest)
	}
	if got.Referrers != 3 || got.Digest != top || strings.Join(got.Platforms, " ") != "linux/amd64 linux/arm64" {
		t.Errorf("%+v", got)
	}
}

// Cosign's own tags are no referrers, and what they name is as good a signature.
func TestCopyTakesCosignsTagsAlong(t *testing.T) {
	s := newScene(t)
	ix := s.pushList("one.example/app:1", imageFor("linux/amd64"), imageFor("linux/arm64"))
	tag := func(repo string, d digest.Digest, kind string) string {
		return repo + ":sha256-" + d.Encoded() + "." + kind
	}
	top, arm := s.digest("one.example/app:1"), ix.Entries[1].Digest
	want := map[string]digest.Digest{}
	for kind, of := range map[string]digest.Digest{"sig": top, "att": top, "sbom": arm} {
		want[tag("two.example/app", of, kind)] = s.push(tag("one.example/app", of, kind), imageFor("linux/amd64").named(kind)).entry.Digest
	}
	theirs := s.push(tag("two.example/app", top, "att"), imageFor("linux/amd64").named("theirs")).entry.Digest
	want[tag("two.example/app", top, "att")] = theirs
	got, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/app:1"}, CopyOptions{})
	if err != nil || got.Referrers != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	for ref, d := range want {
		if s.digest(ref) != d || complaints(s, ref) != "" {
			t.Errorf("%s is %s, want %s: %s", ref, s.digest(ref), d, complaints(s, ref))
		}
	}
	if len(got.Notices) != 1 || !strings.Contains(got.Notices[0], ".att is there with other content") {
		t.Errorf("%q", got.Notices)
	}
}

// refer puts an artifact that refers to a manifest, as a client of a registry without the
// referrers API does.
func (s *scene) refer(repo string, subject digest.Digest, content string) digest.Digest {
	s.Helper()
	to := reference.TrimNamed(named(repo))
	empty := s.blob(to, "application/vnd.oci.empty.v1+json", []byte("{}"))
	of := ocispec.Descriptor{MediaType: index.OCIManifest, Digest: subject, Size: 100}
	desc := s.put(to, index.OCIManifest, mustJSON(s, map[string]any{
		"schemaVersion": 2, "mediaType": index.OCIManifest, "artifactType": "application/x", "config": empty,
		"layers": []ocispec.Descriptor{s.blob(to, "text/plain", []byte(content))}, "subject": of,
	}))
	desc.ArtifactType = "application/x"
	if err := attachTo(s.Context(), s.client, to, subject, []ocispec.Descriptor{desc}); err != nil {
		s.Fatal(err)
	}
	return desc.Digest
}

// GitLab's registry reads the tag of a manifest's referrers as the manifest's own digest: the images of a list are not what refers to it.
func TestCopyWhereReferrersTagsAreDigests(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:1", imageFor("linux/amd64"), imageFor("linux/arm64"))
	s.pushList("two.example/app:1", imageFor("linux/riscv64"))
	top, signed := s.digest("one.example/app:1"), s.digest("two.example/app:1")
	s.refer("two.example/app", signed, "signature")
	s.one.Add(faults.Rule{Match: func(r *http.Request) bool {
		return r.Method != http.MethodPut && strings.Contains(r.URL.Path, "/manifests/sha256-") && !strings.Contains(r.URL.Path, ".")
	}, Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.URL.Path = strings.Replace(r.URL.Path, "/sha256-", "/sha256:", 1)
		next.ServeHTTP(w, r)
	}})
	got, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/copy:1"}, CopyOptions{})
	if err != nil || got.Referrers != 0 || s.digest("two.example/copy:"+registry.ReferrersTag(top)) != "" {
		t.Errorf("from there: %d referrers, %v", got.Referrers, err)
	}
	if _, err := Copy(t.Context(), s.client, "two.example/app:1", []string{"one.example/copy:1"}, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	s.one.Reset()
	if ix := s.index("one.example/copy:" + registry.ReferrersTag(signed)); len(ix.Entries) != 1 || ix.Entries[0].ArtifactType != "application/x" {
		t.Errorf("to there: the list of referrers is %+v", ix.Entries)
	}
}

func TestCopyLeavesReferrersBehindWhenAsked(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:1", imageFor("linux/amd64"))
	s.refer("one.example/app", s.digest("one.example/app:1"), "signature")
	if _, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/app:1"}, CopyOptions{NoReferrers: true}); err != nil {
		t.Fatal(err)
	}
	if found, err := s.client.Referrers(t.Context(), named("two.example/app"), s.digest("two.example/app:1"), ""); err != nil || len(found) != 0 {
		t.Errorf("%v %v", found, err)
	}
}

func TestCopyOfSomePlatformsLooksIntoListsInside(t *testing.T) {
	for name, undeclared := range map[string]bool{"with platforms": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.pushNested("one.example/app:1", undeclared, imageFor("linux/amd64"), imageFor("linux/arm64").attested())
			got, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/app:1"}, CopyOptions{Platforms: platformsOf("linux/arm64")})
			if err != nil || !strings.Contains(strings.Join(got.Notices, ""), "flattened") {
				t.Fatalf("%q, %v", got.Notices, err)
			}
			ix := s.index("two.example/app:1")
			if s.platforms("two.example/app:1") != "linux/arm64" || index.IsIndex(ix.Entries[0].MediaType) || len(ix.Entries[0].Attestations) != 1 || complaints(s, "two.example/app:1") != "" {
				t.Errorf("%+v", ix)
			}
		})
	}
}

func TestCopyOfSomePlatforms(t *testing.T) {
	s := newScene(t)
	ix := s.pushList("one.example/app:1", imageFor("linux/amd64").attested(), imageFor("linux/arm64").attested(), imageFor("linux/s390x"))
	if _, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/app:1"}, CopyOptions{Platforms: platformsOf("linux/arm64/v8", "linux/amd64")}); err != nil {
		t.Fatal(err)
	}
	got := s.index("two.example/app:1")
	if s.platforms("two.example/app:1") != "linux/arm64 linux/amd64" || len(got.Flatten()) != 4 {
		t.Errorf("%+v", got)
	}
	if _, err := s.client.Head(t.Context(), withDigest(named("two.example/app"), ix.Entries[2].Digest)); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("s390x was copied as well: %v", err)
	}
	if _, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/app:1"}, CopyOptions{Platforms: platformsOf("linux/386")}); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestCopyOfOneImage(t *testing.T) {
	s := newScene(t)
	img := s.push("one.example/app:1", imageFor("linux/amd64").asDocker())
	for _, to := range []string{"two.example/app:1", "one.example/app:again"} {
		got, err := Copy(t.Context(), s.client, "one.example/app:1", []string{to}, CopyOptions{})
		if err != nil || s.digest(to) != img.entry.Digest || got.MediaType != index.DockerManifest {
			t.Errorf("%s: %v %+v", to, err, got)
		}
	}
	if _, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/app:1"}, CopyOptions{Platforms: platformsOf("linux/386")}); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// Lists inside a list come along as they are, and what registries do not distribute stays with its owner, which is told.
func TestCopyTakesListsInsideAndLeavesForeignLayers(t *testing.T) {
	s := newScene(t)
	owned := imageFor("linux/amd64").windows("10.0.1").running("base").foreign()
	s.pushNested("one.example/app:1", false, imageFor("linux/amd64"), owned)
	s.upload("two.example/app", owned) // this registry wants to have foreign layers, too
	got, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/app:1"}, CopyOptions{})
	if err != nil || s.digest("two.example/app:1") != s.digest("one.example/app:1") {
		t.Fatal(err)
	}
	if said := strings.Join(got.Notices, "\n"); !containsAll(said, "layer sha256:", "is not distributed by registries and stays where its URLs say") {
		t.Errorf("said %q", said)
	}
	for _, p := range platformsOf("linux/amd64", "windows/amd64") {
		if _, err := Inspect(t.Context(), s.client, "two.example/app:1", InspectOptions{Platform: &p}); err != nil {
			t.Error(err)
		}
	}
}

// A digest has no tag to be copied to, and latest is nobody's guess.
func TestCopyFromADigestAsksForATag(t *testing.T) {
	s := newScene(t)
	desc := s.push("one.example/app:1", imageFor("linux/amd64")).entry.Descriptor
	source := "one.example/app@" + desc.Digest.String()
	if _, err := Copy(t.Context(), s.client, source, []string{"two.example/app"}, CopyOptions{}); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), "two.example/app:1.0") {
		t.Errorf("got %v", err)
	}
	if _, err := Copy(t.Context(), s.client, source, []string{"two.example/app:2"}, CopyOptions{}); err != nil {
		t.Error(err)
	}
}

// Referrers of a subject with a long digest are where those who look for them look.
func TestReferrersOfALongDigest(t *testing.T) {
	s := newScene(t)
	repo, subject := named("one.example/app"), digest.SHA512.FromString("subject")
	desc := s.push("one.example/app:signature", imageFor("linux/amd64")).entry.Descriptor
	if err := attachTo(t.Context(), s.client, repo, subject, []ocispec.Descriptor{desc}); err != nil {
		t.Fatal(err)
	}
	ix := s.index("one.example/app:sha512-" + subject.Encoded()[:64])
	if len(ix.Entries) != 1 || ix.Entries[0].Digest != desc.Digest {
		t.Errorf("listed %v", ix.Entries)
	}
}

func TestCopyDoesNotMakeATagWorse(t *testing.T) {
	s := newScene(t)
	s.pushList("two.example/app:1", imageFor("linux/amd64"), imageFor("linux/arm64"))
	s.push("one.example/app:1", imageFor("linux/amd64"))
	if _, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/app:1"}, CopyOptions{}); !errors.Is(err, ErrPublish) {
		t.Errorf("got %v", err)
	}
	if got := s.platforms("two.example/app:1"); got != "linux/amd64 linux/arm64" {
		t.Errorf("it has %s now", got)
	}
}

// A layer that is lost on the way: the tag of the copy does not come into being.
func TestACopyThatFailsMovesNoTag(t *testing.T) {
	s := newScene(t)
	img := s.push("one.example/app:1", imageFor("linux/amd64"))
	s.one.Add(faults.Rule{Match: faults.On(http.MethodGet, "/blobs/"+digest.FromBytes(img.layer).String()), Fault: faults.FlipBit()})
	if _, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/app:1"}, CopyOptions{}); err == nil {
		t.Error("copied")
	}
	if d := s.digest("two.example/app:1"); d != "" {
		t.Errorf("the tag is %s", d)
	}
}

func TestRemove(t *testing.T) {
	for name, c := range map[string]struct {
		ref   string
		opts  RemoveOptions
		plan  []string // lines, without digests
		gone  []string // tags
		stays []string
	}{
		"a tag": {
			ref: "one.example/app:1", plan: []string{"- tag one.example/app:1"}, gone: []string{"1"}, stays: []string{"same", "2", "amd64"},
		},
		"an index that another tag names, too": {
			ref: "one.example/app:1", opts: RemoveOptions{Manifest: true},
			plan: []string{"- tag one.example/app:1", "= stays: used by same"}, gone: []string{"1"}, stays: []string{"same", "2"},
		},
		"an image that indexes hold": {
			ref: "one.example/app:amd64", opts: RemoveOptions{Manifest: true},
			plan: []string{"- tag one.example/app:amd64", "= stays: used by index 1, index 2, index same"}, gone: []string{"amd64"}, stays: []string{"1", "same", "2"},
		},
		"an index": {
			ref: "one.example/app:2", opts: RemoveOptions{Manifest: true}, plan: []string{"- index with the tags 2"}, gone: []string{"2"}, stays: []string{"1", "same"},
		},
		"an index with the children that nothing else uses": {
			ref: "one.example/app:2", opts: RemoveOptions{Children: true},
			plan: []string{"- index with the tags 2", "- attestation linux/arm64", "- image linux/arm64",
				"= linux/amd64 stays: used by index 1, index same, tag amd64"},
			gone: []string{"2"}, stays: []string{"1", "same", "amd64"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			amd64 := imageFor("linux/amd64")
			s.push("one.example/app:amd64", amd64)
			s.pushList("one.example/app:1", amd64, imageFor("linux/s390x"))
			s.pushIndex("one.example/app:same", s.index("one.example/app:1"))
			s.pushList("one.example/app:2", amd64, imageFor("linux/arm64").attested())
			s.one.Reset()
			plan, err := PlanRemove(t.Context(), s.client, c.ref, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			if got := planned(plan); strings.Join(got, "\n") != strings.Join(c.plan, "\n") || len(written(s.one)) > 0 {
				t.Errorf("plan\n%s\nwant\n%s\nwrote %q", strings.Join(got, "\n"), strings.Join(c.plan, "\n"), written(s.one))
			}
			if plan.Reference != c.ref || slices.ContainsFunc(plan.Keep, func(k Kept) bool { return k.Digest == "" }) {
				t.Errorf("plan %+v", plan)
			}
			if told := strings.Contains(strings.Join(plan.Notices, ""), "indexes without a tag are not seen"); told != c.opts.Children {
				t.Errorf("notices %q", plan.Notices)
			}
			done, err := Remove(t.Context(), s.client, plan)
			if err != nil || !done.Done {
				t.Fatalf("%v", err)
			}
			for _, tag := range c.gone {
				if d := s.digest("one.example/app:" + tag); d != "" {
					t.Errorf("%s is still there", tag)
				}
			}
			for _, tag := range c.stays {
				if complaints(s, "one.example/app:"+tag) != "" {
					t.Errorf("%s is broken: %s", tag, complaints(s, "one.example/app:"+tag))
				}
			}
		})
	}
}

// planned are the lines of a plan without the digests.
func planned(plan Removal) []string {
	var text strings.Builder
	_ = plan.Write(&text) // into memory
	var out []string
	for _, line := range strings.Split(strings.TrimSpace(text.String()), "\n") {
		var kept []string
		for _, word := range strings.Fields(line) {
			if !strings.HasPrefix(word, "sha256:") {
				kept = append(kept, word)
			}
		}
		out = append(out, strings.Join(kept, " "))
	}
	return out
}

// What cosign keeps beside what goes, goes along, unless something else needs it; what it keeps beside what stays, stays.
func TestRemoveTakesCosignsTagsAlong(t *testing.T) {
	const repo = "one.example/app:"
	s := newScene(t)
	s.push(repo+"amd64", imageFor("linux/amd64"))
	ix := s.pushList(repo+"1", imageFor("linux/amd64"), imageFor("linux/arm64"))
	beside := func(d digest.Digest, kind string) (tag string) {
		tag = "sha256-" + d.Encoded() + "." + kind
		s.push(repo+tag, imageFor("linux/amd64").named(tag))
		return tag
	}
	amd64, arm64 := ix.Entries[0].Digest, ix.Entries[1].Digest
	stays, shared, list := beside(amd64, "sig"), beside(arm64, "sbom"), beside(s.digest(repo+"1"), "sig")
	signature, attestation := beside(arm64, "sig"), beside(arm64, "att")
	ofSignature := beside(s.digest(repo+signature), "sig")
	s.push(repo+"kept", imageFor("linux/amd64").named(shared))
	plan, err := PlanRemove(t.Context(), s.client, repo+"1", RemoveOptions{Children: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"- index with the tags 1", "- image linux/arm64", "- signature with the tags " + list,
		"- signature linux/arm64 with the tags " + signature, "- attestation linux/arm64 with the tags " + attestation,
		"- signature linux/arm64 with the tags " + ofSignature,
		"= linux/amd64 stays: used by tag amd64", "= linux/arm64 stays: used by tag kept",
	}
	if got := planned(plan); !slices.Equal(got, want) {
		t.Errorf("plan\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := Remove(t.Context(), s.client, plan); err != nil {
		t.Fatal(err)
	}
	for tag, there := range map[string]bool{signature: false, attestation: false, ofSignature: false, list: false, shared: true, stays: true, "kept": true} {
		if (s.digest(repo+tag) != "") != there {
			t.Errorf("%s is there: %v", tag, !there)
		}
	}
	if got := planned(mustPlan(s, repo+"amd64", RemoveOptions{Manifest: true})); !slices.Equal(got, []string{"- image with the tags amd64"}) {
		t.Errorf("without -children: %q", got)
	}
	s.push(repo+"alone", imageFor("linux/amd64").named("alone"))
	if got := planned(mustPlan(s, repo+"alone", RemoveOptions{Children: true})); !slices.Equal(got, []string{"- image with the tags alone"}) {
		t.Errorf("an image, which has no children: %q", got)
	}
}

func mustPlan(s *scene, ref string, opts RemoveOptions) Removal {
	s.Helper()
	plan, err := PlanRemove(s.Context(), s.client, ref, opts)
	if err != nil {
		s.Fatal(err)
	}
	return plan
}

// Without knowing who needs it nothing goes.
func TestRemovePlansNothingInTheDark(t *testing.T) {
	for name, c := range map[string]struct {
		ref   string
		fault *faults.Rule
		want  error
		says  string
	}{
		"no reference":          {"one.example/App:1", nil, ErrUsage, "capital"},
		"nothing there":         {"one.example/app:2", nil, registry.ErrNotFound, "app:2"},
		"tags untold":           {"one.example/app:1", &faults.Rule{Match: faults.On("", "/tags/list"), Fault: faults.Status(http.StatusForbidden)}, registry.ErrUnauthorized, "what else uses it has to be known"},
		"a tag that is unread":  {"one.example/app:1", &faults.Rule{Match: faults.On("", "/manifests/other"), Fault: faults.Status(http.StatusForbidden)}, registry.ErrUnauthorized, "other"},
		"referrers untold":      {"one.example/app:1", &faults.Rule{Match: faults.On("", "/referrers/"), Fault: faults.Status(http.StatusUnauthorized)}, registry.ErrUnauthorized, "what refers to it has to be known"},
		"referrers of nonsense": {"one.example/app:1", &faults.Rule{Match: faults.On("", "/referrers/"), Fault: faults.Answer(http.StatusOK, index.OCIIndex, `{"manifests":[{"digest":"../x"}]}`)}, digest.ErrDigestInvalidFormat, "have the registry mended"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.pushList("one.example/app:1", imageFor("linux/amd64"))
			s.push("one.example/app:other", imageFor("linux/arm64"))
			if c.fault != nil {
				s.one.Add(*c.fault)
			}
			plan, err := PlanRemove(t.Context(), s.client, c.ref, RemoveOptions{Children: true})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, %+v", err, plan)
			}
		})
	}
}

// A tag that vanishes meanwhile uses nothing, and what the registry refuses was not done.
func TestRemoveAmidOthers(t *testing.T) {
	for _, opts := range []RemoveOptions{{}, {Manifest: true}} {
		s := newScene(t)
		s.pushList("one.example/app:1", imageFor("linux/amd64"))
		s.push("one.example/app:other", imageFor("linux/arm64"))
		s.one.Add(faults.Rule{Match: faults.On("", "/manifests/other"), Fault: faults.Status(http.StatusNotFound)})
		s.one.Add(faults.Rule{Match: faults.On(http.MethodDelete, ""), Fault: faults.Status(http.StatusForbidden)})
		done, err := Remove(t.Context(), s.client, mustPlan(s, "one.example/app:1", opts))
		if !errors.Is(err, registry.ErrUnauthorized) || done.Done || s.digest("one.example/app:1") == "" {
			t.Errorf("%+v: %v, %+v", opts, err, done)
		}
	}
}

// What a list holds twice is named once.
func TestRemoveOfAListThatHoldsAnImageTwice(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:amd64", imageFor("linux/amd64"))
	ix := s.listOf("one.example/app", imageFor("linux/amd64"), imageFor("linux/arm64"))
	ix.Entries = append(ix.Entries, ix.Entries...)
	s.pushIndex("one.example/app:1", ix)
	want := []string{"- index with the tags 1", "- image linux/arm64", "= linux/amd64 stays: used by tag amd64"}
	if got := planned(mustPlan(s, "one.example/app:1", RemoveOptions{Children: true})); !slices.Equal(got, want) {
		t.Errorf("plan %q", got)
	}
}

func TestRemoveByDigestSaysWhatBreaks(t *testing.T) {
	s := newScene(t)
	ix := s.pushList("one.example/app:1", imageFor("linux/amd64"))
	plan, err := PlanRemove(t.Context(), s.client, "one.example/app@"+ix.Entries[0].Digest.String(), RemoveOptions{})
	if err != nil || !strings.Contains(strings.Join(plan.Notices, ""), "part of index 1, which breaks") {
		t.Errorf("%v %q", err, plan.Notices)
	}
	both := mustPlan(s, "one.example/app:1@"+s.digest("one.example/app:1").String(), RemoveOptions{})
	if got := planned(both); !slices.Equal(got, []string{"- index with the tags 1"}) || !errors.Is(both.Pending(), ErrUsage) {
		t.Errorf("a tag with a digest: %q, %v", got, both.Pending())
	}
	for range 2 { // what is gone already is no fault
		done, err := Remove(t.Context(), s.client, both)
		if err != nil || done.Pending() != nil {
			t.Errorf("%v, %v", err, done.Pending())
		}
	}
	if _, err := Remove(t.Context(), s.client, Removal{}); !errors.Is(err, ErrUsage) {
		t.Errorf("a removal without a plan: %v", err)
	}
}

// What refers to all that goes is asked for at once.
func TestRemoveAsksForReferrersAtOnce(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:1", imageFor("linux/amd64"), imageFor("linux/arm64"))
	steps := faults.NewLockstep(t, 1, 1, 1, 3, 3) // the list; the tags; what they name; referrers by the API; by tags
	s.one.Hold = steps.Hold
	mustPlan(s, "one.example/app:1", RemoveOptions{Children: true})
	steps.Done()
}

// Many registries cannot remove a tag by itself: what to do instead depends on who else needs what it names.
func TestATagThatCannotGoAlone(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:1", imageFor("linux/amd64"))
	s.pushIndex("one.example/app:same", s.index("one.example/app:1"))
	s.one.Add(faults.Rule{Match: faults.On(http.MethodDelete, "/manifests/1"), Fault: faults.Status(http.StatusMethodNotAllowed)})
	for opts, says := range map[RemoveOptions]string{
		{}:               "use -manifest, which removes what it names with every tag on it",
		{Manifest: true}: "is used by same, too; to remove all of that, name it by its digest, " + s.digest("one.example/app:1").String(),
	} {
		_, err := Remove(t.Context(), s.client, mustPlan(s, "one.example/app:1", opts))
		if !errors.Is(err, registry.ErrDenied) || !containsAll(err.Error(), "one.example removes no tag by itself; ", says) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}

// What a registry lists as a referrer is not believed to be a digest.
func TestAReferrerThatIsNoDigest(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:1", imageFor("linux/amd64"))
	s.one.Add(faults.Rule{Match: faults.On(http.MethodGet, "/referrers/"), Fault: faults.Answer(http.StatusOK, index.OCIIndex,
		`{"schemaVersion":2,"mediaType":"`+index.OCIIndex+`","manifests":[{"mediaType":"`+index.OCIManifest+`","digest":"../../etc","size":5}]}`)})
	_, err := Copy(t.Context(), s.client, "one.example/app:1", []string{"two.example/app:1"}, CopyOptions{})
	if err == nil || !strings.Contains(err.Error(), "as a referrer") || s.digest("two.example/app:1") != "" {
		t.Errorf("got %v", err)
	}
}

// A list that nobody can read keeps nothing else from being removed, and itself neither; only children stay, which it may use.
func TestRemoveBesideABrokenIndex(t *testing.T) {
	s := newScene(t)
	ix := s.pushList("one.example/app:1", imageFor("linux/amd64"))
	raw := []byte(`{"schemaVersion":2,"mediaType":"` + index.OCIIndex + `","manifests":[{"mediaType":"` + index.OCIManifest +
		`","digest":"` + ix.Entries[0].Digest.String() + `","size":0}]}`)
	s.tag("one.example/app:broken", ocispec.Descriptor{MediaType: index.OCIIndex}, raw)
	_, err := PlanRemove(t.Context(), s.client, "one.example/app:1", RemoveOptions{Manifest: true, Children: true})
	if err == nil || !containsAll(err.Error(), "tag broken", "remove that tag first") {
		t.Errorf("with children: %v", err)
	}
	for _, c := range []struct{ tag, notice string }{{"1", "tag broken is broken"}, {"broken", ""}} {
		plan, err := PlanRemove(t.Context(), s.client, "one.example/app:"+c.tag, RemoveOptions{Manifest: true})
		if err != nil {
			t.Fatalf("%s: %v", c.tag, err)
		}
		if got := strings.Join(plan.Notices, ""); !strings.Contains(got, c.notice) || c.notice == "" && got != "" {
			t.Errorf("%s: %q", c.tag, got)
		}
		if _, err := Remove(t.Context(), s.client, plan); err != nil || s.digest("one.example/app:"+c.tag) != "" {
			t.Errorf("%s is still there: %v", c.tag, err)
		}
	}
}

// What refers to what goes, goes along with the tag that lists it, unless something else needs it; what stays is told.
func TestRemoveTakesReferrersAlong(t *testing.T) {
	const repo = "one.example/app"
	s := newScene(t)
	ix := s.pushList(repo+":1", imageFor("linux/amd64"), imageFor("linux/arm64"))
	s.push(repo+":amd64", imageFor("linux/amd64"))
	stays := s.refer(repo, ix.Entries[0].Digest, "of an image that stays")
	sbom := s.refer(repo, ix.Entries[1].Digest, "sbom")
	signed := s.refer(repo, sbom, "signature of the sbom")
	shared := s.refer(repo, ix.Entries[1].Digest, "shared")
	ofList := s.refer(repo, s.digest(repo+":1"), "of the list") // whose list of referrers somebody has given a tag
	s.tag(repo+":referrers", ocispec.Descriptor{MediaType: index.OCIIndex}, s.manifest(repo+":1", s.digest(repo+":"+registry.ReferrersTag(s.digest(repo+":1")))))
	raw := s.manifest(repo+":1", shared)
	s.tag(repo+":kept", indexEntry(raw), raw)
	alone := mustPlan(s, "one.example/app@"+ix.Entries[1].Digest.String(), RemoveOptions{})
	if told := strings.Join(alone.Notices, "\n"); len(alone.Delete) != 1 || !containsAll(told, "stays, and nobody finds it any more", "application/x "+sbom.String(), "add -children") {
		t.Errorf("without -children: %+v", alone)
	}
	plan := mustPlan(s, repo+":1", RemoveOptions{Children: true})
	if got := strings.Join(planned(plan), "\n"); !containsAll(got, "- referrer application/x linux/arm64", "- list of referrers linux/arm64 with the tags sha256-",
		"= linux/arm64 stays: used by tag kept", "= stays: used by tag referrers", "= stays: used by index referrers") {
		t.Errorf("plan\n%s", got)
	}
	if _, err := Remove(t.Context(), s.client, plan); err != nil {
		t.Fatal(err)
	}
	for d, there := range map[digest.Digest]bool{sbom: false, signed: false, shared: true, stays: true, ofList: true, s.digest(repo + ":referrers"): true} {
		if _, err := s.client.Head(t.Context(), withDigest(named(repo), d)); errors.Is(err, registry.ErrNotFound) == there {
			t.Errorf("%s is there: %v, %v", d, !there, err)
		}
	}
	for d, there := range map[digest.Digest]bool{ix.Entries[1].Digest: false, sbom: false, ix.Entries[0].Digest: true} {
		if (s.digest(repo+":"+registry.ReferrersTag(d)) != "") != there {
			t.Errorf("the list of the referrers of %s is there: %v", d, !there)
		}
	}
}
