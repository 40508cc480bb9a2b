package progress

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// BuildKit begins and ends some steps again and again, such as a base image that it looks at lazily: one line is enough for those
// that took no time.
func TestAStepIsToldOnce(t *testing.T) {
	const base, run = "[1/2] FROM base", "[2/2] RUN make"
	events := []Event{Started{"linux/arm64", "target"}}
	for _, id := range []string{"1", "1", "2"} {
		events = append(events,
			Step{Platform: "linux/arm64", ID: id, Name: base},
			Step{Platform: "linux/arm64", ID: id, Name: base, State: Done, Took: 5e6})
	}
	events = append(events,
		Step{Platform: "linux/arm64", ID: "1", Name: base, State: Running}, Notice{Text: "a second"}, Notice{Text: "another"},
		Step{Platform: "linux/arm64", ID: "1", Name: base, State: Done, Took: 7e9},
		Step{Platform: "linux/arm64", ID: "3", Name: run, State: Cached},
		Finished{Platform: "linux/arm64"})
	equal(t, play(t, Options{}, events...), `
linux/arm64  build (target)
linux/arm64  [1/2] FROM base: 5 ms
a second
linux/arm64  [1/2] FROM base
another
linux/arm64  [1/2] FROM base: 7.0 s
linux/arm64  [2/2] RUN make: cached
linux/arm64  done in 12.0 s
`)
}

// A log tells of a step that goes on for long, ever more rarely, with what it printed last.
func TestALogTellsOfLongSteps(t *testing.T) {
	for verbose, want := range map[bool]string{
		false: `
linux/arm64  [2/2] RUN make
linux/arm64  [internal] load metadata for base: 30.0 s so far
linux/arm64  [2/2] RUN make: 30.0 s so far
linux/arm64  | CC b.o
linux/arm64  [2/2] RUN make: 1 m 30 s so far
linux/arm64  | CC b.o
linux/arm64  [2/2] RUN make: 1 m 40 s
`,
		true: `
linux/arm64  [2/2] RUN make
linux/arm64  | CC a.o
linux/arm64  | CC b.o
linux/arm64  [internal] load metadata for base
linux/arm64  [internal] load metadata for base: 30.0 s so far
linux/arm64  [2/2] RUN make: 30.0 s so far
linux/arm64  [internal] load metadata for base: 31.0 s
linux/arm64  [2/2] RUN make: 1 m 30 s so far
linux/arm64  [2/2] RUN make: 1 m 40 s
`} {
		var b strings.Builder
		synctest.Test(t, func(t *testing.T) {
			compile := Step{Platform: "linux/arm64", ID: "1", Name: "[2/2] RUN make"}
			pull := Step{Platform: "linux/arm64", ID: "2", Name: "[internal] load metadata for base"}
			d := New(&b, Options{Verbose: verbose})
			send(d, pull, compile, Output{"linux/arm64", "1", []byte("CC a.o\nCC b.o\n")})
			time.Sleep(31 * time.Second)
			pull.State = Done
			send(d, pull)
			time.Sleep(69 * time.Second)
			compile.State = Done
			send(d, compile)
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
		equal(t, b.String(), want)
	}
}

// What a build got over does not come back as the reason of a push that fails.
func TestAFailureThatWasGotOverStaysSo(t *testing.T) {
	equal(t, play(t, Options{}, Started{"linux/amd64", "target"},
		Step{Platform: "linux/amd64", ID: "1", Name: "resolve docker/dockerfile:1"},
		Step{Platform: "linux/amd64", ID: "1", Name: "resolve docker/dockerfile:1", State: Failed, Error: "no such host"},
		Finished{Platform: "linux/amd64"},
		Started{Platform: "linux/amd64"}, Finished{Platform: "linux/amd64", Error: "refused"}), `
linux/amd64  build (target)
linux/amd64  resolve docker/dockerfile:1: failed after 1.0 s
linux/amd64  done in 3.0 s
linux/amd64  failed after 1.0 s
`)
}

// A platform that another's error has ended did not fail.
func TestACancelledPlatform(t *testing.T) {
	equal(t, play(t, Options{}, Started{"linux/amd64", "target"}, Started{"linux/arm64", "target"},
		Finished{Platform: "linux/amd64", Error: "failed"}, Finished{Platform: "linux/arm64", Error: Cancelled}), `
linux/amd64  build (target)
linux/arm64  build (target)
linux/amd64  failed after 2.0 s
linux/arm64  cancelled after 2.0 s
`)
}

// A step that failed on the way to an image that was made is no end of the run.
func TestAFailureThatWasGotOver(t *testing.T) {
	events := []Event{
		Started{"linux/amd64", "target"},
		Step{Platform: "linux/amd64", ID: "1", Name: "resolve docker/dockerfile:1"},
		Step{Platform: "linux/amd64", ID: "1", Name: "resolve docker/dockerfile:1", State: Failed, Error: "no such host"},
	}
	for _, o := range []Options{{}, {TTY: true}} {
		if got := play(t, o, append(events, Finished{Platform: "linux/amd64"})...); strings.Contains(got, "no such host") {
			t.Errorf("told at the end of a run that went well:\n%s", got)
		}
		if got := play(t, o, append(events, Finished{Platform: "linux/amd64", Error: "failed"})...); !strings.Contains(got, "no such host") {
			t.Errorf("not told at the end of a run that failed:\n%s", got)
		}
	}
}

// A step that several platforms share has failed once, and so is an annotation one.
func TestAFailureThatPlatformsShare(t *testing.T) {
	failed := Step{ID: "1", Name: "[build 2/2] RUN make", State: Failed, Error: "exit code 2", File: "Dockerfile", Line: 7}
	events := []Event{Output{"linux/amd64", "1", []byte("oops\n")}, Output{"linux/arm64", "1", []byte("oops\n")}}
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		failed.Platform = platform
		events = append(events, failed, Problem{Platform: platform, Text: "RUN make failed", File: "Dockerfile", Line: 7})
	}
	got := play(t, Options{GitHub: true}, append(events, Problem{Text: "linux/amd64: RUN make failed"})...)
	for text, want := range map[string]int{"::error file=Dockerfile,line=7,": 1, "::error": 1, "\nlinux/amd64, linux/arm64  [build 2/2] RUN make (Dockerfile:7)\n  | oops\n  exit code 2\n": 1} {
		if n := strings.Count(got, text); n != want {
			t.Errorf("%d times %q:\n%s", n, text, got)
		}
	}
}

// The last words of a step that is cut off in the middle of a line are told, whether its platform is told to have ended or not.
func TestTheLastWordsOfACancelledStep(t *testing.T) {
	events := []Event{
		Step{Platform: "linux/amd64", ID: "1", Name: "RUN make"},
		Output{"linux/amd64", "1", []byte("last words")},
	}
	const want = "linux/amd64  | last words\n"
	for _, o := range []Options{{Verbose: true}, {Verbose: true, TTY: true}} {
		for _, more := range [][]Event{nil, {Finished{Platform: "linux/amd64", Error: Cancelled}}} {
			if got := play(t, o, append(events, more...)...); strings.Count(got, want) != 1 {
				t.Errorf("%+v %v:\n%s", o, more, got)
			}
		}
	}
}
