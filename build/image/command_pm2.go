package image

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// processes follows the applications in a configuration of pm2's, ecosystem.config.js, JSON or YAML: { apps: [{ script: "a.js", cwd: "/app" }] }.
// What is worked out there is not known, and then pm2 is looked at as Node's other tools are.
func (c *checker) processes(args []string, f frame) (some bool, err error) {
	i := slices.IndexFunc(args, regexp.MustCompile(`\.(?:config\.[cm]?js|json|ya?ml)$`).MatchString)
	if i < 0 {
		return c.process(args, f)
	}
	at, ok, err := c.Tree.Regular(shell.Absolute(f.Dir, args[i]))
	if err != nil || !ok {
		return false, err
	}
	text, err := c.Script(at)
	apps := literals(text)
	if strings.HasPrefix(path.Ext(at.Real), ".y") {
		apps = items(text)
	}
	for _, app := range apps {
		if app["script"] == "" {
			continue
		}
		g := f
		switch cwd := app["cwd"]; cwd {
		case "":
		case "__dirname":
			g.Dir = path.Dir(at.Real)
		default:
			g.Dir = shell.Absolute(f.Dir, cwd)
		}
		words, failed := c.startedBy(app, g)
		some, err = true, errors.Join(err, failed, c.run(words, g))
	}
	return some, err
}

// process follows what pm2 is given instead: pm2-runtime start a.js, pm2-runtime npm -- start.
func (c *checker) process(args []string, f frame) (some bool, err error) {
	o, rest := options.Permuted(args, "-n", "--name", "-i", "--instances", "--interpreter", "--node-args", "--interpreter-args", "--cwd", "-l", "--log", "-o", "--output",
		"-e", "--error", "-p", "--pid", "--env", "--max-memory-restart", "--restart-delay", "--secret", "--public", "--machine-name", "--delay")
	if len(rest) > 0 && rest[0] == "start" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return false, nil
	}
	for _, dir := range o.Values("--cwd") {
		f.Dir = shell.Absolute(f.Dir, dir)
	}
	words, err := c.startedBy(map[string]string{"script": rest[0], "interpreter": strings.Join(o.Values("--interpreter"), "")}, f)
	return true, errors.Join(err, c.run(append(words, rest[1:]...), f))
}

// startedBy is the command line of an application. What has a blank is a shell's, a script lies in the working folder or else on PATH,
// and Node runs what neither tells of its interpreter nor is a program itself.
func (c *checker) startedBy(app map[string]string, f frame) ([]string, error) {
	script, interpreter := app["script"], app["interpreter"]
	if strings.Contains(script, " ") {
		return []string{"sh", "-c", script}, nil
	}
	if interpreter == "" {
		interpreter = map[string]string{".js": "node", ".cjs": "node", ".mjs": "node", ".ts": "node", ".py": "python3", ".sh": "bash", ".rb": "ruby", ".php": "php", ".pl": "perl"}[path.Ext(script)]
	}
	at, ok, err := c.Tree.Regular(shell.Absolute(f.Dir, script))
	if ok {
		script = at.Name
	}
	if ok && interpreter == "" {
		var program tree.File
		if program, err = c.Tree.Read(at.Real, at.Info); program.Format == tree.FormatText || program.Format == tree.FormatBang {
			interpreter = "node"
		}
	}
	words := append([]string{script}, shell.Fields(app["args"])...)
	if interpreter != "" && interpreter != "none" {
		words = append([]string{interpreter}, words...)
	}
	return words, err
}
