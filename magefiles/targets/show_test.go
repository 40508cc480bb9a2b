package targets

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/registry"
)

type said string

func (s said) Write(w io.Writer) error {
	_, err := io.WriteString(w, string(s))
	return err
}

// What registries and images say reaches neither the terminal's nor the runner's commands, by a result or by an error.
func TestWhatIsShownIsHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"one\n  two\n":                       "one\n  two\n",
		"403 \x1b]0;pwned\a\x1b[2J\n":        `403 \x1b]0;pwned\x07\x1b[2J` + "\n",
		"tag\n::stop-commands::x\r::error::": "tag\n\\::stop-commands::x\\r::error::",
		"##[command]":                        `#\#[command]`,
	} {
		var out strings.Builder
		if err := show(&out, said(in)); err != nil || out.String() != want {
			t.Errorf("%q is shown as %q (%v), want %q", in, out.String(), err, want)
		}
		if got := exit(errors.New(in)).Error(); got != want {
			t.Errorf("%q is told as %q, want %q", in, got, want)
		}
	}
	if got := exit(errors.New(strings.Repeat("x", 4<<20))).Error(); len(got) > 16<<10 {
		t.Errorf("a line of %d bytes is told", len(got))
	}
	var coded interface{ ExitStatus() int }
	if err := exit(fmt.Errorf("%w: nobody", registry.ErrUnreachable)); !errors.As(err, &coded) || coded.ExitStatus() != 5 {
		t.Errorf("%v has lost its exit code", err)
	}
}
