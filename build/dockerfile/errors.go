package dockerfile

import "fmt"

// Error is something wrong with a Dockerfile, at a line (0: with the whole file).
type Error struct {
	Name string
	Line int
	Err  error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// NoStageError is a target that is no stage's name.
type NoStageError struct {
	Target string
	Cure   string // which names there are
}

func (e *NoStageError) Error() string { return "no stage is called " + e.Target + ": " + e.Cure }
