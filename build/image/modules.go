package image

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/platforms"
)

// What an interpreter that the image runs loads by itself are extension modules, which no program is linked with. Installers
// leave in words which packages they put where, and what of them is compiled: that tells which files to look at, and
// the files' own headers decide. A package may hold modules for several machines side by side. It is at fault when
// there are some, and all that are there are for others. A module of Python whose name says that it is for another machine has to have its own
// that fits, of the same name: that another one fits is no help.

// Bounds on what a hostile image can make of it. Large ones have 300 packages, one of which has 200 modules; npm's list of 10000
// packages has 5 MB.
const (
	maxPackages = 1000
	maxModules  = 256
	maxEvidence = 16 << 20 // bytes of a file that an installer left
)

// interpreted is an interpreter that is run.
type interpreted struct {
	at       tree.Found
	args     []string
	frame    frame
	language language
}

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
	folders  func(*checker, interpreted) ([]string, error)            // where it looks
	packages func(*checker, []string, interpreted) ([]modules, error) // what is there
}

func languages() []language {
	return []language{
		{isPython, startsPython, (*checker).pythonPath, (*checker).pythonPackages},
		{isNode, startsNode, (*checker).nodePath, (*checker).nodePackages},
		{isRuby, startsRuby, (*checker).gemFolders, (*checker).gems},
		{isPerl, startsPerl, (*checker).perlPath, (*checker).perlExtensions},
		{isPHP, startsPHP, (*checker).phpFiles, (*checker).phpExtensions},
		{isDotnet, startsDotnet, (*checker).dotnetApp, (*checker).dotnetLibraries},
		{isR, startsR, (*checker).rLibraries, (*checker).rPackages},
		{isLua, startsLua, (*checker).luaPath, (*checker).luaModules},
		{isErlang, startsErlang, (*checker).erlangApps, (*checker).erlangLibraries},
		{isServer, startsServer, (*checker).toldServer, (*checker).served},
		{isApache, startsServer, (*checker).wsgiPath, (*checker).pythonPackages},
		{isUWSGI, startsServer, (*checker).uwsgiPath, (*checker).uwsgiModules},
	}
}

// interprets notes an interpreter whose modules are to be looked at. What a health check has on its command line needs none, as far as
// anybody knows.
func (c *checker) interprets(at tree.Found, f tree.File, words []string, fr frame) {
	for _, lang := range languages() {
		if lang.is(at.Real) && fr.role != Helper && !c.foreign(f.ELF) && (fr.role != Health || lang.starts(words[1:])) {
			c.interpreted = append(c.interpreted, interpreted{at: at, args: words[1:], frame: fr, language: lang})
		}
	}
}

// extensions looks at the modules of every interpreter that was noted. Of a health check's those count that come before what is the
// application's, too.
func (c *checker) extensions() error {
	seen, looked := map[string]bool{}, map[string]bool{}
	for _, in := range c.interpreted {
		folders, err := in.language.folders(c, in)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(folders, func(dir string) bool { return looked[dir] }); i >= 0 && in.frame.role == Health {
			folders = folders[:i]
		}
		key := strings.Join(append(folders, in.at.Real), "\x00")
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
func (c *checker) fitting(packages []modules, folders []string, in interpreted) error {
	faults := make([]*Fault, len(packages))
	err := tree.Each(len(packages), func(i int) (err error) {
		faults[i], err = c.modules(packages[i], folders, in)
		return err
	})
	for _, fault := range faults {
		if err == nil {
			err = c.addIf(in.frame, fault)
		}
	}
	return err
}

// modules looks for one that fits, or for each that Python passes over by its name for one beside it.
func (c *checker) modules(p modules, folders []string, in interpreted) (*Fault, error) {
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

// inPackages are the files that patterns mean in a folder of each of some packages, "name/libs"; what says what they are.
func (c *checker) inPackages(folders []string, what string, patterns ...string) ([]modules, error) {
	list := make([]modules, min(len(folders), maxPackages))
	err := tree.Each(len(list), func(i int) (err error) {
		list[i] = modules{name: path.Base(path.Dir(folders[i])), what: what}
		list[i].files, err = c.tree.Under(folders[i], patterns...)
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

func (c *checker) sift(p modules, in interpreted) (s sifted, err error) {
	for _, name := range p.files[:min(len(p.files), maxModules)] {
		file, err := c.compiled(name)
		if err == nil && file.fits && isLoaded(name) {
			file.fits, err = c.sameMachine(in, file)
		}
		if err == nil && file.fits && (isNode(in.at.Real) || p.by != "" && p.what == "") { // PHP's extensions are many, and each would be another request
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
		if file.what != "" && !file.fits && (len(s.others) == 0 || c.unloaded(name) && len(s.others) < maxStrays) {
			s.others = append(s.others, file)
		}
	}
	return s, nil
}

// isLoaded tells by its name whether a file is one that a program loads, and not one that it starts.
func isLoaded(name string) bool { return path.Ext(name) == ".node" || isLibrary(path.Base(name)) }

// sameMachine tells whether a program is of the same machine as what it is to load: one of 64 bits loads none of 32, which may run beside it.
func (c *checker) sameMachine(in interpreted, what compiled) (bool, error) {
	f, err := c.tree.Read(in.at.Real, in.at.Info)
	return f.ELF.Arch() == what.arch, err
}

// lacking judges a package that has a file for another machine and none that fits: a fault, unless whoever has it may do without.
func (c *checker) lacking(p modules, other compiled, in interpreted) (*Fault, error) {
	if p.by != "" && in.frame.late(p) {
		c.note(in.frame, "%s is %s%s: whether %s loads it is up to what starts that, which changes what names it", shell.Show(other.at.Real), other.what, c.declaredAs(), shell.Show(in.at.Name))
		return nil, nil
	}
	if p.spare {
		c.note(in.frame, "%s has %s for other machines alone: what needs it fails", shell.Show(path.Dir(other.at.Real)), shell.Show(p.what))
		return nil, nil
	}
	if told, err := c.evidence(p.wheel); err != nil || forAny(told) {
		return nil, err
	}
	if spare, err := c.spare(p); err != nil || spare {
		c.note(in.frame, "%s is %s%s: %s goes on without it", shell.Show(other.at.Real), other.what, c.declaredAs(), shell.Show(p.name))
		return nil, err
	}
	return c.unfit(p, other.at.Real, other.what, in), nil
}

// unfit is the fault of a package of which a file or folder is for another machine.
func (c *checker) unfit(p modules, name, what string, in interpreted) *Fault {
	return &Fault{
		Kind: ForeignModule, Path: name,
		What: what + c.declaredAs() + ", and " + p.sought(in),
		Cure: "install it in a stage for " + c.name + p.also,
	}
}

// sought says how an interpreter has come upon what does not fit.
func (p modules) sought(in interpreted) string {
	if p.by != "" {
		return p.names() + " has " + shell.Show(in.at.Name) + " load it"
	}
	return shell.Show(in.at.Real) + " finds no other " + cmp.Or(p.what, "module") + " of " + shell.Show(p.name)
}

// compiled is a file of machine code; what is "" when it is none.
type compiled struct {
	at   tree.Found
	what string
	fits bool
	arch string // of an ELF file
}

// compiled reads for which machine a file is. One that is not there is none.
func (c *checker) compiled(name string) (compiled, error) {
	at, ok, err := c.tree.Regular(name)
	if err != nil || !ok {
		return compiled{}, err
	}
	h, err := c.tree.Head(at.Real, at.Info)
	switch {
	case err != nil:
		return compiled{}, err
	case h.ELF.Bits != 0:
		return compiled{at: at, what: h.ELF.Describe(), fits: !c.foreign(h.ELF), arch: h.ELF.Arch()}, nil
	case strings.HasPrefix(h.Title, tree.MacProgram), strings.HasPrefix(h.Title, tree.WindowsProgram):
		return compiled{at: at, what: strings.Replace(h.Title, "program", "library", 1)}, nil
	}
	return compiled{}, nil
}

// beside tells whether there is a module of the same name for the right machine, which another installation left.
func (c *checker) beside(at tree.Found, roots []string) (bool, error) {
	dirs, err := c.portions(at.Real, roots)
	if err != nil {
		return false, err
	}
	base := path.Base(at.Real)
	for _, dir := range dirs {
		real, entries, err := c.tree.Folder(dir)
		if err != nil {
			return false, err
		}
		for _, e := range entries {
			if stem(e.Name()) != stem(base) || path.Ext(e.Name()) != path.Ext(base) || e.Name() == base || c.unloaded(e.Name()) {
				continue
			}
			if file, err := c.compiled(path.Join(real, e.Name())); err != nil || file.fits {
				return err == nil, err
			}
		}
	}
	return false, nil
}

// evidence reads what an installer left, "" where there is nothing.
func (c *checker) evidence(name string) (string, error) {
	at, ok, err := c.tree.Regular(name)
	if err != nil || !ok {
		return "", err
	}
	if at.Info.Size() > maxEvidence {
		c.note(frame{}, "%s is so long that not all of it was read", shell.Show(at.Real))
	}
	return c.tree.Begin(at.Real, at.Info.Size(), maxEvidence)
}

// machinesIn are the architectures that the words of a name stand for: build_x86_64, linux-x64+arm64, x.cpython-312-aarch64-linux-gnu.so.
func machinesIn(name string) (list []string) {
	words := strings.FieldsFunc(strings.ReplaceAll(name, "x86_64", "amd64"), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, word := range words {
		if p, err := platforms.ParseAny(word); err == nil {
			list = append(list, p.Architecture)
		}
	}
	return list
}

// values are those that a variable of the environment may have for a command, with what only the running system knows of them as
// unknown.
func (c *checker) values(name string, f frame) (list []string) {
	image, there := c.env[name]
	list, set := f.Variable(name, image)
	if !set && there {
		return []string{image}
	}
	return list
}
