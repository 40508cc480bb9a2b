package modules

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/manymage/manymage/build/image/shell"
)

// nextCompiler begins the names of what Next.js compiles an application with, and what it has compiled runs without: it is a
// dependency of production all the same.
const nextCompiler = "/@next/swc-"

// addons are what a package's installation has made or fetched, and the packages that it chose by their machine. What
// it compiled it compiled for one: an addon that fits speaks for those beside it, of which some may be left over.
func (c *Checker) addons(p nodePackage, in interpreted) ([]modules, error) {
	chosen, anywhere := modules{name: p.name, also: ", or with npm's --os and --cpu"}, false
	for _, name := range p.optional {
		if strings.Contains("/"+name, nextCompiler) {
			continue
		}
		one, err := c.forMachine(name, p.dir, in)
		if err != nil {
			return nil, err
		}
		anywhere = anywhere || one.portable
		chosen.files = append(chosen.files, one.files...)
		if one.libc != "" && chosen.libc == "" {
			chosen.other, chosen.libc = one.dir, one.libc
		}
	}
	if anywhere {
		chosen = modules{name: p.name}
	}
	if len(chosen.files) > 0 {
		chosen.other, chosen.libc = "", ""
	}
	if !p.scripted {
		return []modules{chosen}, nil
	}
	made, err := c.made(p)
	if err != nil || len(made) > 0 || len(chosen.files) > 0 || chosen.libc != "" {
		return []modules{{name: p.name, files: made}, chosen}, err
	}
	brought, err := c.brought(p, in)
	if err != nil {
		return nil, err
	}
	program, err := c.namesake(p)
	return []modules{{name: p.name, files: brought, brought: p.dir}, {name: p.name, files: program}}, err
}

// made are the addons that a package's installation has compiled or fetched: where node-gyp puts them, or where the package says.
func (c *Checker) made(p nodePackage) (list []string, err error) {
	list, err = c.Tree.Under(p.dir, "build/Release/*.node", "lib/binding/*.node", "lib/binding/*/*.node")
	if err != nil || len(list) > 0 {
		return list, err
	}
	text, err := c.Evidence(path.Join(p.dir, "package.json"))
	later := regexp.MustCompile(`\{[^}]*\}`) // the version of Node's interface
	folder := path.Clean(later.ReplaceAllString(gjson.Get(text, "binary.module_path").String(), "*"))
	if err != nil {
		return nil, err
	}
	return c.Tree.Under(p.dir, folder+"/*.node")
}

// brought are the addons for the declared machine, where a package brings them for several, in a folder for each: prebuilds/linux-x64,
// bin/linux-arm64-node-22, bin/napi-v3/linux/x64. It does so wherever it is installed: that it has none for this machine is no fault of the installation, and many go
// on without.
func (c *Checker) brought(p nodePackage, in interpreted) (list []string, err error) {
	shelves, err := c.Tree.Under(p.dir, "prebuilds", "bin", "bin/napi-v*/linux")
	if err != nil {
		return nil, err
	}
	for _, shelf := range shelves {
		real, entries, err := c.Tree.Folder(shelf)
		if err != nil {
			return nil, err
		}
		var others []string
		for _, e := range entries {
			folder := path.Join(real, e.Name())
			named := path.Join(path.Base(shelf), e.Name())
			switch some := machinesIn(e.Name()); {
			case len(some) == 0 || !strings.Contains(named, "linux") && !strings.Contains(named, "alpine"):
			case !slices.Contains(some, c.Declared.Architecture):
				others = append(others, folder)
			default: // one for each C library, or version of Node
				some, err := c.Tree.Under(folder, "*.node")
				if err != nil {
					return nil, err
				}
				list = append(list, some...)
			}
		}
		if len(list) > 0 || len(others) == 0 {
			continue
		}
		foreign, err := c.Tree.Under(others[0], "*.node")
		if err != nil {
			return nil, err
		}
		instead, err := c.Tree.Under(p.dir, "fallback.js")
		if err != nil {
			return nil, err
		}
		if len(foreign) > 0 && len(instead) == 0 {
			in.note("%s has addons for other machines alone, and none was compiled: what needs one fails", shell.Show(real))
		}
	}
	return list, nil
}

// namesake is the program that a package is there for and fetches when it is installed: ffmpeg-static/ffmpeg, gifsicle/vendor/gifsicle.
func (c *Checker) namesake(p nodePackage) (list []string, err error) {
	for _, folder := range []string{".", "bin", "vendor"} {
		real, entries, err := c.Tree.Folder(path.Join(p.dir, folder))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !e.IsDir() && slices.Contains(strings.Split(path.Base(p.name), "-"), e.Name()) {
				list = append(list, path.Join(real, e.Name()))
			}
		}
	}
	return list, nil
}

// platformed is a package that is there for one kind of machine.
type platformed struct {
	dir      string
	files    []string // its binaries
	portable bool     // it is of WebAssembly, which is for all
	libc     string   // the C library for which it is there, where Node has another
}

// forMachine finds such a package.
func (c *Checker) forMachine(name, from string, in interpreted) (p platformed, err error) {
	if p.dir = name; !path.IsAbs(name) {
		p.dir, err = NodePackage(c.Tree, name, from)
	}
	if err != nil || p.dir == "" {
		return p, err
	}
	text, err := c.Evidence(path.Join(p.dir, "package.json"))
	cpu := values(gjson.Get(text, "cpu"))
	if p.portable = slices.Contains(cpu, "wasm32"); err != nil || p.portable || len(cpu) == 0 {
		return p, err
	}
	if libs := values(gjson.Get(text, "libc")); len(libs) == 1 && slices.Contains([]string{"musl", "glibc"}, libs[0]) && slices.Contains(machinesIn(strings.Join(cpu, " ")), c.Declared.Architecture) {
		if ours, err := c.clib(in); err != nil || ours != "" && ours != libs[0] {
			p.libc = libs[0]
			return p, err
		}
	}
	p.files, err = c.binaries(p.dir, in)
	return p, err
}

// binaries are the addons, libraries and programs of a package, wherever they lie, the likeliest first.
func (c *Checker) binaries(dir string, in interpreted) (list []string, err error) {
	folders := []string{dir}
	for i := 0; i < len(upTo(maxFolders, folders, in.Program, dir, "folders")); i++ {
		_, entries, err := c.Tree.Folder(folders[i])
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			switch name := strings.TrimSuffix(folders[i], "/") + "/" + e.Name(); {
			case e.IsDir() && e.Name() != "node_modules":
				folders = append(folders, name)
			case !e.IsDir() && unlikely(name) < 3:
				list = append(list, name)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(unlikely(a), unlikely(b)) })
	return list, nil
}

// unlikely tells by a file's name how little it looks like machine code, 3 for not at all.
func unlikely(name string) int {
	switch base := path.Base(name); {
	case path.Ext(base) == ".node":
		return 0
	case isLibrary(base):
		return 1
	case !strings.Contains(base, ".") && base != strings.ToUpper(base), path.Ext(base) == ".exe": // not LICENSE
		return 2
	}
	return 3
}
