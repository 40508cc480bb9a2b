package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/manymage/manymage/build/lines"
)

// The streams in testdata/classic are those of the engines that they are named
// after, building these.
const (
	goodDockerfile = "ARG V=1\nFROM 127.0.0.1:5077/bb:amd64 AS build\nRUN echo hello; echo oops >&2\nFROM build\nCOPY f /f\nLABEL x=y\n"
	badDockerfile  = "ARG V=1\nFROM 127.0.0.1:5077/bb:amd64 AS build\nRUN echo before; exit 3\n"
)

// followFile replays a recorded stream.
func followFile(t *testing.T, name, dockerfile string) (*follower, []string, string, error) {
	t.Helper()
	stream, err := os.Open(filepath.Join("testdata", "classic", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	file := classicOf(t, dockerfile)
	var told []string
	f := newFollower(file, func(e Event) { told = append(told, tell(e)) })
	f.now = func() time.Time { return time.Unix(1, 0) }
	id, err := f.read(t.Context(), stream)
	return f, told, id, err
}

// tell is an event in one line.
func tell(e Event) string {
	switch e := e.(type) {
	case Output:
		return fmt.Sprintf("  %s: %s", e.Step, strings.TrimSuffix(e.Text, "\n"))
	case Step:
		return []string{"+ ", "- ", "= ", "! ", "x "}[e.State] + e.Name
	}
	return fmt.Sprintf("%+v", e)
}

func TestFollowerTellsStepsAndOutput(t *testing.T) {
	arg := []string{"+ ARG V=1", "- ARG V=1"}
	from := []string{"+ [build 1/2] FROM 127.0.0.1:5077/bb:amd64 AS build", "- [build 1/2] FROM 127.0.0.1:5077/bb:amd64 AS build"}
	const run, id = "[build 2/2] RUN echo hello; echo oops >&2", "step 2 RUN echo hello; echo oops >&2"
	rest := func(sign string) []string {
		var out []string
		for i, name := range []string{"[stage-1 1/3] FROM build", "[stage-1 2/3] COPY f /f", "[stage-1 3/3] LABEL x=y"} {
			end := sign
			if i == 0 {
				end = "-"
			}
			out = append(out, "+ "+name, end+" "+name)
		}
		return out
	}
	for _, test := range []struct {
		file, id string
		want     [][]string
	}{
		{"docker-20.10-ok", "3e2efb5c44a9", [][]string{arg, from, {"+ " + run, "  " + id + ": oops", "  " + id + ": hello", "- " + run}, rest("-")}},
		{"docker-20.10-cached", "3e2efb5c44a9", [][]string{arg, from, {"+ " + run, "= " + run}, rest("=")}},
		{"docker-26.1-ok", "92ad30ae2c2d", [][]string{arg, from, {"+ " + run, "  " + id + ": oops", "  " + id + ": hello", "- " + run}, rest("-")}},
	} {
		_, got, id, err := followFile(t, test.file, goodDockerfile)
		if err != nil || short(id) != test.id {
			t.Errorf("%s: image %q, %v", test.file, id, err)
		}
		var want []string
		for _, lines := range test.want {
			want = append(want, lines...)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", test.file, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestFollowerReadsPodman(t *testing.T) {
	_, got, id, err := followFile(t, "podman-4.3-cached", goodDockerfile)
	if err != nil || short(id) != "94b34e6c3afd" {
		t.Errorf("image %q, %v", id, err)
	}
	all := strings.Join(got, "\n")
	for _, line := range []string{"= [build 2/2] RUN echo hello; echo oops >&2", "= [stage-1 2/3] COPY f /f", "= [stage-1 3/3] LABEL x=y"} {
		if !strings.Contains(all, line) {
			t.Errorf("no %q in\n%s", line, all)
		}
	}
	if _, _, id, err = followFile(t, "podman-4.3-ok", goodDockerfile); err != nil || short(id) != "94b34e6c3afd" {
		t.Errorf("image %q, %v", id, err)
	}
}

func TestFollowerExplainsAFailedStep(t *testing.T) {
	for _, file := range []string{"docker-20.10-bad", "docker-26.1-bad", "podman-4.3-bad"} {
		f, told, _, err := followFile(t, file, badDockerfile)
		err = f.explain(t.Context(), Context{}, "Dockerfile", err)
		var step *StepError
		if !errors.As(err, &step) {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if step.ExitCode != 3 || step.Line != 3 || step.Output != "before" || step.Step != "[build 2/2] RUN echo before; exit 3" {
			t.Errorf("%s: %+v", file, step)
		}
		if want := "Dockerfile:3: [build 2/2] RUN echo before; exit 3 failed with exit code 3"; err.Error() != want {
			t.Errorf("%s: %q", file, err)
		}
		if last := told[len(told)-1]; last != "! [build 2/2] RUN echo before; exit 3" {
			t.Errorf("%s: the step ends as %q", file, last)
		}
	}
}

func TestFollowerPrefersTheCallersEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := newFollower(&classicFile{}, func(Event) {})
	if err := f.explain(ctx, Context{}, "Dockerfile", errors.New("broken pipe")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// An engine that goes away under a build, before its answer, in the middle of it, or behind it, is not the Dockerfile's fault.
func TestAnEngineThatGoesAwayIsUnreachable(t *testing.T) {
	for name, end := range map[string]string{
		"Dockerfile:1: look at ": "GET /images/", "build Dockerfile: ": "POST /build", "Dockerfile:1: [1/1] FROM scratch: ": "", "read the history ": "GET /images/sha256:built/history",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch request := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/v1.41"); {
			case end != "" && strings.HasPrefix(request, end):
				panic(http.ErrAbortHandler)
			case request == "POST /build" && end == "":
				_, _ = io.WriteString(w, `{"stream":"Step 1/1 : FROM scratch\n"}{"str`)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			case request == "POST /build":
				_, _ = io.WriteString(w, `{"stream":"Step 1/1 : FROM scratch\n"}{"aux":{"ID":"sha256:built"}}`)
			default:
				_, _ = io.WriteString(w, `{"Id":"sha256:built"}`)
			}
		}))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion(minAPI))
		if err != nil {
			t.Fatal(err)
		}
		b, err := newClassic(&Engine{api: api, info: docker20}).start(t.Context(), Context{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Solve(t.Context(), Solve{Platform: platform(t, "linux/amd64"), Dockerfile: []byte("FROM scratch\n")}, nil, nil)
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "no container engine answers any more at ") || !strings.HasSuffix(err.Error(), "; look into its log and run this again") {
			t.Errorf("%s: got %v", name, err)
		}
		server.Close()
	}
}

func TestEachMessageFindsTheErrorInA200(t *testing.T) {
	for stream, want := range map[string]string{
		`{"stream":"a"}{"errorDetail":{"code":7,"message":"no"},"error":"no"}`: "no",
		`{"errorDetail":{"message":"in detail"}}`:                              "in detail",
		`{"error":"plain"}`: "plain",
		`{"stream":"a"`:     "the engine's answer ends early: unexpected EOF",
		`{"stream":"a"}`:    "",
	} {
		err := eachMessage(strings.NewReader(stream), func(message) {})
		if got := fmt.Sprint(err); got != want && !(err == nil && want == "") {
			t.Errorf("%s: %v", stream, err)
		}
	}
}

// Whatever an engine says: no panic, and what is not the builder's own chatter
// reaches the log once.
func FuzzFollower(f *testing.F) {
	f.Add("Step 1/2 : FROM scratch\n ---> \nStep 2/2 : RUN x\noutput\n")
	f.Add("[1/2] STEP 1/3: FROM a\n--> Using cache 12\n[9/9] STEP 99/1: x\n\x1b[91merr\x1b[0m")
	f.Add("Step 99999999999999999999/1 : \n\r\n[Warning] w\n")
	f.Fuzz(func(t *testing.T, text string) {
		file := classicOf(t, goodDockerfile)
		lines := 0
		follow := newFollower(file, func(Event) { lines++ })
		follow.take(message{Stream: text})
		follow.flush()
		follow.end(Done)
		if most := 2 * (strings.Count(text, "\n") + 1); lines > most {
			t.Fatalf("%d events of %q", lines, text)
		}
	})
}

// A step that is cut off has not failed: why it ended is told by who ended it.
func TestFollowerOfACutOffBuild(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	file := classicOf(t, goodDockerfile)
	var told []string
	f := newFollower(file, func(e Event) { told = append(told, tell(e)) })
	cut := readerFunc(func(p []byte) (int, error) {
		if len(told) > 0 {
			cancel(errors.New("another platform was refused"))
			return 0, context.Cause(ctx)
		}
		return copy(p, `{"stream":"Step 1/6 : ARG V=1\n"}`), nil
	})
	if _, err := f.read(ctx, cut); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if want := "+ ARG V=1, x ARG V=1"; strings.Join(told, ", ") != want {
		t.Errorf("told %q, want %q", told, want)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// What fails before any step has no line, and a builder's warning is a notice.
func TestFollowWithoutAStep(t *testing.T) {
	var told []Event
	f := newFollower(classicOf(t, goodDockerfile), func(e Event) { told = append(told, e) })
	_, err := f.read(t.Context(), strings.NewReader(`{"stream":"[Warning] the disk is nearly full\n[Warning] one or more build args were not consumed: [TARGETARCH TARGETOS]\n[Warning] One or more build-args [A] were not consumed\n"}{"error":"no space left"}`))
	if err = f.explain(t.Context(), Context{}, "Dockerfile", err); err == nil || err.Error() != "build Dockerfile: no space left" {
		t.Errorf("%v", err)
	}
	if want := (Notice{"the disk is nearly full"}); len(told) != 1 || told[0] != want {
		t.Errorf("told %+v", told)
	}
}

// The last line of a build that breaks off has no end, and may be what tells why.
func TestFollowerShowsALineWithoutAnEnd(t *testing.T) {
	f := newFollower(classicOf(t, badDockerfile), func(Event) {})
	_, err := f.read(t.Context(), strings.NewReader(`{"stream":"Step 3/3 : RUN echo before; exit 3\nlast words"}{"errorDetail":{"code":7,"message":"it ended"}}`))
	var step *StepError
	if err = f.explain(t.Context(), Context{}, "Dockerfile", err); !errors.As(err, &step) || step.Output != "last words" || step.ExitCode != 7 {
		t.Errorf("%v", err)
	}
}

// A build without an image has not come to its end, whatever the engine says.
func TestFollowerWantsAnImage(t *testing.T) {
	f := newFollower(classicOf(t, badDockerfile), func(Event) {})
	if id, err := f.read(t.Context(), strings.NewReader(`{"stream":"Step 1/3 : ARG V=1\n"}{"aux":{"ID":""}}`)); id != "" || err == nil || !strings.Contains(err.Error(), "names no image") {
		t.Errorf("%q, %v", id, err)
	}
}

// Output that never ends a line is shown nevertheless, in pieces, and not held.
func TestFollowerOfOutputWithoutLineEnds(t *testing.T) {
	shown := 0
	f := newFollower(classicOf(t, goodDockerfile), func(e Event) {
		if out, ok := e.(Output); ok {
			shown += len(out.Text)
		}
	})
	const portion = "\r####"
	sent := 0
	for ; sent < 4*lines.Longest; sent += len(portion) {
		f.take(message{Stream: portion})
	}
	if shown < sent-lines.Longest || len(f.tail.text) > 2*tailSize+lines.Longest {
		t.Errorf("%d bytes shown of %d, %d held", shown, sent, len(f.tail.text))
	}
}
