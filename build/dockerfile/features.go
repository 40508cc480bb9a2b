package dockerfile

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// BuildKitOnly are the features that came with BuildKit, by line. Idle are the stages, counted from 0, that are not built.
func (f *File) BuildKitOnly(idle []int) []Feature {
	var all []Feature
	for _, s := range f.stages {
		for _, i := range s.body {
			for _, name := range features(i) {
				all = append(all, Feature{i.line(), name, slices.Contains(idle, s.index)})
			}
		}
	}
	return all
}

// features are those of one instruction.
func features(i instruction) []string {
	names := buildKitFlags(i.node)
	if add, ok := i.command.(*instructions.AddCommand); ok && slices.ContainsFunc(add.SourcePaths, isGit) {
		names = append(names, "ADD of a git repository")
	}
	if len(i.node.Heredocs) > 0 {
		names = append(names, strings.ToUpper(i.node.Value)+" heredoc")
	}
	return names
}

// buildKitFlags are the node's flags that the first classic builders do not know.
func buildKitFlags(node *parser.Node) []string {
	classic := map[string][]string{
		command.Copy: {"from", "chown"}, command.Add: {"chown"}, command.Healthcheck: {"interval", "timeout", "start-period", "retries"},
	}
	name := strings.ToLower(node.Value)
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
