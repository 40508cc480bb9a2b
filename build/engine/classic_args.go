package engine

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// classicArgs are the build arguments of one solve.
type classicArgs struct {
	given    map[string]string // by the caller: outrank a default in the Dockerfile
	platform map[string]string // TARGET* and BUILD*, which BuildKit sets by itself: a default outranks them
	bare     bool              // those of the platform stand in the Dockerfile without a value, and go with the request
}

// platformArgs are BuildKit's automatic arguments, which classic builders lack.
func platformArgs(build, target ocispec.Platform) map[string]string {
	args := map[string]string{}
	for prefix, p := range map[string]ocispec.Platform{"BUILD": build, "TARGET": target} {
		args[prefix+"PLATFORM"] = platforms.Format(p)
		args[prefix+"OS"] = p.OS
		args[prefix+"ARCH"] = p.Architecture
		args[prefix+"VARIANT"] = p.Variant
	}
	return args
}

// value is what an ARG of this name and default gets, if anything but its default.
func (a classicArgs) value(name string, hasDefault bool) (string, bool) {
	if v, ok := a.given[name]; ok {
		return v, true
	}
	v, ok := a.platform[name]
	return v, ok && !hasDefault
}

// proxyArgs need no ARG, and leave no trace in the image.
var proxyArgs = []string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"}

func isProxyArg(name string) bool { return slices.Contains(proxyArgs, strings.ToUpper(name)) }

// argument is one NAME or NAME=default of an ARG statement.
type argument struct {
	name, fallback string
	hasDefault     bool
}

func argumentsOf(in statement) []argument {
	var out []argument
	for _, word := range wordsOf(in.node) {
		name, fallback, ok := strings.Cut(word, "=")
		out = append(out, argument{name, fallback, ok})
	}
	return out
}

// withValues writes an ARG statement with the values as defaults. So they
// stand in the build history, and a cache that looks at nothing else keeps one
// platform's steps from another's. Before the first FROM the defaults are
// written as BuildKit expands them: there it has the platform's arguments
// undeclared, and ways to write a variable that classic builders lack.
func (a classicArgs) withValues(in statement, global variables) (text string, changed bool) {
	var words []string
	for _, arg := range argumentsOf(in) {
		word := arg.name
		if arg.hasDefault {
			word += "=" + arg.fallback
		}
		if _, automatic := a.platform[arg.name]; automatic && a.bare {
			changed = changed || arg.hasDefault
			word = arg.name
		} else if value, ok := a.value(arg.name, arg.hasDefault); ok {
			word = arg.name + "=" + quoteArg(value)
			changed = true
		} else if in.stage < 0 && strings.Contains(arg.fallback, "$") {
			if spelled, ok := spell(global[arg.name]); ok {
				word = arg.name + "=" + spelled
				changed = true
			}
		}
		words = append(words, word)
	}
	return "ARG " + strings.Join(words, " "), changed
}

// mark is an argument that nobody asks for, whose name tells the values of an
// ARG statement apart. Podman writes the names alone into the history, and its
// cache looks at nothing else: ENV, LABEL, WORKDIR and COPY stand there with
// their variables.
func (a classicArgs) mark(in statement, global variables) string {
	sum := sha256.New()
	for _, arg := range argumentsOf(in) {
		value, given := a.value(arg.name, arg.hasDefault)
		switch {
		case given:
		case arg.hasDefault:
			value = arg.fallback // its variables were marked where they were declared
		default:
			value = global[arg.name]
		}
		fmt.Fprintf(sum, "%s=%s\n", arg.name, value)
	}
	return fmt.Sprintf("MANYMAGE_%x=1", sum.Sum(nil)[:8])
}

var plainArg = pattern(`^[A-Za-z0-9._/:@%+,=-]*$`)

// quoteArg writes a value so that the builder reads it back. What has no safe
// spelling is written as its digest: the build request carries the value itself
// and outranks the default, which only has to differ when the value does.
func quoteArg(value string) string {
	if spelled, ok := spell(value); ok {
		return spelled
	}
	return fmt.Sprintf("sha256-%x", sha256.Sum256([]byte(value)))
}

// spell writes a value so that every builder reads it back, whatever escapes there.
func spell(value string) (string, bool) {
	switch {
	case plainArg().MatchString(value):
		return value, true
	case !strings.ContainsAny(value, "'\r\n\\`"):
		return "'" + value + "'", true
	case !strings.ContainsAny(value, "\"$\r\n\\`"):
		return `"` + value + `"`, true
	}
	return "", false
}

// declared are the names of all ARG statements, ONBUILD's included: a later
// stage runs them.
func (f *classicFile) declared() map[string]bool {
	names := map[string]bool{}
	for _, in := range f.statements {
		switch in.keyword {
		case "ARG":
			for _, arg := range argumentsOf(in) {
				names[arg.name] = true
			}
		case "ONBUILD":
			maps.Copy(names, declaredIn(in.text))
		}
	}
	return names
}

// declaredIn is declared for the statement of an ONBUILD.
func declaredIn(text string) map[string]bool {
	on, err := readClassic([]byte(text))
	if err != nil {
		return nil // the builder will say it
	}
	return on.declared()
}

// declare adds what an ARG before the first FROM gives to those behind it.
func (f *classicFile) declare(in statement, a classicArgs, env variables) error {
	for _, arg := range argumentsOf(in) {
		value, given := a.value(arg.name, arg.hasDefault)
		if !given && !arg.hasDefault {
			continue
		}
		if !given {
			var err error
			if value, err = f.expand(arg.fallback, env); err != nil {
				return fmt.Errorf("%w: ARG %s: %w; correct it", ErrContext, arg.name, err)
			}
		}
		env[arg.name] = value
	}
	return nil
}
