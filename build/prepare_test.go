package build

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/dockerfile"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/git"
)

// SOURCE_DATE_EPOCH is the time of every image, and one that is none is refused as it is for labels.
func TestEpochOfTheJobs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Input{Dir: dir, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	prepare := func(epoch string) ([]job, error) {
		p := New(Options{Config: cfg, Getenv: func(name string) string { return map[string]string{"SOURCE_DATE_EPOCH": epoch}[name] }})
		return p.jobs()
	}
	for text, want := range map[string]int64{"0": 0, "1700000000": 1700000000} {
		jobs, err := prepare(text)
		if err != nil || len(jobs) != 2 || jobs[1].solve.Epoch == nil || jobs[1].solve.Epoch.Unix() != want {
			t.Errorf("%s: %+v, %v", text, jobs, err)
		}
	}
	if jobs, err := prepare(""); err != nil || jobs[0].solve.Epoch != nil {
		t.Errorf("no epoch: %+v, %v", jobs, err)
	}
	for _, bad := range []string{"now", "-1", "253402300800"} {
		if _, err := prepare(bad); !errors.Is(err, git.ErrEpoch) || ExitCode(err) != ExitUsage {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A stage that is not there is a knob's fault, and said with where it was set.
func TestNoSuchStage(t *testing.T) {
	for text, want := range map[string]string{
		"FROM scratch AS build\nFROM scratch AS release\n": "TARGET=relaese (environment TARGET) is no stage of Dockerfile: take one of build, release (did you mean release?)",
		"FROM scratch AS base\nFROM scratch AS run\n":      "TARGET=relaese (environment TARGET) is no stage of Dockerfile: take one of base, run",
		"FROM scratch\n": "TARGET=relaese (environment TARGET) is no stage of Dockerfile: none has a name, so leave TARGET out, or write FROM ... AS relaese",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(config.Input{Dir: dir, Getenv: func(name string) string { return map[string]string{"TARGET": "relaese"}[name] }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{Config: cfg}).jobs(); err == nil || err.Error() != want || ExitCode(err) != ExitUsage {
			t.Errorf("%q\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// An engine is told which stages it builds without, and where nobody can read the file that any may be needed.
func TestUnneededStages(t *testing.T) {
	for text, want := range map[string][]int{
		"FROM nowhere AS a\nFROM scratch AS b\nFROM b\n":                     {0},
		"FROM scratch AS a\nFROM scratch\nCOPY --from=a / /\n":               nil,
		"# syntax=reg.example/own\nFROM nowhere AS a\nGATHER wool\nFROM b\n": nil,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(config.Input{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := New(Options{Config: cfg}).jobs()
		if err != nil || !slices.Equal(jobs[0].solve.Unneeded, want) {
			t.Errorf("%q: %+v, %v, want %v", text, jobs, err, want)
		}
	}
}

// A file that only its frontend can read is built as it was asked, or refused: its text cannot be rewritten.
func TestStrategyOfAnUnreadFile(t *testing.T) {
	for want, test := range map[string]struct {
		got         string
		setPlatform bool
		refused     bool
	}{
		"auto":   {"target", true, false},
		"target": {"target", true, false},
		"native": {"native", false, false},
		"cross":  {"", false, true},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("# syntax=reg.example/own\nGATHER wool\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(config.Input{Dir: dir, Getenv: func(name string) string { return map[string]string{"STRATEGY": want}[name] }})
		if err != nil {
			t.Fatal(err)
		}
		p := New(Options{Config: cfg})
		jobs, err := p.jobs()
		if (ExitCode(err) == ExitUsage) != test.refused || (err != nil) != test.refused {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if err == nil && (string(jobs[0].choice.Strategy) != test.got || jobs[0].solve.SetPlatform != test.setPlatform) {
			t.Errorf("%s: %s, platform set %v", want, jobs[0].choice.Strategy, jobs[0].solve.SetPlatform)
		}
		if more := p.unfound(t.Context(), jobs); more != nil || advised(jobs) != nil || refusedLines(jobs) != nil {
			t.Errorf("%s: something is told of what nobody has read: %v", want, more)
		}
	}
}

// Docker's classic builder reads no syntax line, and refuses what BuildKit's own parser does.
func TestUnreadByTheClassicBuilder(t *testing.T) {
	_, wrong := dockerfile.Read([]byte("FROM scratch\nGATHER wool\n"), "Dockerfile")
	for every, want := range map[bool]string{true: "Dockerfile:2: unknown instruction: GATHER; the classic builder does not read the syntax line (me/own): use BuildKit, or write the line in words that need none", false: "<nil>"} {
		j := job{syntax: dockerfile.Syntax{Image: "me/own"}}
		err := j.unread(dockerfile.Auto, dockerfile.Options{Classic: true, Every: every}, wrong)
		if fmt.Sprint(err) != want || every && ExitCode(err) != ExitUsage {
			t.Errorf("every stage %t: %v", every, err)
		}
	}
}

// What no version of BuildKit's frontend takes is refused, and what is another frontend's is its own business.
func TestRefusedBesideASyntaxLine(t *testing.T) {
	for syntax, refused := range map[string]bool{"docker/dockerfile:1.4": true, "docker.io/docker/dockerfile-upstream:master-labs": true, "reg.example/docker/dockerfile:1": false, "me/dockerfile": false} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("# syntax="+syntax+"\nFROM scratch\nCOPY \"a b\" /\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(config.Input{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		for _, asked := range []string{"", "me/other:1 -x"} {
			if cfg.BuildArgs = nil; asked != "" {
				cfg.BuildArgs = []config.Pair{{Name: "BUILDKIT_SYNTAX", Value: asked}}
			}
			jobs, err := New(Options{Config: cfg}).jobs()
			if err != nil {
				t.Fatal(err)
			}
			if err := refusedLines(jobs); (err != nil) != (refused && asked == "") {
				t.Errorf("%s %q: %v", syntax, asked, err)
			}
		}
	}
}

// Docker 20.10 ends with all that runs in it where it is given a file without FROM, which no frontend builds.
func TestNoFileWithoutFromIsSent(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("# syntax=docker/dockerfile:1\nARG A=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Input{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Config: cfg}).jobs(); !errors.Is(err, dockerfile.ErrNoFrom) {
		t.Errorf("got %v", err)
	}
}

// Every platform has its caches. The plan shows them without what the environment adds, and the build refuses what the engine cannot write.
func TestCachesOfTheJobs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Input{Dir: dir, Words: []string{"CACHE_FROM=me/app:c", "CACHE_TO=type=gha"}})
	if err != nil {
		t.Fatal(err)
	}
	graph := engine.Info{Name: "Docker", Version: "28.5.2", Store: engine.StoreGraph, Road: engine.RoadBuildKit}
	for token, left := range map[string]string{"": ", left out: this is no job of GitHub Actions", "hunter2": ""} {
		p := New(Options{Config: cfg, Getenv: func(name string) string {
			return map[string]string{"ACTIONS_RUNTIME_TOKEN": token, "ACTIONS_RESULTS_URL": "https://results/"}[name]
		}})
		jobs, err := p.jobs()
		if err != nil {
			t.Fatal(err)
		}
		var shown strings.Builder
		if err := (Plan{Platforms: []PlannedPlatform{p.planned(jobs[1])}}).Write(&shown); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"build cache is read from me/app:c\n", "build cache is written to type=gha,scope=buildkit-arm64" + left + "\n"} {
			if !strings.Contains(shown.String(), want) || strings.Contains(shown.String(), "hunter2") {
				t.Errorf("with token %q no %q:\n%s", token, want, shown.String())
			}
		}
		if refused := errors.Join(impossible(jobs, graph, nil)...); errors.Is(refused, engine.ErrUnsupported) != (token != "") || refused != nil && ExitCode(refused) != ExitUsage {
			t.Errorf("with token %q: %v", token, refused)
		}
	}
}

// What the engine could not be told the name of is refused before it is built.
func TestUnnamableImages(t *testing.T) {
	old := engine.Info{Name: "Docker", Version: "20.10.24", Road: engine.RoadBuildKit}
	for name, refused := range map[string]bool{"[::1]:5000/app:arm64-1": true, "reg.example/app:arm64-1": false} {
		err := errors.Join(impossible([]job{{solve: engine.Solve{Tags: []string{name}}}}, old, nil)...)
		if errors.Is(err, engine.ErrUnsupported) != refused || refused && ExitCode(err) != ExitUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
}
