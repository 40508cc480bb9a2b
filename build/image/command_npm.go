package image

import (
	"cmp"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/manymage/manymage/build/image/modules"
	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
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
//	npm -w a start, pnpm --filter a x, yarn workspace a x, pnpm -r x  x in the folders of a workspace's packages, or the program x there
//	corepack yarn x                                                   as yarn does

// called is a script or a program that such a manager is told to start.
type called struct {
	name    string
	args    []string
	dir     string   // where these are looked for, from the working folder on
	files   []string // that have scripts, the first before the others
	alone   bool     // without what is named after it
	of      []string // the workspace's packages that it is started in: names, folders or patterns of them; * for all
	program bool     // of a package, and no script
	either  bool     // ... where no script has the name
	needed  bool     // it fails where neither is there
	text    string   // what the program is to be found in: npx -c
}

// readCalled reads a command line; ok is false where it starts no script.
func readCalled(words []string) (s called, ok bool) {
	manager := path.Base(words[0])
	valued := append(modules.NodeFolderOptions(), "--workspace", "-F", "--filter", "--loglevel", "--script-shell", "--run", "--env-file")
	if manager != "pnpm" { // for which -w and -r have no value
		valued = append(append(valued, "-w"), modules.NodePreloadOptions()...)
	}
	own, rest := options.Cut(words[1:], valued...)
	s.files, s.needed = []string{"package.json"}, true
	switch manager {
	case "corepack":
		if len(rest) == 0 {
			return s, false
		}
		return readCalled(append([]string{modules.NodeName(rest[0])}, rest[1:]...))
	case "node":
		s.name, s.args, s.alone = strings.Join(own.Values("--run"), ""), rest, true
		return s, s.name != ""
	case "npm":
		valued = append(valued, "-p", "--package", "-c", "--call")
		own, rest = options.Permuted(words[1:], valued...)
	case "npx", "pnpx", "bunx":
		rest = append([]string{"dlx"}, words[1:]...)
	case "deno":
		s.files = []string{"deno.json", "deno.jsonc", "package.json"}
	case "yarn", "yarnpkg", "pnpm", "bun":
	default:
		return s, false
	}
	if len(rest) > 1 && manager == "yarn" && strings.HasPrefix(rest[0], "workspace") {
		return readWorkspaces(rest)
	}
	if len(rest) == 0 {
		return s, false
	}
	return s.read(manager, own, rest, valued)
}

// read goes on behind a manager's own options.
func (s called) read(manager string, own options.List, rest, valued []string) (called, bool) {
	var more options.List
	verb := rest[0]
	switch {
	case isExec(manager, verb):
		s.program = true
		more, rest = options.Cut(rest[1:], append(valued, "-p", "--package", "-c", "--call")...)
	case isRun(manager, verb) && len(rest) > 1:
		more, rest = options.Cut(rest[1:], valued...)
	case !isScript(manager, verb):
		return s, false
	}
	own = append(own, more...)
	s.needed = (isRun(manager, verb) || slices.Contains([]string{"start", "dev", "serve"}, verb)) && !own.Has("--if-present") // which no manager has itself
	if s.text = strings.Join(own.Values("-c", "--call"), ""); s.text == "" && len(rest) > 0 {
		s.name, s.args = rest[0], rest[1:]
	}
	s.alone, s.either = own.Has("--ignore-scripts"), manager != "npm" && manager != "deno"
	for _, s.dir = range own.Values(modules.NodeFolderOptions()...) { // the last counts
	}
	if s.of = own.Values("-w", "--workspace", "-F", "--filter"); manager == "pnpm" && own.Has("-w") { // the workspace's root
		s.of = nil
	}
	if len(s.of) == 0 && own.Has("--workspaces", "--ws", "-r", "--recursive") && manager != "bun" {
		s.of = []string{"*"}
	}
	return s, s.name+s.text != ""
}

// readWorkspaces reads what stands behind yarn: workspace a x, workspaces run x, workspaces foreach -A run x.
func readWorkspaces(words []string) (called, bool) {
	of, rest := "*", words[1:]
	switch {
	case words[0] == "workspace":
		of, rest = words[1], words[2:]
	case rest[0] == "foreach":
		_, rest = options.Cut(rest[1:], "-j", "--jobs", "--from", "--include", "--exclude", "--since")
	}
	s, ok := readCalled(append([]string{"yarn"}, rest...))
	s.of = []string{of}
	return s, ok
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
		return !slices.Contains([]string{"add", "build", "create", "exec", "i", "init", "install", "link", "pm", "remove", "repl", "run", "test", "update", "upgrade"}, word)
	}
	return manager != "deno" && !slices.Contains([]string{"run", "install", "pack", "publish", "version"}, word)
}

// scripted follows the script or program that a package manager starts. Where there is no script of that name, some is false.
func (c *checker) scripted(words []string, f frame) (some bool, err error) {
	s, ok := readCalled(words)
	if !ok {
		return false, nil
	}
	if path.Base(words[0]) == "corepack" {
		words = words[1:]
	}
	if len(s.of) == 0 {
		return c.scriptIn(s, modules.NodeName(path.Base(words[0])), f)
	}
	folders, err := c.workspaces(s.of, shell.Absolute(f.Dir, s.dir), f)
	for _, s.dir = range folders {
		_, failed := c.scriptIn(s, modules.NodeName(path.Base(words[0])), f)
		err = errors.Join(err, failed)
	}
	return true, err
}

// scriptIn follows one in its folder.
func (c *checker) scriptIn(s called, manager string, f frame) (some bool, err error) {
	if s.program {
		return true, c.packaged(s, f)
	}
	file, text, scripts, err := c.described(s, shell.Absolute(f.Dir, s.dir), f)
	if err != nil {
		return false, err
	}
	if scripts[s.name] == "" {
		if !s.either && (shell.WorkedOut(s.name) || !shell.Known(s.name) && !f.Soft) {
			c.note(f, "%s works out at run time which script of package.json it starts: that was not followed", f.Text())
		}
		if s.either {
			err = c.packaged(s, f)
		}
		if s.name == "start" && (manager == "npm" || manager == "pnpm") && err == nil {
			some, err = c.server(s, f)
		}
		if !some && err == nil {
			err = c.scriptless(s, manager, f)
		}
		return some, err
	}
	if manager == "yarn" && !s.alone {
		s.alone, err = c.lateYarn(text, path.Dir(file))
	}
	f.Dir, f.Reading = path.Dir(file), file
	f.Path = append(programsOf(f.Dir), f.Path...)
	f.Soften()
	f.Tongue = "sh"
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

// scriptless notes that nobody wrote the script that is surely started, and that no package has a program of its name.
func (c *checker) scriptless(s called, manager string, f frame) error {
	folders, err := c.There([]string{shell.Absolute(f.Dir, s.dir)})
	if err != nil || len(folders) == 0 || c.Exhausted() || !s.needed || f.Soft && !f.Told || !shell.Known(s.name) || s.name == "env" { // which they have themselves
		return err
	}
	if s.either {
		f.Dir, f.Path = folders[0], append(programsOf(folders[0]), f.Path...)
		if _, fault, err := c.find(s.name, f); fault == nil || manager == "bun" && strings.ContainsAny(s.name, "./") { // a file
			return err
		}
	}
	c.note(f, "%s is to start the script %s, which no %s in the image has", manager, shell.Show(s.name), s.files[len(s.files)-1])
	return nil
}

// server follows what npm starts where no script is called start.
func (c *checker) server(s called, f frame) (some bool, err error) {
	dir, _, err := c.above(shell.Absolute(f.Dir, s.dir), "package.json", f)
	if err != nil || dir == "" {
		return false, err
	}
	_, some, err = c.Tree.Regular(path.Join(dir, "server.js"))
	f.Soften()
	if f.Dir = dir; some {
		err = c.run(append([]string{"node", "server.js"}, s.args...), f)
	}
	return some, err
}

// lateYarn tells whether an application's yarn is one from 2 on.
func (c *checker) lateYarn(described, dir string) (bool, error) {
	manager := gjson.Get(described, "packageManager").String()
	if strings.HasPrefix(manager, "yarn@1") {
		return false, nil
	}
	_, later, err := c.Tree.Regular(path.Join(dir, ".yarnrc.yml"))
	return later || manager != "", err
}

// packaged follows a program of a package, or one on PATH. Where there is none it may be fetched.
func (c *checker) packaged(s called, f frame) error {
	folders, err := c.There([]string{shell.Absolute(f.Dir, s.dir)})
	if err != nil || len(folders) == 0 {
		return err
	}
	f.Loosen()
	f.Path = append(programsOf(folders[0]), f.Path...)
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
	name := modules.NodeName(id)
	if !strings.HasPrefix(name, "@") {
		return name, nil
	}
	folder, err := modules.NodePackage(c.Tree, name, dir)
	if err != nil {
		return "", err
	}
	text, err := c.Evidence(path.Join(folder, "package.json"))
	if names := keys(text, "bin"); len(names) == 1 {
		return names[0], err
	}
	return path.Base(name), err
}

// described finds the file that has a script, and all scripts in it, from a folder on upwards: the next one of its name counts.
func (c *checker) described(s called, start string, f frame) (file, text string, scripts map[string]string, err error) {
	for _, name := range s.files {
		dir, text, err := c.above(start, name, f)
		file, scripts = path.Join(dir, name), scriptsOf(name, text)
		if err != nil || scripts[s.name] != "" {
			return file, text, scripts, err
		}
	}
	return "", "", nil, nil
}

// scriptsOf are the scripts in a file of that name.
func scriptsOf(file, text string) map[string]string {
	all, field := map[string]string{}, "scripts"
	if strings.HasPrefix(file, "deno.json") {
		field, text = "tasks", uncommented(text)
	}
	for name, script := range gjson.Get(text, field).Map() {
		all[name] = cmp.Or(script.Get("command").String(), script.String())
	}
	return all
}

// uncommented is a text of JSON without the comments that Deno takes there. What looks like one inside of a string stays.
func uncommented(text string) string {
	either := regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"|//.*|/\*(?s:.*?)\*/`)
	return either.ReplaceAllStringFunc(text, func(found string) string {
		if found[0] == '"' {
			return found
		}
		return " "
	})
}

// above finds the next file of a name from a folder on upwards, with text "" where there is none, as a command has it.
func (c *checker) above(start, name string, f frame) (dir, text string, err error) {
	folders, err := c.There([]string{start})
	if err != nil || len(folders) == 0 {
		return "", "", err
	}
	for dir = folders[0]; ; dir = path.Dir(dir) {
		var at tree.Found
		if at, text, err = c.Held(path.Join(dir, name), f.Frame); at.Info != nil {
			text, err = c.Evidence(at.Name)
		}
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
