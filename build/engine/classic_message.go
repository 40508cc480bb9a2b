package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// message is one of the objects that an engine streams while it builds, pulls
// or loads.
type message struct {
	Stream   string
	Status   string
	ID       string
	Progress struct{ Current, Total int64 } `json:"progressDetail"`
	Aux      json.RawMessage
	Fault    *fault `json:"errorDetail"`
	Error    string
}

// fault is an error in a stream. Code is the exit code of a failed step.
type fault struct {
	Code    int
	Message string
}

func (f *fault) Error() string { return strings.TrimSpace(f.Message) }

// errCutOff: the engine has not come to the end of what it had to say.
var errCutOff = errors.New("the engine's answer ends early")

// eachMessage reads an engine's answer to its end. Engines answer 200 and put
// the error into the stream.
func eachMessage(stream io.Reader, take func(message)) error {
	for d := json.NewDecoder(stream); ; {
		var m message
		err := d.Decode(&m)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", errCutOff, err)
		case m.Fault != nil:
			return m.Fault
		case m.Error != "":
			return errors.New(m.Error)
		}
		take(m)
	}
}

// readPull reads a pull to its end and tells how much of the image is here.
func readPull(stream io.Reader, name string, emit func(Event)) error {
	layers := newMeter("pull " + name)
	layers.tell(emit, false)
	err := eachMessage(stream, func(m message) {
		switch m.Status {
		case "Downloading":
			layers.note(m.ID, m.Progress.Current, m.Progress.Total)
		case "Download complete", "Pull complete":
			layers.end(m.ID)
		}
		layers.tell(emit, false)
	})
	if err == nil {
		layers.tell(emit, true)
	}
	return err
}
