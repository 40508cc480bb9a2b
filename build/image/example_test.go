package image_test

import (
	"fmt"
	"testing/fstest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms/elftest"
)

func ExampleCheck() {
	config := []byte(`{"architecture":"arm64","os":"linux","config":{"Entrypoint":["/app"]}}`)
	root := fstest.MapFS{"app": {Data: elftest.Of("amd64"), Mode: 0o755}}
	_, err := image.Check(config, root, ocispec.Platform{OS: "linux", Architecture: "arm64"}, image.Options{})
	fmt.Println(err)
	// Output:
	// /app is amd64 (x86-64, 64-bit little-endian) in an image declared linux/arm64: build it for linux/arm64, or allow it with ALLOW_FOREIGN=/app
}

func ExampleRelabel() {
	config := []byte(`{"os":"linux", "architecture":"amd64", "rootfs":{"type":"layers"}}`)
	out, err := image.Relabel(config, ocispec.Platform{OS: "linux", Architecture: "arm", Variant: "v6"})
	fmt.Println(string(out), err)
	// Output:
	// {"os":"linux", "architecture":"arm", "rootfs":{"type":"layers"},"variant":"v6"} <nil>
}
