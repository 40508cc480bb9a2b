package modules

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// maxAdded bounds the folders that .pth files add.
const maxAdded = 64

// isPython tells whether a program is CPython or PyPy, whose packages are put down in the same way.
func isPython(real string) bool {
	version, ok := strings.CutPrefix(path.Base(real), "python")
	if !ok {
		version, ok = strings.CutPrefix(path.Base(real), "pypy")
	}
	return ok && strings.Trim(version, "0123456789.t") == ""
}

// pythonOptions are what a command line says about where modules are looked for.
type pythonOptions struct {
	script, module                 string
	isolated, bare, noUser, noSite bool
}

func pythonLine(args []string) (p pythonOptions) {
	o, rest := options.Cut(args, "-c", "-m", "-W", "-X", "--check-hash-based-pycs")
	for _, o := range o {
		switch o.Name {
		case "-c":
			return p
		case "-m":
			p.module = o.Value
			return p
		case "-I":
			p.isolated, p.bare, p.noUser = true, true, true
		case "-E":
			p.bare = true
		case "-s":
			p.noUser = true
		case "-S":
			p.noSite = true
		}
	}
	if len(rest) > 0 && rest[0] != "-" {
		p.script = rest[0]
	}
	return p
}

// startsPython tells whether Python is given a script or a module.
func startsPython(args []string) bool {
	o := pythonLine(args)
	return o.script != "" || o.module != ""
}

// pythonPath are the folders that are there of sys.path, links resolved, in its order.
func (c *Checker) pythonPath(in interpreted) ([]string, error) {
	o := pythonLine(in.args)
	own, err := c.ownFolders(o, in.Frame)
	if err != nil {
		return nil, err
	}
	if given := c.Values("PYTHONPATH", in.Frame); len(given) == 1 && !o.bare {
		for dir := range strings.SplitSeq(given[0], ":") {
			own = append(own, shell.Absolute(in.Frame.Dir, dir))
		}
	}
	sites, library, err := c.installed(in, o)
	if err != nil {
		return nil, err
	}
	if library == "" {
		return c.There(own)
	}
	compiled := []string{path.Join(library, "lib-dynload"), path.Join(path.Dir(library)+"64", path.Base(library), "lib-dynload")}
	switch alone, err := c.standard(o.module, own, library); {
	case err != nil:
		return nil, err
	case alone:
		return c.There(compiled)
	}
	if sites, err = c.There(sites); err != nil {
		return nil, err
	}
	for _, site := range slices.Clone(sites) {
		added, err := c.added(site, in)
		if err != nil {
			return nil, err
		}
		sites = append(sites, added...)
	}
	return c.There(slices.Concat(own, sites, compiled))
}

// standard tells whether a module of the standard library is run that imports nobody else's: http.server, and not pdb.
func (c *Checker) standard(module string, own []string, library string) (bool, error) {
	name, _, _ := strings.Cut(module, ".")
	if name == "" || !shell.Known(name) || slices.Contains([]string{"asyncio", "cProfile", "code", "doctest", "pdb", "profile", "runpy", "test", "timeit", "trace", "unittest"}, name) {
		return false, nil
	}
	for i, dir := range append(slices.Clone(own), library) {
		for _, file := range []string{name, name + ".py"} {
			switch _, err := c.Tree.At(path.Join(dir, file)); {
			case err == nil:
				return i == len(own), nil
			case !errors.Is(err, fs.ErrNotExist):
				return false, err
			}
		}
	}
	return false, nil
}

// added are the folders that the .pth files in a folder of packages add: those of packages under development, and eggs.
func (c *Checker) added(site string, in interpreted) (list []string, err error) {
	_, entries, err := c.Tree.Folder(site)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if path.Ext(e.Name()) != ".pth" {
			continue
		}
		text, err := c.Evidence(path.Join(site, e.Name()))
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if len(list) <= maxAdded && line != "" && line[0] != '#' && !strings.HasPrefix(line, "import ") {
				list = append(list, shell.Absolute(site, line))
			}
		}
	}
	return upTo(maxAdded, list, in.Program, site, "folders in .pth files"), nil
}

// ownFolders are that of the script and the working folder. The root and the folders of PATH hold everything else and are
// left out.
func (c *Checker) ownFolders(o pythonOptions, f shell.Frame) (list []string, err error) {
	if o.isolated {
		return nil, nil
	}
	names, script := []string{f.Dir}, o.script
	if script != "" && shell.Known(shell.Absolute(f.Dir, script)) {
		at, err := c.Tree.At(shell.Absolute(f.Dir, script))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case at.Info.IsDir():
			names = append(names, at.Real)
		default:
			names = append(names, path.Dir(at.Real))
		}
	}
	for _, name := range names {
		if name != shell.Unknown && path.Clean(name) != "/" && !slices.Contains(f.Path, name) {
			list = append(list, name)
		}
	}
	return list, nil
}

// installed are the folders of packages that belong to the interpreter's installation, to its virtual environment and to the user, and
// its standard library.
func (c *Checker) installed(in interpreted, o pythonOptions) (list []string, library string, err error) {
	prefix, lib := path.Dir(path.Dir(in.At.Real)), path.Base(in.At.Real)
	for _, home := range c.Values("PYTHONHOME", in.Frame) {
		if !o.bare {
			prefix, _, _ = strings.Cut(home, ":")
		}
	}
	venv, err := c.venv(in.At.Name)
	if err != nil {
		return nil, "", err
	}
	if !strings.Contains(lib, ".") {
		if lib = venv.lib; lib == "" {
			return nil, "", nil
		}
	}
	site := func(prefix string, folders ...string) {
		for _, folder := range folders {
			list = append(list, path.Join(prefix, "lib", lib, folder), path.Join(prefix, "lib64", lib, folder))
		}
	}
	if !o.noSite && venv.prefix != "" {
		site(venv.prefix, "site-packages")
	}
	if !o.noSite && (venv.prefix == "" || venv.system) {
		if !o.noUser {
			for _, home := range c.Homes(in.Frame) {
				list = append(list, path.Join(home, ".local/lib", lib, "site-packages"))
			}
		}
		site(prefix, "site-packages", "dist-packages")
		if prefix == "/usr" { // Debian's and Red Hat's, where users install
			site("/usr/local", "site-packages", "dist-packages")
			list = append(list, "/usr/lib/python3/dist-packages")
		}
	}
	return list, path.Join(prefix, "lib", lib), nil
}

// venv is a virtual environment.
type venv struct {
	prefix string // "": there is none
	lib    string // python3.11, of its version
	system bool   // the packages of the installation count, too
}

// venv reads the pyvenv.cfg beside the interpreter as it was named, or above it.
func (c *Checker) venv(name string) (v venv, err error) {
	dir := path.Dir(path.Clean(name))
	for _, prefix := range []string{path.Dir(dir), dir} {
		text, err := c.Evidence(path.Join(prefix, "pyvenv.cfg"))
		if err != nil {
			return v, err
		}
		if text != "" {
			v = readVenv(text)
			v.prefix = prefix
			return v, nil
		}
	}
	return v, nil
}

func readVenv(text string) (v venv) {
	for line := range strings.Lines(text) {
		key, val, _ := strings.Cut(line, "=")
		val = strings.TrimSpace(val)
		switch strings.TrimSpace(key) {
		case "include-system-site-packages":
			v.system = strings.EqualFold(val, "true")
		case "version", "version_info":
			if parts := strings.SplitN(val, ".", 3); len(parts) > 1 {
				v.lib = "python" + parts[0] + "." + parts[1]
			}
		}
	}
	return v
}

// pythonIn is the first of these interpreters that is in a folder, for what has a Python in itself.
func (c *Checker) pythonIn(bin string, names ...string) (at tree.Found, ok bool, err error) {
	for _, name := range names {
		if at, ok, err = c.Tree.Regular(path.Join(bin, name)); ok || err != nil {
			return at, ok, err
		}
	}
	return tree.Found{}, false, nil
}
