package index

import (
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/mod/semver"
)

// Version is what the list's annotation org.opencontainers.image.version says; empty where there is none.
func (ix Index) Version() string { return ix.Annotations[ocispec.AnnotationVersion] }

// Newer tells whether the list is of a newer version than the other one by https://semver.org, a v before it or not. A list that
// says no such version is neither newer nor older.
func (ix Index) Newer(than Index) bool {
	mine, other := canonical(ix.Version()), canonical(than.Version())
	return semver.IsValid(mine) && semver.IsValid(other) && semver.Compare(mine, other) > 0
}

// canonical is a version as semver reads it, which is with a v.
func canonical(version string) string { return "v" + strings.TrimPrefix(version, "v") }
