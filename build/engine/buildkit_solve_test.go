package engine

import (
	"testing"

	"github.com/moby/buildkit/session"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Docker from 28 on takes its own platform for what was wanted where nothing is said, and warns of every other.
func TestTheEngineIsToldWhatTheResultWillBe(t *testing.T) {
	arm := ocispec.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	r := &kitSolve{Solve: Solve{Platform: arm}, builder: &kitBuilder{session: &session.Session{}}, steps: newSteps(nil, nil)}
	if got := r.job().request("ref").FrontendAttrs["platform"]; got != "linux/arm/v7" {
		t.Errorf("the engine was told %q", got)
	}
}
