package build

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/build/registry/registrytest"
)

// stored puts a blob into a repository and returns its descriptor.
func stored(t *testing.T, client *registry.Client, repo reference.Named, mediaType string, body []byte) ocispec.Descriptor {
	t.Helper()
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(body), Size: int64(len(body))}
	if err := client.PutBlob(t.Context(), repo, desc, registry.Bytes(body)); err != nil {
		t.Fatal(err)
	}
	return desc
}

// foreign is a layer that there is nothing to judge by.
func foreign(t *testing.T) func(*registry.Client, reference.Named) ocispec.Descriptor {
	return func(client *registry.Client, ref reference.Named) ocispec.Descriptor {
		return stored(t, client, ref, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", []byte("not to be read")) // it takes no list without
	}
}

// one puts an image of one layer for arm64 under a tag.
func one(t *testing.T, client *registry.Client, ref reference.Named, os string, layer func(*registry.Client, reference.Named) ocispec.Descriptor) ocispec.Descriptor {
	t.Helper()
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config: stored(t, client, ref, ocispec.MediaTypeImageConfig,
			[]byte(`{"architecture":"arm64","os":"`+os+`","config":{"Entrypoint":["/app"]},"rootfs":{"type":"layers","diff_ids":[]}}`)),
		Layers: []ocispec.Descriptor{layer(client, ref)},
	})
	if err != nil {
		t.Fatal(err)
	}
	desc, err := client.PutManifest(t.Context(), ref, ocispec.MediaTypeImageManifest, manifest)
	if err != nil {
		t.Fatal(err)
	}
	return desc
}

// shelf is a run beside an empty registry, and the tag 1 in it.
func shelf(t *testing.T, rules ...faults.Rule) (*Pipeline, *registry.Client, reference.NamedTagged) {
	t.Helper()
	proxy := faults.Around(registrytest.InMemory())
	for _, r := range rules {
		proxy.Add(r)
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	ref, err := reference.ParseNormalizedNamed(strings.TrimPrefix(server.URL, "http://") + "/me/app:1")
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{Config: config.Config{}})
	t.Cleanup(func() { p.Close() })
	client, err := p.Registry()
	if err != nil {
		t.Fatal(err)
	}
	return p, client, ref.(reference.NamedTagged)
}

// verified publishes an image of one layer and verifies it.
func verified(t *testing.T, os string, layer func(*registry.Client, reference.Named) ocispec.Descriptor) (Verification, error) {
	p, client, ref := shelf(t)
	one(t, client, ref, os, layer)
	return p.Verify(t.Context(), ref.String())
}

// What a list says of its images has to be what they are.
func TestVerifyComparesAListWithItsImages(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*index.Index)
		says  string // empty: nothing is wrong
	}{
		"an attestation":   {func(ix *index.Index) {}, ""},
		"a platform twice": {func(ix *index.Index) { ix.Entries = append(ix.Entries, ix.Entries[0]) }, "linux/arm64: is in the list twice"},
		"another size":     {func(ix *index.Index) { ix.Entries[0].Size++ }, "linux/arm64: the list says "},
		"another platform": {func(ix *index.Index) { ix.Entries[0].Platform.Architecture = "amd64" }, "linux/amd64: its config says linux/arm64"},
		"another system":   {func(ix *index.Index) { ix.Entries[0].Platform.OS = "windows" }, "windows/arm64: its config says linux/arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			p, client, ref := shelf(t)
			image := one(t, client, ref, "linux", foreign(t))
			attestation := image
			image.Platform = &ocispec.Platform{OS: "linux", Architecture: "arm64"}
			attestation.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
			attestation.Annotations = map[string]string{index.RefType: "attestation-manifest", index.RefDigest: image.Digest.String()}
			ix := index.Index{Entries: []index.Entry{{Descriptor: image}, {Descriptor: attestation}, {Descriptor: attestation}}}
			c.spoil(&ix)
			list(t, client, ref, ix)
			v, err := p.Verify(t.Context(), ref.String())
			if c.says == "" && (err != nil || len(v.Children) != 1 || v.Children[0].Platform != "linux/arm64" || v.Children[0].Size == 0 || v.Digest == "") {
				t.Errorf("%+v, %v", v, err)
			}
			if c.says != "" && (!errors.As(err, new(*FaultyError)) || !strings.Contains(err.Error(), " is not what it should be:\n  "+c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

// Old engines take no list inside a list.
func TestVerifyFaultsAListInsideAList(t *testing.T) {
	p, client, ref := shelf(t)
	image := one(t, client, ref, "linux", foreign(t))
	image.Platform = &ocispec.Platform{OS: "linux", Architecture: "arm64"}
	inner := list(t, client, ref, index.Index{Entries: []index.Entry{{Descriptor: image}}})
	list(t, client, ref, index.Index{Entries: []index.Entry{{Descriptor: inner}}})
	if _, err := p.Verify(t.Context(), ref.String()); !errors.As(err, new(*FaultyError)) || !strings.Contains(err.Error(), inner.Digest.String()+": is a list inside the list") {
		t.Errorf("got %v", err)
	}
}

// list puts a list under a tag.
func list(t *testing.T, client *registry.Client, ref reference.Named, ix index.Index) ocispec.Descriptor {
	t.Helper()
	raw, desc, err := ix.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutManifest(t.Context(), ref, desc.MediaType, raw); err != nil {
		t.Fatal(err)
	}
	return desc
}

// A layer that is no archive is a fault of what was published, and no failure of the look.
func TestVerifyFaultsALayerThatIsNone(t *testing.T) {
	_, err := verified(t, "linux", func(client *registry.Client, ref reference.Named) ocispec.Descriptor {
		return stored(t, client, ref, ocispec.MediaTypeImageLayer, []byte(strings.Repeat("no archive ", 100)))
	})
	var faulty *FaultyError
	if !errors.As(err, &faulty) || ExitCode(err) != ExitRefused || !strings.Contains(err.Error(), ": layer sha256:") {
		t.Errorf("got %v", err)
	}
}

// A copy of content in its descriptor is another one to who reads it and who does not.
func TestVerifyFaultsCopiesOfOtherContent(t *testing.T) {
	_, err := verified(t, "linux", func(client *registry.Client, ref reference.Named) ocispec.Descriptor {
		layer := stored(t, client, ref, ocispec.MediaTypeImageLayer, []byte("layer"))
		layer.Data = []byte("relay")
		return layer
	})
	var faulty *FaultyError
	if !errors.As(err, &faulty) || ExitCode(err) != ExitRefused || !strings.Contains(err.Error(), "contradicts itself") {
		t.Errorf("got %v", err)
	}
}

// A layer that its owner keeps, as Windows' bases were, is no fault: there is nothing to judge by.
func TestVerifyLeavesForeignLayersAlone(t *testing.T) {
	v, err := verified(t, "windows", foreign(t))
	if err != nil || len(v.Children) != 1 || v.Children[0].Verdict != "unverified" || !strings.Contains(strings.Join(v.Children[0].Notes, ""), "kept by its owner") {
		t.Errorf("got %+v, %v", v, err)
	}
}

// What its owner keeps is told by its type: addresses may stand beside any layer.
func TestBlobsOfAnImage(t *testing.T) {
	layer := func(mediaType, content string, urls ...string) ocispec.Descriptor {
		return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromString(content), URLs: urls}
	}
	config, ours := layer(ocispec.MediaTypeImageConfig, "config"), layer(ocispec.MediaTypeImageLayerGzip, "ours", "https://mirror.example/ours")
	foreign := layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "foreign")
	got := blobsOf(ocispec.Manifest{Config: config, Layers: []ocispec.Descriptor{foreign, ours}})
	if len(got) != 2 || got[0].Digest != config.Digest || got[1].Digest != ours.Digest {
		t.Errorf("got %v", got)
	}
}

// What could not be found out is no fault of what was published.
func TestVerifyThatMayNotRead(t *testing.T) {
	p, client, ref := shelf(t, faults.Rule{Match: faults.On(http.MethodGet, "/blobs/"), Fault: faults.Status(http.StatusForbidden)})
	one(t, client, ref, "linux", foreign(t))
	if _, err := p.Verify(t.Context(), ref.String()); !errors.Is(err, registry.ErrUnauthorized) || errors.As(err, new(*FaultyError)) {
		t.Errorf("got %v", err)
	}
}

// What nothing could be judged by is not called right.
func TestVerificationEnds(t *testing.T) {
	verified, unverified := VerifiedChild{Platform: "linux/amd64", Verdict: "verified"}, VerifiedChild{Platform: "linux/arm64", Verdict: "unverified"}
	for _, test := range []struct {
		ref      string
		children []VerifiedChild
		want     string
	}{
		{"R", []VerifiedChild{verified}, "R@D holds what it says\n"},
		{"R@D", []VerifiedChild{verified}, "R@D holds what it says\n"},
		{"R", []VerifiedChild{verified, unverified}, "R@D is all there, but nothing in it tells its platform: linux/arm64\n"},
	} {
		var out strings.Builder
		if err := (Verification{Ref: test.ref, Digest: "D", Children: test.children}).Write(&out); err != nil || !strings.HasSuffix(out.String(), "\n"+test.want) {
			t.Errorf("%v\n%s\nwant at its end\n%s", err, &out, test.want)
		}
	}
}
