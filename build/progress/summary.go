package progress

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Row is what became of one platform.
type Row struct {
	Platform string
	Verdict  string
	Strategy string
	Size     int64  // bytes of the image in the registry (compressed) or in the engine; 0: not known
	Digest   string // of the platform's manifest, or of its config when nothing was pushed
	Time     time.Duration
	Note     string // "already there" and the like; the column appears only if a row has one
}

// Summary is what a run ends with: the table and the one reference to pull.
type Summary struct {
	Rows      []Row
	Reference string // empty: nothing was published
	Digest    string // of the index
	Took      time.Duration
}

// Write prints the table, and after an empty line the digest of the index and, last and alone on its line, the reference.
func (s Summary) Write(w io.Writer) error {
	if err := s.table(short).Write(w); err != nil {
		return err
	}
	var b strings.Builder
	if s.Digest != "" {
		b.WriteString("index " + Clean(s.Digest))
		if s.Took > 0 {
			b.WriteString(", " + Duration(s.Took))
		}
		b.WriteString("\n")
	}
	if s.Reference != "" {
		b.WriteString(Clean(s.Reference) + "\n")
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(w, "\n"+b.String())
	return err
}

// Markdown is the same for $GITHUB_STEP_SUMMARY, with whole digests.
func (s Summary) Markdown() string {
	var b strings.Builder
	if s.Reference != "" {
		fmt.Fprintf(&b, "### %s\n\n", code(s.Reference))
	}
	b.WriteString(s.table(func(digest string) string { return digest }).Markdown())
	if s.Digest != "" {
		fmt.Fprintf(&b, "\nIndex %s\n", code(s.Digest))
	}
	if s.Reference != "" {
		fmt.Fprintf(&b, "\n```sh\ndocker pull %s\n```\n", strings.ReplaceAll(Clean(s.Reference), "`", ""))
	}
	return b.String()
}

func (s Summary) table(digest func(string) string) Table {
	t := Table{Header: []string{"PLATFORM", "VERDICT", "STRATEGY", "SIZE", "DIGEST", "TIME", "NOTE"}, Right: []int{3, 5}}
	for _, r := range s.Rows {
		size, took := "", ""
		if r.Size > 0 {
			size = Size(r.Size)
		}
		if r.Time > 0 {
			took = Duration(r.Time)
		}
		t.Add(r.Platform, r.Verdict, r.Strategy, size, digest(r.Digest), took, r.Note)
	}
	return t
}

// short is the part of a digest that people compare, so that a table fits on 80 columns: the algorithm and twelve digits.
func short(digest string) string {
	const digits = 12
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok || len(hex) <= digits {
		return digest
	}
	return algorithm + ":" + hex[:digits]
}

// code is an inline code span.
func code(s string) string { return "`" + strings.ReplaceAll(Clean(s), "`", "") + "`" }
