package config

import (
	"errors"
	"strings"
	"unicode"
)

// splitList takes a text apart at commas and white space.
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// splitWords takes a text of several lines apart at their ends, each line as it is (docker/metadata-action gives labels so), and
// one of a single line as a shell does.
func splitWords(text string) ([]string, error) {
	if !strings.Contains(strings.TrimSpace(text), "\n") {
		return splitQuoted(text)
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

// splitQuoted takes a text apart at white space as a shell does: single and double quotes hold words together, a backslash takes
// the next character as it is (inside double quotes only \\ and \").
func splitQuoted(text string) ([]string, error) {
	var all []string
	var current strings.Builder
	var quote rune
	inside, escaped := false, false
	for _, r := range text {
		switch {
		case escaped:
			if quote == '"' && r != '"' && r != '\\' {
				current.WriteRune('\\')
			}
			current.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inside = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inside = r, true
		case quote == 0 && unicode.IsSpace(r):
			if inside {
				all = append(all, current.String())
			}
			current.Reset()
			inside = false
		default:
			current.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 || escaped {
		return nil, errQuote
	}
	if inside {
		all = append(all, current.String())
	}
	return all, nil
}

// joinQuoted writes items so that the knob's form reads them back.
func joinQuoted(texts []string, f form) string {
	if f != pairs && f != words {
		return strings.Join(texts, " ")
	}
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quoteWord(text)
	}
	return strings.Join(quoted, " ")
}

func quoteWord(text string) string {
	plain := !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`'"\`, r) })
	if plain && text != "" {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
