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
	tool := wrapper{valued: []string{"--with", "--python", "-p", "--env-file", "--project", "--directory", "--extra", "--group", "--package", "--only-group", "--no-group"}}
	rest := tool.rest(words[run+1:])
	if len(rest) == 0 {
		return true, nil
	}
	options := words[1 : len(words)-len(rest)]
	switch {
	case slices.Contains(options, "-m") || slices.Contains(options, "--module"):
		rest = append([]string{"python", "-m"}, rest...)
	case path.Ext(rest[0]) == ".py":
		rest = append([]string{"python"}, rest...)
	}
	venv, err := c.environmentOf(options, f)
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
func (c *checker) environmentOf(options []string, f frame) (string, error) {
	dir := f.dir
	for i, word := range options[:max(0, len(options)-1)] {
		if slices.Contains([]string{"--project", "--directory", "-C"}, word) {
			dir = absolute(f.dir, options[i+1])
		}
	}
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
