package config

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
)

// Input is all that a Config is made of.
type Input struct {
	// Words are the NAME=value words of the command line (IsWord), in order; as with make the last of a name counts. A word
	// without a value (ARCHES= excepted, which is refused) means: as if nobody had said anything.
	Words []string
	// Getenv is the environment; nil is an empty one. A variable that is set but empty counts as not set.
	Getenv func(string) string
	// Dir is the folder that the run is for: manymage.yaml is in it. It must be absolute.
	Dir string
	// Defaults are the importer's, in Go.
	Defaults Defaults
	// Extra are names of words that the importer reads itself: they are let through.
	Extra []string
	// Repository is what git says of Dir (build/git's Info).
	Repository Repository
	// Uses are the names of the knobs that this run goes by; nil is all. What is wrong with another one is of no matter, unless
	// the command line says it: it is set for other targets, and may mean something else to other tools.
	Uses []string
}

// Repository is what git says that a Config can be made of; fields may be empty.
type Repository struct {
	// Version as `git describe` has it, and where it is from: "git tag v1.2.0".
	Version, Origin string
	// Name of the repository, from its remote; Prefix the path of Dir inside of it.
	Name, Prefix string
}

// loader holds what a Config is made from while it is made.
type loader struct {
	in          Input
	getenv      func(string) string
	layers      map[level]map[string]setting
	order       []level // from the strongest
	environment map[string]string
	faults      []error
	config      Config
}

// Load makes a Config, or tells everything that is wrong with the input at once: each error is a *UsageError.
func Load(in Input) (Config, error) {
	l := &loader{in: in, getenv: overlay(nil, in.Getenv), order: []level{fromLine, fromOwnVariable, fromVariable, fromFile, fromDefaults}}
	if !filepath.IsAbs(in.Dir) {
		return Config{}, &UsageError{Knob: "DIR", Text: in.Dir, Problem: "is no absolute path: start in the image's folder"}
	}
	l.layers = map[level]map[string]setting{
		fromLine:        l.fromWords(),
		fromOwnVariable: l.fromEnvironment("MANYMAGE_"),
		fromVariable:    l.fromEnvironment(""),
		fromFile:        l.fromFile(),
		fromDefaults:    l.fromDefaults(),
	}
	return l.load()
}

// load makes a Config of the layers.
func (l *loader) load() (Config, error) {
	if l.pardon(); len(l.faults) > 0 {
		return Config{}, errors.Join(l.faults...) // values in error would only bring errors that are none
	}
	l.config = Config{Dir: filepath.Clean(l.in.Dir), words: l.environment}
	for _, step := range []func(){l.platforms, l.nodes, l.image, l.tags, l.build, l.arguments, l.registry, l.switches} {
		step()
	}
	if l.pardon(); len(l.faults) > 0 {
		return Config{}, errors.Join(l.faults...)
	}
	slices.SortStableFunc(l.config.values, func(a, b Value) int { return place(a.Knob) - place(b.Knob) })
	return l.config, nil
}

// CheckWords tells what is wrong with the words of a command line, as Load does, for who goes by none of them.
func CheckWords(words, extra []string) error {
	l := &loader{in: Input{Words: words, Dir: string(filepath.Separator), Extra: extra, Uses: []string{}}, getenv: overlay(nil, nil), order: []level{fromLine}}
	l.layers = map[level]map[string]setting{fromLine: l.fromWords()}
	_, err := l.load()
	return err
}

// place is a knob's place in the table.
func place(name string) int {
	return slices.IndexFunc(knobs, func(k Knob) bool { return k.Name == name })
}

// later keeps what only a build lacks, for CheckFiles.
func (l *loader) later(err *UsageError) { l.config.unready = append(l.config.unready, err) }

func (l *loader) fail(err *UsageError) { l.faults = append(l.faults, err) }

// pardon takes back the faults of knobs that nobody goes by. Where there is an account, IMG says whose it is.
func (l *loader) pardon() {
	if l.in.Uses == nil {
		return
	}
	used := append([]string{FileName}, l.in.Uses...)
	if l.get("REGISTRY_USER").said() {
		used = append(used, "IMG", "REGISTRY")
	}
	l.faults = slices.DeleteFunc(l.faults, func(err error) bool {
		var fault *UsageError
		if !errors.As(err, &fault) || fault.Origin == commandLine {
			return false
		}
		name := fault.Knob
		if knob, known := find(strings.ToUpper(name)); known {
			name = knob.Name
		}
		return !slices.Contains(used, name)
	})
}

// record keeps a knob's value for plan.
func (l *loader) record(knob, text, origin string) {
	if text != "" {
		l.config.values = append(l.config.values, Value{Knob: knob, Text: text, Origin: origin})
	}
}

// scalar is a knob of one text, or its default.
func (l *loader) scalar(name, otherwise string) setting {
	s := l.get(name)
	if !s.said() {
		s.text, s.origin, s.level = otherwise, byDefault, fromNowhere
	}
	l.record(name, s.text, s.origin)
	return s
}
