package image

import (
	"cmp"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Node's package managers start what a package.json names as a script, a text for sh in that file's folder, or a program of a package. Both
// find the programs of packages before those of PATH.
//
//	npm start, npm run x -- a        prex, x and postx
//	yarn x a, pnpm run x a           as npm does; yarn from 2 on x alone; the program x where no script is called so
//	node --run x -- a                x alone
//	bun run x a, bun x.ts            as yarn does; a file is as Node's
//	deno task x a                    what deno.json or package.json names so
//	npx x a, npm exec -- x a, bunx x a, pnpm exec x a, yarn dlx x a   the program x, which most of them fetch where there is none
//	run-s x y, npm-run-all --parallel x y, concurrently npm:x "y a"   in a script: x and y

// called is a script or a program that such a manager is told to start.
type called struct {
	name    string
	args    []string
	dir     string   // where these are looked for, from the working folder on
	files   []string // that have scripts, the first before the others
	alone   bool     // without what is named after it
	program bool     // of a package, and no script
	either  bool     // ... where no script has the name
	text    string   // what the program is to be found in: npx -c
}

// readCalled reads a command line; ok is false where it starts no script, or those of a workspace's packages.
func readCalled(words []string) (s called, ok bool) {
	valued := append(managerFolders(), "-w", "--workspace", "-F", "--filter", "--loglevel", "--script-shell", "--run", "-r", "--require", "--import", "--env-file")
	own, rest := getopt(words[1:], valued...)
	manager := path.Base(words[0])
	s.files = []string{"package.json"}
	switch manager {
	case "node":
		s.name, s.args, s.alone = strings.Join(own.values("--run"), ""), rest, true
		return s, s.name != ""
	case "npm":
		valued = append(valued, "-p", "--package", "-c", "--call")
		own, rest = permuted(words[1:], valued...)
	case "npx", "pnpx", "bunx":
		rest = append([]string{"dlx"}, words[1:]...)
	case "deno":
		s.files = []string{"deno.json", "package.json"}
	case "yarn", "pnpm", "bun":
	default:
		return s, false
	}
	if len(rest) == 0 {
		return s, false
	}
	var more options
	switch verb := rest[0]; {
	case isExec(manager, verb):
		s.program = true
		more, rest = getopt(rest[1:], append(valued, "-p", "--package", "-c", "--call")...)
	case isRun(manager, verb) && len(rest) > 1:
		more, rest = getopt(rest[1:], valued...)
	case !isScript(manager, verb):
		return s, false
	}
	own = append(own, more...)
	if s.text = strings.Join(own.values("-c", "--call"), ""); s.text == "" && len(rest) > 0 {
		s.name, s.args = rest[0], rest[1:]
	}
	s.alone, s.either = own.has("--ignore-scripts"), manager != "npm" && manager != "deno"
	for _, s.dir = range own.values(managerFolders()...) { // the last counts
	}
	return s, s.name+s.text != "" && !own.has("-w", "--workspace", "--workspaces", "-F", "--filter", "-r", "--recursive")
}

// isExec tells whether behind a manager's first word comes a program's name.
func isExec(manager, word string) bool {
	return word == "dlx" || word == "exec" && manager != "bun" && manager != "deno" || word == "x" && (manager == "npm" || manager == "bun")
}

// isRun tells whether behind a manager's first word comes a script's name.
func isRun(manager, word string) bool {
	if manager == "deno" {
		return word == "task"
	}
	return word == "run" || word == "run-script"
}

// isScript tells whether a manager's first word names a script, and is no command of its own.
func isScript(manager, word string) bool {
	switch manager {
	case "npm":
		return slices.Contains([]string{"start", "stop", "restart", "test"}, word)
	case "bun":
		return !slices.Contains([]string{"add", "build", "create", "i", "init", "install", "link", "pm", "remove", "repl", "run", "test", "update", "upgrade"}, word)
	}
	return manager != "deno" && !slices.Contains([]string{"run", "install", "pack", "publish", "version"}, word)
}

// scripted follows the script or program that a package manager starts. Where there is no script of that name, some is false.
func (c *checker) scripted(words []string, f frame) (some bool, err error) {
	s, ok := readCalled(words)
	if !ok {
		return false, nil
	}
	if s.program {
		return true, c.packaged(s, f)
	}
	file, text, err := c.described(s, absolute(f.dir, s.dir))
	if err != nil {
		return false, err
	}
	scripts := scriptsOf(file, text)
	if scripts[s.name] == "" {
		if s.either {
			err = c.packaged(s, f)
		}
		return false, err
	}
	if manager := gjson.Get(text, "packageManager").String(); path.Base(words[0]) == "yarn" && !strings.HasPrefix(manager, "yarn@1") {
		_, later, failed := c.regular(path.Join(path.Dir(file), ".yarnrc.yml"))
		s.alone, err = s.alone || later || manager != "", failed
	}
	f.dir, f.reading = path.Dir(file), file
	f.path = append(programsOf(f.dir), f.path...)
	f.soft, f.told = true, f.told || !f.soft
	for _, part := range []string{"pre", "", "post"} {
		text, args := scripts[part+s.name], []string{"sh"}
		if part == "" && len(s.args) > 0 {
			text, args = text+` "$@"`, append(args, s.args...)
		}
		if part == "" || !s.alone {
			err = errors.Join(err, c.text(text, args, f))
		}
	}
	return true, err
}

// packaged follows a program of a package, or one on PATH. Where there is none it may be fetched.
func (c *checker) packaged(s called, f frame) error {
	folders, err := c.there([]string{absolute(f.dir, s.dir)})
	if err != nil || len(folders) == 0 {
		return err
	}
	f.path, f.soft, f.told = append(programsOf(folders[0]), f.path...), true, false
	if s.text != "" {
		return c.text(s.text, nil, f)
	}
	name, err := c.programOf(s.name, folders[0])
	if err != nil {
		return err
	}
	return c.run(append([]string{name}, s.args...), f)
}

// programOf is what a package that npx is given calls its program: cowsay@1 is cowsay, and @nestjs/cli is nest.
func (c *checker) programOf(id, dir string) (string, error) {
	name := nameOf(id)
	if !strings.HasPrefix(name, "@") {
		return name, nil
	}
	folder, err := c.required(name, dir)
	if err != nil {
		return "", err
	}
	text, err := c.evidence(path.Join(folder, "package.json"))
	if names := keys(gjson.Get(text, "bin")); len(names) == 1 {
		return names[0], err
	}
	return path.Base(name), err
}

// described finds the file that has a script, from a folder on upwards: the next one of its name counts.
func (c *checker) described(s called, start string) (file, text string, err error) {
	for _, name := range s.files {
		dir, text, err := c.above(start, name)
		if file = path.Join(dir, name); err != nil || scriptsOf(file, text)[s.name] != "" {
			return file, text, err
		}
	}
	return "", "", nil
}

// scriptsOf are the scripts in a file.
func scriptsOf(file, text string) map[string]string {
	all, field := map[string]string{}, "scripts"
	if path.Base(file) == "deno.json" {
		field = "tasks"
	}
	for name, script := range gjson.Get(text, field).Map() {
		all[name] = cmp.Or(script.Get("command").String(), script.String())
	}
	return all
}

// above finds the next file of a name from a folder on upwards, with text "" where there is none.
func (c *checker) above(start, name string) (dir, text string, err error) {
	folders, err := c.there([]string{start})
	if err != nil || len(folders) == 0 {
		return "", "", err
	}
	for dir = folders[0]; ; dir = path.Dir(dir) {
		text, err = c.evidence(path.Join(dir, name))
		if err != nil || text != "" || dir == "/" {
			return dir, text, err
		}
	}
}

// programsOf are the folders with programs of packages that those in a folder may start.
func programsOf(dir string) (list []string) {
	for ; ; dir = path.Dir(dir) {
		list = append(list, path.Join(dir, "node_modules/.bin"))
		if dir == "/" {
			return list
		}
	}
}

// several are the texts for sh that a runner of scripts starts. Patterns for names are passed over.
func several(words []string) (texts []string) {
	switch path.Base(words[0]) {
	case "run-s", "run-p", "npm-run-all":
		_, names := permuted(words[1:], "--max-parallel", "--npm-path")
		for _, name := range names {
			texts = append(texts, "npm run "+name)
		}
	case "concurrently":
		_, texts = permuted(words[1:], "-m", "--max-processes", "-n", "--names", "-s", "--success", "-p", "--prefix", "-c", "--prefix-colors",
			"-l", "--prefix-length", "-t", "--timestamp-format", "--restart-tries", "--restart-after", "--hide", "--default-input-target")
		for i, text := range texts {
			if name, ok := strings.CutPrefix(text, "npm:"); ok {
				texts[i] = "npm run " + name
			}
		}
	}
	return slices.DeleteFunc(texts, func(text string) bool { return strings.HasPrefix(text, "npm run ") && strings.Contains(text, "*") })
}

// allOf follows texts of which each is started.
func (c *checker) allOf(all []string, f frame) error {
	f.soft = true
	for _, text := range all {
		if err := c.text(text, []string{"sh"}, f); err != nil {
			return err
		}
	}
	return nil
}
