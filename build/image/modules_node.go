package image

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// maxFollowed is how many packages are looked at where only their own package.json tell which of them there are.
const maxFollowed = 64

// isNode tells whether a program is Node.
func isNode(real string) bool { return slices.Contains([]string{"node", "nodejs"}, path.Base(real)) }

// nodeLine is the script of a command line, "" where there is none.
func nodeLine(args []string) string {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		word := args[0]
		args = args[1:]
		switch word {
		case "-e", "--eval", "-p", "--print", "-pe":
			return ""
		case "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file", "--title":
			args = args[min(1, len(args)):]
		}
	}
	return strings.Join(args[:min(1, len(args))], "")
}

// nodePath are the node_modules folders in which a script, and what a package manager starts in the working folder, find their packages.
func (c *checker) nodePath(in interpreted) (list []string, err error) {
	starts := []string{in.frame.dir}
	if script := absolute(in.frame.dir, nodeLine(in.args)); known(script) {
		dir := path.Dir(script)
		switch at, err := c.resolve(script); {
		case nowhere(err): // it may leave out the .js
		case err != nil:
			return nil, err
		case at.info.IsDir():
			dir = at.real
		default:
			dir = path.Dir(at.real)
		}
		if !isManager(dir) {
			starts = []string{dir, in.frame.dir}
		}
	}
	for _, dir := range starts {
		for ; path.IsAbs(dir) && dir != "/"; dir = path.Dir(dir) {
			list = append(list, path.Join(dir, "node_modules"))
		}
	}
	for _, given := range c.values("NODE_PATH", in.frame) {
		for dir := range strings.SplitSeq(given, ":") {
			list = append(list, absolute(in.frame.dir, dir))
		}
	}
	return c.there(append(list, "/node_modules"))
}

// isManager tells whether a folder is one of npm or its like, which start what the working folder's package.json says.
func isManager(dir string) bool {
	return slices.ContainsFunc([]string{"npm", "corepack", "yarn", "pnpm"}, func(name string) bool { return strings.Contains(dir+"/", "/node_modules/"+name+"/") })
}

// nodePackage is an installed package that a program needs.
type nodePackage struct {
	dir, name    string
	optional     []string // packages of which it takes the one for its machine
	dependencies []string
}

// nodePackages are the packages with addons in these folders.
func (c *checker) nodePackages(folders []string, in interpreted) (list []modules, err error) {
	for _, dir := range folders {
		lock, err := c.evidence(path.Join(dir, ".package-lock.json"))
		if err != nil {
			return nil, err
		}
		packages := locked(path.Dir(dir), lock)
		if lock == "" {
			if packages, err = c.followed(path.Dir(dir), in); err != nil {
				return nil, err
			}
		}
		if len(packages) > maxPackages {
			c.note(in.frame, "%s has so many packages that not all were looked at", show(dir))
			packages = packages[:maxPackages]
		}
		found := make([][]modules, len(packages))
		if err := each(len(packages), func(i int) (err error) {
			found[i], err = c.addons(packages[i])
			return err
		}); err != nil {
			return nil, err
		}
		list = append(list, slices.Concat(found...)...)
		engines, err := c.under(dir, ".prisma/client") // generated into a folder of no package
		if err != nil {
			return nil, err
		}
		list = append(list, modules{name: "@prisma/client", files: engines})
	}
	return list, nil
}

// locked are the packages of npm's list of what it has installed that may have addons: that ran a script or chose others by their
// machine. What is there for development alone, and what may be missing, is none that the program needs.
func locked(root, lock string) (list []nodePackage) {
	gjson.Get(lock, "packages").ForEach(func(key, p gjson.Result) bool {
		if p.Get("dev").Bool() || p.Get("optional").Bool() || p.Get("devOptional").Bool() || p.Get("link").Bool() {
			return true
		}
		optional := keys(p.Get("optionalDependencies"))
		if at := key.String(); at != "" && (len(optional) > 0 || p.Get("hasInstallScript").Bool()) {
			list = append(list, nodePackage{dir: path.Join(root, path.Clean("/"+at)), name: packageName(at), optional: optional})
		}
		return true
	})
	return list
}

// packageName is what stands behind the last node_modules.
func packageName(at string) string {
	const folder = "node_modules/"
	if i := strings.LastIndex(at, folder); i >= 0 {
		return at[i+len(folder):]
	}
	return at
}

// followed are the packages that an application's package.json names, and those that these need in turn: what other package
// managers than npm have installed.
func (c *checker) followed(root string, in interpreted) (list []nodePackage, err error) {
	level, err := c.described(nodePackage{dir: root})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for queue := level.needs(); len(queue) > 0; {
		if err := each(len(queue), func(i int) (err error) {
			queue[i].dir, err = c.required(queue[i].name, queue[i].dir)
			return err
		}); err != nil {
			return nil, err
		}
		queue = slices.DeleteFunc(queue, func(p nodePackage) bool {
			twice := p.dir == "" || seen[p.dir]
			seen[p.dir] = true
			return twice
		})
		if left := maxFollowed - len(list); len(queue) > left {
			c.note(in.frame, "%s has so many packages that not all were looked at", show(path.Join(root, "node_modules")))
			queue = queue[:left]
		}
		if err := each(len(queue), func(i int) (err error) {
			queue[i], err = c.described(queue[i])
			return err
		}); err != nil {
			return nil, err
		}
		list = append(list, queue...)
		var next []nodePackage
		for _, p := range queue {
			next = append(next, p.needs()...)
		}
		queue = next
	}
	return list, nil
}

// described adds what its package.json says of a package.
func (c *checker) described(p nodePackage) (nodePackage, error) {
	text, err := c.evidence(path.Join(p.dir, "package.json"))
	p.optional, p.dependencies = keys(gjson.Get(text, "optionalDependencies")), keys(gjson.Get(text, "dependencies"))
	return p, err
}

// needs are what a package depends on, to be found from its folder.
func (p nodePackage) needs() (list []nodePackage) {
	for _, name := range p.dependencies {
		list = append(list, nodePackage{name: name, dir: p.dir})
	}
	return list
}

// required finds a package as require does, "" where it is not.
func (c *checker) required(name, from string) (string, error) {
	if name == "" || !fs.ValidPath(name) {
		return "", nil
	}
	for dir := from; ; dir = path.Dir(dir) {
		in := dir
		if path.Base(dir) != "node_modules" {
			in = path.Join(dir, "node_modules")
		}
		at, err := c.resolve(path.Join(in, name))
		switch {
		case err == nil && at.info.IsDir():
			return at.real, nil
		case err != nil && !nowhere(err):
			return "", err
		case dir == "/":
			return "", nil
		}
	}
}

// nextCompiler begins the names of what Next.js compiles an application with, and what it has compiled runs without: it is a
// dependency of production all the same.
const nextCompiler = "@next/swc-"

// addons are what a package's installation has made, and the packages that it chose by their machine. Those that it brings for several
// machines (prebuilds) are everywhere the same.
func (c *checker) addons(p nodePackage) (list []modules, err error) {
	built, err := c.under(p.dir, "build/Release", "lib/binding", "lib/binding/*")
	if err != nil {
		return nil, err
	}
	chosen := modules{name: p.name, also: ", or with npm's --os and --cpu"}
	for _, name := range p.optional {
		if strings.HasPrefix(name, nextCompiler) {
			continue
		}
		files, err := c.forMachine(name, p.dir)
		if err != nil {
			return nil, err
		}
		chosen.files = append(chosen.files, files...)
	}
	return []modules{{name: p.name, files: built}, chosen}, nil
}

// forMachine are the binaries of a package that is there for one kind of machine.
func (c *checker) forMachine(name, from string) ([]string, error) {
	dir, err := c.required(name, from)
	if err != nil || dir == "" {
		return nil, err
	}
	text, err := c.evidence(path.Join(dir, "package.json"))
	if err != nil || len(texts(gjson.Get(text, "cpu"))) == 0 {
		return nil, err
	}
	return c.under(dir, ".", "lib", "bin")
}

// under are the addons in folders of a package, and the programs and libraries of its bin and lib.
func (c *checker) under(dir string, folders ...string) (list []string, err error) {
	for _, folder := range folders {
		deep := path.Base(folder) == "*"
		real, entries, err := c.folder(path.Join(dir, strings.TrimSuffix(folder, "*")))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			name := path.Join(real, e.Name())
			switch {
			case deep && e.IsDir():
				inner, err := c.under(name, ".")
				if err != nil {
					return nil, err
				}
				list = append(list, inner...)
			case !deep && (path.Ext(name) == ".node" || folder == "bin" || folder == "lib" && strings.Contains(e.Name(), ".so")):
				list = append(list, name)
			}
		}
	}
	return list, nil
}
