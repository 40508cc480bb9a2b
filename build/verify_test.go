package build

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
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

// verified publishes an image of one layer and verifies it.
func verified(t *testing.T, os string, layer func(*registry.Client, reference.Named) ocispec.Descriptor) (Verification, error) {
	server := httptest.NewServer(registrytest.InMemory())
	t.Cleanup(server.Close)
	name := strings.TrimPrefix(server.URL, "http://") + "/me/app:1"
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{Config: config.Config{}})
	t.Cleanup(func() { p.Close() })
	client, err := p.Registry()
	if err != nil {
		t.Fatal(err)
	}
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
	if _, err := client.PutManifest(t.Context(), ref, ocispec.MediaTypeImageManifest, manifest); err != nil {
		t.Fatal(err)
	}
	return p.Verify(t.Context(), name)
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
	v, err := verified(t, "windows", func(client *registry.Client, ref reference.Named) ocispec.Descriptor {
		return stored(t, client, ref, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", []byte("not to be read")) // it takes no list without
	})
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
