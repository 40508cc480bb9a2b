package modules

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/image/tree"
)

const (
	// maxLoose is how many folders without an installer's words are looked into, one level deep.
	maxLoose = 32
)

// pythonPackages are the packages with modules in these folders. Of one that comes twice Python takes what it finds first.
func (c *Checker) pythonPackages(folders []string, in interpreted) (list []modules, err error) {
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
func (c *Checker) packagesIn(dir string, in interpreted) ([]modules, error) {
	_, entries, err := c.Tree.Folder(dir)
	if err != nil {
		return nil, err
	}
	if path.Base(dir) == "lib-dynload" {
		return []modules{{name: "the standard library", files: tagged(dir, entries)}}, nil
	}
	infos, eggs := described(entries)
	infos = upTo(maxPackages, infos, in.Program, dir, "packages")
	list, wheels := make([]modules, len(infos)), make([]bool, len(infos))
	if err := tree.Each(len(infos), func(i int) (err error) {
		list[i], wheels[i], err = c.wheel(dir, infos[i])
		return err
	}); err != nil {
		return nil, err
	}
	told := map[string]bool{}
	for _, p := range list {
		for _, file := range p.files {
			told[file] = true
		}
	}
	for _, name := range tagged(dir, entries) {
		if !told[name] {
			list = append(list, modules{name: stem(name), files: []string{name}})
		}
	}
	list = upTo(maxPackages, list, in.Program, dir, "packages")
	if !slices.Contains(wheels, true) || eggs {
		loose, err := c.loose(dir, entries, list)
		if err != nil {
			return nil, err
		}
		list = append(list, loose...)
	}
	list, err = c.needed(list)
	return c.strays(list), err
}

// strays adds the modules of packages that by their names are for another machine, each with those that are imported by its name alone:
// one that fits speaks for the others of a package, as long as these do not say themselves that they are from another installation. Those
// come first that by all names nothing stands in for.
func (c *Checker) strays(list []modules) []modules {
	for _, p := range list {
		p.files = p.files[:min(len(p.files), maxModules)]
		others := slices.DeleteFunc(slices.Clone(p.files), func(file string) bool { return !c.unloaded(file) })
		if len(others) == 0 || len(others) == len(p.files) {
			continue
		}
		names, same, loaded := map[string]string{}, map[string][]string{}, map[string]int{}
		for _, file := range p.files {
			name := p.imported(file)
			names[file], same[name] = name, append(same[name], file)
			if !c.unloaded(file) {
				loaded[name]++
			}
		}
		slices.SortStableFunc(others, func(a, b string) int { return cmp.Compare(loaded[names[a]], loaded[names[b]]) })
		for _, file := range others {
			one := p
			one.what, one.files = stem(file), same[names[file]]
			list = append(list, one)
		}
	}
	return list
}

// imported is what a module of a package is imported as, with the machines in the names of its folders left open: a package may have a
// folder for each. Where there is no wheel the folders were compared already.
func (p modules) imported(file string) string {
	if p.wheel == "" {
		return stem(file)
	}
	folders := strings.Split(path.Dir(file), "/")
	for i, name := range folders {
		if len(machinesIn(name)) > 0 {
			folders[i] = "*"
		}
	}
	return path.Join(strings.Join(folders, "/"), stem(file))
}

// forOthers tells whether a module's tag has other machines' names, and not the declared one's.
func (c *Checker) forOthers(file string) bool {
	some := machinesIn(strings.TrimPrefix(path.Base(file), stem(file)))
	return len(some) > 0 && !slices.Contains(some, c.Declared.Architecture)
}

// unloaded tells whether Python passes a module over because of its name, whatever it holds.
func (c *Checker) unloaded(file string) bool { return isModule(file) && c.forOthers(file) }

// portions are the folders in which Python looks for a module, of which it has found that one file: the file's own. Where it passes this
// over by its name, it goes on with the other roots, unless the folder is that of a regular package, which lies in one root alone.
func (c *Checker) portions(file string, roots []string) ([]string, error) {
	own := path.Dir(file)
	dirs := []string{own}
	for _, root := range roots {
		below, in := strings.CutPrefix(own+"/", root+"/")
		if !in || !c.unloaded(file) {
			continue
		}
		for dir := own; dir != root; dir = path.Dir(dir) {
			_, entries, err := c.Tree.Folder(dir)
			if err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return stem(e.Name()) == "__init__" }) {
				return dirs, err
			}
		}
		for _, other := range roots {
			dirs = append(dirs, path.Join(other, below))
		}
	}
	return dirs, nil
}

// described are the words of installers in a folder, and whether there are packages of whose files they say nothing.
func described(entries []fs.DirEntry) (infos []string, eggs bool) {
	for _, e := range entries {
		switch path.Ext(e.Name()) {
		case ".dist-info":
			infos = append(infos, e.Name())
		case ".egg-info":
			eggs = true
		}
	}
	return infos, eggs
}

// shortWheel is how long a WHEEL hardly gets that names a platform. Of the others most are shorter.
const shortWheel = 96

// wheel reads what pip and its like have put down of a package: its files, and where these are few words for which platform it is. Each
// of the two is a round trip, and mostly one says enough. What distributions install has no list of files, and is not ok.
func (c *Checker) wheel(dir, info string) (p modules, ok bool, err error) {
	name := strings.TrimSuffix(info, ".dist-info")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i]
	}
	p.name, p.wheel, p.also = strings.ToLower(name), path.Join(dir, info, "WHEEL"), ", or with pip's --platform"
	record := path.Join(dir, info, "RECORD")
	if _, err := c.Tree.At(record); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return p, false, err
	}
	text, err := c.brief(p.wheel)
	if err != nil || forAny(text) {
		return p, true, err
	}
	text, err = c.Evidence(record)
	for _, file := range recorded(text) {
		p.files = append(p.files, path.Join(dir, file))
	}
	return p, true, err
}

// brief reads a WHEEL that is short.
func (c *Checker) brief(wheel string) (string, error) {
	at, err := c.Tree.At(wheel)
	if err == nil && at.Info.Size() < shortWheel {
		return c.Evidence(wheel)
	}
	if errors.Is(err, fs.ErrNotExist) {
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

// recorded are the compiled files of a RECORD: the modules, or where there is none the libraries that Python opens by their names. What
// lies in folders of tests is none of them. First come those for which the fewest folders have to be listed.
func recorded(record string) []string {
	var modules, libraries []string
	for line := range strings.Lines(record) {
		name, _, _ := strings.Cut(line, ",")
		name = strings.Trim(name, "\" \r\n")
		switch {
		case strings.HasPrefix(name, "/"), strings.HasPrefix(name, ".."), slices.ContainsFunc(strings.Split(name, "/"), isTests):
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

// isTests tells whether a folder holds tests and what these read.
func isTests(folder string) bool {
	return slices.Contains([]string{"test", "tests", "testdata", "test_data"}, folder)
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

// loose finds the modules of packages that no wheel tells of, as those of an application are that was compiled in place.
func (c *Checker) loose(dir string, entries []fs.DirEntry, told []modules) ([]modules, error) {
	known := map[string]bool{"__pycache__": true, "node_modules": true}
	for _, p := range told {
		known[p.name] = true
		for _, file := range p.files {
			folder, _, _ := strings.Cut(strings.TrimPrefix(file, strings.TrimSuffix(dir, "/")+"/"), "/")
			known[folder] = true
		}
	}
	var names []string
	for _, e := range entries {
		switch name := e.Name(); {
		case !e.IsDir(), strings.ContainsAny(name, ".-"), known[name], len(machinesIn(name)) > 0, isTests(name):
		default:
			names = append(names, name)
		}
	}
	list, sourced := make([]modules, min(len(names), maxLoose)), make([]bool, len(names))
	err := tree.Each(len(list), func(i int) error {
		real, entries, err := c.Tree.Folder(path.Join(dir, names[i]))
		list[i] = modules{name: names[i], files: tagged(real, entries)}
		sourced[i] = slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return path.Ext(e.Name()) == ".py" })
		return err
	})
	var own, bare []modules
	for i, p := range list {
		if sourced[i] {
			own = append(own, p)
		} else {
			bare = append(bare, p)
		}
	}
	return append(own, sideBySide(bare)...), err
}

// sideBySide puts behind each folder's modules those of the same names in the others: an application may have a folder for each
// machine, whatever it calls them. One with sources, too, is a package of its own and none of these.
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
