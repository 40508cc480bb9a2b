package modules

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

const (
	// maxFollowed is how many packages are looked at where only their own package.json tell which of them there are.
	maxFollowed = 64
	// maxNeeds is how many names of packages are looked for at once. Those have ten dependencies each.
	maxNeeds = 1 << 14
	// maxFolders is how many folders of a package for one kind of machine are looked into. The deepest ones have four.
	maxFolders = 16
)

// nodePackage is an installed package that a program needs.
type nodePackage struct {
	dir, name    string
	scripted     bool     // its installation ran a script
	optional     []string // names or folders of packages of which it takes the one for its machine
	dependencies []string
}

// nodePackages are the packages with addons in these folders: those of npm's lists, or where it has left none those that the
// package.json of applications lead to.
func (c *Checker) nodePackages(folders []string, in interpreted) (list []modules, err error) {
	var packages, roots []nodePackage
	var starts []string
	for _, dir := range folders {
		starts = append(starts, path.Dir(dir))
	}
	installed := false // by npm
	for _, dir := range folders {
		lock, err := c.Evidence(path.Join(dir, ".package-lock.json"))
		if err != nil {
			return nil, err
		}
		installed = installed || lock != ""
		some := readNPMList(lock).installed(path.Dir(dir), starts)
		some = upTo(maxPackages, some, in.Program, dir, "packages")
		packages, roots = append(packages, some...), append(roots, nodePackage{dir: path.Dir(dir)})
		engines, err := c.Tree.Under(dir, ".prisma/client/*.node") // generated into a folder of no package
		if err != nil {
			return nil, err
		}
		list = append(list, modules{name: "@prisma/client", files: engines})
	}
	if !installed {
		if packages, err = c.followed(roots, in); err != nil {
			return nil, err
		}
	}
	found := make([][]modules, len(packages))
	err = tree.Each(len(packages), func(i int) (err error) {
		found[i], err = c.addons(packages[i], in)
		return err
	})
	return append(list, slices.Concat(found...)...), err
}

// followed are the packages that the package.json of applications name, and those that these need in turn: what other package
// managers than npm have installed. Where lists of theirs tell of those in turn, only what is part of the applications is asked itself.
func (c *Checker) followed(roots []nodePackage, in interpreted) (list []nodePackage, err error) {
	if err := c.describe(roots); err != nil {
		return nil, err
	}
	unseen, err := c.packed(roots)
	if err != nil {
		return nil, err
	}
	locks, err := c.locks(roots)
	if err != nil {
		return nil, err
	}
	most := maxFollowed
	if len(locks) > 0 {
		most, unseen = maxPackages, ""
	}
	seen := map[string]bool{}
	for queue := needs(roots); len(queue) > 0; queue = needs(queue) {
		queue = upTo(maxNeeds, queue, in.Program, in.At.Name, "packages")
		if queue, err = c.found(queue, seen); err != nil {
			return nil, err
		}
		if left := most - len(list); len(queue) > left {
			i := slices.IndexFunc(roots, func(p nodePackage) bool { return len(p.dependencies) > 0 })
			unseen = shell.Show(path.Join(roots[i].dir, "package.json")) + " leads to so many packages that not all were looked at"
			queue = queue[:left]
		}
		if err := c.describe(queue); err != nil {
			return nil, err
		}
		list = append(list, queue...)
		if len(locks) > 0 {
			queue = slices.DeleteFunc(slices.Clone(queue), func(p nodePackage) bool { return strings.Contains(p.dir, "/node_modules/") })
			roots = append(roots, queue...)
		}
	}
	if unseen != "" {
		in.note("%s", unseen)
	}
	if len(locks) == 0 {
		return list, nil
	}
	locked, err := c.lockedBy(locks, roots, in)
	if err != nil {
		return nil, err
	}
	locked = slices.DeleteFunc(locked, func(p nodePackage) bool { return p.dir != "" && seen[p.dir] })
	err = c.describe(locked)
	return append(list, locked...), err
}

// found finds packages where they are needed, each once.
func (c *Checker) found(queue []nodePackage, seen map[string]bool) ([]nodePackage, error) {
	err := tree.Each(len(queue), func(i int) (err error) {
		queue[i].dir, err = NodePackage(c.Tree, queue[i].name, queue[i].dir)
		return err
	})
	return slices.DeleteFunc(queue, func(p nodePackage) bool {
		twice := p.dir == "" || seen[p.dir]
		seen[p.dir] = true
		return twice
	}), err
}

// describe adds what their package.json say of packages. What is packed has none that can be read.
func (c *Checker) describe(list []nodePackage) error {
	return tree.Each(len(list), func(i int) error {
		p := &list[i]
		if p.dir == "" {
			return nil
		}
		text, err := c.Evidence(path.Join(p.dir, "package.json"))
		if p.dependencies = keys(gjson.Get(text, "dependencies")); len(p.optional) == 0 {
			p.optional = keys(gjson.Get(text, "optionalDependencies"))
		}
		p.scripted = slices.ContainsFunc([]string{"preinstall", "install", "postinstall"}, func(name string) bool { return gjson.Get(text, "scripts."+name).Exists() })
		if err != nil || p.scripted {
			return err
		}
		_, err = c.Tree.At(path.Join(p.dir, "binding.gyp")) // that compiles it, as a script would
		p.scripted = err == nil
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	})
}

// needs are what packages depend on, to be found from their folders.
func needs(packages []nodePackage) (list []nodePackage) {
	for _, p := range packages {
		for _, name := range p.dependencies {
			list = append(list, nodePackage{name: name, dir: p.dir})
		}
	}
	return list
}

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
