package lists

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

func (s *scene) listOf(repo string, images ...testImage) index.Index {
	s.Helper()
	ix := index.Index{MediaType: index.OCIIndex}
	for _, i := range images {
		ix.Entries = append(ix.Entries, s.upload(repo, i).entry)
	}
	return ix
}

func platformsOf(list ...string) []ocispec.Platform {
	out, err := ParsePlatforms(strings.Join(list, ","))
	if err != nil {
		panic(err)
	}
	return out
}

func TestATagIsNotMadeWorse(t *testing.T) {
	amd64, arm64, armv7 := imageFor("linux/amd64"), imageFor("linux/arm64"), imageFor("linux/arm/v7")
	for name, c := range map[string]struct {
		has, next []testImage
		single    bool // the tag names one image, no list
		opts      PublishOptions
		refused   string // what the error says; "" is published
	}{
		"the same platforms":          {has: []testImage{amd64}, next: []testImage{amd64.named("new")}},
		"one more":                    {has: []testImage{amd64}, next: []testImage{amd64, arm64}},
		"one less":                    {has: []testImage{amd64, arm64}, next: []testImage{amd64}, refused: "has linux/arm64 today"},
		"two less":                    {has: []testImage{amd64, arm64, armv7}, next: []testImage{amd64}, refused: "ALLOW_DROP=linux/arm64,linux/arm/v7"},
		"one less, allowed":           {has: []testImage{amd64, arm64}, next: []testImage{amd64}, opts: PublishOptions{AllowDrop: platformsOf("linux/arm64/v8")}},
		"another one allowed":         {has: []testImage{amd64, arm64, armv7}, next: []testImage{amd64}, opts: PublishOptions{AllowDrop: platformsOf("linux/arm64")}, refused: "has linux/arm/v7 today"},
		"two less, both allowed":      {has: []testImage{amd64, arm64, armv7}, next: []testImage{amd64}, opts: PublishOptions{AllowDrop: platformsOf("linux/arm/v7", "linux/arm64")}},
		"a lesser variant":            {has: []testImage{armv7}, next: []testImage{imageFor("linux/arm/v6")}, refused: "linux/arm/v7"},
		"a single image's platform":   {has: []testImage{arm64}, single: true, next: []testImage{amd64}, refused: "has linux/arm64 today"},
		"a single image's is kept":    {has: []testImage{arm64}, single: true, next: []testImage{arm64, amd64}},
		"an attestation less is fine": {has: []testImage{amd64.attested()}, next: []testImage{amd64}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			if c.single {
				s.push("one.example/app:1", c.has[0])
			} else {
				s.pushList("one.example/app:1", c.has...)
			}
			before := s.digest("one.example/app:1")
			ix := s.listOf("one.example/app", c.next...)
			s.one.Reset()
			got, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1", "other"}, ix, c.opts)
			if c.refused == "" {
				if err != nil || s.digest("one.example/app:1") != got.Digest || got.Tags[0].Previous != before {
					t.Errorf("%v, %+v", err, got)
				}
				return
			}
			var drop *DropError
			if !errors.As(err, &drop) || !errors.Is(err, ErrPublish) || !strings.HasPrefix(err.Error(), "one.example/app:1 has ") || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("got %v, want a refusal with %q", err, c.refused)
			}
			if w := written(s.one); len(w) > 0 || s.digest("one.example/app:1") != before {
				t.Errorf("refused, and yet wrote %q", w)
			}
		})
	}
}

// seriesOfOne are tags of which 1 goes by the order of letters.
var seriesOfOne = map[string]func(has, next string) bool{"1": func(has, next string) bool { return has > next && !strings.Contains(has, "rc") }}

// released is a list of a version, none where that is empty.
func released(ix index.Index, version string) index.Index {
	if ix.Annotations = nil; version != "" {
		ix.Annotations = map[string]string{ocispec.AnnotationVersion: version}
	}
	return ix
}

// A tag for all releases of a series never goes back to an older one.
func TestATagOfASeriesGoesForward(t *testing.T) {
	amd64 := imageFor("linux/amd64")
	labelled := func(s *scene) {
		s.pushIndex("one.example/app:1", released(s.listOf("one.example/app", amd64.labelled(ocispec.AnnotationVersion, "1.3.0")), ""))
	}
	for name, c := range map[string]struct {
		has, next string // versions; "none" is no tag
		kept      bool
		push      func(*scene) // in place of a list that is annotated
	}{
		"the first":          {"none", "1.2.9", false, nil},
		"a newer one":        {"1.2.8", "1.2.9", false, nil},
		"the same":           {"1.2.9", "1.2.9", false, nil},
		"an older one":       {"1.3.0", "1.2.9", true, nil},
		"after a preview":    {"1.3.0-rc.1", "1.3.0", false, nil},
		"nobody knows which": {"", "1.2.9", false, nil},
		"only labels tell":   {"1.3.0", "1.2.9", true, labelled},
		"labels in lists inside": {"1.3.0", "1.2.9", true, func(s *scene) {
			s.pushNested("one.example/app:1", true, amd64.labelled(ocispec.AnnotationVersion, "1.3.0"))
		}},
		"an image's label": {"1.3.0", "1.2.9", true, func(s *scene) { s.push("one.example/app:1", amd64.labelled(ocispec.AnnotationVersion, "1.3.0")) }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			switch {
			case c.push != nil:
				c.push(s)
			case c.has != "none":
				s.pushIndex("one.example/app:1", released(s.listOf("one.example/app", amd64), c.has))
			}
			before := s.digest("one.example/app:1")
			next := released(s.listOf("one.example/app", amd64.named("new")), c.next)
			got, err := Publish(t.Context(), s.client, named("one.example/app"), []string{c.next, "1"}, next, PublishOptions{Series: seriesOfOne})
			if err != nil || s.digest("one.example/app:"+c.next) != got.Digest || !got.Tags[0].Moved {
				t.Fatalf("%v, %+v", err, got)
			}
			if !c.kept {
				if s.digest("one.example/app:1") != got.Digest || !got.Tags[1].Moved || len(got.Warnings) > 0 {
					t.Errorf("the tag was not moved: %+v", got)
				}
				return
			}
			want := "one.example/app:1 stays on " + c.has + ", which is newer than " + c.next
			if s.digest("one.example/app:1") != before || got.Tags[1].Moved || got.Tags[1].Kept != c.has || !slices.Equal(got.Warnings, []string{want}) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// A release that cannot be read might be newer.
func TestATagOfASeriesWhoseReleaseIsUnknownStays(t *testing.T) {
	s := newScene(t)
	s.pushIndex("one.example/app:1", s.listOf("one.example/app", imageFor("linux/amd64").labelled(ocispec.AnnotationVersion, "1.3.0")))
	before := s.digest("one.example/app:1")
	next := released(s.listOf("one.example/app", imageFor("linux/amd64").named("new")), "1.2.9")
	s.one.Add(faults.Rule{Match: faults.On(http.MethodGet, "/blobs/"), Fault: faults.Status(http.StatusForbidden)})
	_, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1.2.9", "1"}, next, PublishOptions{Series: seriesOfOne})
	if !errors.Is(err, registry.ErrUnauthorized) || s.digest("one.example/app:1") != before || s.digest("one.example/app:1.2.9") != "" {
		t.Errorf("got %v", err)
	}
}

// What cannot be published is not begun.
func TestPublishRefusesWhatIsNoListOrTag(t *testing.T) {
	s := newScene(t)
	ix := s.listOf("one.example/app", imageFor("linux/amd64"))
	docker := ix
	docker.MediaType, docker.Annotations = index.DockerList, map[string]string{"a": "b"}
	s.one.Reset()
	if _, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, docker, PublishOptions{}); !errors.Is(err, index.ErrAnnotations) || !strings.HasPrefix(err.Error(), "one.example/app: ") {
		t.Errorf("a list that Docker's type cannot hold: %v", err)
	}
	if _, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1", "no tag"}, ix, PublishOptions{}); !errors.Is(err, ErrUsage) {
		t.Errorf("a tag with a blank: %v", err)
	}
	if w := written(s.one); len(w) > 0 {
		t.Errorf("wrote %q", w)
	}
}

// Where every tag stays the list is stored all the same, and nothing is said to be unchanged.
func TestAListWhoseTagsAllStay(t *testing.T) {
	s := newScene(t)
	newer := s.listOf("one.example/app", imageFor("linux/amd64"))
	newer.Annotations = map[string]string{ocispec.AnnotationVersion: "1.3.0"}
	s.pushIndex("one.example/app:1", newer)
	next := s.listOf("one.example/app", imageFor("linux/amd64").named("new"))
	next.Annotations = map[string]string{ocispec.AnnotationVersion: "1.2.9"}
	got, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, next, PublishOptions{Series: seriesOfOne})
	if err != nil || got.Unchanged || got.Tags[0].Kept != "1.3.0" || len(s.manifest("one.example/app", got.Digest)) == 0 {
		t.Errorf("%v, %+v", err, got)
	}
}

// Two releases of one series at once end on the newer one, whichever writes last.
func TestTwoReleasesAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		theirs  string
		method  string // before which request for the tag they write it
		nth     int32
		theyWin bool
	}{
		"a newer one, before the last look":    {"1.3.0", http.MethodHead, 1, true},
		"a newer one, right before this write": {"1.3.0", http.MethodPut, 1, false}, // which this run cannot know
		"a newer one, behind it":               {"1.3.0", http.MethodHead, 2, true},
		"an older one, behind it":              {"1.2.8", http.MethodHead, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			theirs := released(s.listOf("one.example/app", imageFor("linux/amd64").named("theirs")), c.theirs)
			var requests atomic.Int32
			s.one.Add(faults.Rule{Match: faults.On(c.method, "/manifests/1"), Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if requests.Add(1) == c.nth {
					s.pushIndex("one.example/app:1", theirs)
				}
				next.ServeHTTP(w, r)
			}})
			ours := released(s.listOf("one.example/app", imageFor("linux/amd64")), "1.2.9")
			got, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"new", "1"}, ours, PublishOptions{Series: seriesOfOne})
			if err != nil || got.Tags[1].Moved == c.theyWin || (got.Tags[1].Kept == c.theirs) != c.theyWin || (len(got.Warnings) > 0) != c.theyWin {
				t.Errorf("%v, %+v", err, got)
			}
			if is := s.digest("one.example/app:1"); (is == got.Digest) == c.theyWin {
				t.Errorf("the tag is on %s", is)
			}
		})
	}
}

// Behind a cache of what HEAD asks for, which goes on with what was, a tag would be looked at for as long as that lasts.
func TestATagThatTwoLooksSeeDifferently(t *testing.T) {
	s := newScene(t)
	stale := s.pushIndex("one.example/app:1", released(s.listOf("one.example/app", imageFor("linux/amd64").named("old")), "1.2.7"))
	s.pushIndex("one.example/app:1", released(s.listOf("one.example/app", imageFor("linux/amd64")), "1.2.8"))
	next := released(s.listOf("one.example/app", imageFor("linux/amd64").named("new")), "1.2.9")
	s.one.Add(faults.Rule{Match: faults.On(http.MethodHead, "/manifests/1"), Times: 20, Fault: faults.WithHeader("Docker-Content-Digest", stale.Digest.String())})
	got, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, next, PublishOptions{Series: seriesOfOne, TrustAnswer: true})
	if err != nil || !got.Tags[0].Moved {
		t.Errorf("%v, %+v", err, got)
	}
	looks := 0
	for _, r := range s.one.Requests() {
		if r.Method == http.MethodHead && strings.HasSuffix(r.Path, "/manifests/1") {
			looks++
		}
	}
	if looks != looksAgain {
		t.Errorf("looked %d times", looks)
	}
}

// Replicas that go on showing two older releases in turn do not have the tag of their series written for ever.
func TestATagThatIsNeverSeenWhereItWasPut(t *testing.T) {
	s := newScene(t)
	var shown []digest.Digest
	for _, version := range []string{"1.2.6", "1.2.7", "1.2.8"} {
		shown = append(shown, s.pushIndex("one.example/app:1", released(s.listOf("one.example/app", imageFor("linux/amd64").named(version)), version)).Digest)
	}
	next := released(s.listOf("one.example/app", imageFor("linux/amd64").named("new")), "1.2.9")
	put, looks := 0, 0
	s.one.Add(faults.Rule{Match: faults.On("", "/manifests/1"), Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			put++
		} else if put > 0 && put <= 10 {
			looks++
			r.URL.Path = strings.Replace(r.URL.Path, "/manifests/1", "/manifests/"+shown[looks%2].String(), 1)
		}
		next.ServeHTTP(w, r)
	}})
	_, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, next, PublishOptions{Series: seriesOfOne})
	var lost *MovedError
	if !errors.As(err, &lost) || !lost.After || put != 1+looksAgain {
		t.Errorf("put %d times, %v", put, err)
	}
}

// What an entry does not say counts by what is in it: a config's platform, the entries of a list inside.
func TestPlatformsThatOnlyTheImagesTellAreNotLost(t *testing.T) {
	amd64, arm64 := imageFor("linux/amd64"), imageFor("linux/arm64")
	undeclared := func(s *scene, ref string) {
		ix := s.listOf(ref, amd64, arm64)
		ix.Entries[0].Platform, ix.Entries[1].Platform = nil, nil
		s.pushIndex(ref, ix)
	}
	flat := func(s *scene, ref string) { s.pushList(ref, amd64, arm64) }
	inner := func(s *scene, ref string) { s.pushNested(ref, true, amd64, arm64) }
	withoutArm := func(push func(*scene, string)) func(*scene, string) {
		return func(s *scene, ref string) {
			push(s, ref)
			gone := s.upload(ref, arm64).entry.Digest
			if err := s.client.DeleteManifest(s.Context(), named(ref), gone); err != nil {
				s.Fatal(err)
			}
		}
	}
	only := func(s *scene, ref string) { s.pushList(ref, amd64.named("new")) }
	for name, c := range map[string]struct {
		has, next func(*scene, string)
		refused   string
	}{
		"images without a platform":           {undeclared, only, "has linux/arm64 today"},
		"lists inside":                        {inner, only, "has linux/arm64 today"},
		"the same, in lists inside":           {flat, inner, ""},
		"the same, without platforms":         {flat, undeclared, ""},
		"from lists inside to no platforms":   {inner, undeclared, ""},
		"an image that nobody can pull":       {withoutArm(undeclared), only, ""},
		"lists inside, and one platform less": {flat, func(s *scene, ref string) { s.pushNested(ref, true, amd64) }, "has linux/arm64 today"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.next(s, "one.example/app:next")
			c.has(s, "one.example/app:1")
			before := s.digest("one.example/app:1")
			_, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, s.index("one.example/app:next"), PublishOptions{})
			if c.refused == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var drop *DropError
			if !errors.As(err, &drop) || !strings.Contains(err.Error(), c.refused) || s.digest("one.example/app:1") != before {
				t.Errorf("got %v, want a refusal with %q", err, c.refused)
			}
		})
	}
}

// A platform that cannot be read might be lost.
func TestATagWhosePlatformsCannotBeReadStays(t *testing.T) {
	s := newScene(t)
	s.pushNested("one.example/app:1", true, imageFor("linux/amd64"), imageFor("linux/arm64"))
	before := s.digest("one.example/app:1")
	ix := s.listOf("one.example/app", imageFor("linux/amd64").named("new"))
	s.one.Add(faults.Rule{Match: faults.On(http.MethodGet, "/manifests/sha256:"), Fault: faults.Status(http.StatusForbidden)})
	_, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, ix, PublishOptions{})
	if !errors.Is(err, registry.ErrUnauthorized) || !strings.Contains(err.Error(), "one.example/app:1: its platforms cannot be compared") || s.digest("one.example/app:1") != before {
		t.Errorf("got %v", err)
	}
}

// Publish looks itself where others have looked at other tags, or in another repository.
func TestALookElsewhereIsNotBelieved(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:1", imageFor("linux/amd64"), imageFor("linux/arm64"))
	ix := s.listOf("one.example/app", imageFor("linux/amd64"))
	for repo, tag := range map[string]string{"one.example/app": "2", "one.example/other": "1"} {
		current, err := Look(t.Context(), s.client, named(repo), []string{tag})
		if err != nil {
			t.Fatal(err)
		}
		_, err = Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, ix, PublishOptions{Current: current})
		if !errors.As(err, new(*DropError)) {
			t.Errorf("after a look at %s:%s: %v", repo, tag, err)
		}
	}
}

// Nobody else pulls from loopback: there a lost platform is told and no more.
func TestOnLoopbackALostPlatformIsANotice(t *testing.T) {
	s := newScene(t)
	s.pushList(s.local+"/app:1", imageFor("linux/amd64"), imageFor("linux/arm64"))
	ix := s.listOf(s.local+"/app", imageFor("linux/amd64"))
	got, err := Publish(t.Context(), s.client, named(s.local+"/app"), []string{"1"}, ix, PublishOptions{})
	if err != nil || !strings.Contains(strings.Join(got.Warnings, ""), "/app:1 loses linux/arm64, which the new list has not; elsewhere than on loopback that takes ALLOW_DROP=linux/arm64") {
		t.Errorf("%v, %q", err, got.Warnings)
	}
	for host, want := range map[string]bool{"localhost": true, "localhost:5000": true, "LOCALHOST:5000": true, "127.0.0.1:5000": true, "127.9.9.9": true,
		"[::1]:5000": true, "ghcr.io": false, "localhost.example.com": false, "10.0.0.1:5000": false} {
		repo, err := reference.ParseNormalizedNamed(host + "/app")
		if err != nil {
			t.Fatal(err)
		}
		if IsLoopback(repo) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}

func TestPublishReportsWhatHappenedToEachTag(t *testing.T) {
	s := newScene(t)
	ix := s.listOf("one.example/app", imageFor("linux/amd64"))
	_, desc, _ := ix.Marshal()
	s.pushIndex("one.example/app:has", ix)
	s.pushList("one.example/app:old", imageFor("linux/amd64").named("old"))
	old := s.digest("one.example/app:old")
	s.one.Reset()
	got, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"old", "has", "new"}, ix, PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []TagMove{{Tag: "old", Moved: true, Previous: old}, {Tag: "has", Previous: desc.Digest}, {Tag: "new", Moved: true}}
	if !slices.Equal(got.Tags, want) || got.Unchanged || got.Digest != desc.Digest || got.Size != desc.Size || got.MediaType != index.OCIIndex {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if lines := got.Diff.Lines(); len(lines) != 1 || !strings.HasPrefix(lines[0], "~ linux/amd64") {
		t.Errorf("the difference: %q", lines)
	}
	w := written(s.one)
	slices.Sort(w)
	if !slices.Equal(w, []string{"PUT /v2/app/manifests/new", "PUT /v2/app/manifests/old"}) {
		t.Errorf("wrote %q", w)
	}
	for _, r := range s.one.Requests() { // what is in the list is known: whoever pushed it need not read it again
		if _, of, _ := strings.Cut(r.Path, "/manifests/"); r.Method == http.MethodGet && (of == "" || strings.HasPrefix(of, "sha256:")) {
			t.Errorf("read %s", r.Path)
		}
	}
	var text strings.Builder
	if err := got.Write(&text); err != nil || !containsAll(text.String(), "app:old is "+desc.Digest.String()+", replacing "+old.String(), "app:has is unchanged", "app:new is", "new") {
		t.Errorf("%v: %s", err, text.String())
	}
}

// The second of three tags is immutable: the report says exactly which moved.
func TestATagThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		fails string
		moved []bool
	}{
		"the first: nothing moves": {"a", []bool{false, false, false}},
		"the second":               {"b", []bool{true, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			ix := s.listOf("one.example/app", imageFor("linux/amd64"))
			s.one.Add(faults.Rule{Match: faults.On(http.MethodPut, "/manifests/"+c.fails), Fault: faults.Answer(http.StatusConflict,
				"application/json", `{"errors":[{"code":"TAG_IMMUTABLE","message":"the tag exists"}]}`)})
			got, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"a", "b", "c"}, ix, PublishOptions{})
			var failed *TagsError
			if !errors.As(err, &failed) || !errors.Is(err, registry.ErrDenied) || errors.As(err, new(*DropError)) {
				t.Fatalf("got %v", err)
			}
			for i, tag := range got.Tags {
				there := s.digest("one.example/app:"+tag.Tag) == got.Digest
				if tag.Moved != c.moved[i] || there != c.moved[i] || (tag.Error != "") != (tag.Tag == c.fails) {
					t.Errorf("%+v; it is there: %v", tag, there)
				}
			}
			if !containsAll(err.Error(), "tags of one.example/app (failed: "+c.fails, "moved: ", "the tag exists") {
				t.Errorf("says %v", err)
			}
		})
	}
}

// A registry whose replicas lag serves the old tag for a while.
func TestReadBackWaits(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:1", imageFor("linux/amd64").named("old"))
	s.pushIndex("one.example/app:old", s.index("one.example/app:1"))
	ix := s.listOf("one.example/app", imageFor("linux/amd64"))
	stale := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.URL.Path = "/v2/app/manifests/old"
		next.ServeHTTP(w, r)
	}
	s.one.Add(faults.Rule{Match: faults.On(http.MethodHead, "/manifests/1"), Times: 2, Fault: stale})
	if _, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, ix, PublishOptions{}); err != nil {
		t.Errorf("a registry that lags: %v", err)
	}
	s.one.Add(faults.Rule{Match: faults.On(http.MethodHead, "/manifests/2"), Fault: faults.Status(http.StatusNotFound)})
	_, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"2"}, ix, PublishOptions{Wait: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "still serves nothing") {
		t.Errorf("a registry that never shows it: %v", err)
	}
	s.one.Add(faults.Rule{Match: faults.On(http.MethodHead, "/manifests/3"), Fault: faults.Status(http.StatusForbidden)})
	_, err = Publish(t.Context(), s.client, named("one.example/app"), []string{"3"}, ix, PublishOptions{})
	if !errors.Is(err, registry.ErrUnauthorized) || !strings.Contains(err.Error(), "app:3 was published but could not be read back") {
		t.Errorf("a registry that does not show it: %v", err)
	}
}

func TestSomebodyElsePublishesAtTheSameTime(t *testing.T) {
	t.Run("right after", func(t *testing.T) {
		s := newScene(t)
		theirs := s.pushList("one.example/app:theirs", imageFor("linux/amd64").named("theirs"))
		ix := s.listOf("one.example/app", imageFor("linux/amd64"))
		s.one.Add(faults.Rule{Match: faults.On(http.MethodHead, "/manifests/1"), Times: 1, Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			s.pushIndex("one.example/app:1", theirs)
			next.ServeHTTP(w, r)
		}})
		_, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, ix, PublishOptions{})
		var moved *MovedError
		if !errors.As(err, &moved) || !moved.After || moved.Found != s.digest("one.example/app:theirs") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("between an edit's read and its write", func(t *testing.T) {
		s := newScene(t)
		s.pushList("one.example/app:1", imageFor("linux/amd64"))
		ix := s.listOf("one.example/app", imageFor("linux/amd64").named("new"))
		before := s.digest("one.example/app:1")
		s.pushList("one.example/app:1", imageFor("linux/amd64").named("theirs"))
		theirs := s.digest("one.example/app:1")
		_, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, ix, PublishOptions{Expect: before})
		var moved *MovedError
		if !errors.As(err, &moved) || !errors.Is(err, ErrPublish) || *moved != (MovedError{Tag: "one.example/app:1", Expected: before, Found: theirs}) || s.digest("one.example/app:1") != theirs {
			t.Errorf("got %v", err)
		}
		if got, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, s.index("one.example/app:1"), PublishOptions{Expect: before}); err != nil || !got.Unchanged {
			t.Errorf("somebody else has published the very same: %v", err)
		}
	})
}

// clock is time that passes only by being turned.
type clock struct {
	mu   sync.Mutex
	late time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Unix(0, 0).Add(c.late)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late += d
}

// What takes longer than a round trip between the look at a tag and its write, as a config that
// is asked for again and again, is followed by another look.
func TestASlowPublicationLooksAgain(t *testing.T) {
	annotate := Edit{Changes: []EntryChange{{target("linux/arm64"), index.Change{Variant: text("v9")}}}}
	add := Edit{Add: sources("one.example/app:s390x")}
	create := func(s *scene, opts CreateOptions) ([]Published, error) {
		got, err := Create(s.Context(), s.client, []string{"one.example/app:1"}, sources("one.example/app:from,one.example/app:s390x"), opts)
		return got.Published, err
	}
	apply := func(edit Edit) func(*scene, CreateOptions) ([]Published, error) {
		return func(s *scene, opts CreateOptions) ([]Published, error) {
			got, err := Apply(s.Context(), s.client, "one.example/app:1", edit, opts)
			return got.Published, err
		}
	}
	amd64, arm64 := imageFor("linux/amd64"), imageFor("linux/arm64")
	for name, c := range map[string]struct {
		run    func(*scene, CreateOptions) ([]Published, error)
		theirs []testImage // that somebody publishes meanwhile
		takes  time.Duration
		heads  int // before the write
		moved  bool
		loses  bool
	}{
		"create, quickly":                     {run: create, takes: time.Second},
		"create, slowly":                      {run: create, takes: time.Minute, heads: 1},
		"create, and theirs is reported":      {run: create, takes: time.Minute, heads: 1, theirs: []testImage{amd64.named("x"), arm64}},
		"create, and theirs has one more":     {run: create, takes: time.Minute, heads: 1, theirs: []testImage{amd64, imageFor("linux/386")}, loses: true},
		"add, slowly":                         {run: apply(add), takes: time.Minute, heads: 1},
		"add, and somebody else publishes":    {run: apply(add), takes: time.Minute, heads: 1, theirs: []testImage{amd64}, moved: true},
		"annotate, quickly":                   {run: apply(annotate), takes: time.Second},
		"annotate, and somebody else does it": {run: apply(annotate), takes: time.Minute, heads: 1, theirs: []testImage{amd64}, moved: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			ix := s.pushList("one.example/app:from", amd64, arm64)
			s.pushIndex("one.example/app:1", index.Index{Entries: ix.Entries, Annotations: map[string]string{"old": "list"}})
			s390x := s.push("one.example/app:s390x", imageFor("linux/s390x"))
			slowly := s390x.config.Digest
			if name[0:3] == "ann" {
				slowly = ix.Entries[1].Digest
			}
			now := &clock{}
			looked, before := make(chan struct{}), s.digest("one.example/app:1")
			s.one.Add(faults.Rule{Match: faults.On(http.MethodGet, "/manifests/1"), Times: 1, Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(w, r)
				close(looked)
			}})
			s.one.Add(faults.Rule{Match: faults.On(http.MethodGet, slowly.String()), Times: 1, Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				<-looked
				if c.theirs != nil {
					s.pushList("one.example/app:1", c.theirs...)
					before = s.digest("one.example/app:1")
				}
				s.one.Reset()
				now.pass(c.takes)
				next.ServeHTTP(w, r)
			}})
			published, err := c.run(s, CreateOptions{Publish: PublishOptions{now: now.now}})
			heads := 0
			for _, r := range s.one.Requests() {
				if r.Method == http.MethodPut {
					break
				}
				if r.Method == http.MethodHead && strings.HasSuffix(r.Path, "/manifests/1") {
					heads++
				}
			}
			var lost *MovedError
			var drop *DropError
			switch {
			case c.moved != errors.As(err, &lost) || c.loses != errors.As(err, &drop) || err != nil && !c.moved && !c.loses:
				t.Errorf("got %v", err)
			case err == nil && published[0].Tags[0].Previous != before, err != nil && s.digest("one.example/app:1") != before:
				t.Errorf("it was %s: %+v, %v", before, published, err)
			case heads != c.heads:
				t.Errorf("looked %d times more, want %d", heads, c.heads)
			}
		})
	}
}

// The write of the first tag may take long, too, as one that is tried again. What somebody publishes meanwhile under the others is
// not lost, and one tag that would lose it does not stop the others.
func TestASlowFirstTagHasTheOthersLookedAtAgain(t *testing.T) {
	const repo = "one.example/app"
	for name, c := range map[string]struct {
		takes time.Duration
		heads int
		moved []bool
	}{
		"quickly": {takes: time.Second, moved: []bool{true, true, true, true}},
		"slowly":  {takes: time.Minute, heads: 3, moved: []bool{true, false, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			ix := s.listOf(repo, imageFor("linux/amd64"))
			now, heads := &clock{}, 0
			s.one.Add(faults.Rule{Match: faults.On(http.MethodPut, "/manifests/a"), Times: 1, Fault: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				s.pushList(repo+":b", imageFor("linux/amd64"), imageFor("linux/386"))
				s.pushList(repo+":c", imageFor("linux/amd64").named("theirs"))
				s.pushIndex(repo+":d", ix)
				s.one.Reset()
				now.pass(c.takes)
				next.ServeHTTP(w, r)
			}})
			got, err := Publish(t.Context(), s.client, named(repo), []string{"a", "b", "c", "d"}, ix, PublishOptions{now: now.now, TrustAnswer: true})
			for _, r := range s.one.Requests() {
				if r.Method == http.MethodHead {
					heads++
				}
			}
			var failed *TagsError
			var drop *DropError
			if slow := c.heads > 0; heads != c.heads || errors.As(err, &failed) != slow || errors.As(err, &drop) != slow || err != nil && !slow {
				t.Errorf("looked %d times more, want %d: %v", heads, c.heads, err)
			}
			if slices.Contains(written(s.one), "PUT /v2/app/manifests/d") != c.moved[3] {
				t.Errorf("wrote %q", written(s.one))
			}
			for i, tag := range got.Tags {
				there := s.digest(repo+":"+tag.Tag) == got.Digest
				if tag.Moved != c.moved[i] || there != (c.moved[i] || tag.Tag == "d") || (tag.Error != "") == there {
					t.Errorf("%+v; it is there: %v", tag, there)
				}
			}
		})
	}
}

// What is there and cannot be understood has no platforms that anybody could lose.
func TestAnOldImageGivesWay(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:1", imageFor("linux/arm64"))
	before := s.digest("one.example/app:1")
	ix := s.listOf("one.example/app", imageFor("linux/amd64"))
	s.one.Add(faults.Rule{Match: faults.On(http.MethodGet, "/manifests/1"), Times: 1, Fault: faults.Substitute(`{"schemaVersion":1,"fsLayers":[]}`)})
	got, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, ix, PublishOptions{})
	if err != nil || got.Tags[0].Previous != before || s.digest("one.example/app:1") != got.Digest {
		t.Errorf("%v, %+v", err, got)
	}
}

// Before anything is written, one tag that may not move keeps all of them.
func TestNothingIsWrittenWhereOneTagMayNotMove(t *testing.T) {
	const repo = "one.example/app"
	tags := []string{"a", "b"}
	for name, c := range map[string]struct {
		meanwhile func(*scene)
		want      error
	}{
		"it lost a platform meanwhile": {func(s *scene) { s.pushList(repo+":b", imageFor("linux/amd64"), imageFor("linux/386")) }, ErrPublish},
		"it cannot be read": {func(s *scene) {
			s.one.Add(faults.Rule{Match: faults.On("", "/manifests/b"), Fault: faults.Status(http.StatusForbidden)})
		}, registry.ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			ix := s.listOf(repo, imageFor("linux/amd64"))
			now := &clock{}
			opts := PublishOptions{now: now.now}
			var err error
			if opts.Current, err = opts.look(t.Context(), s.client, named(repo), tags); err != nil {
				t.Fatal(err)
			}
			now.pass(time.Minute)
			c.meanwhile(s)
			for _, current := range []*Current{opts.Current, nil} { // looked at before, and now
				opts.Current = current
				before := len(written(s.one))
				_, err = Publish(t.Context(), s.client, named(repo), tags, ix, opts)
				var failed *TagsError
				if !errors.Is(err, c.want) || errors.As(err, &failed) || len(written(s.one)) != before {
					t.Errorf("%v; wrote %q", err, written(s.one)[before:])
				}
			}
		})
	}
}

func TestPublishWithoutTags(t *testing.T) {
	s := newScene(t)
	ix := s.listOf("one.example/app", imageFor("linux/amd64"))
	for _, unchanged := range []bool{false, true} {
		got, err := Publish(t.Context(), s.client, named("one.example/app"), nil, ix, PublishOptions{})
		if err != nil || got.Unchanged != unchanged {
			t.Fatalf("%v, %+v", err, got)
		}
		s.manifest("one.example/app", got.Digest)
	}
}

// An answer that got lost, a registry that is overloaded for a moment: published all the same,
// and with one index.
func TestPublishOutlivesPassingFaults(t *testing.T) {
	for name, fault := range map[string]faults.Fault{
		"a lost answer": faults.LoseAnswer(), "a reset": faults.Reset(), "503": faults.Status(http.StatusServiceUnavailable, "Retry-After", "0"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			ix := s.listOf("one.example/app", imageFor("linux/amd64"))
			s.one.Add(faults.Rule{Match: faults.On(http.MethodPut, "/manifests/1"), Times: 1, Fault: fault})
			got, err := Publish(t.Context(), s.client, named("one.example/app"), []string{"1"}, ix, PublishOptions{})
			if err != nil || s.digest("one.example/app:1") != got.Digest {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	for text, says := range map[string]string{
		"":                          "empty",
		"me/App:1":                  `capital letter at "App:1"`,
		"me/app:1:2":                `cannot go on with ":2"`,
		"me/app@sha256:12":          `cannot go on with "@sha256:12"`,
		"me//app":                   `cannot go on with "//app"`,
		"me/app:" + string('\x00'):  "cannot go on",
		"ada:secret@ghcr.io/me/app": "docker login ghcr.io",
		"https://ghcr.io/me/app":    "it is an address; leave https:// out",
	} {
		if _, err := ParseReference(text); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %v, want %q", text, err, says)
		}
	}
	if _, err := parseTargets([]string{"me/app@sha256:" + strings.Repeat("1", 64)}); !errors.Is(err, ErrUsage) {
		t.Errorf("a target with a digest: %v", err)
	}
	dest, err := parseTargets([]string{"me/app:1", "ghcr.io/me/app", "me/app:2", "me/app:1"})
	if err == nil {
		_, err = (&CreateOptions{Tags: []string{"3", "latest"}}).tag(&dest[0])
	}
	if err != nil || len(dest) != 2 || strings.Join(dest[0].tags, " ") != "1 2 3 latest" || strings.Join(dest[1].tags, " ") != "latest" {
		t.Errorf("%v, %v", dest, err)
	}
	if _, err := (&CreateOptions{Tags: []string{"no tag"}}).tag(&dest[0]); !errors.Is(err, ErrUsage) {
		t.Errorf("a tag with a blank: %v", err)
	}
}

// Property: what is taken as a reference is one that the registry client can name, and writing
// it and reading it again gives the same; what is refused is ErrUsage.
func FuzzParseReference(f *testing.F) {
	for _, seed := range []string{"app", "me/app:1", "ghcr.io/me/app@sha256:" + strings.Repeat("a", 64), "A:b", "::", "a/b:c:d", "[::1]:5000/a", " x ", "a@b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := ParseReference(text)
		if err != nil {
			if !errors.Is(err, ErrUsage) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := ParseReference(ref.String())
		if err != nil || again.String() != ref.String() {
			t.Fatalf("%q: %v is read as %v, %v", text, ref, again, err)
		}
		_ = IsLoopback(ref)
	})
}
