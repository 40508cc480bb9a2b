package e2e

import (
	"strings"
	"testing"
)

// What only BuildKit builds is refused before anything is built, by file and line, and plan says the same.
func TestClassicRefusalIsPlanned(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch AS one\nCOPY --chmod=755 Dockerfile /\n" +
		"FROM one\nRUN --mount=type=cache,target=/a \\\n  true\nFROM scratch AS last\nCOPY <<EOF /x\nx\nEOF\n", "token": "x"})
	classic := With(e, "DOCKER_BUILDKIT=0")
	words := []string{"IMG=" + reg.Repo(t), "VERSION=1", "ARCHES=amd64 arm64"}
	built := Run(t, dir, classic, append(words, "build")...).Exits(t, 2)
	first, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(built.Stderr), "Error: "), "\n")
	if !strings.HasSuffix(first, "these lines want BuildKit (DOCKER_BUILDKIT=0):") {
		t.Errorf("build says %q", built.Stderr)
	}
	lines := strings.Split(rest, "\n")
	want := []string{"  Dockerfile:2: COPY --chmod", "  Dockerfile:4: RUN --mount", "  Dockerfile:7: COPY heredoc"}
	if len(lines) != len(want)+1 || strings.Join(lines[:len(want)], "\n") != strings.Join(want, "\n") {
		t.Errorf("lines %q, want %q and what to do", lines, want)
	}
	planned := Run(t, dir, classic, append(words, "plan")...).Exits(t, 0).Says(t, "will refuse: "+first)
	for _, line := range lines {
		planned.Says(t, "── "+strings.TrimSpace(line)+"\n")
	}
	Run(t, dir, classic, append(words, "plan", "TARGET=one", "SECRETS=x=token")...).Exits(t, 0).Says(t, "Dockerfile:2: COPY --chmod", "will refuse: not possible on this engine: the classic builder has no secrets",
		"Dockerfile:7: COPY heredoc"). // which this builder reads below the target, too
		Hides(t, "RUN --mount")
	Run(t, dir, With(e), append(words, "plan")...).Exits(t, 0).Hides(t, "will refuse: not possible")
	Run(t, dir, With(Engine(t, Podman)), append(words, "plan")...).Exits(t, 0).Hides(t, "Dockerfile:2: COPY", "Dockerfile:4: RUN").
		Says(t, "these lines want BuildKit (Podman has no BuildKit):", "── Dockerfile:7: COPY heredoc\n")
}
