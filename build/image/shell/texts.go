// Package shell reads the text of a shell, and tells what commands it may run: with which words, and in which situation. Nothing is run.
//
//	text --> statements --> what may happen, both ways where that is not known --> command --> Host.Run(words, Frame)
//
// Of conditions it decides those that are the same whenever the image runs, as what asks for the machine is. What a text does with files is
// kept for what it starts (Frame.Put), and its environment, too. A word that only the running shell knows is Unknown, or has that in it.
//
// By file:
//
//	texts frame host   what is asked for: Texts.Follow; what a command is given; what is asked of whoever wants to know
//	parse              a text --> its tree (mvdan.cc/sh)
//	walk flow          its statements in their order; conditions, loops
//	ways vars          what may happen either way; what is known behind both (state)
//	call               a command: a function, a builtin (builtins), or a program, which is perhaps only tried (trial); put keeps what cp, ln, mv
//	                   and rm change, written the texts that are written into files
//	condition          what [, [[, (( and case decide; answers what programs say, machine what of the machine; listed what find lists,
//	                   filter what grep, sed and tr make of it
//	expand             a word --> all that it may be: param, quote, builder, glob; assign has variables and redirections
//	name show          names of files, and how people are shown them
package shell

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Texts are the shell texts of one image: where its files are, and what the texts share, as they start each other. They are followed one after
// another, and not from several goroutines.
type Texts struct {
	image    Files
	env      map[string]string
	declared ocispec.Platform
	machine  func() *regexp.Regexp // finds its machine's names in texts; most images have none that ask
	written  map[string]string     // texts that shells wrote into files
	steps    int                   // statements that were walked
	spent    int                   // bytes that expansions gave, and what costs as much
}

// New has not followed any text of an image with these files, whose config sets env, and that is declared for a platform.
func New(image Files, env map[string]string, declared ocispec.Platform) *Texts {
	return &Texts{image: image, env: env, declared: declared, machine: sync.OnceValue(func() *regexp.Regexp { return machineNames(declared) }), written: map[string]string{}}
}

// Follow walks a text as a shell in this situation would run it, and tells the host what it may start; args begin with $0. What the parser
// does not take is not followed, and noted. The error is the first that the host or the image's files gave.
func (t *Texts) Follow(text string, args []string, f Frame, host Host) error {
	if t.Exhausted() {
		host.Note(TooMany)
		return nil
	}
	w := newWalker(t, host, f, args)
	w.script = w.parse(text)
	w.stmts(w.script)
	if f.Cut { // what calls its functions may lie behind
		for _, name := range slices.Sorted(maps.Keys(w.functions)) {
			w.function(w.functions[name], [][]string{{name}})
		}
	}
	return w.err
}

// Spend counts what else was looked at for the texts, in bytes that are expanded in about the same time.
func (t *Texts) Spend(bytes int) { t.spent += bytes }

// Exhausted tells whether a bound is reached behind which nothing is walked.
func (t *Texts) Exhausted() bool { return t.steps > maxSteps || t.spent > maxExpanded }

// Written is the text that one of the texts wrote where Put has it, Unknown where it only comes at run time.
func (t *Texts) Written(place string) (text string, ok bool) {
	if place == written || strings.HasPrefix(place, written+"/") {
		return Unknown, true
	}
	text, ok = t.written[place]
	return text, ok
}
