package build

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/build/registry/registrytest"
)

// configOver is a config with the layer that is named by a text.
func configOver(arch, layer string) []byte {
	return fmt.Appendf(nil, `{"architecture":%q,"os":"linux","rootfs":{"type":"layers","diff_ids":[%q]}}`, arch, digest.FromString(layer))
}

// A config is put over the layers that it is about, and over no others: that would be an image which nobody can pull.
func TestARepairedConfigKeepsItsLayers(t *testing.T) {
	server := httptest.NewServer(registrytest.InMemory())
	defer server.Close()
	client := registry.New(registry.Options{})
	defer client.Close()
	ref, err := reference.ParseNormalizedNamed(strings.TrimPrefix(server.URL, "http://") + "/me/app")
	if err != nil {
		t.Fatal(err)
	}
	config := stored(t, client, ref, ocispec.MediaTypeImageConfig, configOver("amd64", "ours"))
	manifest, err := json.Marshal(ocispec.Manifest{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	for layer, want := range map[string]error{"ours": nil, "another run's": lists.ErrPublish} {
		if err := sameLayers(t.Context(), client, ref, registry.Manifest{Bytes: manifest}, configOver("arm64", layer)); !errors.Is(err, want) {
			t.Errorf("a config over %s layer: %v, want %v", layer, err, want)
		}
	}
}

// A tag that is moved while a new label's config is on its way stays where it was moved to, which is right where that is the same label.
func TestAMovedTagGetsNoNewLabel(t *testing.T) {
	inner, moves := registrytest.InMemory(), func() {}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			moves()
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	client := registry.New(registry.Options{})
	defer client.Close()
	ref, err := reference.ParseNormalizedNamed(strings.TrimPrefix(server.URL, "http://") + "/me/app:1")
	if err != nil {
		t.Fatal(err)
	}
	publish := func(config ocispec.Descriptor) registry.Manifest {
		manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[]}`,
			ocispec.MediaTypeImageManifest, config.MediaType, config.Digest, config.Size)
		desc, err := client.PutManifest(t.Context(), ref, ocispec.MediaTypeImageManifest, manifest)
		if err != nil {
			t.Error(err)
		}
		return registry.Manifest{Descriptor: desc, Bytes: manifest}
	}
	checked := stored(t, client, reference.TrimNamed(ref), ocispec.MediaTypeImageConfig, configOver("amd64", "ours"))
	other := stored(t, client, reference.TrimNamed(ref), ocispec.MediaTypeImageConfig, configOver("amd64", "another run's"))
	m, moved := publish(checked), registry.Manifest{}
	moves = func() { moved = publish(other) }
	err = replace(t.Context(), client, ref, m, configOver("arm64", "ours"), &NewLabel{})
	now, headErr := client.Head(t.Context(), ref)
	if !errors.Is(err, lists.ErrPublish) || headErr != nil || now.Digest != moved.Descriptor.Digest {
		t.Errorf("%v; the tag is %s, want %s: %v", err, now.Digest, moved.Descriptor.Digest, headErr)
	}
	m = publish(checked)
	var theirs, ours NewLabel
	moves = func() {
		moves = func() {}
		if err := replace(t.Context(), client, ref, m, configOver("riscv64", "ours"), &theirs); err != nil {
			t.Error(err)
		}
	}
	if err := replace(t.Context(), client, ref, m, configOver("riscv64", "ours"), &ours); err != nil || ours.Identity == "" || ours.Identity != theirs.Identity {
		t.Errorf("the same label by two: %v; %+v, %+v", err, ours, theirs)
	}
}

// An image whose variant was taken away is known again by the digest that its config had, as Podman writes configs.
func TestAnImageIsKnownWithoutItsVariant(t *testing.T) {
	const config = `{"created":"2026-01-02T03:04:05Z","config":{"Labels":{"a":"\",\"os\":"}},"architecture":"amd64",VARIANT"os":"linux","rootfs":{}}`
	without := []byte(strings.Replace(config, "VARIANT", "", 1))
	for variant, want := range map[string]bool{"v2": true, "v8.1": true, "v9": true, "v9.5": true, "v1": false, "x": false} {
		was := digest.FromString(strings.Replace(config, "VARIANT", `"variant":"`+variant+`",`, 1))
		if got := hadVariant(without, was); got != want {
			t.Errorf("%s: %t", variant, got)
		}
	}
	for _, other := range []string{"", "{}", config} {
		if hadVariant([]byte(other), digest.FromBytes(without)) {
			t.Errorf("%q is taken for another image", other)
		}
	}
}

// What a manifest says beside its config's identity stays, and a copy of the config in it follows.
func TestWithConfig(t *testing.T) {
	config := []byte(`{"architecture":"arm64"}`)
	identity := fmt.Sprintf(`"digest":%q,"size":%d`, digest.FromBytes(config), len(config))
	for manifest, want := range map[string]string{
		`{"config":{"mediaType":"a/b","digest":"sha256:1","size":1},"layers":[],"x":{"y":1}}`: `{"config":{"mediaType":"a/b",` + identity + `},"layers":[],"x":{"y":1}}`,
		`{"config":{"digest":"sha256:1","size":1,"data":"e30=","x-own":[1]}}`:                 `{"config":{` + identity + `,"data":"` + base64.StdEncoding.EncodeToString(config) + `","x-own":[1]}}`,
	} {
		body, desc, err := withConfig([]byte(manifest), config)
		if err != nil || desc.Digest != digest.FromBytes(config) || desc.Size != int64(len(config)) {
			t.Errorf("%s: %+v, %v", manifest, desc, err)
		}
		var got, wanted any
		if err := errors.Join(json.Unmarshal(body, &got), json.Unmarshal([]byte(want), &wanted)); err != nil || !reflect.DeepEqual(got, wanted) {
			t.Errorf("%s became %s, want %s; %v", manifest, body, want, err)
		}
	}
}
