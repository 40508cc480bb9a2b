package config

import (
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// ofSeries are the placeholders that make of a list's tag one for all releases of a series: 1.4 for 1.4.0 and 1.4.1. They are filled in
// for releases alone: of a preview (1.5.0-rc.1) or of what git describes between releases nobody wants to be told that it is 1.5.
var ofSeries = []string{"{major}", "{minor}"}

// release is a version's numbers, where it is one of https://semver.org that is no preview. A v before it and numbers left out
// behind it ("v1", "1.4") do no harm.
func release(version string) (major, minor string, ok bool) {
	v := "v" + strings.TrimPrefix(version, "v")
	if !semver.IsValid(v) || semver.Prerelease(v) != "" {
		return "", "", false
	}
	major, minor, _ = strings.Cut(strings.TrimPrefix(semver.MajorMinor(v), "v"), ".")
	return major, minor, true
}

// isSeries tells whether a template of a tag is one of a series.
func isSeries(template string) bool {
	return slices.ContainsFunc(ofSeries, func(name string) bool { return strings.Contains(template, name) })
}
