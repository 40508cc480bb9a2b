package engine

import (
	"fmt"
	"strings"

	bkclient "github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// steps follows a solve: it turns BuildKit's status into events, and remembers
// what an error report needs.
type steps struct {
	emit       func(Event)
	dockerfile []byte
	tails      map[digest.Digest]*tail
	fault      *bkclient.Vertex // the first step that failed by itself
	told       Step             // what was said of it
	pull, send *meter
}

func newSteps(emit func(Event), dockerfile []byte) *steps {
	s := &steps{emit: serial(emit), dockerfile: dockerfile}
	s.reset()
	return s
}

func (s *steps) reset() {
	s.tails, s.fault = map[digest.Digest]*tail{}, nil
	s.pull, s.send = newMeter("pull"), newMeter("context")
}

// take notes one update. Only one goroutine calls it.
func (s *steps) take(update *bkclient.SolveStatus) {
	for _, v := range update.Vertexes {
		s.step(v)
	}
	for _, moved := range update.Statuses {
		s.moved(moved)
	}
	for _, line := range update.Logs {
		s.tail(line.Vertex).add(line.Data)
		s.emit(Output{line.Vertex.String(), string(line.Data)})
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

// step tells of a step unless it waits: BuildKit announces all of them at once.
func (s *steps) step(v *bkclient.Vertex) {
	e := Step{ID: v.Digest.String(), Name: v.Name}
	switch {
	case v.Error != "" && unread(v.Name, v.Error) != "":
		s.emit(Notice{unread(v.Name, v.Error)})
		e.State = Done
	case v.Error != "" && nameTaken().MatchString(v.Error):
		e.State = Canceled // it is tried again
	case v.Error != "":
		e.State = s.blame(v)
	case v.Cached:
		e.State = Cached
	case v.Completed != nil:
		e.State = Done
	case v.Started == nil:
		return
	}
	if v.Started != nil && v.Completed != nil {
		e.Took = v.Completed.Sub(*v.Started)
	}
	if e.State == Failed {
		e.Error, e.Line = stepFault(v.Error), stepLine(s.dockerfile, v.Name)
	}
	if v == s.fault {
		s.told = e
	}
	s.emit(e)
}

// blame tells a step that failed from one that did not get to its end because
// another had failed: it was cancelled, or it has the other's error.
func (s *steps) blame(v *bkclient.Vertex) State {
	switch {
	case isCancelText(v.Error):
		return Canceled
	case s.fault == nil:
		s.fault = v
	case s.fault.Digest != v.Digest && strings.Contains(v.Error, s.fault.Error):
		return Canceled
	}
	return Failed
}

// place says where the fault is, if the solve's error knows it better than the
// step's name.
func (s *steps) place(line int) {
	if s.fault != nil && s.told.Line != line {
		s.told.Line = line
		s.emit(s.told)
	}
}

// stepFault is a step's error without the command, which its name tells.
func stepFault(text string) string {
	if code := exitCodeIn(text); code != 0 && strings.HasSuffix(text, fmt.Sprintf("exit code: %d", code)) {
		return fmt.Sprintf("exit code %d", code)
	}
	return text
}

// moved counts what a step sends or receives. What else BuildKit has a status
// for moves no bytes: "extracting ...", "writing image ...".
func (s *steps) moved(v *bkclient.VertexStatus) {
	var m *meter
	switch {
	case strings.HasPrefix(v.ID, "sha256:"):
		m = s.pull
	case strings.HasPrefix(v.ID, "transferring "):
		m = s.send
	}
	if m == nil || v.Current == 0 || m.parts[v.ID].told {
		return
	}
	m.note(v.ID, v.Current, v.Total)
	if v.Completed != nil {
		m.end(v.ID)
	}
	m.tell(s.emit, m.over())
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
