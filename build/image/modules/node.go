package modules

import (
	"errors"
	"io/fs"
	"path"
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
