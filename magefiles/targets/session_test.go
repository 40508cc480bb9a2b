package targets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manymage/manymage/build"
	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/progress"
)

// What ended a run is told, rather than that something was cancelled; an error of its own stays what it is.
func TestBecause(t *testing.T) {
	ended, end := context.WithCancelCause(t.Context())
	end(errors.New("interrupt signal received"))
	mages, cancel := context.WithCancel(t.Context())
	cancel() // which Mage does for Ctrl-C, perhaps before we have heard of it
	byMage, stop := Signals(mages)
	defer stop()
	<-byMage.Done()
	failed := errors.New("a step failed")
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want string
		code int
	}{
		{ended, fmt.Errorf("linux/arm64: %w", context.Canceled), "stopped before the end: interrupt signal received", 1},
		{ended, fmt.Errorf("%w: %w", engine.ErrUnreachable, context.Canceled), "stopped before the end: interrupt signal received", 1},
		{ended, fmt.Errorf("look at app:1: %w", context.Cause(ended)), "stopped before the end: interrupt signal received", 1},
		{ended, context.DeadlineExceeded, "stopped before the end: interrupt signal received", 1},
		{byMage, context.Canceled, "stopped before the end: interrupt signal received", 1},
		{ended, failed, "a step failed", 1},
		{t.Context(), context.DeadlineExceeded, "context deadline exceeded", 1},
	} {
		if got := because(c.ctx, c.err); got.Error() != c.want || build.ExitCode(got) != c.code {
			t.Errorf("%v: got %v, exit code %d", c.err, got, build.ExitCode(got))
		}
	}
	if because(ended, nil) != nil {
		t.Error("a run that went well has an error")
	}
}

// Who is told to stop when a target has just done its work does not begin the next one; the last one's work is done.
func TestNoTargetBeginsBehindASignal(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		targets int
		err     error
		want    string
	}{
		{1, nil, "<nil>"},
		{2, nil, "stopped before the end: terminated"},
		{2, errors.New("a step failed"), "a step failed"}, // before it was heard of
	} {
		ctx, end := context.WithCancelCause(t.Context())
		s := &session{targets: c.targets}
		err := s.run(ctx, nil, func(ctx context.Context, _ *session) error {
			end(errors.New("terminated"))
			<-ctx.Done()
			return c.err
		})
		if fmt.Sprint(err) != c.want {
			t.Errorf("of %d targets: %v, want %s", c.targets, err, c.want)
		}
	}
}

// A knob of the build on the line of a list target would do nothing, where an option is meant.
func TestMisplacedKnobs(t *testing.T) {
	for word, says := range map[string]string{"TAGS=a b": "write -tags=a b", "ANNOTATIONS=a=b": "write -annotations=a=b", "RETRY=1s": ""} {
		err := misplaced([]string{word})
		if says == "" && err != nil || says != "" && (!errors.Is(err, config.ErrUsage) || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// Whatever was printed before, a failure is one annotation in GitHub Actions.
func TestAFailureIsAnnotatedOnce(t *testing.T) {
	failed := errors.New("registry says no")
	for name, do := range map[string]func(*list) error{
		"at once":             func(*list) error { return failed },
		"before its result":   func(l *list) error { return l.published(lists.Created{}, nil, "", 0, failed, nil) },
		"behind what it says": func(l *list) error { return errors.Join(l.print(said(""), []string{"a note"}, nil), failed) },
		"behind the table":    func(l *list) error { return errors.Join(l.session.finish(), failed) },
	} {
		t.Run(name, func(t *testing.T) {
			told, err := annotated(t, do)
			if err == nil || strings.Count(told, "::error::registry says no\n") != 1 {
				t.Errorf("%v is told as %q", err, told)
			}
		})
	}
	t.Setenv("MANYMAGE_RETRY", "soon")
	if told, err := annotated(t, func(*list) error { return nil }); err == nil || strings.Count(told, "::error::") != 1 {
		t.Errorf("%v is told as %q", err, told)
	}
}

// annotated is what a session in GitHub Actions says on stderr.
func annotated(t *testing.T, do func(*list) error) (string, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("GITHUB_ACTIONS", "true")
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	t.Setenv("GITHUB_OUTPUT", "")
	to, err := os.Create("stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	real := os.Stderr
	os.Stderr = to
	defer func() { os.Stderr = real }()
	s := new(session)
	failed := s.run(t.Context(), nil, func(_ context.Context, s *session) error { return do(&list{session: s}) })
	text, err := os.ReadFile("stderr")
	if err != nil {
		t.Fatal(err)
	}
	return string(text), failed
}

// GITHUB_* words of the command line go before the environment, as those of any other tool do.
func TestTheSummaryGoesWhereTheLineSays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary")
	s := &session{pipeline: build.New(build.Options{}), getenv: func(name string) string {
		return map[string]string{"GITHUB_STEP_SUMMARY": path}[name]
	}}
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	if err := s.finish(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// The list that several jobs built is named to the next job as one that `build push` made, whatever its target prints.
func TestAPublishedListIsAnOutput(t *testing.T) {
	made := lists.Created{Published: []lists.Published{{Repository: "ghcr.io/me/app", Tags: []lists.TagMove{{Tag: "1.2.0"}, {Tag: "1"}}}}}
	for name, test := range map[string]struct {
		result any
		want   string
	}{
		"a list":          {made, "digest=sha256:00\nimage=ghcr.io/me/app:1.2.0\n"},
		"an edited one":   {lists.Edited{Created: made}, "digest=sha256:00\nimage=ghcr.io/me/app:1.2.0\n"},
		"a copy":          {lists.Copied{Published: made.Published}, "digest=sha256:00\nimage=ghcr.io/me/app:1.2.0\n"},
		"nothing changed": {lists.Edited{}, "digest=sha256:00\n"},
		"a file":          {lists.Fetched{}, "digest=sha256:00\n"},
	} {
		for _, asJSON := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "output")
			l := &list{session: &session{display: progress.New(io.Discard, progress.Options{}), getenv: func(name string) string {
				return map[string]string{"GITHUB_OUTPUT": path}[name]
			}}}
			if err := l.published(test.result, nil, "sha256:00", 1, nil, &asJSON); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != test.want {
				t.Errorf("%s, -json=%t: %q, %v; want %q", name, asJSON, got, err, test.want)
			}
		}
	}
}
