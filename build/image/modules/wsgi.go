package modules

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/tree"
)

// mod_wsgi puts a Python into Apache, which looks for packages as one does that is started:
//
//	LoadModule wsgi_module modules/mod_wsgi.so   linked with libpython3.11.so.1.0: the Python of that version, or the one that the module lies in
//	WSGIPythonHome /venv                         also WSGIDaemonProcess app python-home=/venv
//	WSGIPythonPath /app:/more                    also python-path=/app:/more

// wsgiPath are the folders of the Python in Apache, and none where it has none.
func (c *Checker) wsgiPath(in interpreted) (list []string, err error) {
	told, err := c.apacheTold(in)
	i := slices.IndexFunc(told.loaded, func(m modules) bool { return strings.HasPrefix(m.name, "mod_wsgi") })
	if err != nil || i < 0 {
		return nil, err
	}
	prefix, name, err := c.wsgiPython(told.loaded[i])
	if err != nil {
		return nil, err
	}
	homes, paths := wsgiSettings(told.settings)
	if len(homes) == 0 {
		homes = []string{prefix}
	}
	for _, home := range homes {
		at, ok, err := c.pythonIn(path.Join(home, "bin"), name, "python3", "python")
		if err != nil {
			return nil, err
		}
		if !ok { // its library is enough
			at = tree.Found{Name: path.Join(home, "bin", name), Real: path.Join(home, "bin", name)}
		}
		python := interpreted{Program: in.Program}
		python.At = at
		if python.Frame.Dir = "/"; len(paths) > 0 {
			python.Frame = python.Frame.With("PYTHONPATH", strings.Join(paths, ":"))
		}
		folders, err := c.pythonPath(python)
		if err != nil {
			return nil, err
		}
		list = append(list, folders...)
	}
	return list, nil
}

// wsgiSettings are the homes and the folders that mod_wsgi is told of.
func wsgiSettings(settings [][]string) (homes, paths []string) {
	for _, words := range settings {
		switch strings.ToLower(words[0]) {
		case "wsgipythonhome":
			homes = append(homes, words[1:]...)
		case "wsgipythonpath":
			paths = append(paths, words[1:]...)
		case "wsgidaemonprocess":
			for _, word := range words[1:] {
				if home, is := strings.CutPrefix(word, "python-home="); is {
					homes = append(homes, strings.Trim(home, `"'`))
				} else if folders, is := strings.CutPrefix(word, "python-path="); is {
					paths = append(paths, strings.Trim(folders, `"'`))
				}
			}
		}
	}
	return homes, paths
}

// wsgiPython is where the Python lies that mod_wsgi is made for, and its name with the version.
func (c *Checker) wsgiPython(m modules) (prefix, name string, err error) {
	for _, file := range m.files {
		at, ok, err := c.Tree.Regular(file)
		if err != nil {
			return "", "", err
		}
		if !ok {
			continue
		}
		f, err := c.Tree.Read(at.Real, at.Info)
		if err != nil {
			return "", "", err
		}
		d, err := c.Tree.Dynamic(f)
		for _, library := range d.Needed {
			if version, _, is := strings.Cut(strings.TrimPrefix(library, "lib"), ".so"); is && isPython(version) {
				name = version
			}
		}
		prefix, _, inside := strings.Cut(at.Real, "/lib/python")
		if err != nil || inside {
			return prefix, name, err
		}
		break
	}
	_, local, err := c.Tree.Regular("/usr/local/lib/" + cmp.Or(name, "python3") + "/os.py")
	if local {
		return "/usr/local", name, err
	}
	return "/usr", name, err
}
