package config

import (
	"errors"
	"strings"
	"unicode"
)

// splitList takes a text apart at commas and white space, which its words cannot hold.
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// splitWords takes a text of several lines apart at their ends, each line as it is (docker/metadata-action gives labels so), and
// one of a single line as a shell does.
func splitWords(text string) ([]string, error) {
	if !strings.Contains(strings.TrimSpace(text), "\n") {
		return splitQuoted(text, "")
	}
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all, nil
}

var errQuote = errors.New("has a quote that is not closed: close it, or put a backslash before it")

// splitQuoted takes a text apart at white space as a shell does, and at the separators.
func splitQuoted(text, separators string) ([]string, error) {
	var all []string
	var current strings.Builder
	inside := false
	end := func() {
		if inside {
			all = append(all, current.String())
		}
		current.Reset()
		inside = false
	}
	err := unquote(text, func(part string, literal bool) {
		if !literal && strings.TrimSpace(strings.Trim(part, separators)) == "" {
			end()
			return
		}
		current.WriteString(part)
		inside = true
	})
	if err != nil {
		return nil, err
	}
	end()
	return all, nil
}

// unquote reads a text as a shell does: single and double quotes hold what separates elsewhere, a backslash takes the next
// character as it is (inside double quotes only \\ and \"). each is given the characters without the quotes, and whether they
// are literal; and an empty literal part where a quote opens.
func unquote(text string, each func(part string, literal bool)) error {
	var quote rune
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			if quote == '"' && r != '"' && r != '\\' {
				each(`\`, true)
			}
			each(string(r), true)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
			each("", true)
		default:
			each(string(r), quote != 0)
		}
	}
	if quote != 0 || escaped {
		return errQuote
	}
	return nil
}

// joinQuoted writes items so that the knob's form reads them back.
func joinQuoted(texts []string, f form) string {
	special := `'"\`
	switch f {
	case paths:
		special += ","
	case pairs, words:
	default:
		return strings.Join(texts, " ")
	}
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quoteWord(text, special)
	}
	return strings.Join(quoted, " ")
}

func quoteWord(text, special string) string {
	plain := !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(special, r) })
	if plain && text != "" {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
