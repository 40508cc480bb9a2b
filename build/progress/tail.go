package progress

import (
	"bytes"
	"fmt"
)

// tailSize is what is kept of a step's output: more than a screenful of a compiler's errors, and little enough for hundreds of
// steps at once.
const tailSize = 32 << 10

// tail keeps the end of an output. The zero value is empty.
type tail struct {
	data    []byte
	dropped int64
}

// write appends, and drops from the front what is too much; amortised, so that a flood costs little.
func (t *tail) write(p []byte) {
	t.data = append(t.data, p...)
	if len(t.data) > 2*tailSize {
		t.trim()
	}
}

func (t *tail) trim() {
	over := len(t.data) - tailSize
	if over <= 0 {
		return
	}
	t.dropped += int64(over)
	t.data = append([]byte(nil), t.data[over:]...)
}

// lines are the kept lines, printable; a first one tells how much is missing.
func (t *tail) lines() []string {
	t.trim()
	var out []string
	data := t.data
	if t.dropped > 0 {
		cut := bytes.IndexByte(data, '\n') + 1
		out = append(out, fmt.Sprintf("(%s before this left out)", Size(t.dropped+int64(cut))))
		data = data[cut:]
	}
	data = bytes.TrimRight(data, "\r\n")
	if len(data) == 0 {
		return out
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		out = append(out, printed(line))
	}
	return out
}
