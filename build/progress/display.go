// Package progress shows a run to people: events go in, and a terminal, a plain log or GitHub Actions comes out.
//
//	events --> Display --+--> terminal: a live line per platform, redrawn at a bounded rate
//	                     +--> plain:    lines that make sense in a log, prefixed by their platform
//	                     +--> GitHub:   plain, with ::group::s of output, and ::error and ::warning annotations
//
// What a failing step printed comes last, with its platform and its line of the Dockerfile. At the end stand a table and the
// one reference to pull. Everything that comes from outside (step names, output of steps, labels) is made harmless first: no
// escape sequence reaches a terminal and no workflow command reaches GitHub.
//
// Table, Tree, Size and Duration serve the targets that print something else.
package progress

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Options say what the writer is. The zero value is a plain log.
type Options struct {
	TTY     bool                       // live lines may be drawn with cursor movement
	Size    func() (columns, rows int) // of the terminal, asked before every drawing as it may be resized; nil: 80 by 24
	NoColor bool                       // no colours on the terminal; a plain log never has any
	GitHub  bool                       // inside GitHub Actions
	Folder  string                     // of the run, from the workflow's checkout on, which GitHub's annotations go by; empty: the checkout
	Verbose bool                       // output of steps is shown as it comes, as with V=1
}

// For finds out about w: it is a terminal if it is a file that is one, TERM is not "dumb" and CI is not set; NO_COLOR and
// GITHUB_ACTIONS have their usual meaning. Verbose and Folder are left to the caller.
func For(w io.Writer, getenv func(string) string) Options {
	o := Options{NoColor: getenv("NO_COLOR") != "", GitHub: getenv("GITHUB_ACTIONS") == "true"}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return o
	}
	o.TTY = getenv("TERM") != "dumb" && getenv("CI") == "" && !o.GitHub
	o.Size = func() (columns, rows int) {
		columns, rows, err := term.GetSize(int(f.Fd()))
		if err != nil || columns <= 0 || rows <= 0 {
			return defaultColumns, defaultRows
		}
		return columns, rows
	}
	return o
}

// The size of a terminal that does not tell its own: the VT100's.
const (
	defaultColumns = 80
	defaultRows    = 24
)

// screen is one way to show the board. Its methods are called one at a time.
type screen interface {
	show(e Event, now time.Time)
	tick(now time.Time) // called at a bounded rate, whether anything has happened or not
	clear()             // takes back what is not to stay
	close(now time.Time)
}

// Display consumes events. Its methods may be called by many goroutines at once.
type Display struct {
	mu      sync.Mutex
	screen  screen
	out     *sink
	settled bool // flushed, and nothing sent since
	closed  bool
	quit    chan struct{}
	stopped chan struct{}
}

// New starts a display on w. The caller must Close it, also after an error or a signal, to leave the terminal in order.
func New(w io.Writer, o Options) *Display {
	d := &Display{out: &sink{w: w}, quit: make(chan struct{}), stopped: make(chan struct{})}
	if o.TTY {
		d.screen = newLive(d.out, o)
	} else {
		d.screen = newLog(d.out, o)
	}
	go d.redraw()
	return d
}

// redrawEvery bounds the rate of drawing: fast enough for seconds with one decimal, slow enough for a slow line.
const redrawEvery = 100 * time.Millisecond

func (d *Display) redraw() {
	defer close(d.stopped)
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		select {
		case <-d.quit:
			return
		case now := <-ticker.C:
			d.mu.Lock()
			if !d.settled {
				d.screen.tick(now)
			}
			d.mu.Unlock()
		}
	}
}

// Send shows an event. After Close it does nothing. A Display that is nil shows nothing.
func (d *Display) Send(e Event) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.settled = false
		d.screen.show(e, time.Now())
	}
}

// Flush removes the live lines until something is sent again, so that others can write a result. The error is the first that
// writing gave.
func (d *Display) Flush() error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.settled = true
		d.screen.clear()
	}
	return d.out.err
}

// Close removes the live lines, prints the output of failed steps, and ends the display's goroutine. The error is the first
// that writing gave. Closing twice is harmless.
func (d *Display) Close() error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	first := !d.closed
	d.closed = true
	d.mu.Unlock()
	if first {
		close(d.quit)
		<-d.stopped
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if first {
		d.screen.close(time.Now())
	}
	return d.out.err
}

// sink writes until writing fails, and keeps that error: a closed pipe must not stop a build.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.w.Write(p)
	}
	return len(p), nil
}
