package image

import (
	"maps"
	"strings"
)

// throughEnv returns the command that env starts and what it changed.
func throughEnv(words []string, f frame) ([]string, frame) {
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		name, value, assigned := strings.Cut(word, "=")
		switch {
		case word == "--":
		case strings.HasPrefix(word, "-"):
			words, f = envOption(word, words, f)
		case assigned && name == "PATH":
			f.path = pathList(value)
		case assigned:
			f = f.with(name, value)
		default:
			return append([]string{word}, words...), f
		}
	}
	return nil, f
}

// envOption takes one option of env: -S is a text to be cut into words, alone or behind letters without value.
func envOption(word string, rest []string, f frame) ([]string, frame) {
	value := func(inline string) (v string) {
		if v = inline; v == "" && len(rest) > 0 {
			v, rest = rest[0], rest[1:]
		}
		return v
	}
	if long, inline, _ := strings.Cut(word, "="); strings.HasPrefix(word, "--") {
		switch long {
		case "--split-string":
			list := envWords(value(inline))
			return append(list, rest...), f
		case "--chdir":
			f.dir = absolute(f.dir, value(inline))
		case "--unset":
			value(inline)
		}
		return rest, f
	}
	for i := 1; i < len(word); i++ {
		switch word[i] {
		case 'S':
			list := envWords(value(word[i+1:]))
			return append(list, rest...), f
		case 'C':
			f.dir = absolute(f.dir, value(word[i+1:]))
			return rest, f
		case 'u', 'P':
			value(word[i+1:])
			return rest, f
		}
	}
	return rest, f
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
