// Package progress shows a run to people: events go in, and a terminal, a plain log or GitHub Actions comes out.
//
//	events --> Display --+--> terminal: a live line per platform, redrawn at a bounded rate
//	                     +--> plain:    lines that make sense in a log, prefixed by their platform
//	                     +--> GitHub:   plain, in ::group::s, with ::error and ::warning annotations
//
// What a failing step printed comes last, with its platform and its line of the Dockerfile. At the end stand a table and the
// one reference to pull. Everything that comes from outside (step names, output of steps, labels) is made harmless first: no
// escape sequence reaches a terminal and no workflow command reaches GitHub.
//
// Table, Tree, Size and Duration serve the targets that print something else.
package progress

import (
	"io"
)

// Options say what the writer is. The zero value is a plain log.
type Options struct {
	TTY     bool       // live lines may be drawn with cursor movement
	Width   func() int // columns of the terminal, asked before every drawing as it may be resized; nil: 80
	NoColor bool       // no colours on the terminal; a plain log never has any
	GitHub  bool       // inside GitHub Actions
	Verbose bool       // output of steps is shown as it comes, as with V=1
}

// For finds out about w: it is a terminal if it is a file that is one, TERM is not "dumb" and CI is not set; NO_COLOR and
// GITHUB_ACTIONS have their usual meaning. Verbose is left to the caller.
func For(w io.Writer, getenv func(string) string) Options { return Options{} }

// Display consumes events. Its methods may be called by many goroutines at once.
type Display struct{}

// New starts a display on w. The caller must Close it, also after an error or a signal, to leave the terminal in order.
func New(w io.Writer, o Options) *Display { return &Display{} }

// Send shows an event. After Close it does nothing. A Display that is nil shows nothing.
func (d *Display) Send(e Event) {}

// Close removes the live lines, prints the output of failed steps, and ends the display's goroutine. The error is the first
// that writing gave. Closing twice is harmless.
func (d *Display) Close() error { return nil }
