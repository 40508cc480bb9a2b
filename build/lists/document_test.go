package lists

import (
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

// Property: everything that an accepted manifest names can be asked for by its digest.
func FuzzReadImage(f *testing.F) {
	const d = `"digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":5`
	f.Add([]byte(`{"schemaVersion":2,"config":{`+d+`},"layers":[{`+d+`}]}`), index.OCIManifest)
	f.Add([]byte(`{"schemaVersion":2,"config":{`+d+`},"layers":[{"digest":"sha256:..","size":1}]}`), index.DockerManifest)
	f.Add([]byte(`{"config":{`+d+`},"layers":[{`+d+`},{}]}`), index.OCIManifest)
	f.Add([]byte(`{"config":null,"layers":null}`), index.OCIManifest)
	f.Add([]byte(`[]`), index.OCIManifest)
	f.Add([]byte(``), index.OCIIndex)
	f.Fuzz(func(t *testing.T, raw []byte, mediaType string) {
		desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(raw), Size: int64(len(raw))}
		doc, err := readImage(registry.Manifest{Descriptor: desc, Bytes: raw})
		if err != nil {
			return
		}
		for _, b := range blobsOf(doc) {
			if withDigest(named("one.example/app"), b.Digest).Digest() != b.Digest || b.Size < 0 {
				t.Fatalf("accepted a blob %+v", b)
			}
		}
	})
}
