package lists

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Write draws the tree for people.
func (t Tree) Write(w io.Writer) error {
	d := &drawing{w: w}
	d.line(0, "%s", t.Reference)
	d.line(0, "%s, %s, %s", t.Digest, printable(t.MediaType), size(t.Size))
	for _, step := range t.Steps {
		d.line(1, "%s", visible(step))
	}
	if t.ArtifactType != "" {
		d.line(1, "artifact type %s", printable(t.ArtifactType))
	}
	d.values(1, "annotation", t.Annotations)
	for _, l := range t.Images {
		l.draw(d)
	}
	for _, r := range t.Referrers {
		d.line(1, "referrer %s %s of %s", r.Digest, printable(r.ArtifactType), r.Subject)
	}
	return d.err
}

// drawing writes indented lines and keeps the first error.
type drawing struct {
	w   io.Writer
	err error
}

func (d *drawing) line(depth int, format string, args ...any) {
	if d.err == nil {
		_, d.err = fmt.Fprintln(d.w, strings.TrimRight(strings.Repeat("  ", depth)+fmt.Sprintf(format, args...), " "))
	}
}

func (d *drawing) values(depth int, what string, values map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		d.line(depth, "%s %s=%s", what, printable(key), printable(values[key]))
	}
}

// printable keeps what a registry serves from moving the cursor or filling the screen.
func printable(s string) string {
	const most = 200
	clean := visible(s)
	if runes := []rune(clean); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return clean
}

// visible keeps what a registry serves from moving the cursor.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

func (l Leaf) draw(d *drawing) {
	d.line(0, "")
	d.line(1, "%s", printable(l.Platform))
	for _, p := range l.Problems {
		d.line(2, "PROBLEM %s", printable(p))
	}
	d.line(2, "%s", l.Digest)
	about := []string{size(l.Size), plural(len(l.Layers), "layer", "layers")}
	if l.Created != nil {
		about = append(about, "created "+l.Created.UTC().Format(time.RFC3339))
	}
	d.line(2, "%s", strings.Join(about, ", "))
	if len(l.Entrypoint)+len(l.Cmd) > 0 {
		d.line(2, "runs %s", printable(strings.Join(append(slices.Clone(l.Entrypoint), l.Cmd...), " ")))
	}
	if l.User != "" {
		d.line(2, "as %s", printable(l.User))
	}
	for _, layer := range l.Layers {
		d.line(2, "layer %s %s", layer.Digest, size(layer.Size))
	}
	d.values(2, "label", l.Labels)
	d.values(2, "annotation", l.Annotations)
	for _, a := range l.Attestations {
		d.line(2, "attestation %s %s %s", a.Digest, size(a.Size), printable(strings.Join(a.Predicates, " ")))
	}
}
