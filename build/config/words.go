package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/platforms"
)

var word = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// IsWord tells whether an argument of the command line is a NAME=value word rather than a target or an option.
func IsWord(arg string) bool { return word.MatchString(arg) }

// Overlay is next with the words of the command line before it, for variables that are no knobs: DOCKER_HOST=ssh://pi as a
// word is as good as in the environment. next may be nil.
func Overlay(args []string, next func(string) string) func(string) string {
	given := map[string]string{}
	for _, arg := range args {
		if name, value, _ := strings.Cut(arg, "="); IsWord(arg) && isEnvironment(name) {
			given[name] = value
		}
	}
	return overlay(given, next)
}

func overlay(given map[string]string, next func(string) string) func(string) string {
	return func(name string) string {
		if value, found := given[name]; found {
			return value
		}
		if next == nil {
			return ""
		}
		return next(name)
	}
}

const commandLine = "command line"

// fromWords reads the command line: the last word of a name counts. Two names of one knob must agree.
func (l *loader) fromWords() map[string]setting {
	layer, called := map[string]setting{}, map[string]string{}
	l.environment = map[string]string{}
	for _, arg := range l.in.Words {
		name, text, _ := strings.Cut(arg, "=")
		knob, known := find(name)
		other := called[knob.Name]
		switch {
		case !IsWord(arg):
			l.fail(&UsageError{Knob: arg, Origin: commandLine, Problem: "is no NAME=value word: write the knob's name, = and its value"})
		case isEnvironment(name):
			l.environment[name] = text
		case !known && slices.Contains(l.in.Extra, name):
		case !known:
			l.fail(&UsageError{Knob: name, Origin: commandLine, Problem: unknown(name)})
		case knob.Name == passwordKnob:
			l.fail(&UsageError{Knob: name, Origin: commandLine, Problem: "would be seen by everybody on this machine: set it in the environment"})
		case other != "" && other != name && !agree(layer[knob.Name].text, text):
			l.fail(&UsageError{Knob: name, Text: text, Origin: commandLine, Problem: sameAs(other, layer[knob.Name].text) + "leave one out"})
		default:
			layer[knob.Name], called[knob.Name] = l.textual(knob, text, commandLine), name
		}
	}
	return layer
}

// fromEnvironment reads one prefix of the environment. A variable that is empty is not set. Two names of one knob must agree.
func (l *loader) fromEnvironment(prefix string) map[string]setting {
	layer := map[string]setting{}
	for _, knob := range knobs {
		for _, name := range append([]string{knob.Name}, knob.Synonyms...) {
			text := l.getenv(prefix + name)
			if text == "" {
				continue
			}
			origin := "environment " + prefix + name
			if other, twice := layer[knob.Name]; twice && !agree(other.text, text) {
				l.fail(&UsageError{Knob: name, Text: text, Origin: origin, Problem: sameAs(knob.Name, other.text) + "unset one"})
				continue
			}
			layer[knob.Name] = l.textual(knob, text, origin)
		}
	}
	return layer
}

// agree tells whether two texts of the one knob that has two names, ARCHES, are the same list, however each is written.
func agree(a, b string) bool {
	one, err := platforms.ParseList(a)
	other, wrong := platforms.ParseList(b)
	return a == b || err == nil && wrong == nil && slices.EqualFunc(one, other, platforms.Equal)
}

func sameAs(knob, text string) string {
	return "is the same knob as " + knob + ", which says " + text + ": "
}
