package targets

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// asker asks this program itself, in processes of its own, for its targets: nothing else knows what a magefile has compiled in.
// `-h TARGET` tells what a target needs in about the time that a process takes to start; `-l` names them all.
type asker struct {
	run   func(args ...string) (string, int, error)
	mu    sync.Mutex
	known map[string]func() (*target, error) // by word in small letters; each is asked for once
}

func newAsker() *asker {
	return &asker{run: runSelf, known: map[string]func() (*target, error){}}
}

// asking marks the environment of a process that is only to answer. It holds the asker's process id, so that the variable means
// nothing to a grandchild.
const asking = "MANYMAGE_ASKED_BY"

func asked() bool { return os.Getenv(asking) == strconv.Itoa(os.Getppid()) }

// patience is how long an answer may take: a thousand times what it does.
const patience = 30 * time.Second

// runSelf runs this program, and gives its output and exit code.
func runSelf(args ...string) (string, int, error) {
	path, err := os.Executable()
	if err != nil {
		return "", 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool {
		// Mage's own switches would change what is answered, or colour it.
		return strings.HasPrefix(s, "MAGEFILE_")
	}), asking+"="+strconv.Itoa(os.Getpid()))
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.Exited() {
		return string(out), failed.ExitCode(), nil
	}
	return string(out), 0, err
}

// ahead asks for words at once.
func (a *asker) ahead(words []string) {
	var all sync.WaitGroup
	slots := make(chan struct{}, max(2, runtime.NumCPU()))
	for _, word := range words {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			_, _ = a.describe(word)
		})
	}
	all.Wait()
}

func (a *asker) describe(word string) (*target, error) {
	if word == "" || strings.HasPrefix(word, "-") {
		return nil, nil
	}
	word = strings.ToLower(word)
	a.mu.Lock()
	ask, ok := a.known[word]
	if !ok {
		ask = sync.OnceValues(func() (*target, error) { return a.ask(word) })
		a.known[word] = ask
	}
	a.mu.Unlock()
	return ask()
}

func (a *asker) ask(word string) (*target, error) {
	out, code, err := a.run("-h", word)
	switch {
	case err != nil:
		return nil, errors.Join(errCannotAsk, err)
	case code == usageCode:
		return nil, nil
	case code != 0:
		return nil, errCannotAsk
	}
	return parseHelp(word, out)
}

// listing is what -l prints.
func (a *asker) listing() (string, error) {
	out, code, err := a.run("-l")
	if err != nil || code != 0 {
		return "", errors.Join(errCannotAsk, err)
	}
	return out, nil
}

func (a *asker) list() ([]string, error) {
	out, err := a.listing()
	if err != nil {
		return nil, err
	}
	names := parseList(out)
	a.ahead(names)
	return names, nil
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
	o := targetOption{name: strings.ToLower(m[1]), kind: m[2]}
	if !slices.Contains(t.options, o) {
		t.options = append(t.options, o)
	}
}
