package engine

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"
)

// explain turns the error of a solve into one that says what to do: a context
// that could not be read first, the hook's own word, then the caller's cancellation, then the step that failed.
func (r *kitSolve) explain(ctx context.Context, err error) error {
	fault := r.builder.fault.Load()
	switch {
	case fault != nil:
		return *fault
	case r.verdict != nil && !isCancelled(r.verdict):
		return r.verdict
	case ctx.Err() != nil:
		return ctx.Err()
	case r.failure != nil && !isCancelled(r.failure):
		err = r.failure
	}
	if r.steps.fault == nil && grpcerrors.Code(err) == codes.Unavailable {
		return r.builder.kit.engine.lost(err)
	}
	out := &StepError{Dockerfile: r.dockerfileName(), Line: faultLine(err), ExitCode: exitCode(err), Err: plainError{err}}
	if fault := r.steps.fault; fault != nil {
		out.blame(fault.Name, fault.Error, r.steps.tail(fault.Digest).String(), r.Dockerfile)
		r.steps.place(out.Line)
	}
	return out.recognized(r.builder.given)
}

// isCancelled tells an error that another one caused: when one half of a solve
// fails, the other is cancelled.
func isCancelled(err error) bool {
	return errors.Is(err, context.Canceled) || grpcerrors.Code(err) == codes.Canceled
}

// blame fills in what the status tells and the error does not.
func (e *StepError) blame(name, text, output string, dockerfile []byte) {
	e.Step, e.Output = strings.TrimPrefix(name, "[internal] "), output
	if e.ExitCode == 0 {
		e.ExitCode = exitCodeIn(text)
	}
	if e.Line == 0 {
		e.Line = stepLine(dockerfile, name)
	}
}

// plainError says what an engine's error says without the layers that it went
// through.
type plainError struct{ error }

func (e plainError) Unwrap() error { return e.error }

// Error leaves out the frames of the engine's own calls.
func (e plainError) Error() string {
	text := e.error.Error()
	for cut := true; cut; {
		for _, frame := range frames {
			text, cut = strings.CutPrefix(text, frame)
			if cut {
				break
			}
		}
	}
	return text
}

var frames = []string{
	"failed to solve with frontend dockerfile.v0: ",
	"failed to solve with frontend gateway.v0: ",
	"failed to solve: ",
	"failed to create LLB definition: ",
	"failed to build LLB: ",
	"rpc error: code = Unknown desc = ",
	"Error response from daemon: ",
}

// faultLine is the first line of the instruction at fault, 0 when nobody tells.
func faultLine(err error) int {
	var located *parser.LocationError
	if errors.As(err, &located) && len(located.Locations) > 0 && len(located.Locations[0]) > 0 {
		return located.Locations[0][0].Start.Line
	}
	for _, source := range errdefs.Sources(err) {
		for _, at := range source.Ranges {
			if at.Start != nil && at.Start.Line > 0 {
				return int(at.Start.Line)
			}
		}
	}
	return lineIn(err.Error())
}

// lineIn finds the line in the words of an engine that sends nothing better:
// "dockerfile parse error line 3: ...".
func lineIn(text string) int {
	found := parseErrorLine().FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	line, _ := strconv.Atoi(found[1]) // digits only, and 0 is "unknown"
	return line
}

var parseErrorLine = pattern(`(?i)dockerfile parse error (?:on )?line (\d+)`)

func exitCode(err error) int {
	var exit *gatewaypb.ExitError
	if errors.As(err, &exit) {
		return int(exit.ExitCode)
	}
	return exitCodeIn(err.Error())
}

// exitCodeIn reads the code from words such as "did not complete successfully:
// exit code: 2".
func exitCodeIn(text string) int {
	found := exitWords().FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	code, _ := strconv.Atoi(found[1])
	return code
}

var exitWords = pattern(`exit code: (\d+)`)
