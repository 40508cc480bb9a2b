package lists_test

import (
	"fmt"

	"github.com/manymage/manymage/build/lists"
)

func ExampleParseSpec() {
	spec, err := lists.ParseSpec("app.yaml", []byte(`
image: ghcr.io/me/app:1.0
tags: [latest]
manifests:
- image: ghcr.io/me/app:armv7-1.0
  platform: {os: linux, architecture: arm, variant: v7}
`))
	fmt.Println(spec.Target, spec.Tags, spec.Sources[0].Platform.Variant, err)

	_, err = lists.ParseSpec("app.yaml", []byte("image: ghcr.io/me/app:1.0\nmanifest: []\n"))
	fmt.Println(err)
	// Output:
	// ghcr.io/me/app:1.0 [latest] v7 <nil>
	// app.yaml:2: unknown key "manifest" in the spec; known are annotations, image, manifests, tags
}

func ExampleParseReference() {
	_, err := lists.ParseReference("ghcr.io/me/app:1.0:2")
	fmt.Println(err)
	// Output: malformed reference "ghcr.io/me/app:1.0:2": it cannot go on with ":2" (character 19); the form is REGISTRY/NAME:TAG or NAME@DIGEST
}
