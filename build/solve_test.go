package build

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/engine"
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
			e, err := p.ready(t.Context())
			if !errors.Is(err, test.want) || slices.Equal(ran, []string{"linux/amd64", "linux/arm64"}) != test.runs {
				t.Fatalf("ran for %q: %v, want %v", ran, err, test.want)
			}
			if !test.runs {
				return
			}
			if jobs, err := p.jobs(e.Info().Platform); err != nil || len(jobs) != 2 {
				t.Errorf("%+v, %v", jobs, err)
			}
		})
	}
}

// Without such a step nothing can make the missing files: that is told before an engine is started.
func TestMissingFilesComeBeforeTheEngine(t *testing.T) {
	p := pipelineFor(t, t.TempDir(), "unix:///nowhere.sock", nil)
	if _, err := p.ready(t.Context()); !errors.Is(err, config.ErrUsage) || errors.Is(err, engine.ErrUnreachable) {
		t.Error(err)
	}
}
