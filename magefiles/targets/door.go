package targets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/manymage/manymage/build/progress"
)

// The door is where the command line comes in:
//
//	[-v] [-t 5m] [NAME=value ...] [TARGET [argument ...] [-option=value ...] ...]
//
// Mage reads it word by word while targets already run: `mage build psh` builds, and only then says that there is no psh. And it
// knows nothing of NAME=value. So the whole line is read before anything happens: knobs are taken out of it, and a word that is
// no target, an option that nobody has, a missing argument end the program with exit code 2 and one sentence. The only code that
// Mage runs before it reads the line is the initialisation of packages; hence this one variable whose initialisation acts. It is
// never written again.
var entered = enter()

// enter reads the command line of a program that Mage has compiled, and leaves in os.Args what Mage is to see.
func enter() line {
	if !compiledByMage() {
		return line{}
	}
	b := newAsker()
	read, err := readLine(os.Args[1:], b, os.Getenv)
	var said *answer
	if errors.As(err, &said) {
		os.Exit(said.give(os.Stdout, os.Stderr, os.Getenv))
	}
	os.Args = append(os.Args[:1:1], read.mage...)
	lateCollection(os.Getenv, debug.SetGCPercent)
	return read
}

// mageMainFile is the file into which every version of Mage writes a program's main function.
const mageMainFile = "mage_output_file.go"

// compiledByMage tells the programs that Mage makes from all others which happen to link this package: tests, or somebody's tool
// that uses Settings, whose own main function must not be called by anybody but the runtime.
func compiledByMage() bool {
	main := runtime.FuncForPC(reflect.ValueOf(mageMain).Pointer())
	if main == nil {
		return false
	}
	file, _ := main.FileLine(main.Entry())
	return path.Base(filepath.ToSlash(file)) == mageMainFile
}

// line is a command line that has been read.
type line struct {
	words    []string      // NAME=value
	mage     []string      // what is left for Mage
	targets  int           // how many it names; 0: not known
	runs     []string      // those of this package, under the names that they have here
	timeout  time.Duration // of -t; 0: none
	deadline time.Time     // when it is over
}

// answer ends the program at the door.
type answer struct {
	text string
	code int
}

// usageCode is the exit code for wrong usage, Mage's own too.
const usageCode = 2

func refuse(format string, args ...any) error {
	return &answer{text: fmt.Sprintf(format, args...), code: usageCode}
}

func (a *answer) Error() string { return a.text }

// give prints the answer, a refusal also as what GitHub Actions shows of one, and gives the exit code.
func (a *answer) give(stdout, stderr io.Writer, getenv func(string) string) int {
	if a.code == 0 {
		fmt.Fprintln(stdout, a.text)
		return 0
	}
	if getenv("GITHUB_ACTIONS") == "true" {
		fmt.Fprintln(stderr, progress.ErrorCommand(a.text))
	}
	fmt.Fprintln(stderr, "Error:", a.text)
	return a.code
}

// Words are the NAME=value words of the command line, in its order; "--insecure" has become "INSECURE=true".
func Words() []string { return append([]string(nil), entered.words...) }

// errInterrupted is the cause of a context that Mage has cancelled: it does so for SIGINT alone, gives no cause, and may be the first
// to hear of it.
var errInterrupted = errors.New("interrupt signal received")

// told is ctx with a cause for Mage's cancellation.
func told(ctx context.Context) context.Context {
	out, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if errors.Is(cause, context.Canceled) {
			cause = errInterrupted
		}
		cancel(cause)
	})
	return out
}

// Signals gives a context that ends on SIGINT, SIGTERM, the terminal's end (SIGHUP, but not under nohup), and when the time of -t is
// over, so that a target can clean up: Mage itself handles SIGINT alone. A second SIGTERM kills. The caller must call stop.
func Signals(ctx context.Context) (_ context.Context, stop context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stopSignals := signal.NotifyContext(told(ctx), signals...)
	context.AfterFunc(ctx, stopSignals)
	if entered.deadline.IsZero() {
		return ctx, stopSignals
	}
	over := fmt.Errorf("the %s of -t are over: give it more time", entered.timeout)
	ctx, stopClock := context.WithDeadlineCause(ctx, entered.deadline, over)
	return ctx, func() { stopClock(); stopSignals() }
}

// program is how people call this program.
func program() string { return called(os.Args[0], os.Getenv) }

// called is how people call the program at a path. What scripts/mage and Mage itself keep compiled has a name that nobody types.
func called(path string, getenv func(string) string) string {
	name := filepath.Base(path)
	switch {
	case strings.HasPrefix(name, "targets-") && getenv("MANYMAGE_HOME") != "":
		return "scripts/mage"
	case isCached(name):
		return "mage"
	}
	return name
}

// isCached tells the name of a program in Mage's own cache: a hash of the magefiles.
func isCached(name string) bool {
	hash := strings.TrimSuffix(name, ".exe")
	return (len(hash) == 40 || len(hash) == 64) && strings.Trim(hash, "0123456789abcdef") == ""
}
