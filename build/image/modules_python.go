package image

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/platforms"
)

// maxLoose is how many folders without an installer's words are looked into, one level deep.
const maxLoose = 32

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
	script                         string
	isolated, bare, noUser, noSite bool
}

func pythonLine(args []string) (o pythonOptions) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0]
		args = args[1:]
		if word == "--check-hash-based-pycs" {
			args = args[min(1, len(args)):]
		}
		for i := 1; i < len(word) && word[1] != '-'; i++ {
			switch word[i] {
			case 'c', 'm':
				return o
			case 'W', 'X':
				if i+1 == len(word) {
					args = args[min(1, len(args)):]
				}
				i = len(word)
			case 'I':
				o.isolated, o.bare, o.noUser = true, true, true
			case 'E':
				o.bare = true
			case 's':
				o.noUser = true
			case 'S':
				o.noSite = true
			}
		}
	}
	if len(args) > 0 && args[0] != "-" {
		o.script = args[0]
	}
	return o
}

// pythonPath are the folders that are there of sys.path, links resolved, in its order.
func (c *checker) pythonPath(in interpreted) ([]string, error) {
	o := pythonLine(in.args)
	var names []string
	if !o.isolated {
		own, err := c.ownFolders(o.script, in.frame)
		if err != nil {
			return nil, err
		}
		names = append(names, own...)
	}
	if given := c.values("PYTHONPATH", in.frame); len(given) == 1 && !o.bare {
		for dir := range strings.SplitSeq(given[0], ":") {
			names = append(names, absolute(in.frame.dir, dir))
		}
	}
	installed, err := c.installed(in, o)
	if err != nil {
		return nil, err
	}
	return c.there(append(names, installed...))
}

// ownFolders are that of the script and the working folder. The root and the folders of PATH hold everything else and are
// left out.
func (c *checker) ownFolders(script string, f frame) (list []string, err error) {
	names := []string{f.dir}
	if script != "" && known(absolute(f.dir, script)) {
		at, err := c.resolve(absolute(f.dir, script))
		switch {
		case nowhere(err):
		case err != nil:
			return nil, err
		case at.info.IsDir():
			names = append(names, at.real)
		default:
			names = append(names, path.Dir(at.real))
		}
	}
	for _, name := range names {
		if name != unknown && path.Clean(name) != "/" && !slices.Contains(f.path, name) {
			list = append(list, name)
		}
	}
	return list, nil
}

// installed are the folders that belong to the interpreter's installation, to its virtual environment and to the user.
func (c *checker) installed(in interpreted, o pythonOptions) (list []string, err error) {
	prefix, lib := path.Dir(path.Dir(in.at.real)), path.Base(in.at.real)
	for _, home := range c.values("PYTHONHOME", in.frame) {
		if !o.bare {
			prefix, _, _ = strings.Cut(home, ":")
		}
	}
	venv, err := c.venv(in.at.name)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(lib, ".") {
		if lib = venv.lib; lib == "" {
			return nil, nil
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
			for _, home := range c.homes(in.frame) {
				list = append(list, path.Join(home, ".local/lib", lib, "site-packages"))
			}
		}
		site(prefix, "site-packages", "dist-packages")
		if prefix == "/usr" { // Debian's and Red Hat's, where users install
			site("/usr/local", "site-packages", "dist-packages")
			list = append(list, "/usr/lib/python3/dist-packages")
		}
	}
	site(prefix, "lib-dynload")
	return list, nil
}

// venv is a virtual environment.
type venv struct {
	prefix string // "": there is none
	lib    string // python3.11, of its version
	system bool   // the packages of the installation count, too
}

// venv reads the pyvenv.cfg beside the interpreter as it was named, or above it.
func (c *checker) venv(name string) (v venv, err error) {
	dir := path.Dir(path.Clean(name))
	for _, prefix := range []string{path.Dir(dir), dir} {
		text, err := c.evidence(path.Join(prefix, "pyvenv.cfg"))
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

// homes are the folders that the user may have: HOME's, or what the image says of its user.
func (c *checker) homes(f frame) []string {
	if list := c.values("HOME", f); len(list) > 0 {
		return list
	}
	switch user, _, _ := strings.Cut(c.user, ":"); user {
	case "", "0", "root":
		return []string{"/root"}
	default:
		return []string{"/home/" + user}
	}
}

// pythonPackages are the packages with modules in these folders. Of one that comes twice Python takes what it finds first.
func (c *checker) pythonPackages(folders []string, in interpreted) (list []modules, err error) {
	seen := map[string]bool{}
	for _, dir := range folders {
		found, err := c.packagesIn(dir, in)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if !seen[p.name] && len(p.files) > 0 {
				list = append(list, p)
			}
		}
		for _, p := range list {
			seen[p.name] = true
		}
	}
	return list, nil
}

// packagesIn looks at one folder: its wheels, and the modules beside them.
func (c *checker) packagesIn(dir string, in interpreted) ([]modules, error) {
	_, entries, err := c.folder(dir)
	if err != nil {
		return nil, err
	}
	if path.Base(dir) == "lib-dynload" {
		return []modules{{name: "the standard library", files: tagged(dir, entries)}}, nil
	}
	var infos []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".dist-info") {
			infos = append(infos, e.Name())
		}
	}
	if len(infos) > maxPackages {
		c.note(in.frame, "%s has so many packages that not all were looked at", show(dir))
		infos = infos[:maxPackages]
	}
	list, wheels := make([]modules, len(infos)), make([]bool, len(infos))
	if err := each(len(infos), func(i int) (err error) {
		list[i], wheels[i], err = c.wheel(dir, infos[i])
		return err
	}); err != nil {
		return nil, err
	}
	for _, name := range tagged(dir, entries) {
		if !slices.ContainsFunc(list, func(p modules) bool { return slices.Contains(p.files, name) }) {
			list = append(list, modules{name: stem(name), files: []string{name}})
		}
	}
	if slices.Contains(wheels, true) {
		return list, nil
	}
	loose, err := c.loose(dir, entries)
	return append(list, loose...), err
}

// shortWheel is how long a WHEEL hardly gets that names a platform. Of the others most are shorter.
const shortWheel = 96

// wheel reads what pip and its like have put down of a package: its files, and where these are few words for which platform it is. Each
// of the two is a round trip, and mostly one says enough. What distributions install has no list of files, and is not ok.
func (c *checker) wheel(dir, info string) (p modules, ok bool, err error) {
	name := strings.TrimSuffix(info, ".dist-info")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i]
	}
	p.name, p.wheel, p.also = strings.ToLower(name), path.Join(dir, info, "WHEEL"), ", or with pip's --platform"
	record := path.Join(dir, info, "RECORD")
	if _, err := c.resolve(record); err != nil {
		if nowhere(err) {
			err = nil
		}
		return p, false, err
	}
	text, err := c.brief(p.wheel)
	if err != nil || forAny(text) {
		return p, true, err
	}
	text, err = c.evidence(record)
	for _, file := range recorded(text) {
		p.files = append(p.files, path.Join(dir, file))
	}
	return p, true, err
}

// brief reads a WHEEL that is short.
func (c *checker) brief(wheel string) (string, error) {
	at, err := c.resolve(wheel)
	if err == nil && at.info.Size() < shortWheel {
		return c.evidence(wheel)
	}
	if nowhere(err) {
		err = nil
	}
	return "", err
}

// forAny tells whether a WHEEL is one for every platform: what it holds of machine code is data, for several of them or none.
func forAny(wheel string) bool {
	tags := 0
	for line := range strings.Lines(wheel) {
		key, tag, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) != "Tag" {
			continue
		}
		if tags++; !strings.HasSuffix(strings.TrimSpace(tag), "-any") {
			return false
		}
	}
	return tags > 0
}

// recorded are the compiled files of a RECORD: the modules, or where there is none the libraries that Python opens by their names. First
// come those for which the fewest folders have to be listed.
func recorded(record string) []string {
	var modules, libraries []string
	for line := range strings.Lines(record) {
		name, _, _ := strings.Cut(line, ",")
		name = strings.Trim(name, "\" \r\n")
		switch {
		case strings.HasPrefix(name, "/"), strings.HasPrefix(name, ".."):
		case isModule(name):
			modules = append(modules, name)
		case isLibrary(name):
			libraries = append(libraries, name)
		}
	}
	if len(modules) == 0 {
		modules = libraries
	}
	slices.SortStableFunc(modules, func(a, b string) int { return cmp.Compare(strings.Count(a, "/"), strings.Count(b, "/")) })
	return modules
}

// isModule tells by the tag that setuptools and its like give it whether a file is an extension module: x.cpython-311-x86_64-linux-gnu.so,
// x.abi3.so, x.pypy39-pp73-x86_64-linux-gnu.so.
func isModule(name string) bool {
	_, tag, _ := strings.Cut(path.Base(name), ".")
	return strings.HasSuffix(tag, ".so") && (strings.HasPrefix(tag, "cpython-") || strings.HasPrefix(tag, "abi3") || strings.HasPrefix(tag, "pypy"))
}

// isLibrary tells by its name whether a file is a library of Linux: libx.so.1, x.so.
func isLibrary(name string) bool {
	return strings.HasSuffix(name, ".so") || strings.Contains(path.Base(name), ".so.")
}

// stem is the name that a module is imported by.
func stem(name string) string {
	base, _, _ := strings.Cut(path.Base(name), ".")
	return base
}

// tagged are the modules that lie in a folder.
func tagged(dir string, entries []fs.DirEntry) (list []string) {
	for _, e := range entries {
		if isModule(e.Name()) && !e.IsDir() {
			list = append(list, path.Join(dir, e.Name()))
		}
	}
	return list
}

// namesMachine tells whether a folder is there for one kind of machine among others: build_x86_64.
func namesMachine(folder string) bool {
	return slices.ContainsFunc(strings.Split(folder, "_"), func(word string) bool {
		_, err := platforms.ParseAny(word)
		return err == nil
	})
}

// loose finds the modules of packages that no wheel tells of, as those of an application are that was compiled in place.
func (c *checker) loose(dir string, entries []fs.DirEntry) ([]modules, error) {
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.ContainsAny(e.Name(), ".-") && !namesMachine(e.Name()) && !slices.Contains([]string{"__pycache__", "node_modules", "test", "tests"}, e.Name()) {
			names = append(names, e.Name())
		}
	}
	list := make([]modules, min(len(names), maxLoose))
	err := each(len(list), func(i int) error {
		real, entries, err := c.folder(path.Join(dir, names[i]))
		list[i] = modules{name: names[i], files: tagged(real, entries)}
		return err
	})
	return sideBySide(list), err
}

// sideBySide puts behind each folder's modules those of the same names in the others: an application may have a folder for each
// machine, whatever it calls them.
func sideBySide(folders []modules) []modules {
	all := make(map[string][]string)
	for _, f := range folders {
		for _, file := range f.files {
			all[stem(file)] = append(all[stem(file)], file)
		}
	}
	out := slices.Clone(folders)
	for i, f := range folders {
		for _, file := range f.files {
			out[i].files = slices.Concat(out[i].files, slices.DeleteFunc(slices.Clone(all[stem(file)]), func(s string) bool { return s == file }))
		}
	}
	return out
}
