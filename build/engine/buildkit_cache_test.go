package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/ociindex"
)

// actionsJob is the environment of a job of GitHub Actions.
func actionsJob(name string) string {
	return map[string]string{
		"ACTIONS_RUNTIME_TOKEN": "hunter2", "ACTIONS_RESULTS_URL": "https://results/", "ACTIONS_CACHE_URL": "https://cache/", "ACTIONS_CACHE_SERVICE_V2": "True",
	}[name]
}

func nowhere(string) string { return "" }

func cacheOf(kind string) Cache { return Cache{kind, map[string]string{}} }

func TestRefusesCache(t *testing.T) {
	graph := Info{Name: "Docker", Version: "28.5.2", Store: StoreGraph, Road: RoadBuildKit}
	store := graph
	store.Store = StoreContainerd
	older := store
	older.Version = "26.1.5"
	classic := Info{Road: RoadClassic, Why: "DOCKER_BUILDKIT=0", Store: StoreContainerd}
	for _, test := range []struct {
		engine Info
		cache  Cache
		want   string
	}{
		{graph, cacheOf("inline"), ""},
		{graph, cacheOf("registry"), "only, not as type=registry: set CACHE_TO=type=inline, or turn on the containerd image store"},
		{graph, cacheOf("local"), "not as type=local: "},
		{graph, cacheOf("gha").InActions(actionsJob), "not as type=gha: "},
		{graph, cacheOf("gha").InActions(nowhere), ""}, // it is left out
		{store, cacheOf("inline"), ""},
		{store, cacheOf("registry"), ""},
		{store, cacheOf("local"), ""},
		{store, cacheOf("gha").InActions(actionsJob), ""},
		{older, cacheOf("registry"), ""},
		{older, cacheOf("gha").InActions(actionsJob), "Docker 26.1.5 is too old for the cache that GitHub has now: use Docker 28"},
		{classic, cacheOf("inline"), "writes no build cache (DOCKER_BUILDKIT=0): leave CACHE_TO out, or use BuildKit"},
		{classic, cacheOf("gha").InActions(nowhere), ""},
	} {
		got := test.engine.RefusesCache(test.cache)
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s, %s store, %s: %q, want %q", test.engine.Version, test.engine.Store, test.cache.Type, got, test.want)
		}
	}
}

// What the user says goes before what the environment says.
func TestInActions(t *testing.T) {
	first := func(name string) string { return strings.TrimPrefix(actionsJob(name), "True") }
	for _, test := range []struct {
		cache  Cache
		getenv func(string) string
		want   string
	}{
		{cacheOf("registry"), actionsJob, "map[]"},
		{cacheOf("gha"), actionsJob, "map[token:hunter2 url:https://cache/ url_v2:https://results/]"},
		{cacheOf("gha"), first, "map[token:hunter2 url:https://cache/]"},
		{Cache{"gha", map[string]string{"scope": "a", "url_v2": "https://mine/"}}, actionsJob, "map[scope:a token:hunter2 url:https://cache/ url_v2:https://mine/]"},
	} {
		if got := fmt.Sprint(test.cache.InActions(test.getenv).Attrs); got != test.want {
			t.Errorf("%+v: %s, want %s", test.cache, got, test.want)
		}
	}
}

// A cache that is not there is told of, and the build goes on without it.
func TestUsableCaches(t *testing.T) {
	dir := t.TempDir()
	written := Solve{CacheTo: []Cache{{"inline", nil}, {"local", map[string]string{"dest": dir, "tag": "a"}}}}
	if err := written.index(`{"digest":"sha256:` + strings.Repeat("7", 64) + `"}`); err != nil {
		t.Fatal(err)
	}
	if found, err := ociindex.NewStoreIndex(dir).Get("a"); err != nil || found == nil {
		t.Fatal(found, err)
	}
	gone := filepath.Join(dir, "gone")
	var told []string
	s := (&buildkit{engine: &Engine{}}).withCaches(Solve{
		CacheFrom: []Cache{
			{"registry", map[string]string{"ref": "a/b"}},
			{"local", map[string]string{"src": dir, "tag": "a"}}, {"local", map[string]string{"src": dir}}, {"local", map[string]string{"src": gone}},
		},
		CacheTo: []Cache{cacheOf("gha"), {"local", map[string]string{"dest": gone}}},
	}, func(e Event) { told = append(told, e.(Notice).Text) })
	if want := "[{registry map[ref:a/b]} {local map[digest:sha256:" + strings.Repeat("7", 64) + " src:" + dir + " tag:a]}] [{local map[dest:" + gone + "]}]"; fmt.Sprint(s.CacheFrom, s.CacheTo) != want {
		t.Errorf("%v %v, want %s", s.CacheFrom, s.CacheTo, want)
	}
	if len(told) != 3 || told[0] != "the build cache "+dir+" is not there (yet)" || told[1] != "the build cache "+gone+" is not there (yet)" || !strings.HasPrefix(told[2], "the build cache type=gha is left out: ") {
		t.Errorf("told %q", told)
	}
	if err := written.index(""); err == nil {
		t.Error("an engine that does not say what it wrote passes")
	}
}

// It is no step of the Dockerfile, and no other step's fault.
func TestUnreadCache(t *testing.T) {
	for _, test := range []struct{ name, fault, want string }{
		{"reg.example/app:c", "failed to configure registry cache importer: reg.example/app:c: not found", "the build cache reg.example/app:c is not there (yet)"},
		{"reg.example/app:c", "connection refused", "the build cache reg.example/app:c is not read: connection refused"},
		{"gha:1308242030765303", "unknown cache importer: gha", "the build cache type=gha is not read: unknown cache importer: gha"},
		{"reg.example/app:c", "context canceled", ""},
	} {
		var told []string
		s := newSteps(func(e Event) {
			if n, ok := e.(Notice); ok {
				told = append(told, n.Text)
			}
		}, nil)
		s.take(&client.SolveStatus{Vertexes: []*client.Vertex{{Name: importing + test.name, Error: test.fault}}})
		if fmt.Sprint(told) != "["+test.want+"]" || s.fault != nil {
			t.Errorf("%s: told %q, fault %v", test.fault, told, s.fault)
		}
	}
	if unread("[build 2/2] RUN make", "exit code: 1") != "" {
		t.Error("a step passes for a cache")
	}
}

// A folder that is there and cannot be read says why.
func TestADamagedFolderOfCache(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, why := Cache{"local", map[string]string{"src": dir}}.withDigest()
	if !strings.HasPrefix(why, "the build cache "+dir+" is not read: ") {
		t.Error(why)
	}
}
