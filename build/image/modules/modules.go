// Package modules is what programs load: the libraries that they are linked with, the extension modules that an interpreter finds by itself, and
// those that a server is told to load. Nothing is run.
//
//	Program --> Link      --> Libraries: DT_NEEDED, LD_PRELOAD --> folders of the loader
//	        --> Interpret --> Modules: its language or server  --> folders or files where it looks --> packages --> modules
//	                                                       --> Host: what is there for another machine alone
//
// By file:
//
//	checker            what is asked for, and who is told
//	libraries loader   what is linked, where the loader looks for it, and whose loader that is; preload has LD_PRELOAD
//	modules            languages, and how one judges what their packages have; libc: the C library of a module; below: all in a folder
//	python node ruby perl php dotnet r lua erlang   each language: its _path tells where it looks, other parts what installers left
//	served             servers, of which nginx, apache, postgres, java, fluentbit have a file each; served_files reads what they are told
//	wsgi uwsgi         servers with a Python in them
package modules

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// What an interpreter that the image runs loads by itself are extension modules, which no program is linked with. Installers
// leave in words which packages they put where, and what of them is compiled: that tells which files to look at, and
// the files' own headers decide. A package may hold modules for several machines side by side. It is at fault when
// there are some, and all that are there are for others. A module of Python whose name says that it is for another machine has to have its own
// that fits, of the same name: that another one fits is no help.

// Bounds on what a hostile image can make of it. Large ones have 300 packages, one of which has 200 modules.
const (
	maxPackages = 1000
	maxModules  = 256
)

// modules are compiled files of which one that fits is enough: those of a package.
type modules struct {
	name    string
	what    string   // the name of all, "" where they have several
	files   []string // absolute, the likeliest first
	wheel   string   // what may say that they are data for any machine, "" where nothing does
	also    string   // another way to the right ones than a stage for the platform
	other   string   // a folder of them for another machine, where the interpreter goes by its name and there is no other; "" for any else
	named   string   // that machine, as its name has it
	libc    string   // the C library that the other folder is for, instead of a machine
	brought string   // the folder of a package that brings them wherever it is installed
	by      string   // who names them to be loaded, "" where they are looked for
	spare   bool     // whoever has them may not need them
}

// language is how the modules of a language's interpreters are found.
type language struct {
	is       func(real string) bool                                   // tells its interpreters by their paths
	starts   func(args []string) bool                                 // tells whether one is given a script or a module, and not text
	folders  func(*Checker, interpreted) ([]string, error)            // where it looks
	packages func(*Checker, []string, interpreted) ([]modules, error) // what is there
}

func languages() []language {
	return []language{
		{isPython, startsPython, (*Checker).pythonPath, (*Checker).pythonPackages},
		{isNode, startsNode, (*Checker).nodePath, (*Checker).nodePackages},
		{isRuby, startsRuby, (*Checker).gemFolders, (*Checker).gems},
		{isPerl, startsPerl, (*Checker).perlPath, (*Checker).perlExtensions},
		{isPHP, startsPHP, (*Checker).phpFiles, (*Checker).phpExtensions},
		{isDotnet, startsDotnet, (*Checker).dotnetApp, (*Checker).dotnetLibraries},
		{isR, startsR, (*Checker).rLibraries, (*Checker).rPackages},
		{isLua, startsLua, (*Checker).luaPath, (*Checker).luaModules},
		{isErlang, startsErlang, (*Checker).erlangApps, (*Checker).erlangLibraries},
		{isServer, startsServer, (*Checker).toldServer, (*Checker).served},
		{isApache, startsServer, (*Checker).wsgiPath, (*Checker).pythonPackages},
		{isUWSGI, startsServer, (*Checker).uwsgiPath, (*Checker).uwsgiModules},
	}
}

// Modules looks at the modules of every interpreter that was noted. Of a health check's those count that come before what is the
// application's, too.
func (c *Checker) Modules() error {
	seen, looked := map[string]bool{}, map[string]bool{}
	for _, in := range c.interpreted {
		folders, err := in.language.folders(c, in)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(folders, func(dir string) bool { return looked[dir] }); i >= 0 && in.Health {
			folders = folders[:i]
		}
		key := strings.Join(append(folders, in.At.Real), "\x00")
		if seen[key] {
			continue
		}
		seen[key] = true
		for _, dir := range folders {
			looked[dir] = true
		}
		packages, err := in.language.packages(c, folders, in)
		if err != nil {
			return err
		}
		if err := c.fitting(packages, folders, in); err != nil {
			return err
		}
	}
	return nil
}

// fitting judges packages that were found in folders.
func (c *Checker) fitting(packages []modules, folders []string, in interpreted) error {
	faults := make([]*fault, len(packages))
	err := tree.Each(len(packages), func(i int) (err error) {
		faults[i], err = c.modules(packages[i], folders, in)
		return err
	})
	for _, bad := range faults {
		if err == nil && bad != nil {
			err = in.Host.Module(bad.name, bad.what, bad.cure)
		}
	}
	return err
}

// modules looks for one that fits, or for each that Python passes over by its name for one beside it.
func (c *Checker) modules(p modules, folders []string, in interpreted) (*fault, error) {
	switch {
	case p.libc != "":
		return c.apart(p, p.other, p.libc, in)
	case p.other != "":
		return c.unfit(p, p.other, "for "+p.named, in), nil
	}
	s, err := c.sift(p, in)
	switch {
	case err != nil || s.fits:
		return nil, err
	case s.strange != "":
		return c.apart(p, s.strange, s.libc, in)
	}
	for _, other := range s.others {
		fits, err := c.beside(other.at, folders)
		if err != nil {
			return nil, err
		}
		if !fits {
			return c.lacking(p, other, in)
		}
	}
	return nil, nil
}

// upTo is a list without what goes beyond a bound, which is told of.
func upTo[T any](most int, list []T, in Program, of, what string) []T {
	if len(list) <= most {
		return list
	}
	in.note("%s has so many %s that not all were looked at", shell.Show(of), what)
	return list[:most]
}

// inPackages are the files that patterns mean in a folder of each of some packages, "name/libs"; what says what they are.
func (c *Checker) inPackages(folders []string, in interpreted, what string, patterns ...string) ([]modules, error) {
	folders = upTo(maxPackages, folders, in.Program, in.At.Name, "packages")
	list := make([]modules, len(folders))
	err := tree.Each(len(list), func(i int) (err error) {
		list[i] = modules{name: path.Base(path.Dir(folders[i])), what: what}
		list[i].files, err = c.Tree.Under(folders[i], patterns...)
		return err
	})
	return list, err
}

// sifted is what there is among the files of a package.
type sifted struct {
	fits    bool       // one is for the declared machine, and loaded
	strange string     // one for it that wants another C library than there is
	libc    string     // that library
	others  []compiled // the first for another machine, and those that are never loaded for a fitting one beside them
}

func (c *Checker) sift(p modules, in interpreted) (s sifted, err error) {
	for _, name := range p.files[:min(len(p.files), maxModules)] {
		file, err := c.compiled(name)
		if err == nil && file.fits && isLoaded(name) {
			file.fits, err = c.sameMachine(in, file)
		}
		if err == nil && file.fits && (isNode(in.At.Real) || p.by != "") {
			var libc string
			if libc, err = c.strange(file.at.Real, in); libc != "" {
				s.strange, s.libc = file.at.Real, libc
				continue
			}
		}
		if err != nil || file.fits && !c.unloaded(name) {
			s.fits = err == nil
			return s, err
		}
		if file.what != "" && !file.fits && (len(s.others) == 0 || c.unloaded(name)) {
			s.others = append(s.others, file)
		}
	}
	upTo(maxModules, p.files, in.Program, p.name, "modules") // where none of the first fits, which one behind them may
	return s, nil
}

// lacking judges a package that has a file for another machine and none that fits: a fault, unless whoever has it may do without.
func (c *Checker) lacking(p modules, other compiled, in interpreted) (*fault, error) {
	if p.by != "" && late(in.Frame, p) {
		in.note("%s is %s%s: whether %s loads it is up to what starts that, which changes what names it", shell.Show(other.at.Real), other.what, c.DeclaredAs(), shell.Show(in.At.Name))
		return nil, nil
	}
	if p.spare {
		in.note("%s has %s for other machines alone: what needs it fails", shell.Show(path.Dir(other.at.Real)), shell.Show(p.what))
		return nil, nil
	}
	if told, err := c.Evidence(p.wheel); err != nil || forAny(told) {
		return nil, err
	}
	if spare, err := c.spare(p); err != nil || spare {
		in.note("%s is %s%s: %s goes on without it", shell.Show(other.at.Real), other.what, c.DeclaredAs(), shell.Show(p.name))
		return nil, err
	}
	return c.unfit(p, other.at.Real, other.what, in), nil
}

// unfit is the fault of a package of which a file or folder is for another machine.
func (c *Checker) unfit(p modules, name, what string, in interpreted) *fault {
	return &fault{
		name: name,
		what: what + c.DeclaredAs() + ", and " + p.sought(in),
		cure: "install it in a stage for " + c.Platform() + p.also,
	}
}

// sought says how an interpreter has come upon what does not fit.
func (p modules) sought(in interpreted) string {
	if p.by != "" {
		return p.names() + " has " + shell.Show(in.At.Name) + " load it"
	}
	return shell.Show(in.At.Real) + " finds no other " + cmp.Or(p.what, "module") + " of " + shell.Show(p.name)
}

// maxKeys is how many keys of an object are looked at. Those of a list of packages are not among them.
const maxKeys = 1 << 15

// keys are those of an object that anybody may have written, sorted, each once.
func keys(r gjson.Result) (list []string) {
	if !r.IsObject() {
		return nil
	}
	r.ForEach(func(key, _ gjson.Result) bool {
		list = append(list, key.String())
		return len(list) < maxKeys
	})
	slices.Sort(list)
	return slices.Compact(list)
}

// values are the texts of an array, or the one that stands in the place of an array of one.
func values(r gjson.Result) (list []string) {
	for _, item := range r.Array() {
		list = append(list, item.String())
	}
	return list
}
