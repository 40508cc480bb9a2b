package dockerfile

import (
	"iter"
	"slices"

	"github.com/manymage/manymage/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// goArch is the argument by which Dockerfiles from before BuildKit are told what to compile for.
const goArch = "GOARCH"

// automatic are the arguments that BuildKit gives by itself, https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope.
func automatic(build, target ocispec.Platform) map[string]string {
	build, target = platforms.Normalize(build), platforms.Normalize(target)
	return map[string]string{
		"BUILDPLATFORM": platforms.Format(build), "BUILDOS": build.OS, "BUILDARCH": build.Architecture, "BUILDVARIANT": build.Variant,
		"BUILDOSVERSION": build.OSVersion,
		"TARGETPLATFORM": platforms.Format(target), "TARGETOS": target.OS, "TARGETARCH": target.Architecture, "TARGETVARIANT": target.Variant,
		"TARGETOSVERSION": target.OSVersion,
	}
}

// isAutomatic tells whether BuildKit gives the argument by itself.
func isAutomatic(name string) bool {
	_, found := automatic(ocispec.Platform{}, ocispec.Platform{})[name]
	return found
}

// Args are all declared ARGs in the order of the file.
func (f *File) Args() []Arg {
	var all []Arg
	for _, i := range f.global {
		all = append(all, declared(i, -1)...)
	}
	for _, s := range f.stages {
		for _, i := range s.body {
			all = append(all, declared(i, s.index)...)
		}
	}
	return all
}

// declared are the arguments of an ARG instruction; other instructions declare none.
func declared(i instruction, stage int) []Arg {
	command, ok := i.command.(*instructions.ArgCommand)
	if !ok {
		return nil
	}
	var args []Arg
	for _, a := range command.Args {
		args = append(args, Arg{Name: a.Key, Default: a.ValueString(), HasDefault: a.Value != nil, Line: i.line(), Stage: stage})
	}
	return args
}

// declares finds the first ARG of the stage that has one of the names.
func (s stage) declares(names []string) (Arg, bool) {
	for _, i := range s.body {
		for _, a := range declared(i, s.index) {
			if slices.Contains(names, a.Name) {
				return a, true
			}
		}
	}
	return Arg{}, false
}

// BuildArgs are the arguments to give for the platform, besides the user's: GOOS, GOARCH, GOARM where the file declares them.
// TARGET* and BUILD* are never among them: an explicit value would override BuildKit's own.
func (f *File) BuildArgs(p ocispec.Platform) map[string]string {
	p = platforms.Normalize(p)
	values := map[string]string{"GOOS": p.OS, goArch: p.Architecture, "GOARM": platforms.GOARM(p)}
	give := map[string]string{}
	for _, a := range f.Args() {
		if value := values[a.Name]; value != "" {
			give[a.Name] = value
		}
	}
	return give
}

// scope is what a FROM line can refer to: the automatic arguments and the ARGs before the first FROM.
type scope struct {
	lex    *shell.Lex
	values map[string]string
}

// scope expands the global ARGs one after the other, as BuildKit does: a build-arg beats the default, a default may use what
// stands before it, and a declaration without either leaves what was there.
func (f *File) scope(o Options) (*scope, error) {
	s := &scope{shell.NewLex(f.escape), automatic(o.Build, o.Platform)}
	for _, i := range f.global {
		for _, a := range declared(i, -1) {
			value, given := o.Args[a.Name]
			if !given && !a.HasDefault {
				continue
			}
			if !given {
				var err error
				if value, _, err = s.expand(a.Default); err != nil {
					return nil, f.unread(a.Line, a.Default, err)
				}
			}
			s.values[a.Name] = value
		}
	}
	return s, nil
}

// expand fills the variables of a word in; missing are those that it found no value for.
func (s *scope) expand(word string) (value string, missing map[string]struct{}, err error) {
	result, err := s.lex.ProcessWordWithMatches(word, environment(s.values))
	return result.Result, result.Unmatched, err
}

// used are the names that a word refers to and that have a value.
func (s *scope) used(word string) map[string]struct{} {
	result, err := s.lex.ProcessWordWithMatches(word, environment(s.values))
	if err != nil {
		return nil
	}
	return result.Matched
}

// environment lets BuildKit's lexer look names up in a map.
type environment map[string]string

func (e environment) Get(name string) (string, bool) {
	value, found := e[name]
	return value, found
}

func (e environment) Keys() []string { return slices.Sorted(keys(e)) }

func keys(e environment) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range e {
			if !yield(name) {
				return
			}
		}
	}
}
