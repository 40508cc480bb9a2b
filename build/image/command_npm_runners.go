package image

import (
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// Programs of packages that start scripts of package.json, or texts for sh:
//
//	run-s x y, npm-run-all --parallel x 'y:*', concurrently npm:x "y a"   x and y
//	turbo run x --filter=a, nx run a:x, lerna run x                       x of workspaces' packages
//	nodemon --exec y a.ts, nodemon a.ts                                   y with a.ts; what nodemon.json says, else ts-node or node
//	cross-env-shell A=b "y a", bun exec "y a"                             the text

// several are the texts for sh that a runner of scripts starts.
func (c *checker) several(words []string, f frame) (texts []string, err error) {
	base := path.Base(words[0])
	switch base {
	case "run-s", "run-p", "npm-run-all":
		_, names := options.Permuted(words[1:], "--max-parallel", "--npm-path")
		return c.scriptsLike(names, "npm run ", f)
	case "concurrently":
		_, commands := options.Permuted(words[1:], "-m", "--max-processes", "-n", "--names", "-s", "--success", "-p", "--prefix", "-c", "--prefix-colors",
			"-l", "--prefix-length", "-t", "--timestamp-format", "--restart-tries", "--restart-after", "--hide", "--default-input-target")
		for _, text := range commands {
			manager, name, ok := strings.Cut(text, ":")
			if !ok || !slices.Contains([]string{"npm", "yarn", "pnpm", "bun"}, manager) {
				texts = append(texts, text)
				continue
			}
			named, err := c.scriptsLike([]string{name}, manager+" run ", f)
			if err != nil {
				return nil, err
			}
			texts = append(texts, named...)
		}
		return texts, nil
	case "turbo", "lerna", "nx":
		return ofWorkspaces(base, words[1:]), nil
	case "nodemon":
		return c.watched(words[1:], f)
	case "cross-env-shell":
		return []string{strings.Join(wrapper{assigns: true}.rest(words[1:]), " ")}, nil
	case "bun":
		if len(words) > 1 && words[1] == "exec" {
			return []string{strings.Join(words[2:], " ")}, nil
		}
	}
	return nil, nil
}

// scriptsLike are the texts that start scripts by their names or by patterns of those: build:* is one part more, build:** any.
func (c *checker) scriptsLike(names []string, start string, f frame) (texts []string, err error) {
	_, text, err := c.above(f.Dir, "package.json", f)
	scripts := slices.Sorted(maps.Keys(scriptsOf("package.json", text)))
	for _, name := range names {
		name, given, _ := strings.Cut(name, " ")
		if !strings.Contains(name, "*") {
			texts = append(texts, strings.TrimSpace(start+name+" "+given))
			continue
		}
		like, err := regexp.Compile("^" + strings.NewReplacer(`\*\*`, `.*`, `\*`, `[^:]*`).Replace(regexp.QuoteMeta(name)) + "$")
		for _, script := range scripts {
			if err == nil && like.MatchString(script) {
				texts = append(texts, strings.TrimSpace(start+shell.Quote(script)+" "+given))
			}
		}
	}
	return texts, err
}

// ofWorkspaces is what a builder of workspaces starts in their packages, as npm would.
func ofWorkspaces(tool string, words []string) []string {
	o, rest := options.Permuted(words, "--filter", "-F", "--scope", "-p", "--projects", "-t", "--target", "--targets", "--concurrency")
	if len(rest) > 0 && slices.Contains([]string{"run", "run-many"}, rest[0]) {
		rest = rest[1:]
	} else if tool == "lerna" {
		return nil
	}
	script := strings.Join(append(o.Values("-t", "--target", "--targets"), rest...), " ")
	script, _, _ = strings.Cut(script, " ")
	from := o.Values("--filter", "-F", "--scope", "-p", "--projects")
	if tool == "nx" {
		if project, target, ok := strings.Cut(script, ":"); ok {
			script, _, _ = strings.Cut(target, ":") // of which a configuration follows
			from = []string{project}
		} else if len(rest) > 1 && !o.Has("-t", "--target", "--targets") {
			from = rest[1:]
		}
	}
	if script == "" {
		return nil
	}
	text := "npm run " + shell.Quote(script) + " --if-present"
	if len(from) == 0 {
		return []string{text + " --workspaces"}
	}
	for _, name := range strings.Split(strings.Join(from, ","), ",") {
		text += " -w " + shell.Quote(name)
	}
	return []string{text}
}

// watched is the text that nodemon starts, and starts anew when a file changes.
func (c *checker) watched(words []string, f frame) ([]string, error) {
	o, rest := options.Cut(words, "-x", "--exec", "-w", "--watch", "-i", "--ignore", "-e", "--ext", "-d", "--delay", "-s", "--signal", "--config", "-r", "--require", "--cwd", "-I")
	settings, err := c.Evidence(shell.Absolute(f.Dir, cmp.Or(strings.Join(o.Values("--config"), ""), "nodemon.json")))
	if err != nil {
		return nil, err
	}
	_, own, err := c.above(f.Dir, "package.json", f)
	if settings == "" {
		settings = gjson.Get(own, "nodemonConfig").Raw
	}
	start := cmp.Or(strings.Join(o.Values("-x", "--exec"), ""), gjson.Get(settings, "exec").String())
	if len(rest) == 0 {
		rest = []string{gjson.Get(settings, "script").String()}
	}
	if start == "" && rest[0] == "" {
		if rest[0] = gjson.Get(own, "main").String(); rest[0] == "" {
			start = gjson.Get(own, "scripts.start").String()
		}
	}
	if start == "" {
		kind := strings.TrimPrefix(path.Ext(rest[0]), ".")
		start = cmp.Or(gjson.Get(settings, "execMap."+kind).String(), map[string]string{"ts": "ts-node", "py": "python", "rb": "ruby"}[kind], "node")
	}
	for _, word := range rest {
		if word != "" {
			start += " " + shell.Quote(word)
		}
	}
	return []string{start}, err
}

// allOf follows texts of which each is started.
func (c *checker) allOf(all []string, f frame) error {
	f.Soften()
	f.Tongue = "sh"
	if len(all) > shell.MaxWords {
		c.tooMany(f)
		all = all[:shell.MaxWords]
	}
	for _, text := range all {
		if err := c.text(text, []string{"sh"}, f); err != nil {
			return err
		}
	}
	return nil
}
