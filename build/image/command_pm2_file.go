package image

import (
	"regexp"
	"strings"
)

// items are the plain values of the things that a text of YAML lists. What is deeper in one of them (env) is left out.
func items(text string) (list []map[string]string) {
	setting := regexp.MustCompile(`^(\s*)(- +)?(\w+):(?: +("[^"]*"|'[^']*'|[^\s#'"][^#]*))?`)
	width := 0 // of what stands before a name
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "-" { // its values are on the lines below
			width, list = -1, append(list, map[string]string{})
		}
		m := setting.FindStringSubmatch(strings.TrimRight(line, " \r\n"))
		if m == nil {
			continue
		}
		if m[2] != "" {
			width, list = len(m[1]+m[2]), append(list, map[string]string{})
		} else if width < 0 {
			width = len(m[1])
		}
		if len(list) > 0 && len(m[1]+m[2]) == width {
			list[len(list)-1][m[3]] = strings.Trim(strings.TrimSpace(m[4]), `"'`)
		}
	}
	return list
}

// literals are what the objects in a text of JavaScript or JSON say outright. A list is one text, of quoted words.
func literals(text string) (list []map[string]string) {
	const quoted = `"([^"\n]*)"|'([^'\n]*)'`
	token := regexp.MustCompile(`//.*|/\*(?s:.*?)\*/|[{}]|("\w+"|'\w+'|\w+)\s*:\s*(?:` + quoted + `|(__dirname)\b|\[((?:"[^"\n]*"|'[^'\n]*'|[\s,])*)\])|` + quoted)
	comma := regexp.MustCompile(`("[^"]*"|'[^']*'),`)
	var open []int
	for _, m := range token.FindAllStringSubmatch(text, -1) {
		switch {
		case m[0] == "{":
			open, list = append(open, len(list)), append(list, map[string]string{})
		case m[0] == "}":
			open = open[:max(0, len(open)-1)]
		case m[1] != "" && len(open) > 0:
			list[open[len(open)-1]][strings.Trim(m[1], `"'`)] = m[2] + m[3] + m[4] + comma.ReplaceAllString(m[5], "$1 ")
		}
	}
	return list
}
