package engine

import (
	"errors"
	"maps"
	"testing"
	"time"

	bkclient "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/session"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Docker from 28 on takes its own platform for what was wanted where nothing is said, and warns of every other.
func TestTheEngineIsToldWhatTheResultWillBe(t *testing.T) {
	arm := ocispec.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	r := &kitSolve{Solve: Solve{Platform: arm}, builder: &kitBuilder{session: &session.Session{}}, steps: newSteps(nil, nil)}
	if got := r.job().request("ref").FrontendAttrs["platform"]; got != "linux/arm/v7" {
		t.Errorf("the engine was told %q", got)
	}
}

// What a frontend is told are BuildKit's own words for what was asked for, and nothing of what was not.
func TestFrontendsAreToldWhatIsWanted(t *testing.T) {
	epoch := time.Unix(7, 0)
	for _, test := range []struct {
		solve Solve
		want  map[string]string
	}{
		{Solve{Platform: platform(t, "linux/arm/v7")}, nil},
		{Solve{Platform: platform(t, "linux/arm/v7"), SetPlatform: true}, map[string]string{"platform": "linux/arm/v7"}},
		{Solve{Target: "app", NoCache: true, Pull: true}, map[string]string{"target": "app", "no-cache": "", "image-resolve-mode": "pull"}},
		{Solve{BuildArgs: map[string]string{"A": "1"}, Labels: map[string]string{"b": "2"}, Epoch: &epoch}, map[string]string{"build-arg:A": "1", "label:b": "2", "build-arg:SOURCE_DATE_EPOCH": "7"}},
		{Solve{CacheFrom: []Cache{{"registry", map[string]string{"ref": "r/c"}}}}, map[string]string{"cache-imports": `[{"Type":"registry","Attrs":{"ref":"r/c"}}]`}},
	} {
		shared := map[string]string{"context:lib": "input:lib"}
		want := map[string]string{"context:lib": "input:lib", "filename": "Dockerfile"}
		maps.Copy(want, test.want)
		if got := (&kitSolve{Solve: test.solve, builder: &kitBuilder{opts: shared}}).frontendOpts(); !maps.Equal(got, want) || len(shared) != 1 {
			t.Errorf("%+v: %q", test.solve, got)
		}
	}
}

// A frontend of which the engine gets nothing is done without. That something else fails while one is used is no reason to.
func TestFrontendsOfNoUse(t *testing.T) {
	const ref = "docker/dockerfile:1"
	for _, test := range []struct {
		step, err, want string
		verdict         error
	}{
		{step: "resolve image config for docker.io/docker/dockerfile:1", err: "no such host", want: "could not be pulled"},
		{step: "docker-image://docker.io/docker/dockerfile:1", err: "no such host", want: "could not be pulled"},
		{step: "docker-image://docker.io/library/busybox:1", err: "no such host"},
		{step: "[1/1] FROM docker.io/docker/dockerfile:1", err: "no such host"},
		{step: "[1/1] RUN false", err: "exit code: 1"},
		{err: "failed to solve: " + noInputs, want: "is too old to be given a build context"},
		{err: noInputs, verdict: ErrContext},
		{err: "cut off"},
		{},
	} {
		r := &kitSolve{steps: newSteps(nil, nil), verdict: test.verdict}
		if test.step != "" {
			r.steps.take(&bkclient.SolveStatus{Vertexes: []*bkclient.Vertex{{Digest: digest.FromString("x"), Name: test.step, Error: test.err}}})
		}
		var err error
		if test.err != "" {
			err = errors.New(test.err)
		}
		if got := r.unusable(ref, err); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
		if got := r.unusable("", err); got != "" {
			t.Errorf("%+v: %q of no frontend", test, got)
		}
	}
}

// An old Docker tells of the image it stored the ID alone. That is its config's digest on a graph driver, and nowhere else.
func TestBuiltImagesAreKnownByTheirConfig(t *testing.T) {
	const id = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	for _, test := range []struct {
		store, told string
		want        digest.Digest
	}{{StoreGraph, "", id}, {StoreGraph, someDigest, someDigest}, {StoreContainerd, someDigest, someDigest}, {StoreContainerd, "", ""}} {
		e, _ := apiDouble(t, map[string]string{"GET /images/" + id + "/json": `{"Id":"` + id + `","Size":9}`})
		e.info.Store = test.store
		got, err := (&buildkit{engine: e}).built(t.Context(), map[string]string{exptypes.ExporterImageDigestKey: id, exptypes.ExporterImageConfigDigestKey: test.told})
		if (err == nil) != (test.want != "") || err == nil && (got.ID != id || got.Config != test.want || got.Size != 9) {
			t.Errorf("%s, told %q: %+v, %v", test.store, test.told, got, err)
		}
	}
}
