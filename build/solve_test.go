package build

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/dockerfile"
	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/build/registry/registrytest"
)

// The user's own step makes what is built from, and may take minutes: what is in the way of a push is told before it.
func TestBefore(t *testing.T) {
	here := fakeEngine(t, http.NotFound)
	for name, test := range map[string]struct {
		host  string
		rules []faults.Rule // of the registry
		runs  bool
		want  error
	}{
		"makes the Dockerfile":   {here, nil, true, nil},
		"no engine":              {"unix:///nowhere.sock", nil, false, engine.ErrUnreachable},
		"a registry that denies": {here, []faults.Rule{{Match: faults.On("POST", "/uploads/"), Fault: faults.Status(403)}}, false, registry.ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := faults.Around(registrytest.InMemory())
			for _, r := range test.rules {
				proxy.Add(r)
			}
			server := httptest.NewServer(proxy)
			defer server.Close()
			env := map[string]string{"IMG": strings.TrimPrefix(server.URL, "http://") + "/me/app", "DOCKER_HOST": test.host, "DOCKER_BUILDKIT": "0"}
			getenv := func(name string) string { return env[name] }
			cfg, err := config.Load(config.Input{Dir: t.TempDir(), Getenv: getenv})
			if err != nil {
				t.Fatal(err)
			}
			var ran []string
			p := New(Options{Config: cfg, Getenv: getenv, Before: func(_ context.Context, platforms []string) error {
				ran = append(ran, platforms...)
				return os.WriteFile(filepath.Join(cfg.Dir, "Dockerfile"), []byte("FROM scratch\nCOPY app /\n"), 0o644)
			}})
			defer p.Close()
			if err := p.Foresee(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer p.foresight.end()
			err = p.ready(t.Context())
			if !errors.Is(err, test.want) || slices.Equal(ran, []string{"linux/amd64", "linux/arm64"}) != test.runs {
				t.Fatalf("ran for %q: %v, want %v", ran, err, test.want)
			}
			if !test.runs {
				return
			}
			if jobs, err := p.jobs(); err != nil || len(jobs) != 2 {
				t.Errorf("%+v, %v", jobs, err)
			}
		})
	}
}

// What no step can make is missed before one runs.
func TestMissingVariablesComeBeforeAll(t *testing.T) {
	env := map[string]string{"IMG": "reg.example/me/app", "BUILD_ARGS": "URL", "DOCKER_HOST": "unix:///nowhere.sock"}
	getenv := func(name string) string { return env[name] }
	cfg, err := config.Load(config.Input{Dir: t.TempDir(), Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{Config: cfg, Getenv: getenv, Before: func(context.Context, []string) error { return nil }})
	if err := p.ready(t.Context()); !errors.Is(err, config.ErrUsage) || errors.Is(err, engine.ErrUnreachable) {
		t.Error(err)
	}
}

// Without such a step nothing can make the missing files: that is told before an engine is started.
func TestMissingFilesComeBeforeTheEngine(t *testing.T) {
	p := pipelineFor(t, t.TempDir(), "unix:///nowhere.sock", nil)
	if err := p.ready(t.Context()); !errors.Is(err, config.ErrUsage) || errors.Is(err, engine.ErrUnreachable) {
		t.Error(err)
	}
}

// What the truth check could not decide is told with its verdict, each note once, and not by the hundred.
func TestRemark(t *testing.T) {
	many := []string{"a", "b", "c", "d", "e", "f", "g"}
	for name, test := range map[string]struct {
		verdicts [2]image.Verdict
		notes    [2][]string
		verbose  bool
		want     []string
	}{
		"nothing":    {[2]image.Verdict{image.Verified, image.Verified}, [2][]string{}, false, nil},
		"of one":     {[2]image.Verdict{image.Verified, image.Verified}, [2][]string{nil, {"a"}}, false, []string{"note: linux/arm64: a"}},
		"unverified": {[2]image.Verdict{image.Unverified, image.Unverified}, [2][]string{{"a", "b"}, {"a", "b"}}, false, nil},
		"many": {[2]image.Verdict{image.Verified, image.Verified}, [2][]string{many, many}, false,
			[]string{"note: a", "note: b", "note: c", "note: d", "note: e", "note: 2 more are in dist/manymage.json, and V=1 tells them"}},
		"all of them": {[2]image.Verdict{image.Verified, image.Verified}, [2][]string{many, many}, true,
			[]string{"note: a", "note: b", "note: c", "note: d", "note: e", "note: f", "note: g"}},
	} {
		var told []string
		p := New(Options{Config: config.Config{Verbose: test.verbose}, Show: func(e progress.Event) { told = append(told, e.(progress.Notice).Text) }})
		var results []result
		for i, platform := range []string{"linux/amd64", "linux/arm64"} {
			results = append(results, result{job: job{name: platform}, report: image.Report{Verdict: test.verdicts[i], Notes: test.notes[i]}})
		}
		if p.remark(results); !slices.Equal(told, test.want) {
			t.Errorf("%s: %q, want %q", name, told, test.want)
		}
	}
}

// Jobs that are sent one context are sent what any of them reads, and everything where one of them may read anything.
func TestWhatJobsRead(t *testing.T) {
	p := New(Options{})
	of := func(text string) (j job) {
		file, err := dockerfile.Read([]byte(text), "Dockerfile")
		if err != nil {
			t.Fatal(err)
		}
		amd64 := ocispec.Platform{OS: "linux", Architecture: "amd64"}
		j = job{file: file, syntax: dockerfile.DetectSyntax([]byte(text)), choice: dockerfile.Choice{Strategy: dockerfile.Target},
			how: dockerfile.Options{Build: amd64, Platform: amd64}}
		if r, known := p.reads(j); known {
			j.solve.Reads = r.Paths
		}
		return j
	}
	some := of("FROM scratch\nCOPY b c /\n")
	for name, test := range map[string]struct {
		jobs []job
		want []string
	}{
		"of one":             {[]job{some}, []string{"b", "c"}},
		"of two":             {[]job{some, of("FROM scratch\nCOPY c a /\n")}, []string{"a", "b", "c"}},
		"nothing":            {[]job{of("FROM scratch\n")}, []string{}},
		"all":                {[]job{some, of("FROM scratch\nCOPY . /\n")}, nil},
		"unread":             {[]job{some, {}}, nil},
		"Docker's frontend":  {[]job{of("# syntax=docker/dockerfile:1\nFROM scratch\nCOPY a /\n")}, []string{"a"}},
		"another's frontend": {[]job{of("# syntax=me/frontend\nFROM scratch\nCOPY a /\n")}, nil},
	} {
		if got := reads(test.jobs); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if got, known := p.reads(job{}); known {
		t.Errorf("a file that only its frontend reads: %q", got.Paths)
	}
}
