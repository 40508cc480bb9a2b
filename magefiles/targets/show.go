package targets

import (
	"io"
	"strings"

	"github.com/magefile/mage/mg"

	"github.com/manymage/manymage/build"
	"github.com/manymage/manymage/build/progress"
)

// What is shown leaves by the display, which cleans its events, or by one of the two doors below. Errors and results repeat what
// registries and images say: no escape sequence of theirs reaches a terminal, and no workflow command GitHub's runner.

// text is a result that people can read.
type text interface{ Write(io.Writer) error }

// show writes a result.
func show(to io.Writer, result text) error {
	var b strings.Builder
	if err := result.Write(&b); err != nil {
		return err
	}
	_, err := io.WriteString(to, progress.CleanLines(b.String()))
	return err
}

// exit gives Mage an error, which it prints, with the exit code of what went wrong.
func exit(err error) error {
	if err == nil {
		return nil
	}
	return mg.Fatalf(build.ExitCode(err), "%s", progress.CleanLines(err.Error()))
}
