package image

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Node's package managers start what a package.json names as a script: a text for sh, in that file's folder, with the programs of its packages
// before those of PATH.
//
//	npm start, npm run x -- a   prex, x and postx
//	yarn x a, pnpm run x a      as npm does; yarn from 2 on x alone
//	node --run x -- a           x alone

// called is a script that such a manager is told to start.
type called struct {
	name  string
	args  []string
	dir   string // where package.json is looked for, from the working folder on
	alone bool   // without what is named after it
}

// readCalled reads a command line; ok is false where it starts no script, or those of a workspace's packages.
func readCalled(words []string) (s called, ok bool) {
	valued := append(managerFolders(), "-w", "--workspace", "-F", "--filter", "--loglevel", "--script-shell", "--run", "-r", "--require", "--import", "--env-file")
	own, rest := getopt(words[1:], valued...)
	manager := path.Base(words[0])
	switch manager {
	case "node":
		s = called{name: strings.Join(own.values("--run"), ""), args: rest, alone: true}
		return s, s.name != ""
	case "npm":
		own, rest = permuted(words[1:], valued...)
	case "yarn", "pnpm":
	default:
		return s, false
	}
	run := len(rest) > 1 && (rest[0] == "run" || rest[0] == "run-script")
	if run {
		more, behind := getopt(rest[1:], valued...)
		own, rest = append(own, more...), behind
	}
	if len(rest) == 0 || !run && !isScript(manager, rest[0]) || own.has("-w", "--workspace", "--workspaces", "-F", "--filter", "-r", "--recursive") {
		return s, false
	}
	s = called{name: rest[0], args: rest[1:], alone: own.has("--ignore-scripts")}
	for _, s.dir = range own.values(managerFolders()...) { // the last counts
	}
	return s, true
}

// isScript tells whether a manager's first word names a script, and is no command of its own.
func isScript(manager, word string) bool {
	if manager == "npm" {
		return slices.Contains([]string{"start", "stop", "restart", "test"}, word)
	}
	return !slices.Contains([]string{"run", "install", "pack", "publish", "version"}, word)
}

// scripted follows the script that a package manager starts. Where there is none of that name, some is false.
func (c *checker) scripted(words []string, f frame) (some bool, err error) {
	s, ok := readCalled(words)
	if !ok {
		return false, nil
	}
	dir, described, err := c.packageAbove(absolute(f.dir, s.dir))
	scripts := gjson.Get(described, "scripts").Map()
	if err != nil || scripts[s.name].String() == "" {
		return false, err
	}
	if manager := gjson.Get(described, "packageManager").String(); path.Base(words[0]) == "yarn" && !strings.HasPrefix(manager, "yarn@1") {
		_, later, failed := c.regular(path.Join(dir, ".yarnrc.yml"))
		s.alone, err = s.alone || later || manager != "", failed
	}
	f.dir, f.path, f.reading = dir, append(programsOf(dir), f.path...), path.Join(dir, "package.json")
	f.soft, f.told = true, f.told || !f.soft
	for _, part := range []string{"pre", "", "post"} {
		text, args := scripts[part+s.name].String(), []string{"sh"}
		if part == "" && len(s.args) > 0 {
			text, args = text+` "$@"`, append(args, s.args...)
		}
		if part == "" || !s.alone {
			err = errors.Join(err, c.text(text, args, f))
		}
	}
	return true, err
}

// packageAbove finds the next package.json from a folder on upwards, "" where there is none.
func (c *checker) packageAbove(start string) (dir, text string, err error) {
	folders, err := c.there([]string{start})
	if err != nil || len(folders) == 0 {
		return "", "", err
	}
	for dir = folders[0]; ; dir = path.Dir(dir) {
		text, err = c.evidence(path.Join(dir, "package.json"))
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
