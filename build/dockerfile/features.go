package dockerfile

import (
	"iter"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// BuildKitOnly are the features that came with BuildKit, by line, as far down as a classic builder reads: it builds one stage after
// the other up to the target, needed or not.
func (f *File) BuildKitOnly(target string) []Feature {
	var all []Feature
	for i := range f.upTo(target) {
		for _, name := range buildKitFlags(i.node) {
			all = append(all, Feature{i.line(), name})
		}
		if add, ok := i.command.(*instructions.AddCommand); ok && slices.ContainsFunc(add.SourcePaths, isGit) {
			all = append(all, Feature{i.line(), "ADD of a git repository"})
		}
		if f := heredoc(i); f != nil {
			all = append(all, *f)
		}
	}
	return all
}

// upTo goes through the instructions of the stages down to the one of that name, all without a name.
func (f *File) upTo(target string) iter.Seq[instruction] {
	return func(yield func(instruction) bool) {
		for _, s := range f.stages {
			for _, i := range s.body {
				if !yield(i) {
					return
				}
			}
			if target != "" && s.name == strings.ToLower(target) {
				return
			}
		}
	}
}

func heredoc(i instruction) *Feature {
	if len(i.node.Heredocs) == 0 {
		return nil
	}
	return &Feature{i.line(), strings.ToUpper(i.node.Value) + " heredoc"}
}

// buildKitFlags are the node's flags that the classic builder does not know: it has COPY --from, COPY and ADD --chown, and
// HEALTHCHECK's.
func buildKitFlags(node *parser.Node) []string {
	classic := map[string][]string{command.Copy: {"from", "chown"}, command.Add: {"chown"}}
	name := strings.ToLower(node.Value)
	if name == command.Healthcheck {
		return nil
	}
	var names []string
	for _, f := range node.Flags {
		flag, _, _ := strings.Cut(strings.TrimPrefix(f, "--"), "=")
		feature := strings.ToUpper(name) + " --" + flag
		if !slices.Contains(classic[name], flag) && !slices.Contains(names, feature) {
			names = append(names, feature)
		}
	}
	return names
}

// isGit tells whether BuildKit would clone what an ADD names.
func isGit(source string) bool {
	address, _, _ := strings.Cut(source, "#")
	return strings.HasPrefix(address, "git@") || strings.HasPrefix(address, "git://") ||
		strings.HasPrefix(address, "http") && strings.HasSuffix(address, ".git")
}
