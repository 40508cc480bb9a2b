package modules

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// maxSearched is how many folders of a gem are looked into for a file of machine code. Those that keep a library for each version of
// Ruby have ten.
const maxSearched = 16

// isRuby tells whether a program is Ruby.
func isRuby(real string) bool { return strings.TrimRight(path.Base(real), "0123456789.") == "ruby" }

// startsRuby tells whether Ruby is given a script.
func startsRuby(args []string) bool {
	o, rest := options.Cut(args, "-C", "-E", "-I", "-e", "-r")
	return len(rest) > 0 && !o.Has("-e")
}

// gemFolders are the folders, each for one version of Ruby, in which RubyGems and Bundler look for gems.
func (c *Checker) gemFolders(in interpreted) ([]string, error) {
	prefix := path.Join(path.Dir(path.Dir(in.At.Real)), "lib/ruby")
	own, err := c.Tree.Under(prefix, "[0-9]*") // 3.3.0: its standard library
	if err != nil {
		return nil, err
	}
	bundled, err := c.bundlePaths(in.Frame)
	if err != nil {
		return nil, err
	}
	named := slices.Concat(bundled, c.FoldersIn("GEM_HOME", in.Frame), c.FoldersIn("GEM_PATH", in.Frame))
	list := slices.Clone(named)
	for _, home := range c.Homes(in.Frame) {
		named = append(named, path.Join(home, ".gem"), path.Join(home, ".local/share/gem"))
	}
	versions := func(dir, pattern string) error {
		found, err := c.Tree.Under(dir, pattern)
		for _, name := range found {
			if len(own) == 0 || slices.ContainsFunc(own, func(o string) bool { return path.Base(o) == path.Base(name) }) {
				list = append(list, name)
			}
		}
		return err
	}
	for _, dir := range named {
		if shell.Known(dir) {
			err = errors.Join(err, versions(dir, "ruby/*"))
		}
	}
	err = errors.Join(err, versions(prefix, "gems/*"), versions("/var/lib", "gems/*")) // the last is Debian's
	if err != nil {
		return nil, err
	}
	return c.There(list)
}

// gem is one version of a gem that has machine code.
type gem struct {
	own    []string // where it lies that Ruby loads, the likeliest first
	others []string // folders whose names are those of other machines: RubyGems passes them over, whatever they hold
}

// gems are those with machine code: what RubyGems compiled of a gem, in a folder of its own for each machine (and beside the gem's
// sources, where it is found first), and gems that were fetched for one machine, which has this in its folder's name.
func (c *Checker) gems(folders []string, in interpreted) (list []modules, err error) {
	all := map[string]gem{}
	for _, folder := range folders {
		for _, gems := range []string{path.Join(folder, "gems"), path.Join(folder, "bundler/gems")} { // the second are from git
			extensions := path.Join(folder, "extensions")
			if gems != path.Join(folder, "gems") {
				extensions = path.Join(gems, "extensions")
			}
			found, err := c.gemsIn(gems, extensions)
			if err != nil {
				return nil, err
			}
			for name, g := range found {
				if before := all[name]; len(before.own) > 0 {
					g.own = before.own // the first that is no other machine's is taken
				}
				g.others = append(all[name].others, g.others...)
				all[name] = g
			}
		}
	}
	names := slices.Sorted(maps.Keys(all))
	if len(names) > maxPackages {
		in.note("there are so many gems that not all were looked at")
		names = names[:maxPackages]
	}
	list = make([]modules, len(names))
	err = tree.Each(len(list), func(i int) (err error) {
		g := all[names[i]]
		list[i] = modules{name: names[i], what: "extension"}
		if len(g.own) == 0 {
			list[i].other, list[i].named = g.others[0], machineOf(g.others[0])
			return nil
		}
		list[i].files, err = c.machineCode(g.own, in)
		return err
	})
	return list, err
}

// gemsIn are the gems with machine code of one folder of gems.
func (c *Checker) gemsIn(gems, extensions string) (map[string]gem, error) {
	all := map[string]gem{}
	compiled, err := c.Tree.Under(extensions, "*-linux*/[0-9]*/*")
	if err != nil {
		return nil, err
	}
	for _, dir := range compiled {
		g, name := all[path.Base(dir)], path.Base(dir)
		if c.forThis(machineOf(dir)) {
			g.own = []string{path.Join(gems, name, "lib"), dir}
		} else {
			g.others = append(g.others, dir)
		}
		all[name] = g
	}
	_, entries, err := c.Tree.Folder(gems)
	if err != nil {
		return nil, err
	}
	plain := map[string]bool{}
	for _, e := range entries {
		plain[e.Name()] = true
	}
	for _, e := range entries {
		name, machine := precompiled(e.Name())
		if machine == "" {
			continue
		}
		g, dir := all[name], path.Join(gems, e.Name())
		switch {
		case c.forThis(machine):
			g.own = append(g.own, path.Join(dir, "lib"), path.Join(dir, "src/ruby/lib"), path.Join(dir, "exe"), path.Join(dir, "libexec"))
		case plain[name] && len(g.own)+len(g.others) == 0:
			g.own = []string{path.Join(gems, name, "lib")} // in Ruby alone
		default:
			g.others = append(g.others, dir)
		}
		all[name] = g
	}
	return all, nil
}

// forThis tells whether the name of a machine, as Ruby has it, is not another one's.
func (c *Checker) forThis(machine string) bool {
	some := machinesIn(machine)
	return len(some) == 0 || slices.Contains(some, c.Declared.Architecture)
}

// machineOf is the machine that a folder of a gem has in its name: extensions/x86_64-linux/3.3.0/bcrypt-3.1.20, gems/ffi-1.17.0-x86_64-linux.
func machineOf(dir string) string {
	if _, machine := precompiled(path.Base(dir)); machine != "" {
		return machine
	}
	return path.Base(path.Dir(path.Dir(dir)))
}

// precompiled is the gem, with its version, that a folder holds for one machine with Linux: nokogiri-1.18.1-aarch64-linux-gnu. The machine is
// "" for any other.
func precompiled(folder string) (name, machine string) {
	words := strings.Split(folder, "-")
	if i := slices.Index(words, "linux"); i > 2 {
		return strings.Join(words[:i-1], "-"), strings.Join(words[i-1:], "-")
	}
	return folder, ""
}

// machineCode is what the first of these folders has, or those below it, that may be code: libraries, or in folders of programs what has
// no ending.
func (c *Checker) machineCode(dirs []string, in interpreted) (files []string, err error) {
	for _, dir := range dirs {
		programs := slices.Contains([]string{"exe", "libexec"}, path.Base(dir))
		err := c.below(dir, maxSearched, in, func(name string) {
			if programs && path.Ext(name) == "" || !programs && isLibrary(name) {
				files = append(files, name)
			}
		}, func() bool { return !programs && len(files) > 0 })
		if err != nil {
			return nil, err
		}
		if len(files) > 0 {
			break
		}
	}
	return files, nil
}
