package image

import (
	"io/fs"
	"path"
	"slices"
)

// Python's project tools start a command in a virtual environment, which is not the one that the tool itself runs in:
//
//	uv run, poetry run, pdm run, rye run   .venv in the project's folder, which is the working folder or one above it
//	poetry run, pipenv run                 the only one in the folder where the user's are kept, if that one is not there

// project follows what such a tool runs. Where it finds no environment the command is looked up as it stands.
func (c *checker) project(words []string, f frame) (some bool, err error) {
	run := slices.Index(words, "run")
	if run < 1 || !slices.Contains([]string{"uv", "poetry", "pipenv", "pdm", "rye"}, path.Base(words[0])) {
		return false, nil
	}
	valued := []string{"--with", "--python", "-p", "--env-file", "--project", "--directory", "-C", "--extra", "--group", "--package", "--only-group", "--no-group"}
	own, _ := getopt(words[1:run], valued...)
	o, rest := getopt(words[run+1:], valued...)
	if o = append(own, o...); len(rest) == 0 {
		return true, nil
	}
	switch {
	case o.has("-m", "--module"):
		rest = append([]string{"python", "-m"}, rest...)
	case path.Ext(rest[0]) == ".py":
		rest = append([]string{"python"}, rest...)
	}
	dir := f.dir
	for _, value := range o.values("--project", "--directory", "-C") {
		dir = absolute(f.dir, value)
	}
	venv, err := c.environmentOf(dir, f)
	if err != nil {
		return true, err
	}
	f.soft, f.shell = true, false // it may make the environment anew
	if venv != "" {
		f.path = append([]string{path.Join(venv, "bin")}, f.path...)
	}
	return true, c.run(rest, f)
}

// environmentOf finds the virtual environment of a project, "" where there is none.
func (c *checker) environmentOf(dir string, f frame) (string, error) {
	candidates := c.values("UV_PROJECT_ENVIRONMENT", f)
	for ; path.IsAbs(dir) && dir != "/"; dir = path.Dir(dir) {
		candidates = append(candidates, path.Join(dir, ".venv"))
	}
	for _, home := range c.homes(f) {
		for _, kept := range []string{".cache/pypoetry/virtualenvs", ".local/share/virtualenvs"} {
			real, entries, err := c.folder(path.Join(home, kept))
			if err != nil {
				return "", err
			}
			entries = slices.DeleteFunc(slices.Clone(entries), func(e fs.DirEntry) bool { return !e.IsDir() })
			if len(entries) == 1 {
				candidates = append(candidates, path.Join(real, entries[0].Name()))
			}
		}
	}
	for _, venv := range candidates {
		venv = absolute(f.dir, venv)
		if !known(venv) {
			continue
		}
		switch _, err := c.resolve(path.Join(venv, "pyvenv.cfg")); {
		case err == nil:
			return venv, nil
		case !nowhere(err):
			return "", err
		}
	}
	return "", nil
}
