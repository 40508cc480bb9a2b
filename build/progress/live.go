package progress

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// live is the terminal's screen: a block of lines at the bottom, one per platform, that is erased and drawn again. Lines that
// are to stay are written above it.
type live struct {
	board
	out     *sink
	size    func() (columns, rows int)
	color   bool
	verbose bool
	stay    []string // to be written above the block at the next drawing
	drawn   []int    // the widths of the block's lines as last drawn
}

func newLive(out *sink, o Options) *live {
	size := o.Size
	if size == nil {
		size = func() (int, int) { return defaultColumns, defaultRows }
	}
	return &live{out: out, size: size, color: !o.NoColor, verbose: o.Verbose}
}

func (v *live) show(e Event, now time.Time) {
	switch e := e.(type) {
	case Started:
		v.start(e, now)
	case Step:
		v.step(e, now)
	case Output:
		v.output(e, now)
	case Bytes:
		v.transfer(e, now)
	case Verdict:
		v.lane(e.Platform, now).verdict = e.Verdict
		if e.Detail != "" {
			platform, text := sentence(e)
			v.keep(platform, Clean(text))
		}
	case Finished:
		v.rest(v.lane(e.Platform, now))
		v.finish(e, now)
	case Warning:
		v.keep(e.Platform, v.paint(yellow, "warning:")+" "+Clean(e.sentence()))
	case Summary:
		var b bytes.Buffer
		_ = e.Write(&b)
		v.stay = append(v.stay, strings.TrimSuffix(b.String(), "\n"))
		v.clear()
	case Problem:
	default:
		platform, text := sentence(e)
		v.keep(platform, Clean(text))
	}
}

// keep writes a line above the block. The text must be clean.
func (v *live) keep(platform, text string) {
	if text == "" {
		return
	}
	if platform != "" {
		text = Clean(pad(platform, v.names())) + gap + text
	}
	v.stay = append(v.stay, text)
}

func (v *live) step(e Step, now time.Time) {
	s, _ := v.apply(e, now)
	if e.State != Running {
		v.pipe(s, s.lines.End())
	}
}

// rest keeps what the steps that are cut off have printed of a line.
func (v *live) rest(l *lane) {
	for _, s := range l.running {
		v.pipe(s, s.lines.End())
	}
}

func (v *live) output(e Output, now time.Time) {
	s := v.lane(e.Platform, now).step(e.ID, "", now)
	s.out.write(e.Data)
	if v.verbose {
		v.pipe(s, s.lines.Add(e.Data))
	}
}

func (v *live) pipe(s *step, lines []string) {
	for _, line := range lines {
		v.keep(s.Platform, mark+printed([]byte(line)))
	}
}

// tick erases the block and draws it again, in one write so that it does not flicker.
func (v *live) tick(now time.Time) {
	columns, rows := v.size()
	var b strings.Builder
	v.erase(&b, columns)
	v.release(&b)
	v.draw(&b, columns, rows, now)
	if b.Len() > 0 {
		_, _ = v.out.Write([]byte(b.String()))
	}
}

// close erases the block for good.
func (v *live) close(time.Time) {
	for _, l := range v.lanes {
		v.rest(l)
	}
	v.clear()
	for _, s := range v.failures() {
		writeFailure(v.out, s)
	}
}

// clear erases the block and writes what is to stay. The next tick draws the platforms that are still at work.
func (v *live) clear() {
	columns, _ := v.size()
	var b strings.Builder
	v.erase(&b, columns)
	v.release(&b)
	if b.Len() > 0 {
		_, _ = v.out.Write([]byte(b.String()))
	}
}

// The sequences of ECMA-48 in use: up and to the first column, erase to the end of the display, colours.
const (
	up     = "\x1b[%dA"
	down   = "\x1b[J"
	reset  = "\x1b[0m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	dim    = "\x1b[2m"
)

// erase goes up to the first line of the block and clears from there. On a terminal that has become narrower since, the lines
// have been wrapped, and there are more of them.
func (v *live) erase(b *strings.Builder, columns int) {
	n := 0
	for _, width := range v.drawn {
		n += 1 + max(width-1, 0)/max(columns, 1)
	}
	if n > 0 {
		fmt.Fprintf(b, "\r"+up+down, n)
	}
	v.drawn = nil
}

func (v *live) release(b *strings.Builder) {
	for _, line := range v.stay {
		b.WriteString(line + "\n")
	}
	v.stay = nil
}

func (v *live) paint(color, text string) string {
	if !v.color || text == "" {
		return text
	}
	return color + text + reset
}
