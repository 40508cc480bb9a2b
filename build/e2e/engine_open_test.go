package e2e

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/platforms"
)

// EachOpen runs the test on every Docker through the engine room itself, below the targets.
func EachOpen(t *testing.T, test func(t *testing.T, e *engine.Engine)) {
	t.Helper()
	EachEngine(t, Dockers(), func(t *testing.T, under *EngineUnderTest) { test(t, under.Open(t, engine.Options{})) })
}

// Open opens the engine with nothing of the environment.
func (e *EngineUnderTest) Open(t *testing.T, o engine.Options) *engine.Engine {
	t.Helper()
	o.Host = e.Host
	opened, err := engine.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return opened
}

// job is one engine-room build: its zero value is a context without files.
type job struct {
	engine.Context
	engine.Solve
	hook engine.Hook
}

// starts opens a builder that ends with the test.
func starts(t *testing.T, e *engine.Engine, c engine.Context) engine.Builder {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	b, err := e.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// build runs one job for the engine's own platform unless it says another.
func (j job) build(t *testing.T, e *engine.Engine) (engine.Built, []engine.Event, error) {
	t.Helper()
	if j.Platform.Architecture == "" {
		j.Platform = platforms.Host()
	}
	seen := &events{}
	built, err := starts(t, e, j.Context).Solve(t.Context(), j.Solve, j.hook, seen.add)
	return built, seen.all, err
}

// events collects what a solve tells.
type events struct {
	mu  sync.Mutex
	all []engine.Event
}

func (e *events) add(event engine.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

// notices are the sentences that a user would read.
func notices(all []engine.Event) string {
	var out []string
	for _, e := range all {
		if note, ok := e.(engine.Notice); ok {
			out = append(out, note.Text)
		}
	}
	return strings.Join(out, "\n")
}

// solveAll builds for every target at once, as the pipeline does.
func solveAll(ctx context.Context, b engine.Builder, solve func(ocispec.Platform) (engine.Solve, engine.Hook)) ([]engine.Built, error) {
	built := make([]engine.Built, len(Targets()))
	group, ctx := errgroup.WithContext(ctx)
	for i, target := range Targets() {
		group.Go(func() error {
			p, err := platforms.Parse(target.Platform)
			if err != nil {
				return err
			}
			s, hook := solve(p)
			s.Platform = p
			built[i], err = b.Solve(ctx, s, hook, nil)
			return err
		})
	}
	return built, group.Wait()
}

// looks is a hook that only looks.
func looks(look func(root fs.FS) error) engine.Hook {
	return func(_ context.Context, config []byte, root fs.FS) ([]byte, error) { return config, look(root) }
}

func TestEngineSaysWhatItIs(t *testing.T) {
	want := map[Kind]engine.Info{
		Docker20:           {Name: "Docker", Version: "20.10", Store: engine.StoreGraph, Road: engine.RoadBuildKit},
		Docker26Graph:      {Name: "Docker", Version: "26.1", Store: engine.StoreGraph, Road: engine.RoadBuildKit},
		Docker26Containerd: {Name: "Docker", Version: "26.1", Store: engine.StoreContainerd, Road: engine.RoadBuildKit},
		Podman:             {Name: "Podman", Version: "4.3", Store: engine.StoreGraph, Road: engine.RoadClassic, Why: "Podman has no BuildKit"},
	}
	EachEngine(t, Engines(), func(t *testing.T, under *EngineUnderTest) {
		got, expect := under.Open(t, engine.Options{}).Info(), want[under.Kind]
		if os.Getenv(newer) != "" && expect.Version == "26.1" {
			expect.Version = ""
		}
		if got.Name != expect.Name || !strings.HasPrefix(got.Version, expect.Version) || got.Store != expect.Store || got.Road != expect.Road || got.Why != expect.Why {
			t.Errorf("got %+v, want %+v", got, expect)
		}
		if got.Apart != "" {
			t.Error("an engine on a socket of this machine is not local")
		}
		if !platforms.Equal(got.Platform, platforms.Host()) {
			t.Errorf("its platform is %s", platforms.Format(got.Platform))
		}
	})
}

func TestEngineObeysDockerBuildkit(t *testing.T) {
	off := func(name string) string { return map[string]string{"DOCKER_BUILDKIT": "0"}[name] }
	info := Engine(t, Docker20).Open(t, engine.Options{Getenv: off}).Info()
	if info.Road != engine.RoadClassic || info.Why != "DOCKER_BUILDKIT=0" {
		t.Errorf("got the road %s because %q", info.Road, info.Why)
	}
}

func TestEngineThatIsNotThere(t *testing.T) {
	_, err := engine.Open(t.Context(), engine.Options{Host: "unix://" + t.TempDir() + "/none.sock"})
	if !errors.Is(err, engine.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

// The ssh here is not ssh: it is what ssh does for Docker, which is to run the docker command on the other side.
func TestEngineBySSH(t *testing.T) {
	under := Engine(t, Docker20)
	bin := Dir(t, Files{"ssh*": "#!/bin/sh\nexec docker -H " + under.Host + " system dial-stdio\n"})
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	e, err := engine.Open(t.Context(), engine.Options{Host: "ssh://pi@pi.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if info := e.Info(); info.Apart == "" || info.Address != "ssh://pi@pi.example" || info.Road != engine.RoadBuildKit {
		t.Errorf("got %+v", info)
	}
	j := job{Context: engine.Context{Dir: Dir(t, Files{"m": "sent"})}, Solve: engine.Solve{Dockerfile: []byte("FROM scratch\nCOPY m /\n")}, hook: says("m", "sent")}
	if _, _, err := j.build(t, e); err != nil {
		t.Error(err)
	}
}
