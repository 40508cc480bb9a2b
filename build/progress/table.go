package progress

import "io"

// Table writes aligned columns. The zero value is an empty table.
type Table struct {
	Header []string // nil: none
	Rows   [][]string
	Right  []int // columns that are flush right, such as sizes
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Write prints the table with two spaces between columns and none at the end of a line. Control characters in cells are
// made visible (see Clean). Columns that are empty in every row are left out, with their header.
func (t Table) Write(w io.Writer) error { return nil }

// Markdown is the table in GitHub's dialect, with cells escaped.
func (t Table) Markdown() string { return "" }
