package lists

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

func TestCreate(t *testing.T) {
	for name, c := range map[string]struct {
		push func(s *scene)
		from string
		opts CreateOptions
		want string // platforms, in order
		kind string
		says string // among the notices
		deep string // the last image's verdict
	}{
		"OCI images, in the order given": {
			push: func(s *scene) {
				s.push("one.example/app:a", imageFor("linux/arm64"))
				s.push("one.example/app:b", imageFor("linux/amd64"))
			},
			from: "one.example/app:a,one.example/app:b", want: "linux/arm64 linux/amd64", kind: index.OCIIndex,
		},
		"Docker images": {
			push: func(s *scene) {
				s.push("one.example/app:a", imageFor("linux/amd64").asDocker())
				s.push("one.example/app:b", imageFor("linux/arm/v6").asDocker())
			},
			from: "one.example/app:a one.example/app:b", want: "linux/amd64 linux/arm/v6", kind: index.DockerList,
		},
		"a mixture": {
			push: func(s *scene) {
				s.push("one.example/app:a", imageFor("linux/amd64").asDocker())
				s.push("one.example/app:b", imageFor("linux/arm64"))
			},
			from: "one.example/app:a,one.example/app:b", want: "linux/amd64 linux/arm64", kind: index.OCIIndex,
			says: "1 Docker and 1 OCI images",
		},
		"annotations over Docker images": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/amd64").asDocker()) },
			from: "one.example/app:a", opts: CreateOptions{Annotations: map[string]string{"k": "v"}},
			want: "linux/amd64", kind: index.OCIIndex, says: "because the list has annotations",
		},
		"an index as a source, with its attestations": {
			push: func(s *scene) {
				s.pushList("one.example/app:a", imageFor("linux/amd64").attested(), imageFor("linux/arm64").attested())
				s.push("one.example/app:b", imageFor("linux/s390x"))
			},
			from: "one.example/app:a,one.example/app:b", want: "linux/amd64 linux/arm64 linux/s390x", kind: index.OCIIndex,
		},
		"one platform of an index": {
			push: func(s *scene) {
				s.pushList("one.example/app:a", imageFor("linux/amd64"), imageFor("linux/arm/v7"))
			},
			from: "linux/arm=one.example/app:a", want: "linux/arm/v7", kind: index.OCIIndex,
		},
		"... beside an entry without one": {
			push: func(s *scene) {
				ix := s.listOf("one.example/app", imageFor("linux/amd64"), imageFor("linux/arm/v7"))
				ix.Entries[0].Platform = nil
				s.pushIndex("one.example/app:a", ix)
			},
			from: "linux/arm=one.example/app:a", want: "linux/arm/v7", kind: index.OCIIndex,
		},
		"a source that is not there": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/amd64")) },
			from: "one.example/app:a,one.example/app:b", opts: CreateOptions{IgnoreMissing: true},
			want: "linux/amd64", kind: index.OCIIndex, says: "one.example/app:b is not there and was left out",
		},
		"a declared variant that the config does not say": {
			push: func(s *scene) {
				i := imageFor("linux/arm/v7")
				i.platform.Variant = ""
				s.push("one.example/app:a", i)
			},
			from: "linux/arm/v6=one.example/app:a", want: "linux/arm/v6", kind: index.OCIIndex,
		},
		"a variant that only the config says": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/arm/v6")) },
			from: "linux/arm=one.example/app:a", want: "linux/arm/v6", kind: index.OCIIndex,
		},
		"a lie that is forced": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/amd64")) },
			from: "linux/arm64=one.example/app:a", opts: CreateOptions{ForcePlatform: true},
			want: "linux/arm64", kind: index.OCIIndex, says: "listed as linux/arm64 although its config says linux/amd64",
		},
		"Windows versions and features from the configs": {
			push: func(s *scene) {
				s.push("one.example/app:a", imageFor("linux/amd64").windows("10.0.17763.1", "win32k"))
				s.push("one.example/app:b", imageFor("linux/amd64").windows("10.0.20348.2"))
			},
			from: "one.example/app:a,windows/amd64=one.example/app:b", kind: index.OCIIndex,
			want: "windows(10.0.17763.1+win32k)/amd64 windows(10.0.20348.2)/amd64",
		},
		"programs that are what they are declared to be": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/arm64")) },
			from: "one.example/app:a", opts: CreateOptions{Deep: true}, want: "linux/arm64", kind: index.OCIIndex, deep: "verified",
		},
		"a program that is allowed to be another": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/arm64").holding("amd64")) },
			from: "one.example/app:a", opts: CreateOptions{Deep: true, AllowForeign: []string{"/app"}}, want: "linux/arm64", kind: index.OCIIndex, deep: "unverified",
			says: "allowed by ALLOW_FOREIGN",
		},
		"programs that are elsewhere": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/arm64").foreign()) },
			from: "one.example/app:a", opts: CreateOptions{Deep: true}, want: "linux/arm64", kind: index.OCIIndex, deep: "unverified",
			says: "its programs cannot be looked at",
		},
		"programs beside an artifact, which has none": {
			push: func(s *scene) {
				s.artifact("one.example/app:a", nil)
				s.push("one.example/app:b", imageFor("linux/arm64"))
			},
			from: "linux/amd64=one.example/app:a,one.example/app:b", opts: CreateOptions{Deep: true}, want: "linux/amd64 linux/arm64", kind: index.OCIIndex, deep: "verified",
		},
		"lists that are annotated alike": {
			push: func(s *scene) {
				for tag, platform := range map[string]string{"a": "linux/amd64", "b": "linux/arm64"} {
					ix := s.listOf("one.example/app", imageFor(platform))
					ix.Annotations = map[string]string{"k": "v"}
					s.pushIndex("one.example/app:"+tag, ix)
				}
			},
			from: "one.example/app:a,one.example/app:b", want: "linux/amd64 linux/arm64", kind: index.OCIIndex,
		},
		"a platform that only you know": {
			push: func(s *scene) { s.push("one.example/app:a", testImage{program: "arm"}) },
			from: "linux/arm/v7=one.example/app:a", kind: index.OCIIndex, want: "linux/arm/v7",
		},
		"an artifact, whose platform only you know": {
			push: func(s *scene) { s.artifact("one.example/app:a", nil) },
			from: "linux/arm64/v8=one.example/app:a", kind: index.OCIIndex, want: "linux/arm64",
		},
		"an entry without a platform": {
			push: func(s *scene) {
				ix := s.listOf("one.example/app", imageFor("linux/amd64"), imageFor("linux/arm/v6"))
				ix.Entries[1].Platform = nil
				s.pushIndex("one.example/app:a", ix)
			},
			from: "one.example/app:a", kind: index.OCIIndex, want: "linux/amd64 linux/arm/v6",
		},
		"the one image of an index, by force another": {
			push: func(s *scene) { s.pushList("one.example/app:a", imageFor("linux/amd64").attested()) },
			from: "linux/arm64=one.example/app:a", opts: CreateOptions{ForcePlatform: true}, kind: index.OCIIndex,
			want: "linux/arm64", says: "listed as linux/arm64 although its config says linux/amd64",
		},
		"an unusual platform": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("plan9/sparc64")) },
			from: "one.example/app:a", want: "plan9/sparc64", kind: index.OCIIndex,
		},
		"a platform that may be misspelt": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/rscv64").holding("riscv64")) },
			from: "linux/rscv64=one.example/app:a", want: "linux/rscv64", kind: index.OCIIndex,
			says: "riscv64",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.push(s)
			created, err := Create(t.Context(), s.client, []string{"one.example/app:1"}, sources(c.from), c.opts)
			if err != nil {
				t.Fatal(err)
			}
			ix := s.index("one.example/app:1")
			if got := s.platforms("one.example/app:1"); got != c.want || ix.MediaType != c.kind {
				t.Errorf("got %s over %s, want %s over %s", ix.MediaType, got, c.kind, c.want)
			}
			if said := strings.Join(created.Notices, "\n"); !strings.Contains(said, c.says) || c.says == "" && said != "" {
				t.Errorf("said %q, want %q", said, c.says)
			}
			if created.Digest != s.digest("one.example/app:1").String() {
				t.Errorf("reports %s", created.Digest)
			}
			for i, e := range ix.Entries {
				made := created.Entries[i]
				if made.Platform != strings.Fields(c.want)[i] || made.Digest != e.Digest.String() || made.Attestations != len(e.Attestations) || !strings.Contains(made.Source, "one.example/app:") {
					t.Errorf("reports the entry %+v", made)
				}
			}
			if last := created.Entries[len(created.Entries)-1]; last.Verdict != c.deep {
				t.Errorf("the verdict is %q, want %q", last.Verdict, c.deep)
			}
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	inner := imageFor("linux/amd64").named("inner")
	for name, c := range map[string]struct {
		push func(s *scene)
		from string
		opts CreateOptions
		want error
		says []string
	}{
		"two images of one platform": {
			push: func(s *scene) {
				s.push("one.example/app:a", imageFor("linux/arm64").named("a"))
				s.push("one.example/app:b", imageFor("linux/arm64/v8").named("b"))
			},
			from: "one.example/app:a,one.example/app:b", want: index.ErrDuplicate,
			says: []string{"linux/arm64", "one.example/app:a and one.example/app:b"},
		},
		"a declaration that the config contradicts": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/amd64")) },
			from: "linux/arm64=one.example/app:a", want: image.ErrRefused,
			says: []string{"one.example/app:a", "declared as linux/arm64 by you", "config says linux/amd64"},
		},
		"an index whose entry the config contradicts": {
			push: func(s *scene) { s.pushList("one.example/app:a", imageFor("linux/amd64").listed("linux/arm64")) },
			from: "one.example/app:a", want: image.ErrRefused,
			says: []string{"by its entry in one.example/app:a"},
		},
		"a list of nothing, even beside an image": {
			push: func(s *scene) {
				s.push("one.example/app:a", imageFor("linux/amd64"))
				raw := []byte(`{"schemaVersion":2,"mediaType":"` + index.OCIIndex + `","manifests":[]}`)
				s.tag("one.example/app:b", ocispec.Descriptor{MediaType: index.OCIIndex}, raw)
			},
			from: "one.example/app:a,one.example/app:b", want: index.ErrInvalid, says: []string{"app:b", "without images"},
		},
		"a config without an architecture": {
			push: func(s *scene) { s.push("one.example/app:a", testImage{program: "arm"}) },
			from: "one.example/app:a", want: ErrUsage, says: []string{"one.example/app:a", "no architecture", "linux/amd64=one.example/app:a"},
		},
		"another variant": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/arm/v7")) },
			from: "linux/arm/v6=one.example/app:a", want: image.ErrRefused,
		},
		"a program of another architecture": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/arm64").holding("amd64")) },
			from: "one.example/app:a", opts: CreateOptions{Deep: true}, want: image.ErrRefused, says: []string{"/app", "amd64"},
		},
		"a missing source": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/amd64")) },
			from: "one.example/app:a,one.example/app:b", want: registry.ErrNotFound, says: []string{"one.example/app:b"},
		},
		"nothing left of the sources": {
			push: func(*scene) {},
			from: "one.example/app:a", opts: CreateOptions{IgnoreMissing: true}, want: registry.ErrNotFound,
		},
		"an error that is not a 404, missing ignored": {
			push: func(s *scene) {
				s.push("one.example/app:a", imageFor("linux/amd64"))
				s.one.Add(faults.Rule{Match: faults.On("", "/manifests/b"), Fault: faults.Status(http.StatusForbidden)})
			},
			from: "one.example/app:a,one.example/app:b", opts: CreateOptions{IgnoreMissing: true}, want: registry.ErrUnauthorized,
		},
		"a platform that the index does not have": {
			push: func(s *scene) { s.pushList("one.example/app:a", imageFor("linux/amd64")) },
			from: "linux/arm64=one.example/app:a", want: index.ErrNotFound, says: []string{"it has linux/amd64"},
		},
		"one of several images, forced": {
			push: func(s *scene) { s.pushList("one.example/app:a", imageFor("linux/amd64"), imageFor("linux/386")) },
			from: "linux/arm64=one.example/app:a", opts: CreateOptions{ForcePlatform: true}, want: index.ErrNotFound, says: []string{"it has linux/amd64, linux/386"},
		},
		"an artifact without a platform": {
			push: func(s *scene) { s.artifact("one.example/app:a", nil) },
			from: "one.example/app:a", want: ErrUsage, says: []string{"one.example/app:a is no image but application/vnd.oci.empty.v1+json", "as in linux/amd64=one.example/app:a"},
		},
		"an artifact of a list": {
			push: func(s *scene) {
				s.artifact("one.example/app:chart", nil)
				m, err := s.client.Manifest(s.Context(), named("one.example/app:chart"))
				if err != nil {
					s.Fatal(err)
				}
				s.pushIndex("one.example/app:a", index.Index{Entries: []index.Entry{{Descriptor: m.Descriptor}}})
			},
			from: "one.example/app:a", want: ErrUsage, says: []string{"as in linux/amd64=one.example/app@sha256:"},
		},
		"annotations in a Docker list": {
			push: func(s *scene) { s.push("one.example/app:a", imageFor("linux/amd64").asDocker()) },
			from: "one.example/app:a", opts: CreateOptions{MediaType: index.DockerList, Annotations: map[string]string{"a": "b"}},
			want: index.ErrAnnotations,
		},
		"a malformed source": {
			push: func(*scene) {}, from: "one.example/app:a:b", want: ErrUsage, says: []string{`":b"`},
		},
		"a child of an index that is gone": {
			push: func(s *scene) {
				ix := s.pushList("one.example/app:a", inner, imageFor("linux/arm64"))
				if err := s.client.DeleteManifest(s.Context(), named("one.example/app"), ix.Entries[0].Digest); err != nil {
					s.Fatal(err)
				}
			},
			from: "one.example/app:a", opts: CreateOptions{IgnoreMissing: true}, want: registry.ErrNotFound, says: []string{"linux/amd64"},
		},
		"an index inside an index that is gone": {
			push: func(s *scene) {
				s.pushNested("one.example/app:a", false, inner)
				gone := s.index("one.example/app:a").Entries[0].Digest
				if err := s.client.DeleteManifest(s.Context(), named("one.example/app"), gone); err != nil {
					s.Fatal(err)
				}
			},
			from: "one.example/app:a", opts: CreateOptions{IgnoreMissing: true}, want: registry.ErrNotFound, says: []string{"source one.example/app:a", "linux/amd64"},
		},
		"an index inside an index that cannot be understood": {
			push: func(s *scene) {
				s.broken("one.example/app:inner")
				m, err := s.client.Manifest(s.Context(), named("one.example/app:inner"))
				if err != nil {
					s.Fatal(err)
				}
				s.pushIndex("one.example/app:a", index.Index{Entries: []index.Entry{{Descriptor: m.Descriptor}}})
			},
			from: "one.example/app:a", want: index.ErrInvalid, says: []string{"source one.example/app:a: one.example/app@sha256:", "no manifest is that small"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.push(s)
			before := written(s.one)
			_, err := Create(t.Context(), s.client, []string{"one.example/app:1"}, sources(c.from), c.opts)
			if !errors.Is(err, c.want) || !containsAll(err.Error(), c.says...) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.says)
			}
			if after := written(s.one); len(after) != len(before) {
				t.Errorf("something was written: %q", after[len(before):])
			}
		})
	}
}

func TestIndexInsideAnIndexIsFlattened(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:inner", imageFor("linux/amd64"), imageFor("linux/arm64"))
	inner := s.index("one.example/app:inner")
	_, desc, err := inner.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	outer := index.Index{Entries: []index.Entry{{Descriptor: desc}, s.upload("one.example/app", imageFor("linux/s390x")).entry}}
	s.pushIndex("one.example/app:outer", outer)
	if _, err := Create(t.Context(), s.client, []string{"one.example/app:1"}, sources("one.example/app:outer"), CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := s.platforms("one.example/app:1"); got != "linux/amd64 linux/arm64 linux/s390x" {
		t.Errorf("got %s", got)
	}
}

// Attestations stay below their image, also in another registry.
func TestCreateCopiesFromOtherRepositoriesAndRegistries(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/other/app:a", imageFor("linux/amd64").attested())
	s.push("two.example/app:b", imageFor("linux/arm64"))
	s.one.Reset()
	created, err := Create(t.Context(), s.client, []string{"one.example/app:1", "two.example/copy:1"},
		sources("one.example/other/app:a,two.example/app:b"), CreateOptions{Tags: []string{"latest"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"one.example/app:1", "one.example/app:latest", "two.example/copy:1"} {
		ix := s.index(ref)
		if got := s.platforms(ref); got != "linux/amd64 linux/arm64" || len(ix.Entries[0].Attestations) != 1 {
			t.Errorf("%s has %s, %d attestations", ref, got, len(ix.Entries[0].Attestations))
		}
		if s.digest(ref).String() != created.Digest {
			t.Errorf("%s is another one", ref)
		}
		for _, e := range ix.Flatten() {
			s.manifest(ref, e.Digest)
		}
		if problems := complaints(s, ref); problems != "" {
			t.Errorf("%s: %s", ref, problems)
		}
	}
	if !slices.ContainsFunc(s.one.Requests(), func(r faults.Request) bool {
		return strings.Contains(r.Query, "mount=") && r.Status == http.StatusCreated
	}) {
		t.Error("nothing was mounted inside the registry")
	}
	if len(created.Published) != 2 {
		t.Errorf("reports %d repositories", len(created.Published))
	}
}

// complaints are the problems that Inspect sees.
func complaints(s *scene, ref string) string {
	s.Helper()
	tree, err := Inspect(s.Context(), s.client, ref, InspectOptions{})
	if err != nil {
		s.Fatal(err)
	}
	var out []string
	for _, l := range tree.Images {
		out = append(out, l.Problems...)
	}
	return strings.Join(out, "; ")
}

func TestAnnotationsOfSourcesAreKept(t *testing.T) {
	s := newScene(t)
	ix := index.Index{Entries: []index.Entry{s.upload("one.example/app", imageFor("linux/amd64").annotated("entry", "x")).entry},
		Annotations: map[string]string{"from": "source", "both": "source"}}
	s.pushIndex("one.example/app:a", ix)
	created, err := Create(t.Context(), s.client, []string{"one.example/app:1"}, sources("one.example/app:a"),
		CreateOptions{Annotations: map[string]string{"both": "mine", "new": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	got := s.index("one.example/app:1")
	if fmt.Sprint(got.Annotations) != "map[both:mine from:source new:1]" || got.Entries[0].Annotations["entry"] != "x" {
		t.Errorf("annotations %v, entry %v", got.Annotations, got.Entries[0].Annotations)
	}
	if said := strings.Join(created.Notices, ""); !strings.Contains(said, `one.example/app:a has "source"`) {
		t.Errorf("the one that was left out is not told: %q", said)
	}
	own := []Source{{Ref: "one.example/app:a", Annotations: map[string]string{"entry": "y", "more": "z"}}}
	if created, err = Create(t.Context(), s.client, []string{"one.example/app:2"}, own, CreateOptions{}); err != nil || len(created.Notices) > 0 {
		t.Fatalf("%v, %q", err, created.Notices)
	}
	got = s.index("one.example/app:2")
	if fmt.Sprint(got.Annotations) != "map[both:source from:source]" || fmt.Sprint(got.Entries[0].Annotations) != "map[entry:y more:z]" {
		t.Errorf("annotations %v, entry %v", got.Annotations, got.Entries[0].Annotations)
	}
}

func TestTheSameListAgainUploadsNothing(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:a", imageFor("linux/amd64"))
	s.push("one.example/app:b", imageFor("linux/arm64"))
	create := func() Created {
		created, err := Create(t.Context(), s.client, []string{"one.example/app:1"}, sources("one.example/app:a,one.example/app:b"), CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return created
	}
	first := create()
	s.one.Reset()
	second := create()
	if w := written(s.one); len(w) > 0 {
		t.Errorf("wrote %q", w)
	}
	if first.Digest != second.Digest || !second.Published[0].Unchanged || first.Published[0].Unchanged {
		t.Errorf("%+v, then %+v", first, second)
	}
}

func TestTemplates(t *testing.T) {
	for _, c := range []struct{ platforms, template, want string }{
		{"linux/amd64,linux/arm/v7", "r/a:ARCHVARIANT-1.0", "r/a:amd64-1.0 r/a:armv7-1.0"},
		{"linux/amd64 linux/arm64/v8", "r/OS/a:ARCH-VARIANT.ARCH", "r/linux/a:amd64-.amd64 r/linux/a:arm64-v8.arm64"},
		{"windows/amd64", "r/ARCH-OS:OS", "r/amd64-windows:windows"},
		{"amd64,arm/v6", "r/a:OS-ARCHVARIANT", "r/a:linux-amd64 r/a:linux-armv6"},
		{"linux/arm", "r/a:ARCHVARIANT", "r/a:arm"},
	} {
		got, err := expand(c.platforms, c.template)
		if err != nil {
			t.Errorf("%s: %v", c.template, err)
			continue
		}
		var refs []string
		for _, s := range got {
			refs = append(refs, s.Ref)
		}
		if strings.Join(refs, " ") != c.want {
			t.Errorf("%s over %s gives %q, want %q", c.template, c.platforms, refs, c.want)
		}
	}
	for name, c := range map[string][3]string{
		"no platforms":       {"", "r/a:ARCH", "no platforms"},
		"one reference only": {"linux/amd64,linux/arm64", "r/a:1", "gives r/a:1 for both linux/amd64 and linux/arm64"},
		"variants left out":  {"linux/arm/v6,linux/arm/v7", "r/a:ARCH", "for both linux/arm/v6 and linux/arm/v7"},
		"no platform at all": {"linux/", "r/a:ARCH", "linux/"},
	} {
		if _, err := expand(c[0], c[1]); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFromArgs(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:amd64-1.0", imageFor("linux/amd64"))
	s.push("one.example/app:armv7-1.0", imageFor("linux/arm/v7"))
	_, err := FromArgs(t.Context(), s.client, "linux/amd64,linux/arm/v7,linux/s390x", "one.example/app:ARCHVARIANT-1.0", "one.example/app:1.0",
		CreateOptions{IgnoreMissing: true, Tags: []string{"1", "latest"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"1.0", "1", "latest"} {
		if got := s.platforms("one.example/app:" + tag); got != "linux/amd64 linux/arm/v7" {
			t.Errorf("%s: %s", tag, got)
		}
	}
}

// Whatever the number of images: all manifests at once, all configs at once together with the
// look at the tag, one PUT. The gates let a round pass only when all of it has
// come, so that a request that waits for another one ends the test.
func TestCreateTakesThreeRounds(t *testing.T) {
	for _, n := range []int{2, 10, 30} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newScene(t)
			from := s.many(n)
			steps := faults.NewLockstep(t, n, n+1, 1) // manifests; configs and what the tag names; the list
			s.one.Hold = steps.Hold
			if _, err := Create(t.Context(), s.client, []string{"one.example/app:list"}, from, CreateOptions{Publish: PublishOptions{now: (&clock{}).now}}); err != nil {
				t.Error(err)
			}
			steps.Done()
		})
	}
}

// More tags are more guards in the same round, one round more for all of them, and one in which all are read back.
func TestCreateWritesTagsAtOnce(t *testing.T) {
	s := newScene(t)
	from := s.many(2)
	steps := faults.NewLockstep(t, 2, 2+4, 1, 3, 4)
	s.one.Hold = steps.Hold
	if _, err := Create(t.Context(), s.client, []string{"one.example/app:list"}, from, CreateOptions{Tags: []string{"a", "b", "c"}, Publish: PublishOptions{now: (&clock{}).now}}); err != nil {
		t.Error(err)
	}
	steps.Done()
}

// Somebody else publishes right after us: that is seen wherever more than three rounds are needed anyway.
func TestCreateReadsBackWhatTakesLonger(t *testing.T) {
	for name, opts := range map[string]CreateOptions{"deep": {Deep: true}, "several tags": {Tags: []string{"b"}}, "a copied image": {}} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			from := s.many(2)
			if name == "a copied image" {
				s.push("two.example/app:x", imageFor("linux/arm64"))
				from = sources("two.example/app:x")
			}
			if opts.Deep {
				s.push("one.example/app:x", imageFor("linux/arm64"))
				from = sources("one.example/app:x")
			}
			theirs := s.pushList("one.example/app:theirs", imageFor("linux/s390x"))
			raw, desc, err := theirs.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			s.one.Add(faults.Rule{Times: 1, Match: faults.On(http.MethodPut, "/manifests/list"), Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(w, r)
				s.tag("one.example/app:list", desc, raw)
			}})
			_, err = Create(t.Context(), s.client, []string{"one.example/app:list"}, from, opts)
			var moved *MovedError
			if !errors.As(err, &moved) || !moved.After || moved.Found != desc.Digest {
				t.Errorf("got %v", err)
			}
		})
	}
}

// many pushes n images of as many platforms.
func (s *scene) many(n int) []Source {
	s.Helper()
	var from []Source
	for i := range n {
		ref := fmt.Sprintf("one.example/app:%d", i)
		s.push(ref, imageFor(fmt.Sprintf("linux/riscv64/v%d", i)))
		from = append(from, Source{Ref: ref})
	}
	s.one.Reset()
	return from
}

func TestReconcile(t *testing.T) {
	plain := func(s string) ocispec.Platform {
		parts := strings.Split(s+"//", "/")
		return ocispec.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}
	}
	for _, c := range []struct{ declared, config, want string }{
		{"linux/amd64", "linux/amd64", "linux/amd64"},
		{"linux/x86_64", "linux/amd64", "linux/amd64"},
		{"linux/arm64/v8", "linux/arm64", "linux/arm64"},
		{"linux/arm64", "linux/arm64/v8", "linux/arm64"},
		{"linux/arm", "linux/arm", "linux/arm/v7"},
		{"linux/arm/v6", "linux/arm", "linux/arm/v6"},
		{"linux/arm", "linux/arm/v6", "linux/arm/v6"},
		{"linux/amd64/v3", "linux/amd64", "linux/amd64/v3"},
		{"linux/arm/v6", "linux/arm/v7", ""},
		{"linux/arm64", "linux/arm", ""},
		{"linux/armhf", "linux/arm/v6", ""},
		{"windows/amd64", "linux/amd64", ""},
		{"linux/arm64/v9", "linux/arm64/v8", ""},
	} {
		p, ok := reconcile(plain(c.declared), plain(c.config))
		if got := entryName(index.Entry{Descriptor: ocispec.Descriptor{Platform: &p}}); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s over %s: %s, %v; want %q", c.declared, c.config, got, ok, c.want)
		}
	}
}

// Of the target's tag, which is the version, tags of its series are made; they never go back, and what is no release has none.
func TestCreateTagsOfASeries(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:a", imageFor("linux/amd64"))
	create := func(version, tags string, annotations map[string]string, targets ...string) (Created, error) {
		t.Helper()
		targets = append([]string{"one.example/app:" + version}, targets...)
		return Create(t.Context(), s.client, targets, []Source{{Ref: "one.example/app:a"}}, CreateOptions{Tags: Split(tags), Annotations: annotations})
	}
	for _, step := range []struct{ version, tags, names, notice, warning string }{
		{"1.4.2", "{major}.{minor} {major} v{version}", "1.4.2 v1.4.2 1.4 1", "", ""},
		{"1.3.9", "{major}.{minor},{major}", "1.3.9 1.3", "", "one.example/app:1 stays on 1.4.2, which is newer than 1.3.9"},
		{"1.5.0-rc.1", "{major}.{minor} next", "1.5.0-rc.1 next", "no tag {major}.{minor}: the tag 1.5.0-rc.1 is no release such as 1.4.2", ""},
		{"v2.0.0", "{major}", "v2.0.0 2", "", ""},
	} {
		made, err := create(step.version, step.tags, nil)
		if err != nil {
			t.Fatalf("%s: %v", step.version, err)
		}
		for _, tag := range strings.Fields(step.names) {
			if got := s.digest("one.example/app:" + tag); string(got) != made.Digest {
				t.Errorf("%s is not %s", tag, step.version)
			}
		}
		said := strings.Join(made.Notices, "\n") + "|" + strings.Join(made.Published[0].Warnings, "\n")
		if said != step.notice+"|"+step.warning {
			t.Errorf("%s: said %q", step.version, said)
		}
	}
	if got := s.index("one.example/app:1").Version(); got != "1.4.2" {
		t.Errorf("1 says that it is %q", got)
	}
	if _, err := create("1.0.0", "{major} 1", map[string]string{ocispec.AnnotationVersion: "0.9"}, "one.example/other:1"); err != nil || s.index("one.example/app:1").Version() != "0.9" {
		t.Errorf("what is asked for by name does not go back: %v", err)
	}
	if _, err := Create(t.Context(), s.client, []string{"one.example/other:1"}, []Source{{Ref: "one.example/app:a"}},
		CreateOptions{Annotations: map[string]string{ocispec.AnnotationVersion: "1.9.9"}}); err != nil {
		t.Fatal(err)
	}
	made, err := create("1.8.0", "{major}", nil, "one.example/other:1")
	if err != nil || string(s.digest("one.example/other:1")) != made.Digest {
		t.Errorf("the series is the first repository's alone: %v", err)
	}
	if _, err := create("1.0.0", "{major}.{arch}", nil); !errors.Is(err, config.ErrUsage) || !strings.Contains(err.Error(), "tags={major}.{arch}") {
		t.Errorf("%v", err)
	}
}

// A Docker list cannot say its version. The label of its images does, and where they do not, it is told that nobody can compare.
func TestCreateTagsOfASeriesInDockerLists(t *testing.T) {
	s := newScene(t)
	for _, version := range []string{"1.4.2", "1.3.9"} {
		s.push("one.example/app:a-"+version, imageFor("linux/amd64").asDocker().labelled(ocispec.AnnotationVersion, version))
	}
	s.push("one.example/app:a-2.0.0", imageFor("linux/amd64").asDocker())
	for _, step := range []struct{ version, names, notice, warning string }{
		{"1.4.2", "1.4.2 1.4 1", "", ""},
		{"1.3.9", "1.3.9 1.3", "", "one.example/app:1 stays on 1.4.2, which is newer than 1.3.9"},
		{"2.0.0", "2.0.0 2.0 2", "a Docker list has no place for its version, and its first image's label org.opencontainers.image.version is \"\": a list that is made later cannot be compared with 2.0.0", ""},
	} {
		made, err := Create(t.Context(), s.client, []string{"one.example/app:" + step.version}, []Source{{Ref: "one.example/app:a-" + step.version}},
			CreateOptions{MediaType: index.DockerList, Tags: []string{"{major}.{minor}", "{major}"}})
		if err != nil {
			t.Fatalf("%s: %v", step.version, err)
		}
		for _, tag := range strings.Fields(step.names) {
			if got := s.index("one.example/app:" + tag); string(s.digest("one.example/app:"+tag)) != made.Digest || got.MediaType != index.DockerList {
				t.Errorf("%s is not %s, or %s", tag, step.version, got.MediaType)
			}
		}
		said := strings.Join(made.Notices, "\n") + "|" + strings.Join(made.Published[0].Warnings, "\n")
		if said != step.notice+"|"+step.warning {
			t.Errorf("%s: said %q", step.version, said)
		}
	}
}

// What a source is annotated with here outranks what an index says of it, and nothing else goes.
func TestAnnotationsOutrankOthers(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:a", imageFor("linux/amd64").annotated("k", "of the list"), imageFor("linux/arm64").annotated("l", "of the list"))
	if _, err := Create(t.Context(), s.client, []string{"one.example/app:1"}, []Source{{Ref: "one.example/app:a", Annotations: map[string]string{"k": "given"}}}, CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []map[string]string{{"k": "given"}, {"k": "given", "l": "of the list"}} {
		if got := s.index("one.example/app:1").Entries[i].Annotations; !maps.Equal(got, want) {
			t.Errorf("entry %d says %v", i, got)
		}
	}
}
