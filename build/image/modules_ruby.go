package image

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// maxSearched is how many folders of a gem are looked into for a file of machine code. Those that keep a library for each version of
// Ruby have ten.
const maxSearched = 16

// isRuby tells whether a program is Ruby.
func isRuby(real string) bool { return strings.TrimRight(path.Base(real), "0123456789.") == "ruby" }

// startsRuby tells whether Ruby is given a script.
func startsRuby(args []string) bool {
	o, rest := getopt(args, "-C", "-E", "-I", "-e", "-r")
	return len(rest) > 0 && !o.has("-e")
}

// gemFolders are the folders, each for one version of Ruby, in which RubyGems and Bundler look for gems.
func (c *checker) gemFolders(in interpreted) (list []string, err error) {
	var named []string
	for _, name := range []string{"BUNDLE_PATH", "GEM_HOME", "GEM_PATH"} {
		named = append(named, c.foldersIn(name, in.frame)...)
	}
	bundled, err := c.bundlePaths(in.frame)
	if err != nil {
		return nil, err
	}
	for _, dir := range c.homes(in.frame) {
		bundled = append(bundled, path.Join(dir, ".gem"), path.Join(dir, ".local/share/gem"))
	}
	named = slices.DeleteFunc(append(named, bundled...), func(dir string) bool { return !known(dir) })
	for _, dir := range slices.Clone(named) { // which Bundler, and users, have one in for each version
		versions, err := c.under(dir, "ruby/*")
		if err != nil {
			return nil, err
		}
		named = append(named, versions...)
	}
	for _, dir := range []string{path.Join(path.Dir(path.Dir(in.at.real)), "lib/ruby"), "/var/lib"} { // the second is Debian's
		versions, err := c.under(dir, "gems/*")
		if err != nil {
			return nil, err
		}
		named = append(named, versions...)
	}
	return c.there(named)
}

// bundlePaths are the folders that Bundler's configuration names, that of the application in the working folder or at BUNDLE_GEMFILE and
// that for all, and where deployments have them.
func (c *checker) bundlePaths(f frame) (list []string, err error) {
	apps := []string{f.dir}
	for _, file := range c.values("BUNDLE_GEMFILE", f) {
		apps = append(apps, path.Dir(absolute(f.dir, file)))
	}
	var configs []string
	for _, dir := range slices.Concat(apps, c.homes(f)) {
		configs = append(configs, absolute(dir, ".bundle/config"))
	}
	for _, dir := range c.values("BUNDLE_APP_CONFIG", f) {
		configs = append(configs, path.Join(absolute(f.dir, dir), "config"))
	}
	paths := []string{"vendor/bundle"}
	for _, config := range configs {
		if !known(config) {
			continue
		}
		text, err := c.evidence(config)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(text) {
			if dir, ok := strings.CutPrefix(line, "BUNDLE_PATH:"); ok {
				paths = append(paths, strings.Trim(dir, "\"' \r\n"))
			}
		}
	}
	for _, app := range apps {
		for _, dir := range paths {
			list = append(list, absolute(app, dir))
		}
	}
	return list, nil
}

// gems are those with machine code: what RubyGems compiled of a gem, in a folder of its own for each machine and version of Ruby, or a
// gem that was fetched for one machine, which has this in its folder's name. A gem of one version may be there for several.
func (c *checker) gems(folders []string, in interpreted) (list []modules, err error) {
	places := map[string][]string{} // by gem
	for _, folder := range folders {
		found, err := c.under(folder, "extensions/*/*/*", "gems/*")
		if err != nil {
			return nil, err
		}
		for _, dir := range found {
			if path.Dir(dir) != path.Join(folder, "gems") {
				places[path.Base(dir)] = append(places[path.Base(dir)], dir)
			} else if gem := precompiled(path.Base(dir)); gem != "" {
				places[gem] = append(places[gem], path.Join(dir, "lib"), path.Join(dir, "src/ruby/lib"), path.Join(dir, "exe"), path.Join(dir, "libexec"))
			}
		}
	}
	names := slices.Sorted(maps.Keys(places))
	if len(names) > maxPackages {
		c.note(in.frame, "there are so many gems that not all were looked at")
		names = names[:maxPackages]
	}
	list = make([]modules, len(names))
	err = each(len(list), func(i int) error {
		files, err := c.machineCode(places[names[i]])
		list[i] = modules{name: names[i], what: "extension", files: files}
		return err
	})
	return list, err
}

// precompiled is the gem, with its version, that a folder holds for one machine with Linux: nokogiri-1.18.1-aarch64-linux-gnu. It is ""
// for any other.
func precompiled(folder string) string {
	words := strings.Split(folder, "-")
	if i := slices.Index(words, "linux"); i > 2 {
		return strings.Join(words[:i-1], "-")
	}
	return ""
}

// machineCode is what each of the folders and those below it have that may be code: the libraries of the first one that has some, and
// all programs, which have no ending.
func (c *checker) machineCode(dirs []string) (files []string, err error) {
	for _, dir := range dirs {
		programs := slices.Contains([]string{"exe", "libexec"}, path.Base(dir))
		queue, found := []string{dir}, false
		for n := 0; n < len(queue) && n < maxSearched && !found; n++ {
			real, entries, err := c.folder(queue[n])
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				switch name := path.Join(real, e.Name()); {
				case e.IsDir():
					queue = append(queue, name)
				case programs && path.Ext(name) == "":
					files = append(files, name)
				case !programs && isLibrary(name):
					files, found = append(files, name), true
				}
			}
		}
	}
	return files, nil
}
