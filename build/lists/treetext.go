package lists

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/manymage/manymage/build/progress"
)

// Write draws the tree for people.
func (t Tree) Write(w io.Writer) error {
	d := &drawing{w: w}
	d.line(0, "%s", t.Reference)
	d.line(0, "%s, %s, %s", t.Digest, brief(t.MediaType), progress.Size(t.Size))
	for _, step := range t.Steps {
		d.line(1, "%s", step)
	}
	if t.ArtifactType != "" {
		d.line(1, "artifact type %s", brief(t.ArtifactType))
	}
	d.values(1, "annotation", t.Annotations)
	for _, l := range t.Images {
		l.draw(d)
	}
	for _, r := range t.Referrers {
		d.line(1, "referrer %s %s of %s", r.Digest, brief(r.ArtifactType), r.Subject)
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
		_, d.err = fmt.Fprintln(d.w, strings.TrimRight(strings.Repeat("  ", depth)+oneLine(fmt.Sprintf(format, args...)), " "))
	}
}

func (d *drawing) values(depth int, what string, values map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		d.line(depth, "%s %s=%s", what, brief(key), brief(values[key]))
	}
}

// brief keeps what a registry serves from filling the screen.
func brief(s string) string {
	const most = 200
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return s
}

// several names some of many.
func several(names []string) string {
	const most = 10
	if len(names) > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// oneLine keeps what a registry serves in its line and cell. Who prints it makes the rest harmless.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("\t\n\v\f\r", r) {
			return ' '
		}
		return r
	}, s)
}

func (l Leaf) draw(d *drawing) {
	d.line(0, "")
	d.line(1, "%s", brief(cmp.Or(l.Platform, "no image")))
	for _, p := range l.Problems {
		d.line(2, "PROBLEM %s", brief(p))
	}
	d.line(2, "%s", l.Digest)
	about := []string{progress.Size(l.Size), progress.Count(len(l.Layers), "layer", "layers")}
	if l.Created != nil {
		about = append(about, "created "+l.Created.UTC().Format(time.RFC3339))
	}
	d.line(2, "%s", strings.Join(about, ", "))
	if len(l.Entrypoint)+len(l.Cmd) > 0 {
		d.line(2, "runs %s", brief(strings.Join(append(slices.Clone(l.Entrypoint), l.Cmd...), " ")))
	}
	if l.User != "" {
		d.line(2, "as %s", brief(l.User))
	}
	for _, layer := range l.Layers {
		d.line(2, "layer %s %s", layer.Digest, progress.Size(layer.Size))
	}
	d.values(2, "label", l.Labels)
	d.values(2, "annotation", l.Annotations)
	for _, a := range l.Attestations {
		d.line(2, "attestation %s %s %s", a.Digest, progress.Size(a.Size), brief(strings.Join(a.Predicates, " ")))
	}
}
