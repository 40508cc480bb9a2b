package image

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
)

// processes follows the applications in a configuration of pm2's, ecosystem.config.js or JSON: { apps: [{ script: "a.js", cwd: "/app" }] }.
// What is worked out there is not known, and then pm2 is looked at as Node's other tools are.
func (c *checker) processes(args []string, f frame) (some bool, err error) {
	i := slices.IndexFunc(args, func(word string) bool {
		return strings.HasSuffix(word, ".config.js") || strings.HasSuffix(word, ".config.cjs") || strings.HasSuffix(word, ".json")
	})
	if i < 0 {
		return false, nil
	}
	at, ok, err := c.regular(absolute(f.dir, args[i]))
	if err != nil || !ok {
		return false, err
	}
	text, err := c.tree.text(at.real, at.info.Size())
	for _, app := range literals(text) {
		if app["script"] == "" {
			continue
		}
		g := f
		switch cwd := app["cwd"]; cwd {
		case "":
		case "__dirname":
			g.dir = path.Dir(at.real)
		default:
			g.dir = absolute(f.dir, cwd)
		}
		some, err = true, errors.Join(err, c.run(startedBy(app), g))
	}
	return some, err
}

// startedBy is the command line of an application.
func startedBy(app map[string]string) (words []string) {
	script, interpreter := app["script"], app["interpreter"]
	if interpreter == "" {
		interpreter = map[string]string{".js": "node", ".cjs": "node", ".mjs": "node", ".ts": "node", ".py": "python3", ".sh": "bash", ".rb": "ruby", ".php": "php", ".pl": "perl"}[path.Ext(script)]
	}
	if interpreter != "" && interpreter != "none" {
		words = []string{interpreter}
	}
	return slices.Concat(words, []string{script}, strings.Fields(app["args"]))
}

// literals are what the objects in a text of JavaScript or JSON say outright.
func literals(text string) (list []map[string]string) {
	const value = `"([^"\n]*)"|'([^'\n]*)'|(__dirname)\b`
	token := regexp.MustCompile(`//.*|/\*(?s:.*?)\*/|[{}]|("\w+"|'\w+'|\w+)\s*:\s*(?:` + value + `)|` + value)
	var open []int
	for _, m := range token.FindAllStringSubmatch(text, -1) {
		switch {
		case m[0] == "{":
			open, list = append(open, len(list)), append(list, map[string]string{})
		case m[0] == "}":
			open = open[:max(0, len(open)-1)]
		case m[1] != "" && len(open) > 0:
			list[open[len(open)-1]][strings.Trim(m[1], `"'`)] = m[2] + m[3] + m[4]
		}
	}
	return list
}
