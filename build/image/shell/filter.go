package shell

import (
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/platforms"
)

// grepped is what grep finds in its input, and whether it finds any. In what the kernel says of itself no name of another machine is
// found, whatever its version.
func (w *walker) grepped(words []string) (string, answer, bool) {
	o, rest := options.Permuted(words[1:], "-e")
	exprs := append(o.Values("-e"), rest...)
	if len(exprs) != 1 || !o.Only("EFeiqsvwx") {
		return "", maybe, false
	}
	expr := exprs[0]
	input := w.frame.Input
	if _, err := platforms.Parse(expr); err == nil {
		input = strings.ReplaceAll(input, Unknown, "")
	}
	switch {
	case words[0] == "fgrep" || o.Has("-F"):
		expr = regexp.QuoteMeta(expr)
	case words[0] != "egrep" && !o.Has("-E"):
		expr = extended(expr)
	}
	for _, option := range []struct{ name, before, after string }{{"-w", `\b(`, `)\b`}, {"-x", "^(", ")$"}, {"-i", "(?i)", ""}} {
		if o.Has(option.name) {
			expr = option.before + expr + option.after
		}
	}
	if !Known(input) || !w.ofMachine(input) {
		return "", maybe, false
	}
	re := w.expression(expr, input)
	if re == nil {
		return "", maybe, false
	}
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(input)), func(line string) bool {
		return re.MatchString(strings.TrimSuffix(line, "\n")) == o.Has("-v")
	})
	text := strings.Join(lines, "")
	if o.Has("-q") {
		text = ""
	}
	return text, answered(len(lines) > 0), true
}

// edited is what sed's substitutions make of its input.
func (w *walker) edited(args []string) (string, bool) {
	o, rest := options.Permuted(args, "-e")
	scripts := o.Values("-e")
	if len(scripts) == 0 && len(rest) > 0 {
		scripts, rest = rest[:1], rest[1:]
	}
	if len(scripts) == 0 || len(rest) > 0 || !o.Only("eErs") {
		return "", false
	}
	text := w.frame.Input
	for script := strings.Join(scripts, "\n"); ; {
		if script = strings.TrimLeft(script, "; \n\t"); script == "" {
			return text, Known(text)
		}
		s, ok := w.substitution(script, text, !o.Has("-E", "-r"))
		if !ok {
			return "", false
		}
		text, script = s.in(text), s.behind
	}
}

// substitution is a command of sed: s/old/new/g.
type substitution struct {
	old    *regexp.Regexp
	new    string
	all    bool
	behind string // the commands behind it
}

// substitution reads the one that a script begins with, of which basic tells how it writes expressions.
func (w *walker) substitution(script, text string, basic bool) (s substitution, ok bool) {
	if len(script) < 2 || script[0] != 's' {
		return s, false
	}
	fields := strings.SplitN(script[2:], script[1:2], 3)
	if len(fields) < 3 || strings.Contains(fields[0]+fields[1], "\n") {
		return s, false
	}
	end := strings.IndexAny(fields[2]+"\n", "; \n}")
	s.all, s.behind = fields[2][:end] == "g", fields[2][end:]
	if basic {
		fields[0] = extended(fields[0])
	}
	s.old, s.new = w.expression(fields[0], text), regexp.MustCompile(`\\([0-9])`).ReplaceAllString(strings.NewReplacer("$", "$$", "&", "${0}").Replace(fields[1]), "$${$1}")
	return s, s.old != nil && (s.all || end == 0) && !strings.Contains(s.new, `\`)
}

// in replaces in each line of a text.
func (s substitution) in(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line, end := strings.TrimSuffix(line, "\n"), line[len(strings.TrimSuffix(line, "\n")):]
		if first := s.old.FindStringSubmatchIndex(line); s.all {
			line = s.old.ReplaceAllString(line, s.new)
		} else if first != nil {
			line = line[:first[0]] + string(s.old.ExpandString(nil, s.new, line, first)) + line[first[1]:]
		}
		b.WriteString(line + end)
	}
	return b.String()
}

// extended turns a basic regular expression into an extended one, where a backslash takes the meaning of these characters away
// instead of giving it.
func extended(basic string) string {
	return regexp.MustCompile(`\\?[(){}|+?]|\\.`).ReplaceAllStringFunc(basic, func(s string) string {
		switch {
		case len(s) == 1:
			return `\` + s
		case strings.Contains("(){}|+?", s[1:]):
			return s[1:]
		}
		return s
	})
}

// translated is what tr makes of its input: lower case, less, or another letter.
func (w *walker) translated(args []string) (string, bool) {
	input := w.frame.Input
	if len(args) != 2 || !Known(input) {
		return "", false
	}
	switch strings.Join(args, " ") {
	case `-d \n`:
		return strings.ReplaceAll(input, "\n", ""), true
	case "A-Z a-z", "[A-Z] [a-z]", "[:upper:] [:lower:]":
		return strings.ToLower(input), true
	}
	return strings.ReplaceAll(input, args[0], args[1]), len(args[0]) == 1 && len(args[1]) == 1
}
