package build

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/dockerfile"
	"github.com/manymage/manymage/build/engine"
)

// A refusal of many lines hangs as many, and one file is one.
func TestPlanForPeople(t *testing.T) {
	p := Plan{Image: "me/app", Context: PlannedContext{Dir: "/src", Files: 1, Bytes: 3, Lacks: []string{"Dockerfile:2: COPY a /: why; cure"}},
		Engines: []PlannedEngine{{Info: engine.Info{Name: "Docker", Version: "20.10"}, Refusals: []string{"first:\n  Dockerfile:2: a\nwhat to do", "second"}}}}
	var out strings.Builder
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"├── will refuse: first:\n│   ├── Dockerfile:2: a\n│   └── what to do\n└── will refuse: second\n",
		"context /src: 1 file, 3 B at most\n└── will fail: Dockerfile:2: COPY a /: why; cure\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
}

// What a platform's image is made of hangs below it, with the lines to look at last.
func TestPlannedPlatformForPeople(t *testing.T) {
	p := Plan{Platforms: []PlannedPlatform{{Platform: "linux/arm64", Ref: "me/app:arm64-1", Strategy: "target", Why: "why", Dockerfile: "Dockerfile",
		Bases:  []dockerfile.Base{{Image: "biuld", Line: 2, Hint: "no stage is so called", Likely: true}, {Image: "nginx", Line: 3, Hint: "no stage is so called"}},
		Advice: []dockerfile.Advice{{Line: 3, Text: "a is for linux/amd64"}}}}}
	var out strings.Builder
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	if want := "    ├── from Dockerfile\n    ├── line 2: base biuld for unknown: no stage is so called\n    ├── line 3: base nginx for unknown\n    └── look at line 3: a is for linux/amd64\n"; !strings.Contains(out.String(), want) {
		t.Errorf("it does not say %q:\n%s", want, out.String())
	}
}

// BuildKit is sent a context once for each Dockerfile, a classic builder for each image; and what a run leaves in a named one stays.
func TestPlannedContext(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a": "12", "lib/b": "345", "dist/registry/blob": "6789"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	p := New(Options{Config: config.Config{Dir: dir, Context: filepath.Join(dir, "lib"), Contexts: []config.Pair{{Name: "all", Value: dir}}}})
	for _, test := range []struct {
		paths []string
		road  string
		times int
	}{
		{[]string{"Dockerfile"}, engine.RoadBuildKit, 1},
		{[]string{"Dockerfile", "Dockerfile"}, engine.RoadBuildKit, 1},
		{[]string{"Dockerfile", "Dockerfile"}, engine.RoadClassic, 2},
		{[]string{"Dockerfile.amd64", "Dockerfile.arm64"}, "", 2},
	} {
		var jobs []job
		for _, path := range test.paths {
			jobs = append(jobs, job{path: filepath.Join(dir, path)})
		}
		got, err := p.planContext(t.Context(), jobs, func(string) bool { return test.road == engine.RoadClassic })
		want := PlannedContext{Dir: filepath.Join(dir, "lib"), Times: test.times, Files: 3 * test.times, Bytes: int64(3+2+3) * int64(test.times)}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v by %q: %+v, %v, want %+v", test.paths, test.road, got, err, want)
		}
	}
	text := Plan{Context: PlannedContext{Dir: "/src", Times: 3, Files: 6, Bytes: 9}}.contextTree().Text
	if text != "context /src: 6 files, 9 B at most, sent in 3 goes" {
		t.Error(text)
	}
}

// What a tag would lose is called refused where push refuses it, and nowhere else.
func TestPlannedLosses(t *testing.T) {
	amd64, arm64 := ocispec.Platform{OS: "linux", Architecture: "amd64"}, ocispec.Platform{OS: "linux", Architecture: "arm64"}
	for _, test := range []struct {
		image         string
		allow         []ocispec.Platform
		dropped, lost string
	}{
		{"ghcr.io/me/app", nil, "linux/arm64", ""},
		{"ghcr.io/me/app", []ocispec.Platform{arm64}, "", "linux/arm64"},
		{"127.0.0.1:5000/me/app", nil, "", "linux/arm64"},
	} {
		ref, err := reference.ParseNormalizedNamed(test.image)
		if err != nil {
			t.Fatal(err)
		}
		p := New(Options{Config: config.Config{Platforms: []ocispec.Platform{amd64}, AllowDrop: test.allow}})
		got := p.compare(PlannedTag{Ref: test.image, Digest: "sha256:0"}, ref, []ocispec.Platform{amd64, arm64})
		if strings.Join(got.Dropped, " ") != test.dropped || strings.Join(got.Lost, " ") != test.lost {
			t.Errorf("%s, ALLOW_DROP=%v: %+v", test.image, test.allow, got)
		}
		var out strings.Builder
		if err := (Plan{Refs: []string{test.image}, Now: []PlannedTag{got}}).Write(&out); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "which push refuses; ALLOW_DROP=linux/arm64 ") != (test.dropped != "") || strings.Contains(out.String(), "── loses linux/arm64\n") != (test.lost != "") {
			t.Errorf("%s: %s", test.image, out.String())
		}
	}
}
