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
		if got, err := b.scratch(t.Context(), p); got.ID != id || err != nil {
			t.Errorf("%s, %v", got.ID, err)
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
	if !strings.Contains(string(config), `"architecture":"arm64"`) {
		t.Errorf("it has the label of %s", config)
	}
	id := digest.FromBytes(config).String()
	answers["GET /images/"+id+"/json"] = `{"Id":"` + id + `"}`
	answers["DELETE /images/"+id] = "[]"

	ctx, interrupt := context.WithCancel(t.Context())
	b := &classicBuilder{engine: e, bases: newBases(e)}
	for range 2 {
		if got, err := b.bases.alias(ctx, Image{ID: base}, platform(t, "linux/arm64")); got.ID != id || err != nil {
			t.Errorf("%s, %v", got.ID, err)
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

// What waits in a base is known wherever the base comes from.
func TestBasesTellWhatWaits(t *testing.T) {
	e, _ := apiDouble(t, map[string]string{
		"GET /images/app:1/json": `{"Id":"here","Os":"linux","Architecture":"arm64","Config":{"OnBuild":["ARG A B=1","RUN x"],"Env":["D=x"]}}`,
		"POST /images/create":    "{}",
		"POST /images/here/tag":  "",
	})
	e.auth = Options{}.credentials()
	for _, pull := range []bool{false, true} {
		b := newBases(e)
		base, err := b.pin(t.Context(), "app:1", platform(t, "linux/arm64"), pull, func(Event) {})
		if got := base.waiting(); err != nil || len(got) != 2 || !got["A"] || !got["B"] || len(base.Env) != 1 {
			t.Errorf("pull %t: %v, %v, %v", pull, got, base.Env, err)
		}
	}
}
