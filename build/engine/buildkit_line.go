package engine

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stepLine finds the line of the Dockerfile where a step stands, for engines
// that name the step and not the place. It gives 0 when no instruction, or more
// than one, reads like the step.
func stepLine(dockerfile []byte, step string) int {
	_, words, ok := strings.Cut(step, "] ")
	if !ok || !strings.HasPrefix(step, "[") {
		return 0
	}
	result, err := parser.Parse(bytes.NewReader(dockerfile))
	if err != nil {
		return 0
	}
	words = strings.Join(strings.Fields(words), " ")
	found := 0
	for _, node := range result.AST.Children {
		if !reads(node, words) && !starts(node, words) {
			continue
		}
		if found != 0 {
			return 0
		}
		found = node.StartLine
	}
	return found
}

// starts tells whether this is the FROM whose image a step looks up.
func starts(node *parser.Node, words string) bool {
	ref, ok := strings.CutPrefix(words, "load metadata for ")
	if !ok || !strings.EqualFold(node.Value, "FROM") || node.Next == nil {
		return false
	}
	named, err := reference.ParseNormalizedNamed(node.Next.Value)
	return err == nil && reference.TagNameOnly(named).String() == ref
}

// variable is a reference that the builder replaces in a step's name.
var variable = pattern(`\$(\w+|\{[^}]*\})`)

// reads tells whether the builder would call this instruction by these words:
// the command in capitals, variables replaced by anything, behind a script how it begins.
func reads(node *parser.Node, words string) bool {
	command, rest, _ := strings.Cut(strings.Join(strings.Fields(node.Original), " "), " ")
	text := strings.ToUpper(command) + " " + rest
	return becomes(text, words) || len(node.Heredocs) == 1 && becomes(text+" "+begins(node.Heredocs[0].Content), words)
}

// begins is the first line of a script as the builder shows it: (set -e...).
func begins(script string) string {
	first, _, more := strings.Cut(strings.TrimSpace(script), "\n")
	if more {
		first += "..."
	}
	return strings.Join(strings.Fields("("+first+")"), " ")
}

// becomes tells whether a text becomes these words when its variables are replaced.
func becomes(text, words string) bool {
	parts := variable().Split(text, -1)
	for n, part := range parts {
		parts[n] = regexp.QuoteMeta(part)
	}
	pattern, err := regexp.Compile("^" + strings.Join(parts, ".*") + "$")
	return err == nil && pattern.MatchString(words)
}
