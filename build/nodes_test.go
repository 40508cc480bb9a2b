package build

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/record"
)

// onNodes is a run for amd64, arm64 and arm/v7 whose own engine is at host.
func onNodes(t *testing.T, host, nodes string, ensure func(context.Context) error) *Pipeline {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY a /\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"IMG": "reg.example/me/app", "ARCHES": "amd64 arm64 arm/v7", "NODES": nodes, "DOCKER_HOST": host, "DOCKER_BUILDKIT": "0"}
	getenv := func(name string) string { return env[name] }
	cfg, err := config.Load(config.Input{Dir: dir, Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{Config: cfg, Getenv: getenv, Ensure: ensure})
	t.Cleanup(func() { p.Close() })
	return p
}

// Each platform is built by the engine that NODES gives it to, and by no other one.
func TestNodes(t *testing.T) {
	intel, arm := fakeMachine(t, "amd64", http.NotFound), fakeMachine(t, "arm64", http.NotFound)
	gone := "unix://" + filepath.Join(t.TempDir(), "gone.sock")
	for name, test := range map[string]struct {
		own, nodes string
		where      []string // of amd64, arm64, arm/v7
		want       error
		says       string
	}{
		"one engine":                  {intel, "", []string{intel, intel, intel}, nil, ""},
		"a node for two":              {intel, "arm64,arm/v7=" + arm, []string{intel, arm, arm}, nil, ""},
		"nodes for all":               {gone, "amd64=" + intel + " arm64,arm/v7=" + arm, []string{intel, arm, arm}, nil, ""},
		"a platform that is not here": {intel, "s390x=" + gone, []string{intel, intel, intel}, nil, ""},
		"the wrong machine":           {intel, "arm64=" + intel, nil, config.ErrUsage, "linux/arm64 built on " + intel + ", which is linux/amd64"},
		"a node that is away":         {intel, "arm64=" + gone, nil, engine.ErrUnreachable, gone + " (NODES)"},
		"no such context":             {intel, "arm64=pi", nil, engine.ErrUnreachable, `NODES is "pi"`},
	} {
		t.Run(name, func(t *testing.T) {
			p := onNodes(t, test.own, test.nodes, func(context.Context) error {
				t.Error("an engine is got going")
				return nil
			})
			if err := p.openEngines(t.Context()); !errors.Is(err, test.want) || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Fatalf("got %v, want %v: %s", err, test.want, test.says)
			}
			if test.want != nil {
				return
			}
			jobs, err := p.jobs()
			if err != nil {
				t.Fatal(err)
			}
			var where []string
			for _, j := range jobs {
				where = append(where, p.engines[j.node].Info().Address)
			}
			if !slices.Equal(where, test.where) {
				t.Errorf("built on %v, want %v", where, test.where)
			}
		})
	}
}

// A plan tells where each platform is built, and what will be in the way of it.
func TestPlannedNodes(t *testing.T) {
	arm := fakeMachine(t, "arm64", http.NotFound)
	gone := "unix://" + filepath.Join(t.TempDir(), "gone.sock")
	plan, err := onNodes(t, arm, "amd64="+arm+" arm/v7="+gone, nil).planEngines(t.Context())
	if err != nil || len(plan) != 3 {
		t.Fatalf("%+v, %v", plan, err)
	}
	var text strings.Builder
	if err := (Plan{Engines: plan}).Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"builds linux/amd64\n", "builds linux/arm64\n", "builds linux/arm/v7\n",
		"will refuse: NODES has linux/amd64 built on " + arm, "engine none: ", gone,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}

// What a run has left on its nodes is cleaned there, and not forgotten by a run that does not know them.
func TestCleanGoesToTheNodes(t *testing.T) {
	removed := make(chan string, 20)
	engineWith := func(arch string) string {
		return fakeMachine(t, arch, func(w http.ResponseWriter, r *http.Request) {
			has := strings.Contains(r.URL.Path, ":"+arch+"-dev")
			switch {
			case !has:
				http.NotFound(w, r)
			case r.Method == http.MethodDelete:
				removed <- arch
				_, _ = w.Write([]byte("[]"))
			default:
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"Id":"sha256:` + strings.Repeat("a", 64) + `"}`))
			}
		})
	}
	intel, arm := engineWith("amd64"), engineWith("arm64")
	run := func(nodes string) (*Pipeline, string) {
		p := onNodes(t, intel, nodes, nil)
		ref := "reg.example/me/app:"
		err := record.Write(p.recordPath(), record.Record{Platforms: []record.Platform{
			{Platform: "linux/amd64", Engine: intel, Local: []string{ref + "amd64-dev"}}, {Platform: "linux/arm64", Engine: arm, Local: []string{ref + "arm64-dev"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return p, p.recordPath()
	}
	p, path := run("")
	if _, err := p.Clean(t.Context()); err == nil || !strings.Contains(err.Error(), `NODES="linux/amd64=`+intel+" linux/arm64="+arm) {
		t.Errorf("without its nodes: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the record is gone: %v", err)
	}
	p, _ = run("arm64=" + arm)
	if _, err := p.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(removed)
	var where []string
	for arch := range removed {
		where = append(where, arch)
	}
	if slices.Sort(where); !slices.Equal(where, []string{"amd64", "arm64"}) {
		t.Errorf("removed from %v", where)
	}
}
