package targets

import (
	"cmp"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// binary answers questions about the targets of this program: its own, those it imports under whatever name, their aliases.
type binary interface {
	// describe tells what a target needs; nil: no such target. The error is errCannotAsk.
	describe(word string) (*target, error)
	// list names all targets.
	list() ([]string, error)
}

// errCannotAsk means that the program could not be asked for its targets. The line then goes to Mage unchecked.
var errCannotAsk = errors.New("the targets of this program are not known")

// reader reads one command line.
type reader struct {
	binary  binary
	words   []string // NAME=value
	rest    []string // everything else, while it is read
	count   int      // of targets that were read
	runs    []string // this package's among them, as line has them
	options options
}

// options are Mage's own.
type options struct {
	help, list, verbose, version bool
	timeout                      time.Duration
}

// readLine reads the arguments of a program. The error is an *answer.
func readLine(args []string, b binary, getenv func(string) string) (line, error) {
	r := &reader{binary: b}
	r.options.list, _ = strconv.ParseBool(getenv("MAGEFILE_LIST"))
	r.options.help, _ = strconv.ParseBool(getenv("MAGEFILE_HELP"))
	if err := r.knobs(args); err != nil {
		return line{}, err
	}
	if err := r.timeoutFrom(getenv("MAGEFILE_TIMEOUT")); err != nil {
		return line{}, err
	}
	mage, err := r.read()
	if errors.Is(err, errCannotAsk) {
		mage, err = r.rest, nil
	}
	if err != nil {
		return line{}, err
	}
	l := line{words: r.words, mage: append(r.options.forMage(), mage...), targets: r.count, runs: r.runs, timeout: r.options.timeout}
	if l.timeout > 0 {
		l.deadline = time.Now().Add(l.timeout)
	}
	return l, nil
}

var knob = regexp.MustCompile(`^[A-Z][A-Z0-9_]*=`)

// switches are the knobs that can be written as options too, as docker and make users expect.
var switches = map[string]string{"insecure": "INSECURE", "verbose": "V"}

// forTheCompiler are variables with which people cross-compile. As knobs they would mislead, as environment they would compile
// the magefile itself for a machine that is not this one.
var forTheCompiler = map[string]string{"GOARCH": "ARCHES", "GOARM": "ARCHES", "GOOS": "ARCHES"}

// knobs takes NAME=value words and switches out of the line.
func (r *reader) knobs(args []string) error {
	for _, arg := range args {
		name, value, valued := strings.Cut(arg, "=")
		option := strings.TrimLeft(name, "-")
		switched, isSwitch := switches[option]
		switch {
		case knob.MatchString(arg):
			if cure, wrong := forTheCompiler[name]; wrong {
				return refuse("%s is no knob: say for which platforms to build with %s, such as %s", name, cure, example(name, value))
			}
			r.words = append(r.words, arg)
		case isSwitch && option != name && valued:
			r.words = append(r.words, switched+"="+value)
		case isSwitch && option != name:
			r.words = append(r.words, switched+"=true")
		default:
			r.rest = append(r.rest, arg)
		}
	}
	return nil
}

// example is how the wish behind a compiler's variable is written here.
func example(name, value string) string {
	switch {
	case value == "" || name == "GOOS":
		return `ARCHES="amd64 arm64"`
	case name == "GOARM":
		return "ARCHES=arm/v" + value
	}
	return "ARCHES=" + value
}

// read checks what the knobs have left, and gives what Mage is to see of it.
func (r *reader) read() ([]string, error) {
	rest, err := r.leadingOptions()
	if err != nil {
		return nil, err
	}
	if r.options.list {
		return []string{"-l"}, nil
	}
	switch {
	case r.options.version:
		return r.version()
	case r.options.help:
		return r.help(rest)
	case len(rest) > 0 && strings.EqualFold(rest[0], helpWord):
		return r.help(rest[1:])
	}
	if len(rest) == 0 {
		return nil, r.overview()
	}
	checked, err := r.targets(rest)
	switch {
	case err != nil:
		return nil, err
	case r.options.help: // behind a target
		return r.help(rest)
	case r.options.version:
		return r.version()
	case r.options.list:
		return []string{"-l"}, nil
	}
	return checked, nil
}

// leadingOptions reads the options before the first target.
func (r *reader) leadingOptions() ([]string, error) {
	rest := r.rest
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		if rest[0] == "--" {
			return rest[1:], nil
		}
		n, err := r.option(rest)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, refuse("unknown option %s: %s", rest[0], cmp.Or(habit(rest[0]), "there are -h, -l, -t, -v, --insecure and --version"))
		}
		rest = rest[n:]
	}
	return rest, nil
}
