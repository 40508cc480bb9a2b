package progress

import (
	"io"
	"slices"
	"strings"
)

// Table writes aligned columns. The zero value is an empty table.
type Table struct {
	Header []string // nil: none
	Rows   [][]string
	Right  []int // columns that are flush right, such as sizes
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// gap stands between two columns.
const gap = "  "

// Write prints the table with two spaces between columns and none at the end of a line. Control characters in cells are
// made visible (see Clean). Columns that are empty in every row are left out, with their header.
func (t Table) Write(w io.Writer) error {
	lines := t.lines()
	keep, widths := measure(lines, len(t.Rows))
	var b strings.Builder
	for _, line := range lines {
		var cells []string
		for _, c := range keep {
			if slices.Contains(t.Right, c) {
				cells = append(cells, padLeft(line[c], widths[c]))
				continue
			}
			cells = append(cells, pad(line[c], widths[c]))
		}
		b.WriteString(strings.TrimRight(strings.Join(cells, gap), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// namesAndMeanings is what Within leaves of a table in any case: a terminal may wrap that, but it is of use.
const namesAndMeanings = 2

// Within is the table without those last columns that do not fit on a terminal of so many columns, which would wrap each line;
// 0 or less: there is none, and everything fits.
func (t Table) Within(columns int) Table {
	lines := t.lines()
	keep, widths := measure(lines, len(t.Rows))
	used := 0
	for i, c := range keep {
		used += widths[c]
		if columns > 0 && i >= namesAndMeanings && used > columns {
			return t.first(c)
		}
		used += len(gap)
	}
	return t
}

// first is the table's first n columns.
func (t Table) first(n int) Table {
	out := Table{Header: t.Header[:min(n, len(t.Header))], Right: t.Right}
	for _, row := range t.Rows {
		out.Add(row[:min(n, len(row))]...)
	}
	return out
}

// Markdown is the table in GitHub's dialect, with cells escaped.
func (t Table) Markdown() string {
	lines := t.lines()
	keep, _ := measure(lines, len(t.Rows))
	if len(t.Rows) == 0 {
		return ""
	}
	var b strings.Builder
	if t.Header == nil {
		lines = append([][]string{make([]string, len(lines[0]))}, lines...)
	}
	for i, line := range lines {
		for _, c := range keep {
			b.WriteString("| " + markdown(line[c]) + " ")
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(t.rule(keep) + "\n")
		}
	}
	return b.String()
}

func (t Table) rule(keep []int) string {
	var b strings.Builder
	for _, c := range keep {
		if slices.Contains(t.Right, c) {
			b.WriteString("|---:")
			continue
		}
		b.WriteString("|---")
	}
	return b.String() + "|"
}

// lines are header and rows, clean and all of the same length.
func (t Table) lines() [][]string {
	all := t.Rows
	if t.Header != nil {
		all = append([][]string{t.Header}, t.Rows...)
	}
	n := 0
	for _, line := range all {
		n = max(n, len(line))
	}
	out := make([][]string, len(all))
	for i, line := range all {
		out[i] = make([]string, n)
		for j, cell := range line {
			out[i][j] = strings.ReplaceAll(Clean(cell), "\t", " ")
		}
	}
	return out
}

// measure finds the columns that some row fills, and how wide they are. The rows are the last lines.
func measure(lines [][]string, rows int) (keep, widths []int) {
	if len(lines) == 0 {
		return nil, nil
	}
	widths = make([]int, len(lines[0]))
	filled := make([]bool, len(widths))
	for i, line := range lines {
		for c, cell := range line {
			widths[c] = max(widths[c], columns(cell))
			filled[c] = filled[c] || cell != "" && i >= len(lines)-rows
		}
	}
	for c := range filled {
		if filled[c] || rows == 0 {
			keep = append(keep, c)
		}
	}
	return keep, widths
}

// markdown escapes what has a meaning inside a cell of a GitHub table.
func markdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "&", "&amp;", "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`).Replace(s)
}
