package engine

import (
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// stepLine finds the line of the Dockerfile where a step stands, for engines
// that name the step and not the place. It gives 0 when no instruction, or more
// than one, reads like the step.
func stepLine(dockerfile []byte, step string) int {
	_, words, ok := strings.Cut(step, "] ")
	if !ok || !strings.HasPrefix(step, "[") {
		return 0
	}
	words = strings.Join(strings.Fields(words), " ")
	found := 0
	for _, one := range instructions(string(dockerfile)) {
		if !one.reads(words) && !one.starts(words) {
			continue
		}
		if found != 0 {
			return 0
		}
		found = one.line
	}
	return found
}

// starts tells whether this is the FROM whose image a step looks up.
func (i instruction) starts(words string) bool {
	ref, ok := strings.CutPrefix(words, "load metadata for ")
	fields := strings.Fields(i.text)
	if !ok || len(fields) == 0 || !strings.EqualFold(fields[0], "FROM") {
		return false
	}
	fields = slices.DeleteFunc(fields[1:], func(word string) bool { return strings.HasPrefix(word, "--") })
	if len(fields) == 0 {
		return false
	}
	named, err := reference.ParseNormalizedNamed(fields[0])
	return err == nil && reference.TagNameOnly(named).String() == ref
}

// instruction is one logical line of a Dockerfile.
type instruction struct {
	line int
	text string // on one line, single spaces
}

// instructions joins continued lines and leaves comments out. It knows the
// usual escape character alone: a wrong guess costs a line number, no more.
func instructions(text string) []instruction {
	var out []instruction
	var open *instruction
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if open == nil {
			out = append(out, instruction{line: i + 1})
			open = &out[len(out)-1]
		}
		more := strings.HasSuffix(line, `\`)
		open.text = strings.Join(strings.Fields(open.text+" "+strings.TrimSuffix(line, `\`)), " ")
		if !more {
			open = nil
		}
	}
	return out
}

// variable is a reference that the builder replaces in a step's name.
var variable = pattern(`\$(\w+|\{[^}]*\})`)

// reads tells whether the builder would call this instruction by these words:
// the command in capitals, variables replaced by anything.
func (i instruction) reads(words string) bool {
	command, rest, _ := strings.Cut(i.text, " ")
	text := strings.ToUpper(command) + " " + rest
	if !variable().MatchString(text) {
		return text == words
	}
	parts := variable().Split(text, -1)
	for n, part := range parts {
		parts[n] = regexp.QuoteMeta(part)
	}
	pattern, err := regexp.Compile("^" + strings.Join(parts, ".*") + "$")
	return err == nil && pattern.MatchString(words)
}
