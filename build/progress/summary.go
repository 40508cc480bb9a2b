package progress

import (
	"io"
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

// Write prints the table and the reference.
func (s Summary) Write(w io.Writer) error { return nil }

// Markdown is the same for $GITHUB_STEP_SUMMARY.
func (s Summary) Markdown() string { return "" }
