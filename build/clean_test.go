package build

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/record"
)

// fakeEngine answers the pings of a Docker 20.10 on a socket, and images by answer; only such a one is sick at will.
func fakeEngine(t *testing.T, answer http.HandlerFunc) (host string) {
	t.Helper()
	return fakeMachine(t, "amd64", answer)
}

func fakeMachine(t *testing.T, arch string, answer http.HandlerFunc) (host string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "e.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
		case strings.HasSuffix(r.URL.Path, "/info"), strings.HasSuffix(r.URL.Path, "/version"):
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"OSType": "linux", "Os": "linux", "Arch": arch, "Driver": "overlay2", "ServerVersion": "20.10.24", "Version": "20.10.24"})
		default:
			answer(w, r)
		}
	})}
	go server.Serve(listener) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { server.Close() })
	return "unix://" + socket
}

func pipelineFor(t *testing.T, dir, host string, ensure func(context.Context) error) *Pipeline {
	t.Helper()
	cfg, err := config.Load(config.Input{Dir: dir, Getenv: func(name string) string { return map[string]string{"IMG": "reg.example/me/app"}[name] }})
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{Config: cfg, Getenv: func(name string) string { return map[string]string{"DOCKER_HOST": host}[name] }, Ensure: ensure})
	t.Cleanup(func() { p.Close() })
	return p
}

// An engine that cannot say what it has is no engine that has nothing: the record stays, for another time.
func TestCleanKeepsItsRecordOnASickEngine(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		kept   bool
	}{
		{"the images are gone", http.StatusNotFound, false},
		{"the engine is sick", http.StatusInternalServerError, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, filepath.FromSlash(record.Path))
			if err := record.Write(path, record.Record{Platforms: []record.Platform{{Local: []string{"reg.example/me/app:amd64-1"}}}}); err != nil {
				t.Fatal(err)
			}
			host := fakeEngine(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"message":"no"}`, test.status) })
			_, err := pipelineFor(t, dir, host, nil).Clean(t.Context())
			_, missing := os.Stat(path)
			if kept := missing == nil; kept != test.kept || (err != nil) != test.kept {
				t.Errorf("record kept: %v, want %v; error %v", kept, test.kept, err)
			}
		})
	}
}

// The last run's names go, and those that this configuration gives; a record that says nothing is no hindrance.
func TestCleanRemovesWhatRunsHaveNamed(t *testing.T) {
	ours := []string{"reg.example/me/app:amd64-dev", "reg.example/me/app:amd64-latest", "reg.example/me/app:arm64-dev"}
	for name, c := range map[string]struct {
		record string
		more   []string
	}{
		"a run":             {`{"schema":1,"platforms":[{"local":["reg.example/me/app:old","reg.example/me/app:amd64-dev"]}]}`, []string{"reg.example/me/app:old"}},
		"no run":            {"", nil},
		"a damaged record":  {"{", nil},
		"a record of later": {`{"schema":99}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, filepath.FromSlash(record.Path))
			if c.record != "" {
				if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(c.record), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			var mu sync.Mutex
			var gone []string
			host := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
				_, ref, _ := strings.Cut(r.URL.Path, "/images/")
				switch {
				case strings.HasPrefix(ref, "reg.example/me/app:arm64-latest"):
					http.NotFound(w, r)
				case r.Method == http.MethodDelete:
					mu.Lock()
					defer mu.Unlock()
					gone = append(gone, ref)
					_, _ = w.Write([]byte("[]"))
				default:
					_, _ = w.Write([]byte(`{"Id":"sha256:x","Os":"linux","Architecture":"amd64"}`))
				}
			})
			removed, err := pipelineFor(t, dir, host, nil).Clean(t.Context())
			if want := append(slices.Clone(ours), c.more...); err != nil || !slices.Equal(removed, want) || !slices.Equal(gone, want) {
				t.Errorf("removed %q, told %q, want %q: %v", gone, removed, want, err)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the record is still there: %v", err)
			}
		})
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(record.Path)), 0o755); err != nil {
		t.Fatal(err)
	}
	if removed, err := pipelineFor(t, dir, fakeEngine(t, http.NotFound), nil).Clean(t.Context()); err == nil || len(removed) > 0 {
		t.Errorf("a record that cannot be read: %q, %v", removed, err)
	}
}

// An engine that was named and is silent is the user's to start; another is not got going in its place.
func TestANamedEngineIsNotReplaced(t *testing.T) {
	host := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	p := pipelineFor(t, t.TempDir(), host, func(context.Context) error {
		t.Error("another engine is got going")
		return nil
	})
	if err := p.openOwn(t.Context()); !errors.Is(err, engine.ErrUnreachable) || !strings.Contains(err.Error(), "DOCKER_HOST") {
		t.Errorf("got %v", err)
	}
}

// What another engine holds is not forgotten here.
func TestCleanGoesToTheEngineThatBuilt(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, filepath.FromSlash(record.Path))
	if err := record.Write(path, record.Record{Platforms: []record.Platform{{Platform: "linux/arm64", Engine: "ssh://pi", Local: []string{"reg.example/me/app:arm64-1"}}}}); err != nil {
		t.Fatal(err)
	}
	host := fakeEngine(t, http.NotFound)
	_, err := pipelineFor(t, dir, host, nil).Clean(t.Context())
	if err == nil || !strings.Contains(err.Error(), "DOCKER_HOST=ssh://pi") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the record is gone: %v", err)
	}
}
