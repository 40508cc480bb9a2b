package modules

import (
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/manymage/manymage/build/image/shell"
)

// uWSGI is told by its command line, the environment, and files of .ini, YAML or XML which plugins it loads and where its Python is:
//
//	uwsgi --plugins python3,http --ini app.ini     also UWSGI_INI=app.ini
//	base = %d                  the file's own folder; %(base) is that from here on, $(HOME) the environment's
//	[uwsgi]
//	plugin = python3           python3_plugin.so, in plugins-dir or a folder of its own
//	virtualenv = /opt/venv     whose packages its Python has; without it those of the Python beside uWSGI
//	chdir = /app               where the application's modules are, as in pythonpath
//
// What the Python in it finds is looked at as Python's own is. Debian's uwsgi_python3 is a uWSGI with that plugin.

func isUWSGI(real string) bool {
	return slices.Contains([]string{"uwsgi", "uwsgi-core"}, path.Base(real))
}

// uwsgiSetting is one that uWSGI is given, maybe several times, and by whom.
type uwsgiSetting struct{ key, value, by string }

type uwsgiSettings []uwsgiSetting

// of are the settings with one of these names that are written out.
func (s uwsgiSettings) of(keys ...string) (list uwsgiSettings) {
	for _, one := range s {
		if slices.Contains(keys, one.key) && !strings.ContainsAny(one.value, "%$"+shell.Unknown) {
			list = append(list, one)
		}
	}
	return list
}

// values are those of the settings with these names.
func (s uwsgiSettings) values(keys ...string) (list []string) {
	for _, one := range s.of(keys...) {
		list = append(list, one.value)
	}
	return list
}

// uwsgiTold reads all settings.
func (c *Checker) uwsgiTold(in interpreted) (list uwsgiSettings, err error) {
	for i, word := range in.args {
		key, value, inline := strings.Cut(strings.TrimLeft(word, "-"), "=")
		switch option := strings.HasPrefix(word, "-"); {
		case option && inline:
			list = append(list, uwsgiSetting{key, value, onCommandLine})
		case option:
			list = append(list, uwsgiSetting{key, strings.Join(in.args[i+1:min(i+2, len(in.args))], ""), onCommandLine})
		case slices.Contains([]string{".ini", ".xml", ".yml", ".yaml", ".json"}, path.Ext(word)):
			list = append(list, uwsgiSetting{"ini", word, onCommandLine})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		if key, is := strings.CutPrefix(name, "UWSGI_"); is {
			list = append(list, uwsgiSetting{strings.ToLower(strings.ReplaceAll(key, "_", "-")), c.Env[name], name})
		}
	}
	sections := map[string]string{} // of files of which another one than uwsgi is asked for
	files := func(some uwsgiSettings) (names []string) {
		for _, value := range some.values("ini", "xml", "x", "y", "yaml", "yml", "json", "js", "j", "include", "inherit") {
			value, section, named := strings.Cut(value, ":")
			name := shell.Absolute(in.Frame.Dir, value)
			if names = append(names, name); named && value != "" {
				sections[name] = section
			}
		}
		for _, value := range some.values("emperor") { // each file in it is a uWSGI of its own
			names = append(names, shell.Absolute(in.Frame.Dir, value+"/*.ini"), shell.Absolute(in.Frame.Dir, value+"/*.y*ml"), shell.Absolute(in.Frame.Dir, value+"/*.json"), shell.Absolute(in.Frame.Dir, value+"/*.xml"))
		}
		return names
	}
	set, room := map[string]string{}, maxSetting
	for _, one := range list {
		one.sets(set)
	}
	err = c.included(files(list), in.Frame, func(by, text string) []string {
		some := uwsgiFile(by, text, cmp.Or(sections[by], "uwsgi"))
		for i, one := range some {
			some[i].value = fill(one.value, uwsgiVariable(), &room, func(found string) (string, bool) { return c.uwsgiValue(found, by, set, in.Frame) })
			some[i].sets(set)
		}
		list = append(list, some...)
		return files(some)
	})
	if room < 0 {
		in.note(manyVariables, shell.Show(in.At.Name))
	}
	return list, err
}

// uwsgiValue is what stands for something else in a file: a part of the file's own name, an earlier setting, a variable of the environment. What only
// the running system knows is none.
func (c *Checker) uwsgiValue(found, by string, set map[string]string, f shell.Frame) (string, bool) {
	name := strings.Trim(found[1:], "()")
	switch dir, base := path.Split(by); {
	case found[0] == '$':
		values := c.Values(name, f)
		return strings.Join(values, ""), len(values) == 1
	case found[1] == '(':
		value, is := set[name]
		return value, is
	case name == "d":
		return dir, true
	case name == "c":
		return path.Base(dir), true
	case name == "n":
		return strings.TrimSuffix(base, path.Ext(base)), true
	case name == "s":
		return base, true
	}
	return by, true
}

// sets keeps what %(key) stands for from here on.
func (s uwsgiSetting) sets(set map[string]string) {
	set[s.key] = s.value
	if name, value, ok := strings.Cut(s.value, "="); ok && slices.Contains([]string{"set", "S", "set-placeholder", "set-ph"}, s.key) {
		set[name] = value
	}
}

// uwsgiVariable is the same for all images, most of which have no uWSGI.
var uwsgiVariable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`%[dpsnc]|[%$]\([\w-]+\)`) })

// uwsgiPath are the folders of the Python in uWSGI, and none where it has none; the last word stands for what it is told.
func (c *Checker) uwsgiPath(in interpreted) ([]string, error) {
	told, _ := c.toldServer(in)
	set, err := c.uwsgiTold(in)
	if err != nil {
		return nil, err
	}
	plugins := strings.Join(append(set.values("plugin", "plugins", "need-plugin", "need-plugins"), path.Base(in.At.Name)), ",")
	homes := set.values("H", "home", "virtualenv", "venv", "pyhome")
	if !strings.Contains(plugins, "python") && len(homes)+len(set.of("w", "module", "wsgi", "wsgi-file", "file", "mount")) == 0 {
		return told, nil
	}
	bin := path.Dir(in.At.Name)
	for _, home := range homes {
		bin = path.Join(shell.Absolute(in.Frame.Dir, home), "bin")
	}
	at, ok, err := c.pythonIn(bin, "python3", "python")
	if err != nil || !ok {
		return told, err
	}
	python := interpreted{Program: in.Program}
	python.At = at
	for _, dir := range set.values("chdir") {
		python.Frame.Dir = shell.Absolute(in.Frame.Dir, dir)
	}
	paths := append(set.values("pythonpath", "python-path", "pp"), c.Values("PYTHONPATH", in.Frame)...)
	python.Frame = python.Frame.With("PYTHONPATH", strings.Join(paths, ":"))
	folders, err := c.pythonPath(python)
	return append(folders, told...), err
}

// uwsgiModules are the plugins that uWSGI loads, and what its Python has in folders.
func (c *Checker) uwsgiModules(folders []string, in interpreted) (list []modules, err error) {
	set, err := c.uwsgiTold(in)
	if err != nil {
		return nil, err
	}
	var places []string
	for _, dir := range set.values("plugin-dir", "plugins-dir", "plugin-directory", "plugins-directory") {
		places = append(places, shell.Absolute(in.Frame.Dir, dir))
	}
	places = append(places, "/usr/lib/uwsgi/plugins", "/usr/lib/uwsgi", "/usr/lib64/uwsgi", in.Frame.Dir)
	plugins := set.of("plugin", "plugins", "need-plugin", "need-plugins")
	if _, own, is := strings.Cut(path.Base(in.At.Name), "uwsgi_"); is {
		plugins = append(plugins, uwsgiSetting{value: own, by: "its name"})
	}
	for _, one := range plugins {
		for name := range strings.SplitSeq(one.value, ",") {
			if name = strings.TrimSuffix(strings.TrimSpace(name), "_plugin.so"); name != "" {
				files := inEach(places, name+"_plugin.so")
				if strings.Contains(name, "/") { // the file itself, whatever its name
					files = append([]string{shell.Absolute(in.Frame.Dir, strings.TrimSpace(name))}, files...)
				}
				list = append(list, loaded(one.by, files...))
			}
		}
	}
	packages, err := c.pythonPackages(folders[:max(len(folders)-1, 0)], in)
	return append(list, packages...), err
}
