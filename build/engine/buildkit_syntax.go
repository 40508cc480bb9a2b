package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// syntax is the frontend image that the Dockerfile asks for in its first
// comment lines, or a build argument asks for, and its command line. Empty when
// none does or it is not to be obeyed.
func (s Solve) syntax() (ref, cmdline string) {
	if s.Builtin {
		return "", ""
	}
	if cmdline = s.BuildArgs["BUILDKIT_SYNTAX"]; cmdline != "" {
		ref, _, _ = strings.Cut(strings.TrimSpace(cmdline), " ")
		return ref, cmdline
	}
	ref, cmdline, _, _ = parser.DetectSyntax(s.Dockerfile)
	return ref, cmdline
}

// failedPull tells whether the step that failed was the pull of this frontend.
func (s *steps) failedPull(ref string) bool {
	named, err := reference.ParseNormalizedNamed(ref)
	if ref == "" || err != nil || s.fault == nil {
		return false
	}
	name := s.fault.Name
	pulls := strings.HasPrefix(name, "resolve image config for ") || strings.HasPrefix(name, "docker-image://")
	return pulls && strings.Contains(name, reference.TagNameOnly(named).String())
}

// withoutSyntax builds with the frontend in this process after the one that the
// Dockerfile names could not be pulled. If that cannot read the Dockerfile, the
// pull was the real fault.
func (r *kitSolve) withoutSyntax(ctx context.Context, syntax string, pull error) (Built, error) {
	r.steps.emit(Event{Kind: Notice, Text: fmt.Sprintf("the frontend %s of the syntax line could not be pulled; built without it, as SYNTAX=builtin does at once", syntax)})
	r.steps.reset()
	r.failure = nil
	r.Builtin = true
	built, err := r.try(ctx)
	if err != nil && r.verdict == nil && r.failure != nil && r.steps.fault == nil {
		return Built{}, fmt.Errorf("it cannot be built without %s: %w; the pull: %w", syntax, err, pull)
	}
	return built, err
}
