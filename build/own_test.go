package build

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
)

// What a run leaves in its folder is no part of the next run's context, and what is the user's stays in it.
func TestOwn(t *testing.T) {
	left := []string{"dist/registry", "dist/manymage.json", "dist/.manymage-*.json"}
	for _, test := range []struct {
		name    string
		files   []string
		context string
		want    []string
	}{
		{"nothing there", nil, ".", left},
		{"ours alone", []string{"dist/manymage.json"}, ".", append(slices.Clone(left), "dist")},
		{"another run is writing", []string{"dist/.manymage-17.json", "dist/registry/docker"}, ".", append(slices.Clone(left), "dist")},
		{"the user's, too", []string{"dist/manymage.json", "dist/app"}, ".", left},
		{"dist is the context", []string{"dist/manymage.json"}, "dist", []string{"registry", "manymage.json", ".manymage-*.json"}},
		{"the context is elsewhere", []string{"dist/manymage.json", "src/main.go"}, "src", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range test.files {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			p := New(Options{Config: config.Config{Dir: dir}})
			if got := p.own(filepath.Join(dir, test.context)); !slices.Equal(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// A folder may be called by another name, and its own may be one that patterns read otherwise.
func TestOwnByOddNames(t *testing.T) {
	above := t.TempDir()
	dir := filepath.Join(above, "![a]*")
	if err := os.MkdirAll(filepath.Join(dir, "dist"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dist", "manymage.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(above, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{above, link} {
		patterns := New(Options{Config: config.Config{Dir: dir}}).own(name)
		files, _, err := engine.Context{Dir: name, Excludes: patterns}.Measure(t.Context(), engine.RoadBuildKit)
		if err != nil || files != 0 {
			t.Errorf("%s: %d files with %q, %v", name, files, patterns, err)
		}
	}
}

// Nor is the build cache that is kept in a folder of it.
func TestOwnCaches(t *testing.T) {
	dir := t.TempDir()
	cfg, err := config.Load(config.Input{Dir: dir, Words: []string{"CACHE_FROM=type=local,src=/elsewhere", "CACHE_TO=type=local,dest=src/cache/{arch}", "ARCHES=amd64,arm/v7"}})
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{Config: cfg})
	want := []string{"cache/amd64", "cache/armv7"}
	if got := p.own(filepath.Join(dir, "src")); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for _, name := range []string{"src/cache/amd64", "src/cache/armv7"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "src", "main.go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := p.own(filepath.Join(dir, "src")); !slices.Equal(got, append(want, "cache")) {
		t.Errorf("their folder, which holds nothing else, stays: %q", got)
	}
}
