package platforms

import (
	"slices"
	"strings"

	"github.com/hbollon/go-edlib"
)

// suggest returns the platform that was probably meant by s, in s's own form (with or without os), or "".
func suggest(s string) string {
	s = strings.ToLower(s)
	switch s {
	case "armel":
		return "arm/v5 (Debian's armel) or arm/v6 (Docker's)"
	case "armv8l":
		return "arm64, or arm/v7 for 32-bit programs"
	case "linux", "windows", "darwin", "macos":
		return "linux/amd64 or linux/arm64"
	}
	parts := strings.Split(s, "/")
	prefix := ""
	if len(parts) > 1 && !knownArch(parts[0]) {
		prefix, parts = Linux+"/", parts[1:]
		if parts[0] != "" && strings.HasPrefix(s, "windows") {
			prefix = "windows/"
		}
	}
	arch, variant := nearest(parts[0])
	if arch == "arm" && len(parts) > 1 && strings.TrimPrefix(parts[1], "v") == "8" {
		arch, variant = "arm64", ""
	}
	if arch == "" {
		return ""
	}
	if variant == "" && len(parts) > 1 && knownVariant(arch, parts[1]) {
		variant = parts[1]
	}
	if variant == "" && arch == "arm" {
		variant = "v7"
	}
	if variant != "" {
		variant = "/" + variant
	}
	return prefix + arch + variant
}

// nearest returns the architecture, by GOARCH's name, whose name or alias is the fewest slips away from s: at most two,
// and fewer than half of its letters. Of equals wins the one with the same letters, then the more usual.
func nearest(s string) (arch, variant string) {
	if len(s) > 32 {
		return "", ""
	}
	if a, v := alias(s); knownArch(a) {
		return a, v
	}
	best, same := 3, false
	for _, n := range names {
		for _, candidate := range append([]string{n.arch, n.uname, n.debian}, n.aliases...) {
			if candidate == "" {
				continue
			}
			d, swapped := edlib.OSADamerauLevenshteinDistance(s, candidate), sorted(s) == sorted(candidate)
			if (d < best || d == best && swapped && !same) && 2*d < len(candidate) {
				best, same, arch, variant = d, swapped, n.arch, n.variant
			}
		}
	}
	return arch, variant
}

// sorted are the letters of a name, in their order.
func sorted(name string) string {
	letters := []byte(name)
	slices.Sort(letters)
	return string(letters)
}
