package lists

import (
	"fmt"
	"io"
	"slices"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/build/progress"
)

// Write tells the walk, what was found with what to do, and the conclusion.
func (d Diagnosis) Write(w io.Writer) error {
	out := &drawing{w: w}
	out.line(0, "%s on %s", d.Reference, d.Platform)
	for _, step := range d.Steps {
		out.line(1, "%s", brief(step))
	}
	for _, p := range d.Programs {
		out.line(2, "%s", brief(p))
	}
	for _, f := range d.Findings {
		mark := "note:"
		if f.Fatal {
			mark = "WRONG:"
		}
		out.line(0, "%s %s", mark, brief(f.Says))
		if f.Cure != "" {
			out.line(1, "do: %s", brief(f.Cure))
		}
	}
	out.line(0, "%s", d.conclusion())
	return out.err
}

func (d Diagnosis) conclusion() string {
	switch {
	case !d.Runs:
		return fmt.Sprintf("it does not run on %s", d.Platform)
	case d.Verified:
		return fmt.Sprintf("it runs on %s", d.Platform)
	}
	return fmt.Sprintf("nothing speaks against it on %s", d.Platform)
}

// Err is the Diagnosis as an error: nil when it runs, otherwise an image.ErrRefused that
// refers to what Write has said.
func (d Diagnosis) Err() error {
	if d.Runs {
		return nil
	}
	return &unfitError{d}
}

// unfitError is an image that does not run.
type unfitError struct{ Diagnosis }

func (e *unfitError) Error() string {
	fatal := slices.DeleteFunc(slices.Clone(e.Findings), func(f Finding) bool { return !f.Fatal })
	return fmt.Sprintf("%s does not run on %s (%s): do what is said with it above", e.Reference, e.Platform, progress.Count(len(fatal), "reason", "reasons"))
}

func (e *unfitError) Is(target error) bool { return target == image.ErrRefused }
