package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// What stands for FROM scratch is shared by all builds and has a name: it stays,
// says what it is, and is loaded where it is not there yet.
func TestScratchHasAName(t *testing.T) {
	p := platform(t, "linux/arm/v7")
	config, err := scratchConfig(p)
	if err != nil {
		t.Fatal(err)
	}
	id := digest.FromBytes(config).String()
	look, tag := "GET /images/"+id+"/json", "POST /images/"+id+"/tag"
	e, requests := apiDouble(t, map[string]string{look: `{"Id":"` + id + `"}`, tag: ""})
	b := newBases(e)
	for range 2 {
		if got, err := b.scratch(t.Context(), p); got != id || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	}
	b.end()
	if got := requests(); !slices.Equal(got, []string{look, tag}) {
		t.Errorf("asked for %q", got)
	}
	e, requests = apiDouble(t, map[string]string{"POST /images/load": "{}"})
	if _, err := newBases(e).scratch(t.Context(), p); !errors.Is(err, ErrThin) { // it said that it had loaded it
		t.Errorf("got %v", err)
	}
	if got := requests(); !slices.Equal(got, []string{look, "POST /images/load", look}) {
		t.Errorf("asked for %q", got)
	}
	if got := scratchName(p); got != "localhost/manymage/scratch:linux-arm-v7" {
		t.Errorf("it is called %s", got)
	}
}

// A base under another label is there for a build alone. What the engine's cache
// stands on it does not let go.
func TestAliasesGoWithTheBuild(t *testing.T) {
	const base = "sha256:base"
	answers := map[string]string{
		"GET /images/" + base + "/json":    `{"Id":"` + base + `","Architecture":"amd64","Os":"linux","RootFS":{"Type":"layers"}}`,
		"GET /images/" + base + "/history": "[]",
		"POST /images/load":                "{}",
	}
	e, requests := apiDouble(t, answers)
	config, err := e.relabelled(t.Context(), base, platform(t, "linux/arm64"))
	if err != nil {
		t.Fatal(err)
	}
	id := digest.FromBytes(config).String()
	answers["GET /images/"+id+"/json"] = `{"Id":"` + id + `"}`
	answers["DELETE /images/"+id] = "[]"

	ctx, interrupt := context.WithCancel(t.Context())
	b := &classicBuilder{engine: e, bases: newBases(e)}
	for range 2 {
		if got, err := b.bases.alias(ctx, base, platform(t, "linux/arm64")); got != id || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	}
	if slices.Contains(requests(), "DELETE /images/"+id) {
		t.Error("it went before the build did")
	}
	interrupt()
	if err := b.Close(); err != nil || !slices.Contains(requests(), "DELETE /images/"+id) {
		t.Errorf("%v, asked for %q", err, requests())
	}
}

// The user's tag stays where it was, however the pull of another platform ends. Where the digest is known, it is not touched.
func TestPullsPutTheTagBack(t *testing.T) {
	const (
		pull, look, offers, back = "POST /images/create", "GET /images/app:1/json", "GET /distribution/app:1/json", "POST /images/mine/tag"
		theirs                   = digest.Digest(someDigest)
		lookChild                = "GET /images/docker.io/library/app@" + someDigest + "/json"
		arm64                    = `{"Id":"theirs","Os":"linux","Architecture":"arm64"}`
		s390x                    = `{"Id":"other","Os":"linux","Architecture":"s390x"}`
		list                     = `{"Descriptor":{"mediaType":"application/vnd.oci.image.index.v1+json"},"Platforms":[{"os":"linux","architecture":"arm64"}]}`
		plain                    = `{"Descriptor":{"mediaType":"application/vnd.oci.image.manifest.v1+json"},"Platforms":[{"os":"linux","architecture":"arm64"}]}`
	)
	for name, test := range map[string]struct {
		pulled      string
		looked      []string // one for each look, the last for all further
		offers      string
		interrupted bool
		before      Image
		store       string
		child       digest.Digest
		want        string
		asked       []string
	}{
		"its digest is known":    {child: theirs, looked: []string{arm64}, before: Image{ID: "mine"}, asked: []string{pull, lookChild}},
		"... and not to be had":  {child: theirs, pulled: `{"error":"cut off"}` + then + "", looked: []string{arm64}, before: Image{ID: "mine"}, asked: []string{pull, pull, look, look, back}},
		"... and interrupted":    {child: theirs, pulled: `{"progressDetail":{"current":1,"total":2}}`, looked: []string{arm64}, interrupted: true, before: Image{ID: "mine"}, want: "context canceled", asked: []string{pull}},
		"... and there was none": {child: theirs, looked: []string{arm64}, asked: []string{pull, look}},
		"it is pulled":           {looked: []string{arm64}, before: Image{ID: "mine"}, asked: []string{pull, look, look, back}},
		"the pull fails":         {pulled: `{"error":"cut off"}`, looked: []string{arm64}, before: Image{ID: "mine"}, want: "cut off", asked: []string{pull, look, back}},
		"it is interrupted":      {pulled: `{"progressDetail":{"current":1,"total":2}}`, looked: []string{arm64}, interrupted: true, before: Image{ID: "mine"}, want: "context canceled", asked: []string{pull, look, back}},
		"the wrong platform":     {looked: []string{s390x}, offers: plain, before: Image{ID: "mine"}, want: "gave linux/s390x", asked: []string{pull, look, offers, look, back}},
		"another run moves it":   {looked: []string{s390x, arm64}, offers: list, before: Image{ID: "mine"}, asked: []string{pull, look, offers, pull, look, look, back}},
		"... where nobody knows": {looked: []string{s390x, arm64}, before: Image{ID: "mine"}, asked: []string{pull, look, offers, pull, look, look, back}},
		"... and has it now":     {looked: []string{arm64, s390x}, before: Image{ID: "mine"}, asked: []string{pull, look, look}},
		"there was none before":  {looked: []string{arm64}, asked: []string{pull, look}},
		"one name for all":       {looked: []string{arm64}, before: Image{ID: "mine"}, store: StoreContainerd, asked: []string{pull, look}},
		"the tag is refused":     {looked: []string{arm64}, before: Image{ID: "gone"}, want: "app:1 may be another platform's image now", asked: []string{pull, look, look, "POST /images/gone/tag"}},
	} {
		t.Run(name, func(t *testing.T) {
			answers := map[string]string{pull: test.pulled, look: strings.Join(test.looked, then), lookChild: arm64, back: ""}
			if test.offers != "" {
				answers[offers] = test.offers
			}
			e, requests := apiDouble(t, answers)
			e.auth, e.info.Store = Options{}.credentials(), test.store
			e.child = func(context.Context, string, ocispec.Platform) digest.Digest { return test.child }
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			_, err := newBases(e).pulled(ctx, "app:1", platform(t, "linux/arm64"), test.before, func(e Event) {
				if _, begun := e.(Bytes); begun && test.interrupted {
					interrupt()
				}
			})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if got := requests(); !slices.Equal(got, test.asked) {
				t.Errorf("asked for %q, want %q", got, test.asked)
			}
		})
	}
}

// A registry that is silent sends no bytes that could be told of: that the engine waits for it is a step from before it is asked.
func TestAPullIsAStep(t *testing.T) {
	const pull = "POST /images/create"
	for answer, want := range map[string]State{"{}": Done, `{"error":"cut off"}`: Failed, "waits": Canceled} {
		e, requests := apiDouble(t, map[string]string{pull: answer})
		e.auth = Options{}.credentials()
		ctx, interrupt := context.WithCancel(t.Context())
		var got []Step
		err := e.pullImage(ctx, "app:1", platform(t, "linux/arm64"), func(event Event) {
			step, isStep := event.(Step)
			if !isStep {
				return
			}
			if got = append(got, step); len(got) == 1 && len(requests()) > 0 {
				t.Error("it is told when the engine has answered")
			}
			if answer == "waits" {
				interrupt()
			}
		})
		interrupt()
		if (err == nil) != (want == Done) || len(got) != 2 || got[0].State != Running || got[1].State != want || got[1].Name != "pull app:1" || (got[1].Error != "") != (want == Failed) {
			t.Errorf("%s: %+v, %v", answer, got, err)
		}
	}
}

// A list is refused where the builder mixes it up, and nowhere else.
func TestRefusedBases(t *testing.T) {
	const list = "application/vnd.oci.image.index.v1+json"
	for name, test := range map[string]struct {
		road, store, kind string
		want              error
	}{
		"a list":            {RoadClassic, StoreContainerd, list, ErrUnsupported},
		"an image":          {RoadClassic, StoreContainerd, "application/vnd.oci.image.manifest.v1+json", nil},
		"of BuildKit":       {RoadBuildKit, StoreContainerd, list, nil},
		"of a graph driver": {RoadClassic, StoreGraph, list, nil},
		"that nobody knows": {RoadClassic, StoreContainerd, "", nil},
	} {
		answers := map[string]string{}
		if test.kind != "" {
			answers["GET /distribution/app:1/json"] = `{"Descriptor":{"mediaType":"` + test.kind + `"}}`
		}
		e, _ := apiDouble(t, answers)
		e.auth, e.info.Road, e.info.Store = Options{}.credentials(), test.road, test.store
		if err := e.RefusesBase(t.Context(), "app:1"); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What waits in a base is known by its ID, wherever the base comes from.
func TestBasesTellWhatWaits(t *testing.T) {
	e, _ := apiDouble(t, map[string]string{
		"GET /images/app:1/json": `{"Id":"here","Os":"linux","Architecture":"arm64","Config":{"OnBuild":["ARG A B=1","RUN x"]}}`,
		"POST /images/create":    "{}",
		"POST /images/here/tag":  "",
	})
	e.auth = Options{}.credentials()
	for _, pull := range []bool{false, true} {
		b := newBases(e)
		id, err := b.pin(t.Context(), "app:1", platform(t, "linux/arm64"), pull, func(Event) {})
		if got := b.waiting(id); err != nil || len(got) != 2 || !got["A"] || !got["B"] {
			t.Errorf("pull %t: %v, %v", pull, got, err)
		}
	}
}
