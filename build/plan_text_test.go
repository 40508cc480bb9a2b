package build

import (
	"strings"
	"testing"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
)

// A refusal of many lines hangs as many, and one file is one.
func TestPlanForPeople(t *testing.T) {
	p := Plan{Image: "me/app", Context: PlannedContext{Dir: "/src", Files: 1, Bytes: 3},
		Engine: PlannedEngine{Info: engine.Info{Name: "Docker", Version: "20.10"}, Refusals: []string{"first:\n  Dockerfile:2: a\nwhat to do", "second"}}}
	var out strings.Builder
	if err := p.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"├── will refuse: first:\n│   ├── Dockerfile:2: a\n│   └── what to do\n└── will refuse: second\n",
		"context /src: 1 file, 3 B at most\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
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
