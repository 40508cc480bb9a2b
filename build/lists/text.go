package lists

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// columns prints rows with their cells under each other. Empty cells at a row's end are left
// out.
func columns(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = oneLine(cell)
		}
		fmt.Fprintln(t, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	return t.Flush()
}

// Warnings are those of all repositories.
func (c Created) Warnings() []string { return warnings(c.Published) }

// Warnings are those of all repositories.
func (c Copied) Warnings() []string { return warnings(c.Published) }

// Image is the first reference that names the list; empty where nothing was published.
func (c Created) Image() string { return first(c.Published) }

// Image is the first reference that names the copy.
func (c Copied) Image() string { return first(c.Published) }

func first(published []Published) string {
	if len(published) == 0 || len(published[0].Tags) == 0 {
		return ""
	}
	return published[0].Repository + ":" + published[0].Tags[0].Tag
}

func warnings(published []Published) []string {
	var out []string
	for _, p := range published {
		out = append(out, p.Warnings...)
	}
	return out
}

// Write prints what happened to the tags, one a line, and what changed for those who pull.
func (p Published) Write(w io.Writer) error {
	d := &drawing{w: w}
	for _, t := range p.Tags {
		d.line(0, "%s:%s %s", p.Repository, t.Tag, t.describe(p))
	}
	for _, line := range p.Diff.Lines() {
		d.line(1, "%s", line)
	}
	return d.err
}

func (t TagMove) describe(p Published) string {
	switch {
	case t.Error != "":
		return "failed: " + t.Error
	case t.Kept != "":
		return "stays on " + t.Kept
	case !t.Moved && t.Previous == p.Digest:
		return "is unchanged"
	case !t.Moved:
		return "was not moved"
	case t.Previous != "":
		return fmt.Sprintf("is %s, replacing %s", p.Digest, t.Previous)
	}
	return fmt.Sprintf("is %s, new", p.Digest)
}
