package platforms

import ocispec "github.com/opencontainers/image-spec/specs-go/v1"

// GOARM returns the value of GOARM for p: "5", "6", "7" for linux/arm, "" for every other architecture.
func GOARM(p ocispec.Platform) string { return "" }

// Uname returns what `uname -m` says on p: "x86_64", "aarch64", "armv7l"; "" when there is no such name.
func Uname(p ocispec.Platform) string { return "" }

// Debian returns Debian's name of p's architecture: "amd64", "armhf", "ppc64el"; "" when Debian has no such port.
func Debian(p ocispec.Platform) string { return "" }

// Rust returns the Rust target with glibc of p: "x86_64-unknown-linux-gnu"; "" when there is none.
func Rust(p ocispec.Platform) string { return "" }
