package engine

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// recorded is what an engine told of an image, and the config in its save stream.
type recorded struct {
	Chain   []facts
	History []image.HistoryResponseItem
	Config  string
}

func readRecorded(t *testing.T, name string) recorded {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "rawconfig", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestConfigsAreRebuiltByteForByte(t *testing.T) {
	for name, proven := range map[string]bool{
		"docker-20.10-built":      true, // every kind of instruction, on scratch
		"docker-26.1-built":       true,
		"docker-20.10-based":      true, // stages, on the labelled scratch
		"docker-26.1-based":       true,
		"docker-20.10-relabelled": false, // loaded: the times of its history are gone
		"docker-26.1-relabelled":  false,
	} {
		r := readRecorded(t, name)
		forms, err := configsOf(r.Chain[0], pastOf(r.Chain, r.History))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, form := range forms {
			found = found || digest.FromBytes(form).String() == r.Chain[0].ID && string(form) == r.Config
		}
		if found != proven {
			t.Errorf("%s: proven %t\n%s\n%s", name, found, forms[0], r.Config)
		}
	}
}

// A variant that a relabelling added is found like any other field.
func TestConfigsWithAVariant(t *testing.T) {
	r := readRecorded(t, "docker-26.1-relabelled")
	before := readRecorded(t, "docker-26.1-built")
	before.Chain[0].Architecture, before.Chain[0].Variant = "arm", "v7"
	forms, err := configsOf(before.Chain[0], pastOf(before.Chain, before.History))
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range forms {
		if string(form) == r.Config {
			return
		}
	}
	t.Errorf("no form is\n%s", r.Config)
}

// Docker 29.0 speaks nothing older than 1.44, and 20.10 nothing later than 1.41.
func TestConfigsAreAskedForInAVersionThatTheEngineSpeaks(t *testing.T) {
	for speaks, want := range map[string]string{"1.51": "1.44", "1.44": "1.44", "1.43": "1.43", "1.41": "1.41"} {
		var asked string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.Path
			_, _ = w.Write([]byte("{}"))
		}))
		t.Cleanup(server.Close)
		api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion(speaks))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (&Engine{api: api}).chain(t.Context(), "app:1"); err != nil || asked != "/v"+want+"/images/app:1/json" {
			t.Errorf("an engine of API %s was asked for %s: %v", speaks, asked, err)
		}
	}
}

// An image without a time says none, and neither does its config.
func TestConfigsWithoutATime(t *testing.T) {
	forms, err := configsOf(facts{Architecture: "amd64", OS: "linux"}, nil)
	if err != nil || strings.Contains(string(forms[0]), "created") {
		t.Errorf("%s %v", forms[0], err)
	}
	if past := pastOf([]facts{{}}, []image.HistoryResponseItem{{Created: 1}}); past[0].Created != "1970-01-01T00:00:01Z" {
		t.Errorf("a step without a time was made at %s", past[0].Created)
	}
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func blob(data []byte) member { return member{blobPath(digest.FromBytes(data)), data} }

func tarBytes(t *testing.T, members ...member) *tar.Reader {
	t.Helper()
	data, err := tarOf(members...)
	if err != nil {
		t.Fatal(err)
	}
	return tar.NewReader(bytes.NewReader(data))
}

func newDocuments() documents {
	return documents{blobs: map[digest.Digest][]byte{}, large: map[digest.Digest]int64{}}
}

const smallConfig = `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}`

func TestConfigFromSaveStreams(t *testing.T) {
	config := []byte(smallConfig)
	layers := []ocispec.Descriptor{{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: digest.FromString("layer"), Size: 5}}
	manifest := jsonOf(t, ocispec.Manifest{Config: ocispec.Descriptor{Digest: digest.FromBytes(config)}, Layers: layers})
	attested := ocispec.Descriptor{Digest: digest.FromString("a"), Annotations: map[string]string{attestationType: "attestation-manifest"}}
	child := ocispec.Descriptor{Digest: digest.FromBytes(manifest)}
	attestedIndex := jsonOf(t, ocispec.Index{Manifests: []ocispec.Descriptor{child, attested}})
	list := jsonOf(t, ocispec.Index{Manifests: []ocispec.Descriptor{child, {Digest: digest.FromString("b")}}})
	large := append([]byte(`{"x":"`), bytes.Repeat([]byte("x"), maxConfig)...)
	layer := member{blobPath(digest.FromString("layer")), []byte("a layer is no document")}
	legacy := member{digest.FromBytes(config).Encoded() + ".json", config}
	for _, test := range []struct {
		name    string
		members []member
		id      []byte // what the image's ID is the digest of
		store   string
		layer   digest.Digest
		err     error
		says    string
	}{
		{name: "an older graph driver", members: []member{layer, legacy}, id: config, layer: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{name: "a later graph driver", members: []member{layer, blob(manifest), blob(config)}, id: config, layer: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{name: "a containerd store", members: []member{blob(config), layer, blob(manifest)}, id: manifest, store: StoreContainerd, layer: layers[0].Digest},
		{name: "an image with attestations", members: []member{blob(manifest), blob(attestedIndex), blob(config)}, id: attestedIndex, store: StoreContainerd, layer: layers[0].Digest},
		{name: "a manifest list", members: []member{blob(config), blob(manifest), blob(list)}, id: list, store: StoreContainerd, err: ErrIndex, says: "it holds 2 images"},
		{name: "a stream that ends early", members: []member{layer}, id: config, says: "ends before the config"},
		{name: "a config that is too large", members: []member{blob(large)}, id: large, err: ErrConfig, says: "at most 8388608"},
		{name: "a config that is no JSON", members: []member{blob([]byte("{x"))}, id: []byte("{x"), err: ErrConfig, says: "no JSON"},
	} {
		d := newDocuments()
		id := digest.FromBytes(test.id)
		got, err := d.find(tarBytes(t, test.members...), func() (stored, bool, error) {
			if test.store == StoreContainerd {
				return d.ofManifest(id)
			}
			return d.ofConfig(id)
		})
		switch {
		case test.says != "":
			if err == nil || !strings.Contains(err.Error(), test.says) || (test.err != nil && !errors.Is(err, test.err)) {
				t.Errorf("%s: %v", test.name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", test.name, err)
		case string(got.config) != smallConfig || !got.proven || len(got.thin.frame.Layers) != 1 || got.thin.frame.Layers[0].Digest != test.layer:
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

// What a containerd store does not have as it was packed it leaves out, and nothing is damaged.
func TestSaveStreamWithoutALayer(t *testing.T) {
	manifest := jsonOf(t, ocispec.Manifest{Config: ocispec.Descriptor{Digest: digest.FromString(smallConfig)}})
	for _, test := range []struct {
		members []member
		want    error
	}{
		{[]member{blob(manifest)}, errUnpacked},
		{nil, errConfigless},
	} {
		saved, err := tarOf(test.members...)
		if err != nil {
			t.Fatal(err)
		}
		e, _ := apiDouble(t, map[string]string{"GET /images/get": string(saved)})
		e.info.Store = StoreContainerd
		if _, err := e.exact(t.Context(), digest.FromBytes(manifest).String()); !errors.Is(err, test.want) {
			t.Errorf("%d members: %v", len(test.members), err)
		}
	}
}

// Whatever the stream: what is found is the content of the digest asked for.
func FuzzDocuments(f *testing.F) {
	config := []byte(smallConfig)
	for _, members := range [][]member{
		{blob(config)}, {{"manifest.json", []byte("[]")}, {digest.FromBytes(config).Encoded() + ".json", config}}, {blob([]byte(`{"Manifests":[{}]}`))},
	} {
		data, err := tarOf(members...)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, id := range []digest.Digest{digest.FromBytes(config), digest.FromBytes(data)} {
			d := newDocuments()
			got, err := d.find(tar.NewReader(bytes.NewReader(data)), func() (stored, bool, error) { return d.ofConfig(id) })
			if err == nil && digest.FromBytes(got.config) != id {
				t.Fatalf("%s is not %s", got.config, id)
			}
			m := newDocuments()
			_, _ = m.find(tar.NewReader(bytes.NewReader(data)), func() (stored, bool, error) { return m.ofManifest(id) })
		}
	})
}

func TestSaveStreamThatIsCut(t *testing.T) {
	whole, err := tarOf(member{blobPath(digest.FromString(smallConfig)), []byte(smallConfig)})
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{100, 600} { // in the header, and in the config
		d := newDocuments()
		_, err := d.find(tar.NewReader(bytes.NewReader(whole[:cut])), func() (stored, bool, error) { return stored{}, false, nil })
		if err == nil || err.Error() != errCut.Error() {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

func TestDiffIDsOfBrokenConfigs(t *testing.T) {
	large := `{"x":"` + strings.Repeat("x", maxConfig) + `"}`
	for _, config := range []string{"", "[]", `{"rootfs":{"diff_ids":["sha256:x"]}}`, `{"rootfs":3}`, large} {
		if _, err := diffIDs([]byte(config)); !errors.Is(err, ErrConfig) {
			t.Errorf("%.100s: %v", config, err)
		}
	}
	if ids, err := diffIDs([]byte(`{}`)); err != nil || fmt.Sprint(ids) != "[]" {
		t.Error(ids, err)
	}
}

// The engine's ID proves a rebuilt config, even where a parent is gone; another ID does not.
func TestRebuiltConfigsAreProvenByTheID(t *testing.T) {
	const told = `"Parent":"sha256:gone","Created":"2024-01-02T03:04:05.678Z","Architecture":"amd64","Os":"linux","Config":{"Cmd":["x"]},"RootFS":{"Type":"layers"}}`
	var f facts
	if err := json.Unmarshal([]byte("{"+told), &f); err != nil {
		t.Fatal(err)
	}
	forms, err := configsOf(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	for id, proven := range map[string]bool{digest.FromBytes(forms[0]).String(): true, digest.FromString("another").String(): false} {
		e, _ := apiDouble(t, map[string]string{"GET /images/" + id + "/json": `{"Id":"` + id + `",` + told, "GET /images/" + id + "/history": "[]"})
		if s, err := e.rebuild(t.Context(), id); err != nil || s.proven != proven || string(s.config) != string(forms[0]) || s.id != id {
			t.Errorf("%s: %+v, %v", id, s, err)
		}
	}
	e, _ := apiDouble(t, nil)
	if _, err := e.rebuild(t.Context(), "sha256:none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v", err)
	}
}
