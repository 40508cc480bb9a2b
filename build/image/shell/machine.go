package shell

import (
	"path"
	"regexp"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// ofMachine tells whether a text tells of the declared machine or system.
func (w *walker) ofMachine(text string) bool {
	return w.afford(len(text)) && w.machine().MatchString(text)
}

// machineNames finds what uname, getconf, dpkg, apk or Go call a platform: whole, behind a letter x (as in [ x$ARCH = xarm64 ]), or
// as a part (linux-arm64).
func machineNames(p ocispec.Platform) *regexp.Regexp {
	names := Machines(p)
	const other = "[^0-9A-Za-z]"
	return regexp.MustCompile("^[Ll]inux$|^" + Bits(p) + "$|(^x?|" + other + ")(" + strings.Join(names, "|") + ")($|" + other + ")")
}

// Machines are the names of a platform's machine, as uname, dpkg, apk and Go call it.
func Machines(p ocispec.Platform) []string {
	names := []string{platforms.Uname(p), platforms.Debian(p), alpine(p), p.Architecture}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// alpine is what apk calls a platform: as uname does, but for 32 bits.
func alpine(p ocispec.Platform) string {
	switch name := platforms.Uname(p); name {
	case "armv7l":
		return "armv7"
	case "armv5l", "armv5tel", "armv6l":
		return "armhf"
	case "i386", "i686":
		return "x86"
	default:
		return name
	}
}

// Bits is how wide the words of a platform's machine are, "64" or "32".
func Bits(p ocispec.Platform) string {
	if strings.Contains(p.Architecture, "64") || p.Architecture == "s390x" {
		return "64"
	}
	return "32"
}

// uname answers what does not depend on the kernel's version.
func (w *walker) uname(options string) (string, bool) {
	machine := platforms.Uname(w.declared)
	switch options {
	case "", "-s":
		return "Linux", true
	case "-m", "-p", "-i", "--machine", "--processor":
		return machine, true
	case "-sm", "-ms", "-s-m", "-m-s":
		return "Linux " + machine, true
	case "-a":
		return "Linux " + Unknown + " " + machine + " GNU/Linux", true
	}
	return "", false
}

// IsLoader tells whether a file is a loader by its name: which of them are there tells of the machine.
func IsLoader(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, "ld-") && strings.Contains(base, ".so") || strings.HasPrefix(base, "ld.so") || base == "ld64.so.2"
}
