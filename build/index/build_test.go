package index

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// The small language that the tests of this package are written in:
// listOf(docker("linux/amd64"), oci("linux/arm64")).with("org.example", "x").

// docker and oci are images of a platform; the digest follows from the name, which is the
// platform unless another one is given.
func docker(platform string, name ...string) Entry { return entryOf(DockerManifest, platform, name) }
func oci(platform string, name ...string) Entry    { return entryOf(OCIManifest, platform, name) }

func entryOf(mediaType, platform string, name []string) Entry {
	content := platform
	if len(name) > 0 {
		content = name[0]
	}
	e := Entry{Descriptor: ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromString(content), Size: 500}}
	if platform != "" {
		p, err := platforms.ParseAny(platform)
		if err != nil {
			panic(err)
		}
		e.Platform = &p
	}
	return e
}

func (e Entry) from(source string) Entry { e.Source = source; return e }

func (e Entry) with(key, value string) Entry {
	e.Annotations = annotate(e.Annotations, map[string]string{key: value})
	return e
}

func (e Entry) windows(version string, features ...string) Entry {
	e.Platform = &ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: version, OSFeatures: features}
	return e
}

// attested is the image with one more attestation below it, as BuildKit writes them.
func (e Entry) attested() Entry {
	a := oci("", fmt.Sprintf("attestation %d of %s", len(e.Attestations), e.Digest))
	a.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	e.Attestations = append(e.Attestations, a.with(RefType, "attestation-manifest").with(RefDigest, e.Digest.String()))
	return e
}

// foreign is the entry with a field that is not ours, of its own and of its platform.
func (e Entry) foreign(value string) Entry {
	e.extra = map[string]json.RawMessage{"x": json.RawMessage(value)}
	e.platformExtra = e.extra
	return e
}

func listOf(entries ...Entry) Index { return Index{MediaType: OCIIndex, Entries: entries} }

func dockerList(entries ...Entry) Index { return Index{MediaType: DockerList, Entries: entries} }

func (ix Index) with(key, value string) Index {
	ix.Annotations = annotate(ix.Annotations, map[string]string{key: value})
	return ix
}

func (ix Index) foreign(value string) Index {
	ix.extra = map[string]json.RawMessage{"x": json.RawMessage(value)}
	return ix
}

func platform(t *testing.T, s string) ocispec.Platform {
	t.Helper()
	p, err := platforms.ParseAny(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func names(ps []ocispec.Platform) string { return formatAll(ps) }
