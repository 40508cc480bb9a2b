package index_test

import (
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/index"
)

func image(arch string) index.Entry {
	return index.Entry{Descriptor: ocispec.Descriptor{
		MediaType: index.OCIManifest,
		Digest:    digest.FromString(arch),
		Size:      528,
		Platform:  &ocispec.Platform{OS: "linux", Architecture: arch},
	}}
}

func ExampleNew() {
	ix, _, err := index.New([]index.Entry{image("amd64"), image("arm64")}, index.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	raw, desc, err := ix.Marshal()
	fmt.Println(desc.MediaType, int(desc.Size) == len(raw), err)
	// Output: application/vnd.oci.image.index.v1+json true <nil>
}

func ExampleIndex_Find() {
	ix := index.Index{Entries: []index.Entry{image("amd64"), image("arm64")}}
	m, err := ix.Find(ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"})
	if err != nil {
		fmt.Println(err)
	}
	for _, step := range m.Steps {
		fmt.Println(step)
	}
	// Output:
	// resolved to an index with 2 entries: linux/amd64, linux/arm64
	// looking for linux/arm64/v8
	// found linux/arm64, digest sha256:f69162950f235e3cdbbad33f1f912d1a504be90d8a37d002c735d6f3e3882265
}

func ExampleDiff() {
	before := index.Index{Entries: []index.Entry{image("amd64"), image("arm64")}}
	after := index.Index{Entries: []index.Entry{image("amd64")}}
	for _, p := range index.Dropped(before, after) {
		fmt.Println("would be lost:", p.OS+"/"+p.Architecture)
	}
	// Output: would be lost: linux/arm64
}
