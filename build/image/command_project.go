package image

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// Python's project tools start a command in a virtual environment, which is not the one that the tool itself runs in:
//
//	uv run, poetry run, pdm run, rye run   .venv in the project's folder, which is the working folder or one above it
//	poetry run, pipenv run                 the only one in the folder where the user's are kept, if that one is not there
//	conda run, mamba run, micromamba run   that of -p, or of -n in the folder envs of conda's own; else CONDA_PREFIX, or conda's own

// project follows what such a tool runs. Where it finds no environment the command is looked up as it stands.
func (c *checker) project(words []string, f frame) (some bool, err error) {
	run, tool := slices.Index(words, "run"), path.Base(words[0])
	conda := slices.Contains([]string{"conda", "mamba", "micromamba"}, tool)
	if run < 1 || !conda && !slices.Contains([]string{"uv", "poetry", "pipenv", "pdm", "rye"}, tool) {
		return false, nil
	}
	valued := []string{"--with", "--python", "-p", "--env-file", "--project", "--directory", "-C", "--extra", "--group", "--package", "--only-group", "--no-group"}
	if conda {
		valued = []string{"-n", "--name", "-p", "--prefix", "-r", "--root-prefix", "--cwd", "-a", "--attach", "-e", "--env", "--label"}
	}
	own, _ := options.Cut(words[1:run], valued...)
	o, rest := options.Cut(words[run+1:], valued...)
	if o = append(own, o...); len(rest) == 0 {
		return true, nil
	}
	f.Soft, f.shell = true, false // it may make the environment anew
	if conda {
		return true, c.inConda(words[0], o, rest, f)
	}
	switch {
	case o.Has("-m", "--module"):
		rest = append([]string{"python", "-m"}, rest...)
	case path.Ext(rest[0]) == ".py":
		rest = append([]string{"python"}, rest...)
	}
	dir := f.Dir
	for _, value := range o.Values("--project", "--directory", "-C") {
		dir = shell.Absolute(f.Dir, value)
	}
	venv, err := c.environmentOf(dir, f)
	if err != nil {
		return true, err
	}
	if venv != "" {
		f.Path = append([]string{path.Join(venv, "bin")}, f.Path...)
	}
	return true, c.run(rest, f)
}

// environmentOf finds the virtual environment of a project, "" where there is none.
func (c *checker) environmentOf(dir string, f frame) (string, error) {
	candidates := c.Values("UV_PROJECT_ENVIRONMENT", f.Frame)
	for ; path.IsAbs(dir) && dir != "/"; dir = path.Dir(dir) {
		candidates = append(candidates, path.Join(dir, ".venv"))
	}
	for _, home := range c.Homes(f.Frame) {
		for _, kept := range []string{".cache/pypoetry/virtualenvs", ".local/share/virtualenvs"} {
			real, entries, err := c.Tree.Folder(path.Join(home, kept))
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
		venv = shell.Absolute(f.Dir, venv)
		if !shell.Known(venv) {
			continue
		}
		switch _, err := c.Tree.At(path.Join(venv, "pyvenv.cfg")); {
		case err == nil:
			return venv, nil
		case !nowhere(err):
			return "", err
		}
	}
	return "", nil
}

// inConda follows what is run in an environment of conda's.
func (c *checker) inConda(tool string, o options.List, rest []string, f frame) error {
	prefixes, err := c.condaPrefixes(tool, o, f)
	if err != nil {
		return err
	}
	for _, prefix := range prefixes[:min(1, len(prefixes))] {
		f.Path = append([]string{path.Join(prefix, "bin")}, f.Path...)
	}
	for _, dir := range o.Values("--cwd") {
		f.Dir = shell.Absolute(f.Dir, dir)
	}
	return c.run(rest, f)
}

// condaPrefixes are the environments that are there of those that conda's options may mean, the first before the others. Its own is where it
// lies itself.
func (c *checker) condaPrefixes(tool string, o options.List, f frame) ([]string, error) {
	if given := o.Values("-p", "--prefix"); len(given) > 0 {
		return c.There([]string{shell.Absolute(f.Dir, given[0])})
	}
	at, _, err := c.find(tool, f)
	if err != nil {
		return nil, err
	}
	roots := append(c.FoldersIn("MAMBA_ROOT_PREFIX", f.Frame), path.Dir(path.Dir(at.Real)))
	for _, root := range o.Values("-r", "--root-prefix") {
		roots = []string{shell.Absolute(f.Dir, root)}
	}
	name := strings.Join(o.Values("-n", "--name"), "")
	switch name {
	case "":
		return c.There(append(c.FoldersIn("CONDA_PREFIX", f.Frame), roots...))
	case "base":
		return c.There(roots)
	}
	var list []string
	for _, dir := range slices.Concat(c.FoldersIn("CONDA_ENVS_DIRS", f.Frame), c.FoldersIn("CONDA_ENVS_PATH", f.Frame)) {
		list = append(list, path.Join(dir, name))
	}
	for _, root := range roots {
		list = append(list, path.Join(root, "envs", name))
	}
	for _, home := range c.Homes(f.Frame) {
		list = append(list, path.Join(home, ".conda/envs", name))
	}
	return c.There(list)
}
