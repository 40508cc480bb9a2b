package modules

import (
	"path"
	"strings"
)

// LibC is whose loader a PT_INTERP names, with the cure when it is not there.
func LibC(interp string) (name, cure string) {
	static := "link it statically (CGO_ENABLED=0 for Go)"
	base := path.Base(interp)
	switch {
	case strings.HasPrefix(base, "ld-musl-"):
		return "musl", "use a base image with musl such as Alpine, build it on the distribution it shall run on, or " + static
	case strings.HasPrefix(base, "ld-uClibc"), strings.HasPrefix(base, "ld64-uClibc"):
		return "uClibc", "use a base image with uClibc, or " + static
	case strings.HasPrefix(interp, "/system/bin/linker"):
		return "Android's bionic", "build it for linux instead of android"
	case strings.HasPrefix(base, "ld-linux"), base == "ld.so.1", base == "ld64.so.1", base == "ld64.so.2", base == "ld.so":
		return "glibc", "use a base image with glibc such as Debian, build it on the distribution it shall run on, or " + static
	}
	return "an unknown C library", "copy the loader into the image, or " + static
}
