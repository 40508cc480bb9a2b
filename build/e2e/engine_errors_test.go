package e2e

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/engine"
)

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }

func TestEngineNamesTheStepThatFailed(t *testing.T) {
	reg := Plain(t)
	dockerfile := "FROM " + Busybox(t, reg) + ` AS deps
RUN true

FROM deps
# the next one fails
RUN echo to-stdout && \
    echo to-stderr >&2 && \
    exit 7
`
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		_, _, err := job{Solve: engine.Solve{Dockerfile: []byte(dockerfile), DockerfileName: "ci/Dockerfile.x"}}.build(t, e)
		var step *engine.StepError
		if !errors.As(err, &step) {
			t.Fatalf("got %v", err)
		}
		if step.Line != 6 || step.ExitCode != 7 || step.Dockerfile != "ci/Dockerfile.x" || !strings.Contains(step.Step, "RUN echo to-stdout") {
			t.Errorf("got %+v", step)
		}
		for _, want := range []string{"to-stdout", "to-stderr"} {
			if !strings.Contains(step.Output, want) {
				t.Errorf("the output lacks %q: %q", want, step.Output)
			}
		}
	})
}

func TestEngineNamesWhatIsWrongInADockerfile(t *testing.T) {
	for _, one := range []struct {
		name, dockerfile string
		line             int
		words            string
	}{
		{"an unknown instruction", "FROM scratch\nCOPPY a /\n", 2, "(?i)unknown instruction: COPPY"},
		{"a missing file", "FROM scratch\n\nCOPY nothing-here /\n", 3, `the context \S+ has no nothing-here; correct the path`},
		{"a missing base", "FROM 127.0.0.1:1/no/such:1\n", 1, "connection refused"},
		{"no instruction", "# only a comment\n", 1, "file with no instructions"},
	} {
		t.Run(one.name, func(t *testing.T) {
			EachOpen(t, func(t *testing.T, e *engine.Engine) {
				_, _, err := job{Solve: engine.Solve{Dockerfile: []byte(one.dockerfile)}}.build(t, e)
				if err == nil || !matches(one.words, err.Error()) {
					t.Errorf("got %v", err)
				}
				var step *engine.StepError
				if errors.As(err, &step); step != nil && step.Line != one.line || step == nil && one.line != 0 {
					t.Errorf("got line %+v, want %d: %v", step, one.line, err)
				}
			})
		})
	}
}

func TestEngineDoesWithoutASyntaxThatCannotBePulled(t *testing.T) {
	const syntax = "# syntax=127.0.0.1:1/docker/dockerfile:1\n"
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		_, told, err := job{Solve: engine.Solve{Dockerfile: []byte(syntax + "FROM scratch\nLABEL a=b\n")}}.build(t, e)
		if err != nil || !strings.Contains(notices(told), "127.0.0.1:1/docker/dockerfile:1") {
			t.Errorf("got %v, told %q", err, notices(told))
		}
		_, told, err = job{Solve: engine.Solve{Dockerfile: []byte(syntax + "FROM scratch\nLABEL a=b\n"), Builtin: true}}.build(t, e)
		if err != nil || notices(told) != "" {
			t.Errorf("builtin: got %v, told %q", err, notices(told))
		}
		_, _, err = job{Solve: engine.Solve{Dockerfile: []byte(syntax + "FROM scratch\nFUTURE a=b\n")}}.build(t, e)
		if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1/docker/dockerfile:1") || !strings.Contains(err.Error(), "FUTURE") {
			t.Errorf("a Dockerfile that needs it: got %v", err)
		}
		_, told, err = job{Solve: engine.Solve{Dockerfile: []byte(syntax + "# check=error=true\nFROM scratch as one\nLABEL a=b\n")}}.build(t, e)
		if err == nil || !strings.HasPrefix(err.Error(), "Dockerfile: lint violation found for rules: FromAsCasing; ") ||
			!strings.Contains(notices(told), "127.0.0.1:1/docker/dockerfile:1") {
			t.Errorf("a lint violation: got %v, told %q", err, notices(told))
		}
	})
}

func TestEngineStopsWhenTold(t *testing.T) {
	reg := Plain(t)
	dockerfile := "FROM " + Busybox(t, reg) + "\nRUN echo sleeping && sleep 600\n"
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		onEvent := func(event engine.Event) {
			if out, ok := event.(engine.Output); ok && strings.Contains(out.Text, "sleeping") {
				cancel()
			}
		}
		b := starts(t, e, engine.Context{})
		_, err := b.Solve(ctx, engine.Solve{Dockerfile: []byte(dockerfile), NoCache: true}, nil, onEvent)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if _, err := b.Solve(t.Context(), engine.Solve{Dockerfile: []byte("FROM scratch\nLABEL a=b\n")}, nil, nil); err != nil {
			t.Errorf("the session did not outlive a cancelled solve: %v", err)
		}
	})
}

func TestEngineRefusesWhatItCannotPush(t *testing.T) {
	private := Private(t)
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		build := func(ref string) string {
			t.Helper()
			if _, _, err := (job{Solve: engine.Solve{Dockerfile: []byte("FROM scratch\nLABEL a=b\n"), Tags: []string{ref}}}).build(t, e); err != nil {
				t.Fatal(err)
			}
			return ref
		}
		for _, one := range []struct {
			name, ref string
			want      error
		}{
			{"not built", private.Host + "/no/such:1", engine.ErrNotFound},
			{"no registry", build("127.0.0.1:1/a/b:1"), engine.ErrRegistryUnreachable},
			{"no credentials", build(private.Repo(t) + ":1"), engine.ErrUnauthorized},
		} {
			if _, err := e.Push(t.Context(), one.ref, nil); !errors.Is(err, one.want) {
				t.Errorf("%s: got %v, want %v", one.name, err, one.want)
			}
		}
	})
}
