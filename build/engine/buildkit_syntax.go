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

// noInputs is how an engine says that a frontend image is from before 2020,
// when frontends looked for the context themselves.
const noInputs = "unsupported frontend capability moby.buildkit.frontend.inputs"

// unusable says in what way the frontend that was asked for is of no use here,
// and nothing when the solve failed for another reason.
func (r *kitSolve) unusable(ref string, err error) string {
	switch {
	case ref == "" || err == nil || r.verdict != nil:
		return ""
	case r.steps.failedPull(ref):
		return "could not be pulled"
	case strings.Contains(err.Error(), noInputs):
		return "is too old to be given a build context"
	}
	return ""
}

// failedPull tells whether the step that failed was the pull of this frontend.
func (s *steps) failedPull(ref string) bool {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil || s.fault == nil {
		return false
	}
	name := s.fault.Name
	pulls := strings.HasPrefix(name, "resolve image config for ") || strings.HasPrefix(name, "docker-image://")
	return pulls && strings.Contains(name, reference.TagNameOnly(named).String())
}

// withoutSyntax builds with the frontend in this process instead of the one
// that the Dockerfile names. If that cannot read the Dockerfile, why the other
// was of no use is the real fault; one that reads it and finds what the user
// does not allow has done its work.
func (r *kitSolve) withoutSyntax(ctx context.Context, syntax, why string, first error) (Built, error) {
	r.steps.emit(Notice{fmt.Sprintf("the frontend %s of the syntax line %s; built without it, as SYNTAX=builtin does at once", syntax, why)})
	r.steps.reset()
	r.failure = nil
	r.Builtin = true
	built, err := r.try(ctx)
	if err != nil && r.verdict == nil && r.failure != nil && r.steps.fault == nil && !isViolation(r.failure) {
		return Built{}, fmt.Errorf("it cannot be built without %s: %w; which %s: %w", syntax, err, why, first)
	}
	return built, err
}
