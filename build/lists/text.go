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
		fmt.Fprintln(t, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return t.Flush()
}

// size is a number of bytes for people, in the decimal units of registries.
func size(n int64) string {
	value, unit := float64(n), ""
	for _, unit = range []string{"B", "kB", "MB", "GB"} {
		if value < 1000 || unit == "GB" {
			break
		}
		value /= 1000
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// Warnings are those of all repositories.
func (c Created) Warnings() []string { return warnings(c.Published) }

// Warnings are those of all repositories.
func (c Copied) Warnings() []string { return warnings(c.Published) }

func warnings(published []Published) []string {
	var out []string
	for _, p := range published {
		out = append(out, p.Warnings...)
	}
	return out
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Write prints what happened to the tags, one a line, and what changed for those who pull.
func (p Published) Write(w io.Writer) error {
	for _, t := range p.Tags {
		if _, err := fmt.Fprintf(w, "%s:%s %s\n", p.Repository, t.Tag, t.describe(p)); err != nil {
			return err
		}
	}
	for _, line := range p.Diff.Lines() {
		if _, err := fmt.Fprintf(w, "  %s\n", visible(line)); err != nil {
			return err
		}
	}
	return nil
}

func (t TagMove) describe(p Published) string {
	switch {
	case t.Error != "":
		return "failed: " + t.Error
	case !t.Moved && t.Previous == p.Digest:
		return "is unchanged"
	case !t.Moved:
		return "was not moved"
	case t.Previous != "":
		return fmt.Sprintf("is %s, replacing %s", p.Digest, t.Previous)
	}
	return fmt.Sprintf("is %s, new", p.Digest)
}
