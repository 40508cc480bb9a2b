package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestThinTarHoldsBothForms(t *testing.T) {
	image, err := thinOf([]byte(smallConfig))
	if err != nil {
		t.Fatal(err)
	}
	data, err := image.tar()
	if err != nil {
		t.Fatal(err)
	}
	const (
		manifest = "blobs/sha256/"
		layer    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	)
	got := map[string]string{}
	var names []string
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		got[h.Name] = string(content)
	}
	configName := blobPath(image.configDigest())
	if len(names) != 5 || names[0] != "oci-layout" || names[1] != "index.json" || !strings.HasPrefix(names[2], manifest) || names[3] != configName || names[4] != "manifest.json" {
		t.Fatalf("members %v", names)
	}
	if got[configName] != smallConfig {
		t.Errorf("config %s", got[configName])
	}
	wantManifest := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"` +
		image.configDigest().String() + `","size":151},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:` + layer + `","size":0}]}`
	if got[names[2]] != wantManifest {
		t.Errorf("manifest\n%s\nwant\n%s", got[names[2]], wantManifest)
	}
	if want := `[{"Config":"` + configName + `","RepoTags":null,"Layers":["blobs/sha256/` + layer + `"]}]`; got["manifest.json"] != want {
		t.Errorf("manifest.json\n%s\nwant\n%s", got["manifest.json"], want)
	}
	again, err := image.tar()
	if err != nil || !bytes.Equal(again, data) {
		t.Error("the same image gave other bytes", err)
	}
}

// A new label is no reason for another type, nor to lose what the manifest says.
func TestThinImageKeepsItsManifest(t *testing.T) {
	old := `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","artifactType":"application/x","config":` +
		`{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"` + digest.FromString(smallConfig).String() + `","size":151},"layers":` +
		`[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","digest":"sha256:` + strings.Repeat("1", 64) + `","size":9,"annotations":{"k":"v"}}],"annotations":{"source":"here"}}`
	d := newDocuments()
	d.blobs[digest.FromString(old)], d.blobs[digest.FromString(smallConfig)] = []byte(old), []byte(smallConfig)
	s, ok, err := d.ofManifest(digest.FromString(old))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if got, err := s.thin.manifest(); err != nil || string(got) != old {
		t.Errorf("got %s, %v", got, err)
	}
	relabelled := s.thin.with([]byte(smallConfig + " "))
	want := strings.NewReplacer(digest.FromString(smallConfig).String(), relabelled.configDigest().String(), `"size":151`, `"size":152`).Replace(old)
	if got, err := relabelled.manifest(); err != nil || string(got) != want {
		t.Errorf("got\n%s\nwant\n%s, %v", got, want, err)
	}
	if data, err := relabelled.tar(); err != nil || !bytes.Contains(data, []byte(`"manifests":[{"mediaType":"application/vnd.docker.distribution.manifest.v2+json"`)) {
		t.Errorf("the index names another type, %v", err)
	}
}

func TestScratchConfigsDifferByPlatform(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"linux/arm64", "linux/arm/v7", "linux/arm/v6", "windows/amd64"} {
		config, err := scratchConfig(platform(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if ids, err := diffIDs(config); err != nil || len(ids) != 0 {
			t.Errorf("%s: layers %v, %v", name, ids, err)
		}
		if other := seen[string(config)]; other != "" {
			t.Errorf("%s and %s are alike", name, other)
		}
		seen[string(config)] = name
	}
	config, err := scratchConfig(platform(t, "linux/arm/v7"))
	if want := `{"architecture":"arm","config":{},"created":"1970-01-01T00:00:00Z","history":[{"created":"1970-01-01T00:00:00Z","created_by":"FROM scratch for linux/arm/v7","empty_layer":true}],"os":"linux","rootfs":{"type":"layers","diff_ids":[]},"variant":"v7"}`; err != nil || string(config) != want {
		t.Errorf("got %s, %v", config, err)
	}
}

func TestSpellings(t *testing.T) {
	for _, test := range []struct{ name, ref, want string }{
		{"Docker", "app", "app:latest"},
		{"Docker", "docker.io/library/app:1", "app:1"},
		{"Docker", "127.0.0.1:5000/x/app:1", "127.0.0.1:5000/x/app:1"},
		{podman, "app:1", "docker.io/library/app:1 localhost/app:1"},
		{podman, "quay.io/app:1", "quay.io/app:1"},
	} {
		e := &Engine{info: Info{Name: test.name}}
		got, err := e.spellings(test.ref)
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%s %s: %v, %v", test.name, test.ref, got, err)
		}
	}
	for _, ref := range []string{"", "App", "app@sha256:" + strings.Repeat("0", 64), strings.Repeat("0", 64)} {
		if _, err := (&Engine{}).spellings(ref); !errors.Is(err, ErrReference) {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestSameButVariant(t *testing.T) {
	if !sameButVariant(platform(t, "linux/arm/v6"), ocispec.Platform{OS: "linux", Architecture: "arm"}) {
		t.Error("arm/v6 and arm")
	}
	if sameButVariant(platform(t, "linux/arm64"), platform(t, "linux/amd64")) {
		t.Error("arm64 and amd64")
	}
}

// loadDouble is an engine that answers a load with the stream, and has no image.
func loadDouble(t *testing.T, answer string) *Engine {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/images/load") {
			http.Error(w, `{"message":"No such image"}`, http.StatusNotFound)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion(minAPI))
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{api: api, info: docker20}
}

// Engines refuse inside an answer of 200, or say yes and have nothing. The
// image then stays as it is, and what it should be is told.
func TestRefusedLoads(t *testing.T) {
	for name, answer := range map[string]string{
		"an error in a 200": `{"stream":"Loading"}{"errorDetail":{"message":"layer not found"},"error":"layer not found"}`,
		"nothing loaded":    `{"stream":"Loaded image ID: sha256:0000\n"}`,
		"a broken stream":   `{"stream":`,
	} {
		e := loadDouble(t, answer)
		image, err := thinOf([]byte(smallConfig))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.loadThin(t.Context(), image); !errors.Is(err, ErrThin) {
			t.Errorf("%s: %v", name, err)
		}
		var told []string
		built, err := e.restore(t.Context(), stored{id: "sha256:old", thin: image}, []byte(smallConfig), func(e Event) { told = append(told, e.(Notice).Text) })
		if err != nil || built.ID != "sha256:old" || string(built.Repair) != smallConfig || built.Config != image.configDigest() {
			t.Errorf("%s: %+v, %v", name, built, err)
		}
		if len(told) != 1 || !strings.Contains(told[0], "repaired in the registry after the push") {
			t.Errorf("%s: told %q", name, told)
		}
		if _, err := e.exchange(t.Context(), "app:1", "sha256:old", "", image); !errors.Is(err, ErrThin) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever stops an exchange behind the load, the new image goes again.
func TestExchangeThatStopsLeavesNothing(t *testing.T) {
	const newID = "sha256:new"
	for name, test := range map[string]struct {
		now         string // the image under the tag by then; "": none
		interrupted bool
		want        error
	}{
		"the tag was moved":   {now: "sha256:other", want: ErrChanged},
		"the tag was removed": {want: ErrNotFound},
		"an interrupt":        {now: "sha256:old", interrupted: true, want: context.Canceled},
	} {
		answers := map[string]string{"GET /images/" + newID + "/json": `{"Id":"` + newID + `"}`, "DELETE /images/" + newID: "[]"}
		if test.now != "" {
			answers["GET /images/app:1/json"] = `{"Id":"` + test.now + `"}`
		}
		e, requests := apiDouble(t, answers)
		ctx, cancel := context.WithCancel(t.Context())
		if test.interrupted {
			cancel()
		}
		id, err := e.exchange(ctx, "app:1", "sha256:old", newID, thin{})
		cancel()
		if id != "" || !errors.Is(err, test.want) || !slices.Contains(requests(), "DELETE /images/"+newID) {
			t.Errorf("%s: %q, %v, asked for %q", name, id, err, requests())
		}
	}
}

// interruptedLoad is an engine that takes a thin image while its caller is
// interrupted; the requests that come for that image are kept.
func interruptedLoad(t *testing.T, image thin) (ctx context.Context, e *Engine, requests func() []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	id := image.configDigest().String()
	e, requests = apiDouble(t, map[string]string{"GET /images/" + id + "/json": `{"Id":"` + id + `"}`, "POST /images/load": "{}", "DELETE /images/" + id: "[]"})
	transport := whileLoading{http.DefaultTransport, cancel}
	api, err := client.NewClientWithOpts(client.WithHost(e.info.Address), client.WithVersion(minAPI), client.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	e.api = api
	return ctx, e, requests
}

// whileLoading does something as soon as the engine has a load.
type whileLoading struct {
	http.RoundTripper
	do func()
}

func (w whileLoading) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.RoundTripper.RoundTrip(r)
	if strings.HasSuffix(r.URL.Path, "/images/load") {
		w.do()
	}
	return answer, err
}

// An engine finishes a load whoever waits for it: the image is awaited and removed.
func TestInterruptedLoadsLeaveNothing(t *testing.T) {
	image, err := thinOf([]byte(smallConfig))
	if err != nil {
		t.Fatal(err)
	}
	for name, interrupted := range map[string]func(context.Context, *Engine) error{
		"setarch": func(ctx context.Context, e *Engine) error {
			_, err := e.exchange(ctx, "app:1", "sha256:old", "", image)
			return err
		},
		"a build": func(ctx context.Context, e *Engine) error {
			_, err := e.keep(ctx, stored{id: "sha256:old", thin: image}, []byte(smallConfig), []string{"app:1"}, func(Event) {})
			return err
		},
	} {
		ctx, e, requests := interruptedLoad(t, image)
		if err := interrupted(ctx, e); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Contains(requests(), "DELETE /images/"+image.configDigest().String()) {
			t.Errorf("%s: asked for %q", name, requests())
		}
	}
}

// A container that a killed run has left does not keep an image for ever; one of
// somebody else does.
func TestContainerOfAKilledRunHoldsNoImage(t *testing.T) {
	for answer, want := range map[string]bool{`{"ContainersDeleted":["box"]}`: true, `{"ContainersDeleted":null}`: false} {
		var asked []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.Method+" "+r.URL.Query().Get("filters"))
			switch {
			case r.Method == http.MethodPost:
				_, _ = io.WriteString(w, answer)
			case len(asked) > 1:
				_, _ = io.WriteString(w, "[]")
			default:
				http.Error(w, `{"message":"a container uses it"}`, http.StatusConflict)
			}
		}))
		api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion("1.41"))
		if err != nil {
			t.Fatal(err)
		}
		if err := (&Engine{api: api}).Remove(t.Context(), "app:1"); (err == nil) != want {
			t.Errorf("%s: %v", answer, err)
		}
		if prune := `POST {"label":{"com.github.manymage":true},"until":{"1h0m0s":true}}`; len(asked) < 2 || asked[1] != prune {
			t.Errorf("asked %q", asked)
		}
		server.Close()
	}
}

// Of two who remove an image, the slower one finds it gone, whatever the engine
// calls that.
func TestImageThatSomebodyElseRemoved(t *testing.T) {
	const id = "sha256:old"
	for name, test := range map[string]struct {
		status int
		gone   bool
	}{
		"no such image":         {http.StatusNotFound, true},
		"unrecognized image ID": {http.StatusInternalServerError, true},
		"a container uses it":   {http.StatusConflict, false},
	} {
		var removed bool
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodDelete:
				removed = true
				http.Error(w, `{"message":"`+name+`"}`, test.status)
			case removed && test.gone:
				http.Error(w, `{"message":"No such image"}`, http.StatusNotFound)
			default:
				_, _ = io.WriteString(w, `{"Id":"`+id+`"}`)
			}
		}))
		api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion(minAPI))
		if err != nil {
			t.Fatal(err)
		}
		if err := (&Engine{api: api}).removeDangling(t.Context(), id); (err == nil) != test.gone {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
	}
}
