package registry

import "errors"

// What went wrong, for errors.Is.
var (
	ErrNotFound     = errors.New("not found")           // the registry said 404; nothing else is this
	ErrUnauthorized = errors.New("not authorized")      // 401 or 403: credentials are missing, wrong or without the right
	ErrDenied       = errors.New("registry refuses")    // immutable tag, quota, deletion disabled: asking again will not help
	ErrUnreachable  = errors.New("cannot reach")        // no answer, or only failing ones, for as long as Options.Retry
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

func (e *Error) Error() string { return e.Op + " " + e.Ref + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }
