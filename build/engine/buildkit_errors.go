package engine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
)

// explain turns the error of a solve into one that says what to do: the hook's
// own word first, then the caller's cancellation, then the step that failed.
func (r *kitSolve) explain(ctx context.Context, err error) error {
	if r.verdict != nil {
		return r.verdict
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	fault := r.steps.fault
	out := &StepError{Dockerfile: r.dockerfileName(), Line: faultLine(err), ExitCode: exitCode(err), Err: err}
	if fault != nil {
		out.Step = fault.Name
		out.Output = r.steps.tail(fault.Digest).String()
		if out.ExitCode == 0 {
			out.ExitCode = exitCodeIn(fault.Error)
		}
		if out.Line == 0 {
			out.Line = stepLine(r.Dockerfile, fault.Name)
		}
	}
	if fault == nil && out.Line == 0 {
		return fmt.Errorf("build %s: %w", r.dockerfileName(), err)
	}
	return out
}

// faultLine is the first line of the instruction at fault, 0 when the engine
// does not tell.
func faultLine(err error) int {
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
	found := regexp.MustCompile(`(?i)dockerfile parse error (?:on )?line (\d+)`).FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	line, _ := strconv.Atoi(found[1]) // digits only, and 0 is "unknown"
	return line
}

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
	found := regexp.MustCompile(`exit code: (\d+)`).FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	code, _ := strconv.Atoi(found[1])
	return code
}

// syntaxLine is the frontend that a Dockerfile asks for in its first comment
// lines, empty when it asks for none.
func syntaxLine(dockerfile []byte) string {
	for line := range strings.Lines(strings.TrimPrefix(string(dockerfile), "\ufeff")) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !ok {
			return ""
		}
		key, value, ok := strings.Cut(comment, "=")
		if !ok {
			return ""
		}
		if strings.EqualFold(strings.TrimSpace(key), "syntax") {
			ref, _, _ := strings.Cut(strings.TrimSpace(value), " ")
			return ref
		}
	}
	return ""
}

// failedSyntax gives ref back if the step that failed was the pull of this
// frontend.
func (s *steps) failedSyntax(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if ref == "" || err != nil || s.fault == nil {
		return ""
	}
	name := s.fault.Name
	pulls := strings.HasPrefix(name, "resolve image config for ") || strings.HasPrefix(name, "docker-image://")
	if pulls && strings.Contains(name, reference.TagNameOnly(named).String()) {
		return ref
	}
	return ""
}

// withoutSyntax builds with the engine's own frontend after the one that the
// Dockerfile names could not be pulled. If that fails to read the Dockerfile,
// the pull was the real fault.
func (r *kitSolve) withoutSyntax(ctx context.Context, syntax string, pull error) (Built, error) {
	r.steps.emit(Event{Kind: Notice, Text: fmt.Sprintf("the frontend %s of the syntax line could not be pulled; built with the engine's own (SYNTAX=builtin does so at once)", syntax)})
	r.steps.reset()
	r.Builtin = true
	built, err := r.try(ctx)
	if err != nil && r.verdict == nil && r.steps.fault == nil {
		return Built{}, fmt.Errorf("the engine's own frontend cannot build it either: %w; the pull of %s: %w", err, syntax, pull)
	}
	return built, err
}
