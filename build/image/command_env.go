package image

import (
	"maps"
	"strings"

	"github.com/manymage/manymage/build/image/options"
)

// throughEnv returns the command that env starts and what it changed.
func throughEnv(words []string, f frame) ([]string, frame) {
	o, rest := options.Cut(words, "-S", "--split-string", "-C", "--chdir", "-u", "--unset", "-P")
	for _, o := range o {
		switch o.Name {
		case "-S", "--split-string": // a text to be cut into words
			return throughEnv(append(envWords(o.Value), o.Behind...), f)
		case "-C", "--chdir":
			f.dir = absolute(f.dir, o.Value)
		}
	}
	for i, word := range rest {
		switch name, value, assigned := strings.Cut(word, "="); {
		case word == "-" || word == "--":
		case !assigned:
			return rest[i:], f
		case name == "PATH":
			f.path = pathList(value)
		default:
			f = f.with(name, value)
		}
	}
	return nil, f
}

// envWords cuts the text of -S into words at blanks outside of quotes.
func envWords(text string) (words []string) {
	b, quote := &builder{}, byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			b.add(text[i : i+1])
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
			b.add("")
		case quote == c && quote != 0:
			quote = 0
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n'):
			b.flush()
		default:
			b.add(text[i : i+1])
		}
	}
	b.flush()
	return b.words
}

// with is the situation with one more variable in the environment.
func (f frame) with(name, word string) frame {
	env := maps.Clone(f.env)
	if env == nil {
		env = map[string][]value{}
	}
	env[name] = []value{{word}}
	f.env = env
	return f
}
