package engine

import (
	"strings"
	"time"

	bkclient "github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// steps follows a solve: it turns BuildKit's status into events, and remembers
// what an error report needs.
type steps struct {
	emit  func(Event)
	names map[digest.Digest]string
	tails map[digest.Digest]*tail
	fault *bkclient.Vertex // the first step that failed by itself
}

func newSteps(emit func(Event)) *steps {
	if emit == nil {
		emit = func(Event) {}
	}
	s := &steps{emit: emit}
	s.reset()
	return s
}

func (s *steps) reset() {
	s.names, s.tails, s.fault = map[digest.Digest]string{}, map[digest.Digest]*tail{}, nil
}

// take notes one update. Only one goroutine calls it.
func (s *steps) take(update *bkclient.SolveStatus) {
	for _, v := range update.Vertexes {
		s.names[v.Digest] = v.Name
		if v.Error != "" && !isCancelText(v.Error) && s.fault == nil {
			s.fault = v
		}
		s.emit(stepEvent(v))
	}
	for _, moved := range update.Statuses {
		s.emit(s.progressEvent(moved))
	}
	for _, line := range update.Logs {
		s.tail(line.Vertex).add(line.Data)
		s.emit(Event{Kind: Log, ID: line.Vertex.String(), Name: s.names[line.Vertex], Stderr: line.Stream == 2, Text: string(line.Data)})
	}
	for _, w := range update.Warnings {
		s.emit(warningEvent(w))
	}
}

func (s *steps) tail(v digest.Digest) *tail {
	if s.tails[v] == nil {
		s.tails[v] = &tail{}
	}
	return s.tails[v]
}

func stepEvent(v *bkclient.Vertex) Event {
	return Event{
		Kind:      Step,
		ID:        v.Digest.String(),
		Name:      v.Name,
		Started:   moment(v.Started),
		Completed: moment(v.Completed),
		Cached:    v.Cached,
		Internal:  strings.HasPrefix(v.Name, "[internal]"),
		Error:     v.Error,
	}
}

func (s *steps) progressEvent(moved *bkclient.VertexStatus) Event {
	return Event{
		Kind:      Progress,
		ID:        moved.Vertex.String(),
		Name:      s.names[moved.Vertex],
		Started:   moment(moved.Started),
		Completed: moment(moved.Completed),
		Text:      moved.ID,
		Current:   moved.Current,
		Total:     moved.Total,
	}
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// isCancelText tells a step that was stopped from one that failed.
func isCancelText(text string) bool { return strings.HasSuffix(text, "context canceled") }

// tailSize bounds what is kept of a step's output for its error report: some
// forty lines of compiler messages.
const tailSize = 8 << 10

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) add(p []byte) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailSize; extra > tailSize {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
}

// String is the last tailSize bytes, from the beginning of a line.
func (t *tail) String() string {
	text := string(t.text)
	if extra := len(text) - tailSize; extra > 0 {
		_, text, _ = strings.Cut(text[extra:], "\n")
	}
	return strings.TrimRight(text, "\n")
}
