package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	bkclient "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestStatusBecomesEvents(t *testing.T) {
	start, end := time.Unix(10, 0), time.Unix(12, 0)
	step, moved := digest.FromString("step"), digest.FromString("context")
	var got []Event
	s := newSteps(func(e Event) { got = append(got, e) })
	s.take(&bkclient.SolveStatus{
		Vertexes: []*bkclient.Vertex{
			{Digest: step, Name: "[1/2] RUN a", Started: &start},
			{Digest: moved, Name: "[internal] load build context", Started: &start, Completed: &end, Cached: true},
		},
		Statuses: []*bkclient.VertexStatus{{ID: "transferring context:", Vertex: moved, Current: 5, Total: 9}},
		Logs:     []*bkclient.VertexLog{{Vertex: step, Stream: 2, Data: []byte("no\n")}},
		Warnings: []*bkclient.VertexWarning{
			{Vertex: step, Short: []byte("old syntax")},
			{Vertex: step, Short: []byte("Rule: words (line 7)"), Range: []*pb.Range{{Start: &pb.Position{Line: 7}}}},
		},
	})
	want := []Event{
		{Kind: Step, ID: step.String(), Name: "[1/2] RUN a", Started: start},
		{Kind: Step, ID: moved.String(), Name: "[internal] load build context", Started: start, Completed: end, Cached: true, Internal: true},
		{Kind: Progress, ID: moved.String(), Name: "[internal] load build context", Text: "transferring context:", Current: 5, Total: 9},
		{Kind: Log, ID: step.String(), Name: "[1/2] RUN a", Stderr: true, Text: "no\n"},
		{Kind: Warning, ID: step.String(), Text: "old syntax"},
		{Kind: Warning, ID: step.String(), Text: "Rule: words", Line: 7},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestTheFaultIsTheStepThatFailedByItself(t *testing.T) {
	s := newSteps(nil)
	for _, v := range []*bkclient.Vertex{
		{Digest: digest.FromString("a"), Name: "[1/2] RUN a", Error: "context canceled"},
		{Digest: digest.FromString("b"), Name: "[2/2] RUN b", Error: "exit code: 3"},
		{Digest: digest.FromString("c"), Name: "exporting", Error: "exit code: 3"},
	} {
		s.take(&bkclient.SolveStatus{Vertexes: []*bkclient.Vertex{v}})
	}
	if s.fault == nil || s.fault.Name != "[2/2] RUN b" {
		t.Errorf("got %+v", s.fault)
	}
}

func TestTailKeepsWholeLastLines(t *testing.T) {
	var end tail
	for range 100_000 {
		end.add([]byte("a line of output\n"))
	}
	end.add([]byte("the last\n"))
	got := end.String()
	if len(got) > tailSize || len(got) < tailSize/2 || !strings.HasPrefix(got, "a line") || !strings.HasSuffix(got, "\nthe last") {
		t.Errorf("%d bytes: %.20q ... %q", len(got), got, got[len(got)-20:])
	}
	if cap(end.text) > 8*tailSize {
		t.Errorf("keeps %d bytes", cap(end.text))
	}
}

func TestExplain(t *testing.T) {
	dockerfile := []byte("FROM scratch\nRUN make\n")
	fault := func(name, text, output string) *steps {
		s := newSteps(nil)
		id := digest.FromString(name)
		s.take(&bkclient.SolveStatus{
			Vertexes: []*bkclient.Vertex{{Digest: id, Name: name, Error: text}},
			Logs:     []*bkclient.VertexLog{{Vertex: id, Data: []byte(output)}},
		})
		return s
	}
	for _, one := range []struct {
		steps *steps
		err   string
		want  string
	}{
		{fault("[1/1] RUN make", "executor failed running [/bin/sh -c make]: exit code: 2", "no rule\n"), "failed to solve: executor failed", "Dockerfile:2: [1/1] RUN make failed with exit code 2"},
		{fault("[1/1] RUN make", "exit code: 1", "exec /bin/sh: exec format error\n"), "exit code: 1",
			"Dockerfile:2: [1/1] RUN make failed with exit code 1; the step runs a program of another architecture: `emulation` registers QEMU for it, and STRATEGY=cross avoids it"},
		{fault("[internal] load metadata for a.example/b:1", "no basic auth credentials", ""), "failed to solve with frontend dockerfile.v0: failed to create LLB definition: no basic auth credentials",
			"Dockerfile: load metadata for a.example/b:1: no basic auth credentials; log in with `docker login`, and check the image's name"},
		{newSteps(nil), "failed to solve: dockerfile parse error line 2: unknown instruction: RUNN",
			"Dockerfile:2: dockerfile parse error line 2: unknown instruction: RUNN; correct the line, or give a `# syntax=` line if it needs a newer frontend"},
		{newSteps(nil), "write /x: no space left on device", "Dockerfile: write /x: no space left on device; the engine's disk is full: free some with `docker system prune`"},
	} {
		run := &kitSolve{Solve: Solve{Dockerfile: dockerfile}, steps: one.steps}
		cause := errors.New(one.err)
		if got := run.explain(t.Context(), cause); got.Error() != one.want || !errors.Is(got, cause) {
			t.Errorf("got  %v\nwant %s", got, one.want)
		}
	}
}

func TestTheHooksWordComesFirst(t *testing.T) {
	verdict := errors.New("a lie")
	run := &kitSolve{steps: newSteps(nil), verdict: verdict}
	if got := run.explain(t.Context(), errors.New("rpc error: a lie")); got != verdict {
		t.Errorf("got %v", got)
	}
}

func TestAnErrorThatAnotherCausedIsNotTold(t *testing.T) {
	cause := status.Error(codes.Unavailable, "EOF")
	half := status.Error(codes.Canceled, "context canceled")
	kit := &buildkit{engine: &Engine{info: Info{Address: "unix:///x.sock"}}}
	run := &kitSolve{steps: newSteps(nil), verdict: context.Canceled, failure: half, builder: &kitBuilder{kit: kit}}
	if got := run.explain(t.Context(), cause); !errors.Is(got, ErrUnreachable) || !errors.Is(got, cause) {
		t.Errorf("got %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := run.explain(ctx, cause); got != context.Canceled {
		t.Errorf("cancelled: got %v", got)
	}
}
