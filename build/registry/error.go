package registry

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What went wrong, for errors.Is.
var (
	ErrNotFound     = errors.New("not found")           // the registry said 404; nothing else is this
	ErrUnauthorized = errors.New("not authorized")      // 401 or 403: credentials are missing, wrong or without the right
	ErrDenied       = errors.New("registry refuses")    // immutable tag, quota, deletion disabled: asking again will not help
	ErrUnexpected   = errors.New("unexpected answer")   // to who only reads, one that no registry should give: a 501, a redirect to plain HTTP
	ErrUnreachable  = errors.New("cannot be reached")   // no answer, or only failing ones, for as long as Options.Retry
	ErrCorrupt      = errors.New("corrupt content")     // size, digest or type are not what was asked for
	ErrUnsupported  = errors.New("unsupported content") // Docker schema 1, an oversized manifest, a layer that is not distributed
)

// Error is a failed operation: what was done to what, and how the registry answered.
type Error struct {
	Op     string // "get manifest", "put blob", ...
	Ref    string // the reference, or repository@digest, that it was about
	Status int    // the HTTP status of the last answer; 0 when there was none
	Err    error  // one of the sentinels, with what the registry said
}

func (e *Error) Error() string {
	return strings.TrimSpace(e.Op+" "+e.Ref) + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// persistence is how long it makes sense to try again after a failure.
type persistence int

const (
	never   persistence = iota // the answer is clear
	few                        // it may have been an accident of the line, and may be lasting: a handful of tries
	contact                    // nobody has answered there yet: a wrong name more likely than a restart
	bounded                    // for as long as Options.Retry
)

// failure is one failed try: what it was, and whether another one may help.
type failure struct {
	err    error
	status int
	again  persistence
	after  string        // the Retry-After header, verbatim
	waited time.Duration // for an answer that did not come
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// refusal is a failure that no further try will mend.
func refusal(kind error, format string, args ...any) *failure {
	return &failure{err: fmt.Errorf("%w: %w", kind, fmt.Errorf(format, args...))}
}

// corrupt is content that is not what it has to be; a line that flips bits deserves a few more tries.
func corrupt(format string, args ...any) *failure {
	return &failure{err: fmt.Errorf("%w: %w", ErrCorrupt, fmt.Errorf(format, args...)), again: few}
}

func asFailure(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return &failure{err: err}
}
