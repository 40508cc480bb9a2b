package lists

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

func target(platform string) index.Target {
	p := platformsOf(platform)[0]
	return index.Target{Platform: &p}
}

func text(s string) *string { return &s }

func TestApply(t *testing.T) {
	for name, c := range map[string]struct {
		edit Edit
		opts CreateOptions
		want string
		then func(index.Index) bool
	}{
		"add": {
			edit: Edit{Add: sources("one.example/app:s390x")},
			want: "linux/amd64 linux/arm64 linux/s390x",
		},
		"add from another registry": {
			edit: Edit{Add: sources("two.example/app:riscv64")},
			want: "linux/amd64 linux/arm64 linux/riscv64",
		},
		"replace, in its place": {
			edit: Edit{Add: sources("one.example/app:new"), Replace: true},
			want: "linux/amd64 linux/arm64",
			then: func(ix index.Index) bool { return len(ix.Entries[0].Attestations) == 0 },
		},
		"add, with an annotation of the list": {
			edit: Edit{Add: sources("one.example/app:s390x")}, opts: CreateOptions{Annotations: map[string]string{"new": "1"}},
			want: "linux/amd64 linux/arm64 linux/s390x",
			then: func(ix index.Index) bool { return ix.Annotations["new"] == "1" && ix.Annotations["keep"] == "me" },
		},
		"remove, with its attestation": {
			edit: Edit{Remove: []index.Target{target("linux/amd64")}},
			want: "linux/arm64",
			then: func(ix index.Index) bool { return len(ix.Flatten()) == 1 },
		},
		"annotate an entry": {
			edit: Edit{Changes: []EntryChange{{target("linux/arm64"), index.Change{Annotations: map[string]string{"a": "b"}}}}},
			want: "linux/amd64 linux/arm64",
			then: func(ix index.Index) bool {
				return ix.Entries[1].Annotations["a"] == "b" && ix.Annotations["keep"] == "me"
			},
		},
		"annotate the index": {
			edit: Edit{Changes: []EntryChange{{index.Target{}, index.Change{Annotations: map[string]string{"a": "b", "keep": ""}}}}},
			want: "linux/amd64 linux/arm64",
			then: func(ix index.Index) bool { return ix.Annotations["a"] == "b" && len(ix.Annotations) == 1 },
		},
		"call an entry otherwise": {
			edit: Edit{Changes: []EntryChange{{target("linux/arm64"), index.Change{Variant: text("v9"), OSVersion: text("6"), OSFeatures: []string{"x"}}}}},
			want: "linux/amd64 linux(6+x)/arm64/v9",
		},
		"call an entry what it is not, by force": {
			edit: Edit{Changes: []EntryChange{{target("linux/arm64"), index.Change{Architecture: text("s390x")}}}},
			opts: CreateOptions{ForcePlatform: true},
			want: "linux/amd64 linux/s390x",
		},
		"all at once": {
			edit: Edit{Remove: []index.Target{target("linux/amd64")}, Add: sources("one.example/app:s390x"),
				Changes: []EntryChange{{target("linux/s390x"), index.Change{Annotations: map[string]string{"n": "1"}}}}},
			want: "linux/arm64 linux/s390x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := editScene(t)
			before := s.digest("one.example/app:1")
			s.one.Reset()
			got, err := Apply(t.Context(), s.client, "one.example/app:1", c.edit, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			ix := s.index("one.example/app:1")
			if have := s.platforms("one.example/app:1"); have != c.want || c.then != nil && !c.then(ix) {
				t.Errorf("%s: %+v", have, ix)
			}
			if got.Before != before || got.Unchanged || got.Changes.Empty() || got.Digest != s.digest("one.example/app:1").String() {
				t.Errorf("reports %+v", got)
			}
			if problems := complaints(s, "one.example/app:1"); problems != "" && len(c.edit.Changes) == 0 {
				t.Errorf("%s", problems)
			}
			onTag := func(r faults.Request) bool { return strings.HasSuffix(r.Path, "/manifests/1") }
			all := slices.DeleteFunc(s.one.Requests(), func(r faults.Request) bool { return !onTag(r) })
			if c.edit.Add == nil && (len(all) < 3 || all[0].Method != http.MethodGet || all[1].Method != http.MethodPut) {
				t.Errorf("not one read and one write: %+v", all)
			}
		})
	}
}

func editScene(t *testing.T) *scene {
	t.Helper()
	s := newScene(t)
	ix := index.Index{MediaType: index.OCIIndex, Annotations: map[string]string{"keep": "me"}, Entries: []index.Entry{
		s.upload("one.example/app", imageFor("linux/amd64").attested()).entry, s.upload("one.example/app", imageFor("linux/arm64")).entry,
	}}
	s.pushIndex("one.example/app:1", ix)
	s.push("one.example/app:s390x", imageFor("linux/s390x"))
	s.push("one.example/app:new", imageFor("linux/amd64").named("new"))
	s.push("two.example/app:riscv64", imageFor("linux/riscv64"))
	s.broken("one.example/app:broken")
	return s
}

func TestApplyRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		ref  string
		edit Edit
		want error
		says string
	}{
		"a tag that is not there":       {"one.example/app:none", Edit{Remove: []index.Target{target("linux/amd64")}}, registry.ErrNotFound, "create it first"},
		"one image":                     {"one.example/app:s390x", Edit{Remove: []index.Target{target("linux/s390x")}}, ErrUsage, "one image and no list"},
		"a list that nobody can read":   {"one.example/app:broken", Edit{Add: sources("one.example/app:new")}, index.ErrInvalid, "create it anew"},
		"a platform that it has":        {"one.example/app:1", Edit{Add: sources("one.example/app:new")}, index.ErrDuplicate, "linux/amd64"},
		"a platform that it lacks":      {"one.example/app:1", Edit{Remove: []index.Target{target("linux/s390x")}}, index.ErrNotFound, "it has linux/amd64, linux/arm64"},
		"everything":                    {"one.example/app:1", Edit{Remove: []index.Target{target("linux/amd64"), target("linux/arm64")}}, ErrUsage, "nothing would be left"},
		"a missing image":               {"one.example/app:1", Edit{Add: sources("one.example/app:none")}, registry.ErrNotFound, "one.example/app:none"},
		"a lie":                         {"one.example/app:1", Edit{Add: sources("linux/ppc64le=one.example/app:s390x")}, image.ErrRefused, "linux/s390x"},
		"a lie about what is there":     {"one.example/app:1", Edit{Changes: []EntryChange{{target("linux/arm64"), index.Change{Architecture: text("s390x")}}}}, image.ErrRefused, "is declared as linux/s390x by you, but its config says linux/arm64"},
		"a name that another has":       {"one.example/app:1", Edit{Changes: []EntryChange{{target("linux/arm64"), index.Change{Architecture: text("amd64")}}}}, index.ErrDuplicate, ""},
		"nothing at all":                {"one.example/app:1", Edit{}, ErrUsage, "no images are named"},
		"the list itself":               {"one.example/app:1", Edit{Remove: []index.Target{{}}}, ErrUsage, "out of itself"},
		"no change of an image":         {"one.example/app:1", Edit{Changes: []EntryChange{{Target: target("linux/arm64")}}}, ErrUsage, "-annotations"},
		"a platform of the list":        {"one.example/app:1", Edit{Changes: []EntryChange{{Change: index.Change{OS: text("linux")}}}}, ErrUsage, "no platform of its own"},
		"a digest, which cannot change": {"one.example/app@sha256:" + strings.Repeat("1", 64), Edit{Add: sources("one.example/app:new")}, ErrUsage, "has a digest"},
	} {
		t.Run(name, func(t *testing.T) {
			s := editScene(t)
			s.one.Reset()
			_, err := Apply(t.Context(), s.client, c.ref, c.edit, CreateOptions{})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.says)
			}
			if w := written(s.one); len(w) > 0 {
				t.Errorf("wrote %q", w)
			}
		})
	}
}

// What may not be read might be another thing than the edit takes it for.
func TestAnEditOfWhatMayNotBeRead(t *testing.T) {
	remove := Edit{Remove: []index.Target{target("linux/amd64")}}
	rename := Edit{Changes: []EntryChange{{target("linux/arm64"), index.Change{Architecture: text("s390x")}}}}
	for name, c := range map[string]struct {
		edit Edit
		ref  string
		path string
	}{
		"the list":     {remove, "one.example/app:1", "/manifests/1"},
		"a list in it": {remove, "one.example/app:nested", "/manifests/sha256:"},
		"an image":     {rename, "one.example/app:1", "/manifests/sha256:"},
		"its config":   {rename, "one.example/app:1", "/blobs/"},
	} {
		t.Run(name, func(t *testing.T) {
			s := editScene(t)
			s.pushNested("one.example/app:nested", false, imageFor("linux/amd64"), imageFor("linux/arm64"))
			s.one.Add(faults.Rule{Match: faults.On(http.MethodGet, c.path), Fault: faults.Status(http.StatusForbidden)})
			before := len(written(s.one))
			_, err := Apply(t.Context(), s.client, c.ref, c.edit, CreateOptions{})
			if !errors.Is(err, registry.ErrUnauthorized) || len(written(s.one)) > before {
				t.Errorf("got %v, wrote %q", err, written(s.one)[before:])
			}
		})
	}
}

func TestAnEditThatChangesNothingWritesNothing(t *testing.T) {
	s := editScene(t)
	s.one.Reset()
	got, err := Apply(t.Context(), s.client, "one.example/app:1", Edit{Changes: []EntryChange{{index.Target{}, index.Change{Annotations: map[string]string{"keep": "me"}}}}}, CreateOptions{})
	if err != nil || !got.Unchanged || got.Digest != s.digest("one.example/app:1").String() || len(written(s.one)) > 0 {
		t.Errorf("%v, %+v, wrote %q", err, got, written(s.one))
	}
}

// A list inside a list gives way to its images, which can be taken out, called otherwise, and not be doubled.
func TestAnEditFlattensListsInside(t *testing.T) {
	inner := func(s *scene) []index.Target {
		return []index.Target{{Digest: s.index("one.example/app:1").Entries[1].Digest}}
	}
	for name, c := range map[string]struct {
		edit func(*scene) Edit
		want string
		says []string // of an error
	}{
		"remove a platform":    {edit: func(*scene) Edit { return Edit{Remove: []index.Target{target("linux/arm64")}} }, want: "linux/amd64"},
		"remove a list inside": {edit: func(s *scene) Edit { return Edit{Remove: inner(s)} }, want: "linux/amd64"},
		"add":                  {edit: func(*scene) Edit { return Edit{Add: sources("one.example/app:s390x")} }, want: "linux/amd64 linux/arm64 linux/s390x"},
		"replace":              {edit: func(*scene) Edit { return Edit{Add: sources("one.example/app:new"), Replace: true} }, want: "linux/amd64 linux/arm64"},
		"annotate": {edit: func(*scene) Edit {
			return Edit{Changes: []EntryChange{{target("linux/arm64"), index.Change{Annotations: map[string]string{"a": "b"}}}}}
		}, want: "linux/amd64 linux/arm64"},
		"add what is there": {edit: func(*scene) Edit { return Edit{Add: sources("one.example/app:new")} },
			says: []string{"linux/amd64", "linux/amd64 of one.example/app@sha256:", "one.example/app:new"}},
	} {
		for kind, undeclared := range map[string]bool{"with platforms": false, "without": true} {
			t.Run(name+", "+kind, func(t *testing.T) {
				s := newScene(t)
				s.push("one.example/app:s390x", imageFor("linux/s390x"))
				s.push("one.example/app:new", imageFor("linux/amd64").named("new"))
				s.pushNested("one.example/app:1", undeclared, imageFor("linux/amd64"), imageFor("linux/arm64").attested())
				edit := c.edit(s)
				s.one.Reset()
				got, err := Apply(t.Context(), s.client, "one.example/app:1", edit, CreateOptions{})
				if again := askedAgain(s.one); len(again) > 0 {
					t.Errorf("read twice: %q", again)
				}
				if c.says != nil {
					if !errors.Is(err, index.ErrDuplicate) || !containsAll(err.Error(), c.says...) {
						t.Errorf("got %v, want %q", err, c.says)
					}
					return
				}
				if err != nil || s.platforms("one.example/app:1") != c.want || len(inside(s.index("one.example/app:1"))) > 0 {
					t.Fatalf("%v: %+v", err, s.index("one.example/app:1"))
				}
				if !strings.Contains(strings.Join(got.Notices, "\n"), "flattened") || complaints(s, "one.example/app:1") != "" {
					t.Errorf("said %q; %s", got.Notices, complaints(s, "one.example/app:1"))
				}
			})
		}
	}
}

// What stands beside a list inside a list stays, whatever it is.
func TestAnEditKeepsWhatStandsBesideListsInside(t *testing.T) {
	const ref = "one.example/app:1"
	for name, c := range map[string]struct {
		edit func(index.Index) Edit
		want string
	}{
		"annotate": {func(index.Index) Edit {
			return Edit{Changes: []EntryChange{{index.Target{}, index.Change{Annotations: map[string]string{"a": "b"}}}}}
		}, "linux/amd64 linux/arm64"},
		"remove the list inside": {func(ix index.Index) Edit { return Edit{Remove: []index.Target{{Digest: ix.Entries[0].Digest}}} }, "linux/arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.pushNested(ref, false, imageFor("linux/amd64"))
			ix := s.index(ref)
			artifact := s.artifact("one.example/app:artifact", nil)
			ix.Entries = append(ix.Entries, s.upload(ref, imageFor("linux/arm64")).entry, index.Entry{Descriptor: artifact})
			s.pushIndex(ref, ix)
			if _, err := Apply(t.Context(), s.client, ref, c.edit(ix), CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			got := s.index(ref)
			if last := got.Entries[len(got.Entries)-1]; s.platforms(ref) != c.want || last.Digest != artifact.Digest {
				t.Errorf("got %+v", got.Entries)
			}
		})
	}
}

// What a list says twice, inside and beside, it cannot say in one; and what it does not say stays unsaid.
func TestAnEditDecidesNothing(t *testing.T) {
	const ref = "one.example/app:1"
	annotate := Edit{Changes: []EntryChange{{index.Target{}, index.Change{Annotations: map[string]string{"a": "b"}}}}}
	s := newScene(t)
	s.pushNested(ref, false, imageFor("linux/amd64"))
	ix := s.index(ref)
	ix.Entries = append(ix.Entries, s.upload(ref, imageFor("linux/amd64").named("another")).entry)
	s.pushIndex(ref, ix)
	if _, err := Apply(t.Context(), s.client, ref, annotate, CreateOptions{}); !errors.Is(err, index.ErrDuplicate) {
		t.Errorf("two images of one platform: %v", err)
	}
	ix = s.listOf(ref, imageFor("linux/amd64"))
	ix.Entries[0].Platform = nil
	s.pushIndex(ref, ix)
	if _, err := Apply(t.Context(), s.client, ref, annotate, CreateOptions{}); err != nil || s.index(ref).Entries[0].Platform != nil {
		t.Errorf("an image without a platform: %v, %+v", err, s.index(ref).Entries)
	}
}

// A platform that an entry gets may be misspelt, which is told and allowed.
func TestAnEditTellsOfAnUnusualPlatform(t *testing.T) {
	for name, c := range map[string]struct {
		change index.Change
		told   bool
	}{
		"an architecture": {index.Change{Architecture: text("rscv64")}, true},
		"a system":        {index.Change{OS: text("linx")}, true},
		"a variant":       {index.Change{Variant: text("v99")}, true},
		"a known one":     {index.Change{Architecture: text("riscv64")}, false},
	} {
		s := editScene(t)
		got, err := Apply(t.Context(), s.client, "one.example/app:1", Edit{Changes: []EntryChange{{target("linux/arm64"), c.change}}}, CreateOptions{ForcePlatform: true})
		if told := strings.Contains(strings.Join(got.Notices, "\n"), "it is listed all the same"); err != nil || told != c.told {
			t.Errorf("%s: %v, said %q", name, err, got.Notices)
		}
	}
}

// A Docker list that an OCI image joins becomes an index, which is told.
func TestAnEditTellsOfAnotherMediaType(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:docker", imageFor("linux/amd64").asDocker())
	s.push("one.example/app:oci", imageFor("linux/arm64"))
	if _, err := Create(t.Context(), s.client, []string{"one.example/app:1"}, sources("one.example/app:docker"), CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := Apply(t.Context(), s.client, "one.example/app:1", Edit{Add: sources("one.example/app:oci")}, CreateOptions{})
	if err != nil || got.MediaType != index.OCIIndex || !strings.Contains(strings.Join(got.Notices, ""), "1 Docker and 1 OCI images") {
		t.Errorf("%v, %+v", err, got)
	}
}

// askedAgain lists what a registry was asked for more than once, in the same way.
func askedAgain(p *faults.Proxy) []string {
	var out []string
	seen := map[string]bool{}
	for _, r := range p.Requests() {
		what := r.Method + " " + r.Path
		if seen[what] {
			out = append(out, what)
		}
		seen[what] = true
	}
	return out
}

// What is taken out by its digest may go, also where only its config says what is lost.
func TestAnEditRemovesAnImageWithoutAPlatform(t *testing.T) {
	s := newScene(t)
	ix := s.listOf("one.example/app", imageFor("linux/amd64"), imageFor("linux/arm64"))
	ix.Entries[1].Platform = nil
	s.pushIndex("one.example/app:1", ix)
	_, err := Apply(t.Context(), s.client, "one.example/app:1", Edit{Remove: []index.Target{{Digest: ix.Entries[1].Digest}}}, CreateOptions{})
	if got := s.index("one.example/app:1"); err != nil || len(got.Entries) != 1 {
		t.Errorf("%v, %+v", err, got)
	}
}

// While a layer is copied from another registry, somebody moves the tag.
func TestAnEditDoesNotUndoSomebodyElsesWork(t *testing.T) {
	s := editScene(t)
	s.two.Add(faults.Rule{Match: faults.On(http.MethodGet, "/blobs/"), Times: 1, Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r)
	}})
	moved := make(chan struct{}, 1)
	s.one.Add(faults.Rule{Match: faults.On(http.MethodPost, "/uploads/"), Times: 1, Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		s.pushList("one.example/app:1", imageFor("linux/amd64").named("theirs"))
		moved <- struct{}{}
		next.ServeHTTP(w, r)
	}})
	_, err := Apply(t.Context(), s.client, "one.example/app:1", Edit{Add: sources("two.example/app:riscv64")}, CreateOptions{})
	var lost *MovedError
	if !errors.As(err, &lost) || lost.After {
		t.Errorf("got %v", err)
	}
	<-moved
	if got := s.platforms("one.example/app:1"); got != "linux/amd64" {
		t.Errorf("their list is gone: %s", got)
	}
}

// One read and one write, and the look back. Images to add are read before, their configs together with the list.
func TestAnEditIsOneReadAndOneWrite(t *testing.T) {
	for name, c := range map[string]struct {
		edit   Edit
		rounds []int
	}{
		"remove":   {Edit{Remove: []index.Target{target("linux/amd64")}}, []int{1, 1, 1}},
		"annotate": {Edit{Changes: []EntryChange{{target("linux/arm64"), index.Change{Annotations: map[string]string{"a": "b"}}}}}, []int{1, 1, 1}},
		"add two":  {Edit{Add: sources("one.example/app:s390x,one.example/app:ppc64le")}, []int{2, 3, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := editScene(t)
			s.push("one.example/app:ppc64le", imageFor("linux/ppc64le"))
			steps := faults.NewLockstep(t, c.rounds...)
			s.one.Hold = steps.Hold
			if _, err := Apply(t.Context(), s.client, "one.example/app:1", c.edit, CreateOptions{Publish: PublishOptions{now: (&clock{}).now}}); err != nil {
				t.Error(err)
			}
			s.one.Hold = nil
			steps.Done()
		})
	}
}
