package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/build"

	"github.com/manymage/manymage/build/lines"
)

// follower reads what a classic builder says while it builds:
//
//	Docker                          Podman
//	Step 2/4 : RUN make             [1/2] STEP 2/4: RUN make
//	 ---> Using cache               --> Using cache 5f3c...
//	 ---> 26c80e25808b              --> f5d8c16e2fc
//	aux {"ID": "sha256:..."}        the same, behind the last stage
//
// All else is output of the step.
type follower struct {
	file  *classicFile
	emit  func(Event)
	now   func() time.Time
	lines lines.Splitter
	step  Step
	began time.Time // of step; zero: it is over, or none was
	at    int       // index of the step's statement, -1 when unknown
	tail  tail
	image string
}

var (
	dockerStep = pattern(`^Step (\d+)/\d+ : (.*)$`)
	podmanStep = pattern(`^(?:\[(\d+)/\d+\] )?STEP (\d+)/\d+: (.*)$`)
	usingCache = pattern(`^ ?-+> Using cache`)
	chatter    = pattern(`^(?: ---> (?:[0-9a-f]{12})?$| ---> Running in | ---> \[Warning\] The requested image's platform|(?: ---> )?Removed intermediate container |Removing intermediate container |--> [0-9a-f]{10,12}$|(?:\[\d+/\d+\] )?COMMIT\b|Successfully (?:built|tagged) )`)
	unconsumed = pattern(`^\[Warning\] [Oo]ne or more build.args .*not consumed`) // Podman's own, too, which nobody gave; see classicPlan.unused
	warning    = pattern(`^(?: ---> )?\[Warning\] (.*)$`)
	colour     = pattern("\x1b\\[[0-9;]*m")
	exitStatus = pattern(`(?:non-zero code: |exit status |exit code:? )(\d+)`)
)

func newFollower(file *classicFile, emit func(Event)) *follower {
	return &follower{file: file, emit: emit, now: time.Now, at: -1}
}

// read follows the stream to its end and gives the image's ID. A step that is
// cut off by the end of ctx has not failed.
func (f *follower) read(ctx context.Context, stream io.Reader) (string, error) {
	err := eachMessage(stream, f.take)
	f.flush()
	if err == nil && f.image == "" {
		err = errors.New("the engine names no image; look into its log")
	}
	switch {
	case err == nil:
		f.end(Done)
		return f.image, nil
	case ctx.Err() != nil:
		f.end(Canceled)
		return "", ctx.Err()
	}
	f.step.Error = err.Error()
	f.end(Failed)
	return "", err
}

func (f *follower) take(m message) {
	if m.Aux != nil {
		var result build.Result
		if json.Unmarshal(m.Aux, &result) == nil && result.ID != "" {
			f.image = result.ID
		}
	}
	for _, line := range f.lines.Add([]byte(m.Stream)) {
		f.line(line)
	}
}

// flush takes a last line that has no end.
func (f *follower) flush() {
	for _, line := range f.lines.End() {
		f.line(line)
	}
}

func (f *follower) line(text string) {
	text = colour().ReplaceAllString(strings.TrimRight(text, "\r"), "")
	switch {
	case dockerStep().MatchString(text):
		m := dockerStep().FindStringSubmatch(text)
		f.begin(number(m[1])-1, m[2])
	case podmanStep().MatchString(text):
		m := podmanStep().FindStringSubmatch(text)
		f.begin(f.file.indexOf(max(number(m[1])-1, 0), number(m[2])), m[3])
	case usingCache().MatchString(text):
		f.step.State = Cached
	case chatter().MatchString(text), unconsumed().MatchString(text), text == "" && f.tail.text == nil:
	case warning().MatchString(text):
		f.emit(Notice{warning().FindStringSubmatch(text)[1]})
	default:
		f.tail.add([]byte(text + "\n"))
		f.emit(Output{f.step.ID, text + "\n"})
	}
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // "" is 0
	return n
}

// indexOf finds a statement by its stage and its place in it.
func (f *classicFile) indexOf(stage, number int) int {
	for i, in := range f.statements {
		if in.stage == stage && in.number == number {
			return i
		}
	}
	return -1
}

// begin ends the step before and starts the next.
func (f *follower) begin(index int, text string) {
	f.end(Done)
	f.at, f.tail = -1, tail{}
	name, line := text, 0
	if index >= 0 && index < len(f.file.statements) && strings.EqualFold(firstWord(text), f.file.statements[index].keyword) {
		f.at = index
		name, line = f.file.title(f.file.statements[index]), f.file.statements[index].line
	}
	f.step, f.began = Step{ID: fmt.Sprintf("step %d %s", index, text), Name: name, Line: line}, f.now()
	f.emit(f.step)
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word
}

// end completes the current step. One that came from the cache was over when
// it began.
func (f *follower) end(how State) {
	if f.began.IsZero() {
		return
	}
	if how != Done || f.step.State != Cached {
		f.step.State = how
	}
	f.step.Took, f.began = f.now().Sub(f.began), time.Time{}
	f.emit(f.step)
}

// explain makes the error of the step that failed.
func (f *follower) explain(ctx context.Context, given Context, name string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	out := &StepError{Step: f.step.Name, Dockerfile: name, Line: lineIn(err.Error()), Output: f.tail.String(), ExitCode: exitCodeOf(err), Err: err}
	if f.at >= 0 {
		out.Line = f.file.statements[f.at].line
	}
	if out.Step == "" && out.Line == 0 {
		return fmt.Errorf("build %s: %w", name, err)
	}
	return out.recognized(given)
}

// exitCodeOf reads the program's exit code, which Docker tells in a field and
// Podman in words.
func exitCodeOf(err error) int {
	var told *fault
	if errors.As(err, &told) && told.Code != 0 {
		return told.Code
	}
	if m := exitStatus().FindStringSubmatch(err.Error()); m != nil {
		return number(m[1])
	}
	return 0
}
