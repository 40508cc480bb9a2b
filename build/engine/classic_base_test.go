package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
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

// The user's tag stays where it was, however the pull of another platform ends.
func TestPullsPutTheTagBack(t *testing.T) {
	const pull, look, back = "POST /images/create", "GET /images/app:1/json", "POST /images/mine/tag"
	for name, test := range map[string]struct {
		pulled, looked string
		interrupted    bool
		before         Image
		store          string
		want           string
		asked          []string
	}{
		"it is pulled":          {pulled: "{}", looked: `{"Id":"theirs","Os":"linux","Architecture":"arm64"}`, before: Image{ID: "mine"}, asked: []string{pull, look, back}},
		"the pull fails":        {pulled: `{"error":"cut off"}`, before: Image{ID: "mine"}, want: "cut off", asked: []string{pull, back}},
		"it is interrupted":     {pulled: `{"progressDetail":{"current":1,"total":2}}`, interrupted: true, before: Image{ID: "mine"}, want: "context canceled", asked: []string{pull, back}},
		"the wrong platform":    {pulled: "{}", looked: `{"Id":"theirs","Os":"linux","Architecture":"s390x"}`, before: Image{ID: "mine"}, want: "gave linux/s390x", asked: []string{pull, look, back}},
		"there was none before": {pulled: "{}", looked: `{"Id":"theirs","Os":"linux","Architecture":"arm64"}`, asked: []string{pull, look}},
		"one name for all":      {pulled: "{}", looked: `{"Id":"theirs","Os":"linux","Architecture":"arm64"}`, before: Image{ID: "mine"}, store: StoreContainerd, asked: []string{pull, look}},
		"the tag is refused":    {pulled: "{}", looked: `{"Id":"theirs","Os":"linux","Architecture":"arm64"}`, before: Image{ID: "gone"}, want: "app:1 may be another platform's image now", asked: []string{pull, look, "POST /images/gone/tag"}},
	} {
		t.Run(name, func(t *testing.T) {
			e, requests := apiDouble(t, map[string]string{pull: test.pulled, look: test.looked, back: ""})
			e.auth, e.info.Store = Options{}.credentials(), test.store
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			_, err := newBases(e).pulled(ctx, "app:1", platform(t, "linux/arm64"), test.before, func(Event) {
				if test.interrupted {
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
