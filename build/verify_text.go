package build

import (
	"fmt"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/progress"
)

// Write prints what was verified, a line for each platform.
func (v Verification) Write(w io.Writer) error {
	t := progress.Table{Header: []string{"PLATFORM", "VERDICT", "SIZE", "DIGEST"}, Right: []int{2}}
	for _, c := range v.Children {
		t.Add(c.Platform, c.Verdict, progress.Size(c.Size), c.Digest.String())
	}
	if err := t.Write(w); err != nil {
		return err
	}
	text := "\n"
	for _, note := range v.remarks() {
		text += "note: " + note + "\n"
	}
	if len(v.Unasked) > 0 {
		text += strings.Join(v.Unasked, ", ") + " is there beside ARCHES\n"
	}
	if len(v.Absent) > 0 {
		text += strings.Join(v.Absent, ", ") + " of ARCHES (default) is not there\n"
	}
	_, err := fmt.Fprintf(w, "%s%s %s\n", text, pinned(v.Ref, v.Digest), v.ending())
	return err
}

// pinned is ref with the digest of what it names, which it may have already.
func pinned(ref string, d digest.Digest) string {
	return strings.TrimSuffix(ref, "@"+d.String()) + "@" + d.String()
}

// ending is what can be said of the whole.
func (v Verification) ending() string {
	var untold []string
	for _, c := range v.Children {
		if c.Verdict == string(image.Unverified) {
			untold = append(untold, c.Platform)
		}
	}
	if len(untold) > 0 {
		return "is all there, but nothing in it tells its platform: " + strings.Join(untold, ", ")
	}
	return "holds what it says"
}

// remarks are the notes of all children.
func (v Verification) remarks() []string {
	names, notes := make([]string, len(v.Children)), make([][]string, len(v.Children))
	for i, c := range v.Children {
		names[i], notes[i] = c.Platform, c.Notes
	}
	return image.Remarks(names, notes)
}
