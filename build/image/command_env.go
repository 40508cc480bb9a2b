package image

import (
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// throughEnv returns the command that env starts and what it changed.
func throughEnv(words []string, f frame) ([]string, frame) {
	o, rest := options.Cut(words, "-S", "--split-string", "-C", "--chdir", "-u", "--unset", "-P")
	for _, o := range o {
		switch o.Name {
		case "-S", "--split-string": // a text to be cut into words
			return throughEnv(append(shell.Fields(o.Value), o.Behind...), f)
		case "-C", "--chdir":
			f.Dir = shell.Absolute(f.Dir, o.Value)
		}
	}
	for i, word := range rest {
		switch name, value, assigned := strings.Cut(word, "="); {
		case word == "-" || word == "--":
		case !assigned:
			return rest[i:], f
		case name == "PATH":
			f.Path = shell.PathList(value)
		default:
			f.Frame = f.With(name, value)
		}
	}
	return nil, f
}
