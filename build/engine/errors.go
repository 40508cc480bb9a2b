package engine

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/docker/docker/client"
)

// Sentinels for errors.Is.
var (
	// ErrUnreachable: no engine answers. The message says what to do.
	ErrUnreachable = errors.New("no container engine answers")
	// ErrNone is the ErrUnreachable of which no engine was named and none is there: neither chosen nor closed to this user.
	ErrNone = fmt.Errorf("%w", ErrUnreachable)
	// ErrTooOld: the engine's API is older than 1.41 (Docker 20.10).
	ErrTooOld = errors.New("the container engine is too old")
	// ErrNotFound: the engine has no such image.
	ErrNotFound = errors.New("no such image in the engine")
	// ErrContext: the build context or the Dockerfile cannot be used as given.
	ErrContext = errors.New("unusable build context")
	// ErrUnsupported: this engine or this road cannot do what was asked.
	ErrUnsupported = errors.New("not possible on this engine")
	// ErrNoImage: no registry has the image that a build starts or copies from.
	ErrNoImage = errors.New("no such image")
	// ErrNoPlatform: the image that a build starts or copies from is not there for the platform.
	ErrNoPlatform = errors.New("no image for the platform")
	// ErrUnauthorized: the registry wants other credentials. From Push.
	ErrUnauthorized = errors.New("the registry refuses these credentials")
	// ErrRegistryUnreachable: the engine cannot talk to the registry. From Push.
	ErrRegistryUnreachable = errors.New("the registry does not answer the engine")
	// ErrTagRefused: the registry keeps the tag as it is. From Push.
	ErrTagRefused = errors.New("the tag cannot be moved")
	// ErrManifestRefused: the registry took all but the tag, and the engine does
	// not tell why. From Push. If there was such a tag, this is why.
	ErrManifestRefused = errors.New("the registry refuses the tag")
)

// gone tells an engine that has gone away in the middle of something from what else may be wrong.
func (e *Engine) gone(err error) error {
	if !client.IsErrConnectionFailed(err) && !errors.Is(err, errCutOff) {
		return err
	}
	return e.lost(err)
}

// lost is the error of an engine that has gone away.
func (e *Engine) lost(err error) error {
	return fmt.Errorf("%w any more at %s: %w; look into its log and run this again", ErrUnreachable, e.info.Address, err)
}

// StepError is a build step that failed.
type StepError struct {
	Step       string // "[build 2/4] RUN make"; empty when the Dockerfile cannot be read
	Dockerfile string // its name
	Line       int    // where the step stands, 0 when unknown
	ExitCode   int    // of its program, 0 when it never ran
	Output     string // the last lines that it wrote
	Cure       string // what to do, where that is known
	Says       string // instead of Err's words
	Err        error
}

func (e *StepError) Unwrap() error { return e.Err }

// Error names the place, the step, what went wrong and what to do. Output is
// left to the display.
func (e *StepError) Error() string {
	text := e.Dockerfile
	if e.Line > 0 {
		text = fmt.Sprintf("%s:%d", e.Dockerfile, e.Line)
	}
	if e.Step != "" {
		text += ": " + e.Step
	}
	if e.ExitCode != 0 {
		text += fmt.Sprintf(" failed with exit code %d", e.ExitCode)
	} else {
		text += ": " + cmp.Or(e.Says, e.Err.Error())
	}
	if e.Cure != "" {
		text += "; " + e.Cure
	}
	return text
}

// PushError is a push that the registry or the engine refused.
type PushError struct {
	Ref     string
	Message string // what the engine said
	Err     error
}

func (e *PushError) Unwrap() error { return e.Err }

func (e *PushError) Error() string { return fmt.Sprintf("push %s: %s", e.Ref, e.Message) }
