package image

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/platforms"
)

// probe is another machine's program that a text tries to run. That tells no lie where the text starts in the end what lies beside it for
// the declared machine, which only shows when all is followed.
type probe struct {
	words []string
	frame frame
	own   string // what lies beside it
}

// probed takes a program that is only tried as one that does not run.
func (w *walker) probed(words []string) bool {
	_, own := w.tries(words[0])
	if own == "" {
		return false
	}
	f := w.frame
	f.soft, f.dir, f.put = true, w.dir, w.places()[0]
	w.probes, w.status = append(w.probes, probe{words, f, own}), cannotRun
	return true
}

// judgeProbes follows what was only tried.
func (c *checker) judgeProbes() (err error) {
	for _, p := range c.probes {
		own, failed := c.resolve(p.own)
		_, started := c.programs[own.real]
		p.frame.chosen = p.frame.chosen || started
		err = errors.Join(err, failed, c.run(p.words, p.frame))
	}
	return err
}

// guesses tells whether a command that cannot be computed says something of the machine.
func (w *walker) guesses(words []string) bool {
	name, text := path.Base(words[0]), w.frame.input+" "+strings.Join(words[1:], " ")
	filter := slices.Contains([]string{"awk", "cut", "egrep", "expr", "fgrep", "gawk", "grep", "head", "read", "sed", "tail", "tr", "xargs"}, name)
	tries, _ := w.tries(words[0])
	return tries || name == "lscpu" || filter && (strings.Contains(text, guessed) || w.ofMachine(w.frame.input) || slices.ContainsFunc(words[1:], w.ofMachine))
}

// tries tells whether a program is asked that is there once for each machine, by its name, to see which of them runs; and where that for
// the declared machine is, if it is another one.
func (w *walker) tries(name string) (is bool, own string) {
	if !w.trial || !strings.Contains(name, "/") || !known(name) {
		return false, ""
	}
	for _, part := range regexp.MustCompile("[0-9A-Za-z_]+").FindAllString(name, -1) {
		if _, err := platforms.Parse(part); err != nil {
			continue
		}
		for _, own := range machines(w.declared) {
			if part == own {
				return true, ""
			}
			if beside := absolute(w.dir, strings.Replace(name, part, own, 1)); w.fits(beside) {
				return true, beside
			}
		}
	}
	return false, ""
}

// fits tells whether a program is there that is for the declared machine.
func (w *walker) fits(name string) bool {
	at, ok, err := w.regular(name)
	if w.failed(err); !ok {
		return false
	}
	file, err := w.tree.read(at.real, at.info)
	w.failed(err)
	return err == nil && file.format == formatELF && !w.foreign(file.elf)
}
