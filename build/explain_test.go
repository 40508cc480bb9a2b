package build

import (
	"fmt"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/progress"
)

// A solve's failure is told in one sentence with its line, what there is instead, and what to do.
func TestExplain(t *testing.T) {
	lacking := fmt.Errorf("no match: %w", engine.ErrNoPlatform)
	for name, test := range map[string]struct {
		dockerfile string
		image      string // that the engine does not get
		err        error
		rules      []faults.Rule
		want       string
		code       int
	}{
		"a platform": {"ARG T=1\nFROM HOST/base:$T\n", "HOST/base:1", lacking, nil,
			"Dockerfile:2: the image HOST/base:1 has no linux/s390x, but linux/amd64, linux/arm64; take another base, or leave the platform out of ARCHES", ExitUsage},
		"of an image that is no list": {"FROM HOST/base:arm64\n", "HOST/base:arm64", lacking, nil,
			"Dockerfile:1: the image HOST/base:arm64 has no linux/s390x, but linux/arm64; take another base, or leave the platform out of ARCHES", ExitUsage},
		"of an image that is copied from": {"FROM scratch\nCOPY --from=HOST/base:1 /a /\n", "HOST/base:1", lacking, nil,
			"Dockerfile:2: the image HOST/base:1 has no linux/s390x, but linux/amd64, linux/arm64; take another base, or leave the platform out of ARCHES", ExitUsage},
		"of a stage that has its own": {"FROM --platform=linux/386 HOST/base:arm64 AS x\nFROM scratch\nCOPY --from=x /a /\n", "HOST/base:arm64", lacking, nil,
			"Dockerfile:1: the image HOST/base:arm64 has no linux/386, but linux/arm64; take another base", ExitUsage},
		"that nobody can tell more of": {"FROM HOST/base:1\n", "HOST/base:1", lacking, []faults.Rule{{Match: faults.On("GET", "/manifests/"), Fault: faults.Status(404)}},
			"Dockerfile:1: the image HOST/base:1 has no linux/s390x; take another base, or leave the platform out of ARCHES", ExitUsage},
		"a stage that is none": {"FROM scratch AS build\nFROM scratch\nCOPY --from=biuld /a /\n", "docker.io/library/biuld:latest", engine.ErrNoImage, nil,
			"Dockerfile:3: no stage is called biuld (did you mean build?), and the image docker.io/library/biuld:latest: no such image", ExitFailed},
		"an image that nobody names": {"FROM scratch\n", "HOST/base:1", lacking, nil, "Dockerfile: no match: no image for the platform", ExitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			p, host := patient(t, test.dockerfile, "s390x", "HOST/me/app", test.rules...)
			jobs, err := p.jobs()
			if err != nil {
				t.Fatal(err)
			}
			step := &engine.StepError{Dockerfile: "Dockerfile", Err: &engine.BaseError{Image: strings.ReplaceAll(test.image, "HOST", host), Err: test.err}}
			failed := fmt.Errorf("linux/s390x: %w", error(step))
			p.explain(t.Context(), jobs[0], failed)
			if want := strings.ReplaceAll(test.want, "HOST", host); step.Error() != want {
				t.Errorf("got  %v\nwant %s", step, want)
			}
			if code := ExitCode(failed); code != test.code {
				t.Errorf("exit %d, want %d", code, test.code)
			}
		})
	}
}

// An image that stands for a name in the Dockerfile is found without a line.
func TestExplainNamedImages(t *testing.T) {
	p, host := patient(t, "FROM base\n", "s390x", "HOST/me/app")
	p.cfg.Contexts = []config.Pair{{Name: "base", Value: "docker-image://" + host + "/base:1"}}
	jobs, err := p.jobs()
	if err != nil {
		t.Fatal(err)
	}
	step := &engine.StepError{Dockerfile: "Dockerfile", Err: &engine.BaseError{Image: host + "/base:1", Err: engine.ErrNoPlatform}}
	p.explain(t.Context(), jobs[0], step)
	if want := "Dockerfile: the image " + host + "/base:1 has no linux/s390x, but "; !strings.HasPrefix(step.Error(), want) {
		t.Errorf("got %v\nwant %s", step, want)
	}
}

// Of an image that was refused the bases are told that brought another machine's programs, and no others.
func TestExplainForeignBases(t *testing.T) {
	for dockerfile, says := range map[string]string{
		"FROM HOST/old:1\n": "the base HOST/old:1 (Dockerfile:1) has linux/arm/v7 (for linux/arm64), another machine's programs: take another base, or leave the platform out of ARCHES",
		"FROM HOST/base:1\nCOPY --from=HOST/gone:1 a /\n": "",
		"FROM scratch\n": "",
	} {
		p, host := patient(t, dockerfile, "arm64", "HOST/me/app")
		var told []string
		p.opts.Show = func(e progress.Event) {
			if warning, is := e.(progress.Warning); is {
				told = append(told, warning.Text)
			}
		}
		jobs, err := p.jobs()
		if err != nil {
			t.Fatal(err)
		}
		p.explain(t.Context(), jobs[0], fmt.Errorf("refused: %w", image.ErrRefused))
		if got := strings.Join(told, "\n"); got != strings.ReplaceAll(says, "HOST", host) {
			t.Errorf("%s: got %q", dockerfile, got)
		}
	}
}
