package engine

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/docker/docker/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/opencontainers/go-digest"
)

// Podman tells the version of the Docker that built an image as that of its system, which is Windows' alone.
func TestPodmanTellsNoVersionOfASystem(t *testing.T) {
	for name, want := range map[string]string{"Docker": "10.0.1", podman: ""} {
		e, _ := apiDouble(t, map[string]string{"GET /images/app:1/json": `{"Id":"sha256:mine","Os":"linux","Architecture":"amd64","OsVersion":"10.0.1"}`})
		e.info.Name = name
		if found, err := e.Inspect(t.Context(), "app:1"); err != nil || found.Platform.OSVersion != want {
			t.Errorf("%s: %+v, %v", name, found.Platform, err)
		}
	}
}

// An image's ID is its config's digest but on containerd stores; Podman's own API leaves the algorithm out.
func TestConfigDigests(t *testing.T) {
	for _, test := range []struct {
		info Info
		id   string
		want digest.Digest
	}{
		{docker20, someDigest, someDigest},
		{podman5, strings.TrimPrefix(someDigest, "sha256:"), someDigest},
		{Info{Name: docker, Store: StoreContainerd}, someDigest, ""},
	} {
		if got := (&Engine{info: test.info}).configDigest(test.id); got != test.want {
			t.Errorf("%s on %s: %q", test.id, test.info.Name, got)
		}
	}
}

// answering is an engine of that name that answers so.
func answering(t *testing.T, name string, answer http.HandlerFunc) *Engine {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion(minAPI))
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{api: api, info: Info{Name: name}}
}

// What another run's clean took away between two requests is told in our words, at each place where it may be missed.
func TestAnImageThatIsGone(t *testing.T) {
	e := answering(t, "Docker", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = w.Write([]byte(`{"errorDetail":{"message":"failed to copy: rpc error: code = NotFound desc = content digest sha256:c042: not found"}}`))
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message":"No such image: sha256:mine"}`))
	})
	e.auth = Options{}.credentials()
	id := digest.FromString("mine").String()
	_, built := (&buildkit{engine: e}).built(t.Context(), map[string]string{exptypes.ExporterImageDigestKey: id, exptypes.ExporterImageConfigDigestKey: id})
	_, pushed := e.Push(t.Context(), "reg.test/app:1", func(Event) {})
	for want, err := range map[string]error{
		"the built image " + id + ": no such image in the engine; " + goneCure: built,
		"push reg.test/app:1: the engine has it no longer; " + goneCure:        pushed,
	} {
		if !errors.Is(err, ErrNotFound) || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

// Podman may lose a name that is given while another run gives one to the same image.
func TestPodmanLosesNames(t *testing.T) {
	for name, test := range map[string]struct {
		engine string
		losses int // of the name, before it stays
		tagged int
		want   string
	}{
		"Docker keeps it":   {engine: "Docker", losses: 9, tagged: 1},
		"it stays":          {engine: podman, tagged: 1},
		"it is lost":        {engine: podman, losses: 2, tagged: 3},
		"it is always lost": {engine: podman, losses: 9, tagged: podmanTries, want: "tag sha256:mine as app:1: Podman does not keep the name"},
	} {
		tagged := 0
		e := answering(t, test.engine, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPost:
				tagged++
				w.WriteHeader(http.StatusCreated)
			case tagged > test.losses:
				_, _ = w.Write([]byte(`{"Id":"sha256:mine"}`))
			default:
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(`{"message":"app:1: image not known"}`))
			}
		})
		err := e.Tag(t.Context(), "sha256:mine", "app:1")
		if tagged != test.tagged || (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %d times, %v", name, tagged, err)
		}
	}
}

// Podman cannot look at an image while it writes another one.
func TestPodmanLooksAgain(t *testing.T) {
	const unfinished = `{"message":"failed to convert ImageData to ImageInspect 'sha256:mine': locating item named \"manifest\" for image with ID \"other\": file does not exist"}`
	for name, test := range map[string]struct {
		engine, says    string
		failures, asked int
		want            string
	}{
		"Docker is asked once": {engine: "Docker", says: unfinished, failures: 9, asked: 1, want: "look at sha256:mine: "},
		"it is written":        {engine: podman, says: unfinished, failures: 2, asked: 3},
		"it never is":          {engine: podman, says: unfinished, failures: 9, asked: podmanTries, want: "look at sha256:mine: "},
		"something else":       {engine: podman, says: `{"message":"no space left on device"}`, failures: 9, asked: 1, want: "look at sha256:mine: "},
	} {
		asked := 0
		e := answering(t, test.engine, func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked <= test.failures {
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = w.Write([]byte(test.says))
				return
			}
			_, _ = w.Write([]byte(`{"Id":"sha256:mine"}`))
		})
		found, err := e.Inspect(t.Context(), "sha256:mine")
		if asked != test.asked || (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) || err == nil && found.ID != "sha256:mine" {
			t.Errorf("%s: asked %d times, %+v, %v", name, asked, found, err)
		}
	}
}
