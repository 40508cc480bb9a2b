package config

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// ofSeries are the placeholders that make of a list's tag one for all releases of a series: 1.4 for 1.4.0 and 1.4.1. They are filled in
// for releases alone: of a preview (1.5.0-rc.1) or of what git describes between releases nobody wants to be told that it is 1.5.
var ofSeries = []string{"{major}", "{minor}"}

// shortHash is to how many digits git shortens the hash of a commit at least; one in twenty-seven of that length has no letter.
const shortHash = 7

// release is a version's numbers, where it is one of https://semver.org that is no preview. A v before it and numbers left out
// behind it ("v1", "1.4") do no harm. A number alone that may be a commit's is none, nor is a date such as 20241201.
func release(version string) (major, minor string, ok bool) {
	v := canonical(version)
	alone := !strings.Contains(v, ".")
	if !semver.IsValid(v) || semver.Prerelease(v) != "" || alone && len(v) > shortHash {
		return "", "", false
	}
	major, minor, _ = strings.Cut(strings.TrimPrefix(semver.MajorMinor(v), "v"), ".")
	return major, minor, true
}

// Series is a tag of the list for all releases of a series, such as 1.4, and the template that it comes of.
type Series struct{ Tag, template string }

// Stays tells whether the tag, where it names one version, is to go on naming it rather than go to the next: it is of the tag's series, and
// newer by https://semver.org. What is no release is of no series.
func (s Series) Stays(has, next string) bool {
	text, released := fill(s.template, has)
	return released && text == s.Tag && semver.Compare(canonical(has), canonical(next)) > 0 && semver.IsValid(canonical(next))
}

// StaysOf are the rules of all tags of series, by tag.
func (c Config) StaysOf() map[string]func(has, next string) bool {
	rules := make(map[string]func(has, next string) bool, len(c.Series))
	for _, s := range c.Series {
		rules[s.Tag] = s.Stays
	}
	return rules
}

// LeftOut tells which tags of series are left out, of being for releases alone; by says what the version is of. Empty: none is.
func (c Config) LeftOut(by string) string {
	if len(c.Unreleased) == 0 {
		return ""
	}
	return fmt.Sprintf("no tag %s: %s%s is no release such as 1.4.2", strings.Join(c.Unreleased, ", "), by, c.Version)
}

// fill puts a version into the template of a tag. Where it is no release a series' placeholders stay without text.
func fill(template, version string) (text string, released bool) {
	major, minor, released := release(version)
	return strings.NewReplacer("{version}", version, "{major}", major, "{minor}", minor).Replace(template), released
}

// canonical is a version as semver reads it, which is with a v.
func canonical(version string) string { return "v" + strings.TrimPrefix(version, "v") }

// isSeries tells whether a template of a tag is one of a series.
func isSeries(template string) bool {
	return slices.ContainsFunc(ofSeries, func(name string) bool { return strings.Contains(template, name) })
}
