package engine

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	step, moved, base := digest.FromString("step"), digest.FromString("context"), digest.FromString("base")
	dockerfile := []byte("FROM base\nRUN a\n")
	vertex := func(v bkclient.Vertex) *bkclient.SolveStatus {
		v.Digest = step
		return &bkclient.SolveStatus{Vertexes: []*bkclient.Vertex{&v}}
	}
	status := func(id string, current, total int64, completed *time.Time) *bkclient.VertexStatus {
		return &bkclient.VertexStatus{ID: id, Vertex: base, Current: current, Total: total, Completed: completed}
	}
	id := step.String()
	const name = "[2/2] RUN a"
	for _, one := range []struct {
		what   string
		update *bkclient.SolveStatus
		want   []Event
	}{
		{"announced", vertex(bkclient.Vertex{Name: name}), nil},
		{"begun", vertex(bkclient.Vertex{Name: name, Started: &start}), []Event{Step{ID: id, Name: name}}},
		{"over", vertex(bkclient.Vertex{Name: name, Started: &start, Completed: &end}), []Event{Step{ID: id, Name: name, State: Done, Took: 2 * time.Second}}},
		{"cached", vertex(bkclient.Vertex{Name: name, Cached: true}), []Event{Step{ID: id, Name: name, State: Cached}}},
		{"cancelled", vertex(bkclient.Vertex{Name: name, Started: &start, Completed: &end, Error: "exit code: 137: context canceled: context canceled"}),
			[]Event{Step{ID: id, Name: name, State: Canceled, Took: 2 * time.Second}}},
		{"failed", vertex(bkclient.Vertex{Name: name, Started: &start, Completed: &end, Error: `process "/bin/sh -c a" did not complete successfully: exit code: 3`}),
			[]Event{Step{ID: id, Name: name, State: Failed, Took: 2 * time.Second, Error: "exit code 3", Line: 2}}},
		{"output", &bkclient.SolveStatus{Logs: []*bkclient.VertexLog{{Vertex: step, Data: []byte("no\n")}}}, []Event{Output{id, "no\n"}}},
		{"context", &bkclient.SolveStatus{Statuses: []*bkclient.VertexStatus{{ID: "transferring context:", Vertex: moved, Current: 5}}}, []Event{Bytes{Name: "context", Current: 5}}},
		{"layers", &bkclient.SolveStatus{Statuses: []*bkclient.VertexStatus{
			status("sha256:a", 5, 9, nil), status("sha256:b", 2, 3, nil), status("extracting sha256:a", 0, 0, nil),
			status("sha256:a", 9, 9, &end), status("sha256:b", 3, 3, &end), status("sha256:b", 3, 3, &end), status("sha256:c", 1, 2, nil),
		}}, []Event{
			Bytes{Name: "pull", Current: 5, Total: 9}, Bytes{Name: "pull", Current: 7, Total: 12}, Bytes{Name: "pull", Current: 11, Total: 12},
			Bytes{Name: "pull", Current: 12, Total: 12, Done: true}, Bytes{Name: "pull", Current: 1, Total: 2},
		}},
		{"warnings", &bkclient.SolveStatus{Warnings: []*bkclient.VertexWarning{
			{Vertex: step, Short: []byte("old syntax")},
			{Vertex: step, Short: []byte("Rule: words (line 7)"), Range: []*pb.Range{{Start: &pb.Position{Line: 7}}}},
		}}, []Event{Warning{Text: "old syntax"}, Warning{Text: "Rule: words", Line: 7}}},
	} {
		var got []Event
		newSteps(func(e Event) { got = append(got, e) }, dockerfile).take(one.update)
		if !slices.Equal(got, one.want) {
			t.Errorf("%s: got  %+v\nwant %+v", one.what, got, one.want)
		}
	}
}

// One failure is one step's: those that it ends are cancelled, in words or with its error for their own.
func TestTheFaultIsTheStepThatFailedByItself(t *testing.T) {
	var failed []string
	s := newSteps(func(e Event) {
		if step := e.(Step); step.State == Failed {
			failed = append(failed, step.Name)
		}
	}, nil)
	for _, v := range []*bkclient.Vertex{
		{Digest: digest.FromString("a"), Name: "[1/2] RUN a", Error: "context canceled"},
		{Digest: digest.FromString("b"), Name: "[2/2] RUN b", Error: "exit code: 3"},
		{Digest: digest.FromString("c"), Name: "exporting", Error: "failed: exit code: 3"},
	} {
		s.take(&bkclient.SolveStatus{Vertexes: []*bkclient.Vertex{v}})
	}
	if s.fault == nil || s.fault.Name != "[2/2] RUN b" || !slices.Equal(failed, []string{"[2/2] RUN b"}) {
		t.Errorf("got %+v, told of %q", s.fault, failed)
	}
}

// A solve has several goroutines that tell: the status stream, and the one that reads the Dockerfile.
func TestEventsAreToldOneAtATime(t *testing.T) {
	var inside atomic.Int32
	s := newSteps(func(Event) {
		if inside.Add(1) > 1 {
			t.Error("called while it was called")
		}
		for range 100 {
			runtime.Gosched()
		}
		inside.Add(-1)
	}, nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				s.emit(Notice{"n"})
			}
		})
	}
	all.Wait()
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
		s := newSteps(nil, nil)
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
			"Dockerfile: the image a.example/b:1: a.example wants credentials, and others than it gets; log in with `docker login a.example`"},
		{fault("[1/1] RUN make", "exit code: 1", "x_test.go:401: got 3, want 4\ndial tcp: connection refused\n"), "exit code: 1", "Dockerfile:2: [1/1] RUN make failed with exit code 1"},
		{fault("[1/1] RUN make", "no route to host", ""), "no route to host", "Dockerfile:2: [1/1] RUN make: no route to host"},
		{fault("[internal] load metadata for a.example/b:1.401", "a.example/b:1.401: not found", ""), "a.example/b:1.401: not found", "Dockerfile: the image a.example/b:1.401: a.example has no such image; correct its name, or push it there first"},
		{fault("[build 1/1] FROM a.example/b:1", "dial tcp: lookup a.example: no such host", ""), "dial tcp: lookup a.example: no such host",
			"Dockerfile: the image a.example/b:1: the engine does not reach a.example (no such host); check its name, and that a.example answers the engine"},
		{fault("exporting cache to registry", "unexpected status from HEAD request to https://a.example/v2/c/blobs/x: 401 Unauthorized", ""), "failed to solve: 401 Unauthorized",
			"Dockerfile: exporting cache to registry: REGISTRY wants credentials, and others than it gets; log in with `docker login REGISTRY`"},
		{newSteps(nil, nil), "failed to solve: dockerfile parse error line 2: unknown instruction: RUNN",
			"Dockerfile:2: dockerfile parse error line 2: unknown instruction: RUNN; correct the line, or give a `# syntax=` line if it needs a newer frontend"},
		{newSteps(nil, nil), "write /x: no space left on device", "Dockerfile: write /x: no space left on device; the engine's disk is full: free some with `docker system prune`"},
	} {
		run := &kitSolve{Solve: Solve{Dockerfile: dockerfile}, builder: &kitBuilder{}, steps: one.steps}
		cause := errors.New(one.err)
		if got := run.explain(t.Context(), cause); got.Error() != one.want || !errors.Is(got, cause) {
			t.Errorf("got  %v\nwant %s", got, one.want)
		}
	}
}

func TestTheHooksWordComesFirst(t *testing.T) {
	verdict := errors.New("a lie")
	run := &kitSolve{steps: newSteps(nil, nil), verdict: verdict, builder: &kitBuilder{}}
	if got := run.explain(t.Context(), errors.New("rpc error: a lie")); got != verdict {
		t.Errorf("got %v", got)
	}
}

// What could not be read of the context ended the session, and the solve with it.
func TestAContextThatCannotBeReadComesBeforeAll(t *testing.T) {
	run, cancelled := &kitSolve{steps: newSteps(nil, nil)}, false
	run.builder = &kitBuilder{cancel: func() { cancelled = true }}
	locked := errors.New("locked")
	run.builder.refuse(locked)
	run.builder.refuse(context.Canceled)
	if got := run.explain(t.Context(), context.Canceled); got != locked || !cancelled {
		t.Errorf("got %v, cancelled: %v", got, cancelled)
	}
}

func TestAnErrorThatAnotherCausedIsNotTold(t *testing.T) {
	cause := status.Error(codes.Unavailable, "EOF")
	half := status.Error(codes.Canceled, "context canceled")
	kit := &buildkit{engine: &Engine{info: Info{Address: "unix:///x.sock"}}}
	run := &kitSolve{steps: newSteps(nil, nil), verdict: context.Canceled, failure: half, builder: &kitBuilder{kit: kit}}
	if got := run.explain(t.Context(), cause); !errors.Is(got, ErrUnreachable) || !errors.Is(got, cause) {
		t.Errorf("got %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := run.explain(ctx, cause); got != context.Canceled {
		t.Errorf("cancelled: got %v", got)
	}
}
