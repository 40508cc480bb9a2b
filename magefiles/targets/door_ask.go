package targets

import (
	"errors"
	_ "flag" // the packages that main stands on have to be ready when it is called
	"io"
	"log"
	"os"
	_ "os/signal"
	"regexp"
	"slices"
	"strings"
	_ "text/tabwriter"
	_ "unsafe" // for go:linkname
)

// mageMain is the main function that Mage writes for a program: the only thing that knows which targets a magefile has compiled in.
// With -l it prints their names and with -h TARGET what one needs, and returns without having run anything. It stands on the
// standard library alone, so that it can be called while the packages of the program are still being initialised.
//
//go:linkname mageMain main.main
func mageMain()

// asker asks Mage's main function for the targets.
type asker struct {
	call  func(args ...string) (string, error) // what main prints
	names []string                             // of all targets, as -l writes them; nil: not asked yet
	known map[string]*target                   // by name in small letters; each is asked for once
}

func newAsker() *asker { return &asker{call: callMain, known: map[string]*target{}} }

// callMain calls main with arguments, and gives what it prints. It leaves the process as it was.
func callMain(args ...string) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	printed := make(chan string, 1)
	go func() {
		out, _ := io.ReadAll(r) // a pipe of our own ends, and does not fail
		printed <- string(out)
	}()
	undo := setProcess(w, append(os.Args[:1:1], args...))
	mageMain()
	undo()
	if err := w.Close(); err != nil {
		return "", err
	}
	return <-printed, nil
}

// setProcess changes what main looks at and what it sets, until undo. Mage's own variables would change or colour the answer.
func setProcess(stdout *os.File, args []string) (undo func()) {
	out, given, flags, to := os.Stdout, os.Args, log.Flags(), log.Writer()
	const verbose = "MAGEFILE_VERBOSE" // set by main in any case
	var theirs [][2]string
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "MAGEFILE_") {
			theirs = append(theirs, [2]string{name, value})
			os.Unsetenv(name)
		}
	}
	os.Stdout, os.Args = stdout, args
	return func() {
		os.Stdout, os.Args = out, given
		log.SetFlags(flags)
		log.SetOutput(to)
		os.Unsetenv(verbose)
		for _, v := range theirs {
			os.Setenv(v[0], v[1])
		}
	}
}

func (a *asker) describe(word string) (*target, error) {
	names, err := a.list()
	if err != nil {
		return nil, err
	}
	word = strings.ToLower(word)
	// main ends the process when it is asked about a name that it does not have.
	if !slices.ContainsFunc(names, func(name string) bool { return strings.ToLower(name) == word }) {
		return nil, nil
	}
	if t, ok := a.known[word]; ok {
		return t, nil
	}
	out, err := a.call("-h", word)
	if err != nil {
		return nil, errors.Join(errCannotAsk, err)
	}
	a.known[word], err = parseHelp(word, out)
	return a.known[word], err
}

// listing is what -l prints.
func (a *asker) listing() (string, error) {
	out, err := a.call("-l")
	if err != nil {
		return "", errors.Join(errCannotAsk, err)
	}
	return out, nil
}

func (a *asker) columns() int { return terminal() }

func (a *asker) list() ([]string, error) {
	if a.names != nil {
		return a.names, nil
	}
	out, err := a.listing()
	if err != nil {
		return nil, err
	}
	a.names = append([]string{}, parseList(out)...)
	return a.names, nil
}

// parseList reads what `-l` prints: behind the magefile's description and the line "Targets:", each target with two spaces
// before and its synopsis behind. The default one has an asterisk.
func parseList(out string) []string {
	var names []string
	for line := range strings.Lines(out) {
		if line == "Targets:\n" {
			names = nil
			continue
		}
		if fields := strings.Fields(line); strings.HasPrefix(line, "  ") && len(fields) > 0 {
			names = append(names, strings.TrimSuffix(fields[0], "*"))
		}
	}
	return names
}

var (
	argument   = regexp.MustCompile(`<([^<>]+)>`)
	optionText = regexp.MustCompile(`-([^\s=]+)=<([^<>]+)>`)
	hump       = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// parseHelp reads what `-h TARGET` prints: the target's comment, then
//
//	Usage:
//
//		mage inspect <ref> [<flags>]
//
//	Flags:
//
//		-json=<bool>  what it is for
//
//	Aliases: i, show
//
// where a single option stands in the usage itself.
func parseHelp(word, out string) (*target, error) {
	const head = "Usage:\n\n\t"
	i := strings.LastIndex(out, head)
	if i < 0 {
		return nil, errCannotAsk
	}
	usage, below, _ := strings.Cut(out[i+len(head):], "\n")
	at := strings.Index(usage, " "+word)
	if at < 0 {
		return nil, errCannotAsk
	}
	t := &target{name: word, usage: usage[at+1:]}
	positional, inline, _ := strings.Cut(t.usage, " [")
	for _, m := range argument.FindAllStringSubmatch(positional, -1) {
		t.required = append(t.required, m[1])
	}
	t.addOption(inline)
	for line := range strings.Lines(below) {
		if list, ok := strings.CutPrefix(line, "Aliases: "); ok {
			t.aliases = strings.Split(strings.TrimSpace(list), ", ")
		}
		if strings.HasPrefix(line, "\t-") {
			t.addOption(line)
		}
	}
	return t, nil
}

// addOption adds the option that a line begins with, if it is not there yet.
func (t *target) addOption(line string) {
	m := optionText.FindStringSubmatch(line)
	if m == nil {
		return
	}
	o := targetOption{name: ownSpelling(m[1]), kind: m[2]}
	if !slices.Contains(t.options, o) {
		t.options = append(t.options, o)
	}
}

// ownSpelling is -dry-run, as people write options. Mage's help has -dryRun.
func ownSpelling(name string) string { return strings.ToLower(hump.ReplaceAllString(name, "$1-$2")) }
