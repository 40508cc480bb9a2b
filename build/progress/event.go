package progress

import (
	"fmt"
	"time"
)

// An Event is one thing that happened in a run. Events are plain values: whoever has news makes one and calls Display.Send.
// Platform is the form people write, such as "linux/arm/v7"; it is empty for what concerns the run as a whole.
type Event interface{ event() }

// Started says that work on a platform begins, or begins again. The order of these events is the order of the live lines, so that a run which
// announces its platforms in the order of its plan is shown in that order.
type Started struct {
	Platform string
	Strategy string // target, cross, native; may be empty
}

// State is where a step stands.
type State int

// The states of a step. Running may be sent more than once, the others end the step.
const (
	Running State = iota
	Done
	Cached
	Failed
	Canceled // ended because something else failed or the user wanted it so: not worth a word
)

// Step says that a step of a platform begins or ends.
type Step struct {
	Platform string
	ID       string // tells apart steps of equal name; BuildKit's vertex digest for instance
	Name     string // "[build 2/4] RUN go build"
	State    State
	Error    string        // of a Failed step
	File     string        // the Dockerfile, for a Failed step; empty: not known
	Line     int           // in that Dockerfile, from 1; 0: not known
	Took     time.Duration // of an ended step; 0: measured here from its Running event
}

// Output is what a step printed, in any portions.
type Output struct {
	Platform string
	ID       string // of the step
	Data     []byte
}

// Bytes says how far a transfer is: the context on its way to the engine, layers on their way to the registry. A log has a line
// for one that takes its time, now and then, and when it is over.
type Bytes struct {
	Platform string // empty: shared by all platforms, such as the context
	Name     string // "context", "push", "pull"
	Current  int64
	Total    int64 // 0: not known
	Done     bool  // the transfer is over
}

// Verdict is the outcome of a platform's truth check.
type Verdict struct {
	Platform string
	Verdict  string // "verified", "unverified", "refused"
	Detail   string // one sentence, may be empty
}

// Finished says that work on a platform has ended. Error is empty when it went well.
type Finished struct {
	Platform string
	Error    string
	Outcome  string // "pushed"; empty: what there is to say is the verdict
}

// Cancelled is the Error of a platform whose work another's error, or a signal, has ended.
const Cancelled = "cancelled"

// Notice tells something worth a line.
type Notice struct {
	Platform string
	Text     string
}

// Warning tells something that the user should look at. With a File, its place stands before it, and GitHub shows it beside the line.
type Warning struct {
	Platform string
	Text     string
	File     string
	Line     int
}

// sentence is the text behind its place.
func (w Warning) sentence() string {
	switch {
	case w.File == "":
		return w.Text
	case w.Line == 0:
		return w.File + ": " + w.Text
	}
	return fmt.Sprintf("%s:%d: %s", w.File, w.Line, w.Text)
}

// Problem is the error that ended the run or a platform; on GitHub an ::error annotation. The caller still returns the error:
// Problem is for places, and a plain or terminal display prints nothing for it, lest the sentence appear twice.
type Problem struct {
	Platform string
	Text     string
	File     string
	Line     int
}

// Published says that a reference now points at a digest.
type Published struct {
	Reference string
	Digest    string
	Unchanged bool // it already did
}

func (Started) event()   {}
func (Step) event()      {}
func (Output) event()    {}
func (Bytes) event()     {}
func (Verdict) event()   {}
func (Finished) event()  {}
func (Notice) event()    {}
func (Warning) event()   {}
func (Problem) event()   {}
func (Published) event() {}
func (Summary) event()   {}
