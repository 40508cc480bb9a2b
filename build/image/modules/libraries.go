package modules

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/platforms"
)

// What the image runs is followed to the libraries that it needs (DT_NEEDED). The loader passes over a library of another
// machine and looks on in the next folder, and so does this: a library is at fault if it is there and no folder has one that
// fits. One that is nowhere is not: it may be put there before the program starts.

// Bounds on what a hostile program can make of it. Large programs need 100 libraries, and bring three levels of their own.
const (
	maxLibraryLevels = 8
	maxLibraries     = 1024
	maxLoaderFolders = 1024
)

// linked is a program or library that needs others.
type linked struct {
	Program
	rpath []string // folders of those that load it, which are searched for what it needs
}

// need is one name that somebody needs, and where it is searched first.
type need struct {
	name    string
	by      linked
	folders []string
	certain bool // no folder is missing that is not known
	rpath   []string
}

// Libraries looks at all that the noted programs need, level by level.
func (c *Checker) Libraries() error {
	for _, by := range c.linked {
		if err := c.preloads(by); err != nil {
			return err
		}
	}
	queue, seen := c.linked, map[string]bool{}
	for range maxLibraryLevels {
		needs, err := c.needs(queue, seen)
		if err != nil || len(needs) == 0 {
			return err
		}
		if queue, err = c.provide(needs, seen); err != nil {
			return err
		}
	}
	for _, by := range queue[:min(len(queue), 1)] {
		by.note(manyLibraries)
	}
	return nil
}

// manyLibraries is the note of a bound that was reached.
const manyLibraries = "what the image runs needs so many libraries that not all were looked at"

// needs reads what each of them needs; what was asked for before in the same folders is left out.
func (c *Checker) needs(queue []linked, seen map[string]bool) ([]need, error) {
	all := make([]platforms.Dynamic, len(queue))
	if err := tree.Each(len(queue), func(i int) (err error) {
		all[i], err = c.Tree.Dynamic(queue[i].File)
		return err
	}); err != nil {
		return nil, err
	}
	var needs []need
	for i, by := range queue {
		n := c.search(by, all[i])
		for _, name := range all[i].Needed {
			key := strings.Join(append([]string{name, strconv.FormatBool(n.certain)}, n.folders...), "\x00")
			if seen[key] {
				continue
			}
			if len(seen) > maxLibraries {
				by.note(manyLibraries)
				return needs, nil
			}
			seen[key] = true
			n.name = name
			needs = append(needs, n)
		}
	}
	return needs, nil
}

// search tells in which folders, beside those of the system, the loader looks.
func (c *Checker) search(by linked, d platforms.Dynamic) need {
	n := need{by: by, certain: true}
	rpath := c.expand(d.RPath, by, &n)
	n.rpath = slices.Concat(rpath, by.rpath)
	n.folders = slices.Concat(n.rpath, c.searched(by, &n), c.expand(d.RunPath, by, &n))
	return n
}

// searched has the folders of LD_LIBRARY_PATH: all that the text may have given it which starts the program, or the image's.
func (c *Checker) searched(by linked, n *need) (list []string) {
	for _, folders := range c.Values("LD_LIBRARY_PATH", by.Frame) {
		list = append(list, c.expand(folders, by, n)...)
	}
	return list
}

// expand reads a list of folders. One that only the running system knows makes the search uncertain.
func (c *Checker) expand(text string, by linked, n *need) (list []string) {
	if text == "" {
		return nil
	}
	for dir := range strings.SplitSeq(strings.ReplaceAll(text, ";", ":"), ":") {
		dir = strings.NewReplacer("${", "$", "}", "").Replace(dir)
		dir = strings.ReplaceAll(dir, "$ORIGIN", path.Dir(by.At.Real))
		for _, lib := range c.libNames(dir) {
			full := shell.Absolute(by.Frame.Dir, path.Clean(strings.ReplaceAll(dir, "$LIB", lib))) // an empty one is the working folder
			if strings.ContainsAny(full, shell.Unknown+"$") {
				n.certain = false
				continue
			}
			list = append(list, full)
		}
	}
	return list
}

// libNames are what $LIB may stand for.
func (c *Checker) libNames(dir string) []string {
	if !strings.Contains(dir, "$LIB") {
		return []string{""}
	}
	return []string{"lib", "lib64", "lib/" + platforms.Multiarch(c.Declared)}
}

// systemFolders are where loaders look on their own: glibc's on Debian and elsewhere, musl's.
func (c *Checker) systemFolders() []string {
	var list []string
	if triple := platforms.Multiarch(c.Declared); triple != "" {
		list = append(list, "/lib/"+triple, "/usr/lib/"+triple, "/usr/local/lib/"+triple)
	}
	return append(list, "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", "/usr/local/lib64")
}

// provide looks for what is needed. It returns what it found outside of the distribution's folders: those libraries need
// others in turn, while a distribution's own fit to each other.
func (c *Checker) provide(needs []need, seen map[string]bool) ([]linked, error) {
	found, faults := make([]*linked, len(needs)), make([]*fault, len(needs))
	if err := tree.Each(len(needs), func(i int) (err error) {
		found[i], faults[i], err = c.library(needs[i])
		return err
	}); err != nil {
		return nil, err
	}
	var next []linked
	for i, l := range found {
		if bad := faults[i]; bad != nil {
			if err := needs[i].by.Host.Library(bad.name, bad.what, bad.cure); err != nil {
				return nil, err
			}
		}
		if l != nil && !seen[l.At.Real] {
			seen[l.At.Real] = true
			next = append(next, *l)
		}
	}
	return next, nil
}

// library looks one name up in every folder until a file is there that fits, or that is none of ours to judge.
func (c *Checker) library(n need) (*linked, *fault, error) {
	folders := slices.Concat(n.folders, c.systemFolders())
	if strings.Contains(n.name, "/") {
		folders = []string{path.Dir(n.name)}
		n.certain = path.IsAbs(n.name)
	}
	var foreign *foreignFile
	for _, dir := range folders {
		at, elf, ok, err := c.inFolder(dir, path.Base(n.name), n.by.File.ELF)
		switch {
		case err != nil:
			return nil, nil, err
		case at.Info == nil:
		case !ok:
			if foreign == nil {
				foreign = &foreignFile{at, elf}
			}
		default:
			own, err := c.own(at, n)
			return own, nil, err
		}
	}
	if foreign == nil || !n.certain {
		return nil, nil, nil
	}
	if elsewhere, err := c.configured(path.Base(n.name), n.by.File.ELF); err != nil || elsewhere {
		return nil, nil, err
	}
	return nil, &fault{
		name: foreign.at.Real,
		what: foreign.elf.Describe() + c.DeclaredAs() + ", and " + shell.Show(n.by.At.Real) + " needs it",
		cure: "build or install it for " + c.Platform(),
	}, nil
}

// foreignFile is a library of another machine.
type foreignFile struct {
	at  tree.Found
	elf platforms.ELF
}

// inFolder finds a library; ok is false for one of another machine, and for one of 32 bits where a program of 64 looks for it.
func (c *Checker) inFolder(dir, name string, by platforms.ELF) (at tree.Found, elf platforms.ELF, ok bool, err error) {
	at, ok, err = c.Tree.Regular(path.Join(dir, name))
	if !ok {
		return tree.Found{}, elf, false, err
	}
	elf, err = c.Tree.Header(at.Real, at.Info)
	if errors.Is(err, platforms.ErrNotELF) || errors.Is(err, platforms.ErrBadELF) {
		return at, elf, true, nil // a linker's script
	}
	own := by.Arch() != c.Declared.Architecture || elf.Arch() == by.Arch()
	return at, elf, own && !c.Foreign(elf), err
}

// own returns a library that fits, unless it lies in a folder of the distribution.
func (c *Checker) own(at tree.Found, n need) (*linked, error) {
	switch dir := path.Dir(at.Real); {
	case strings.HasPrefix(dir, "/usr/local/"):
	case dir == "/lib", dir == "/lib64", dir == "/usr/lib", dir == "/usr/lib64", strings.HasSuffix(dir, "/lib/"+platforms.Multiarch(c.Declared)):
		return nil, nil
	}
	f, err := c.Tree.Read(at.Real, at.Info)
	if err != nil || f.Format != tree.FormatELF {
		return nil, err
	}
	return &linked{Program{At: at, File: f, Frame: n.by.Frame, Host: n.by.Host}, n.rpath}, nil
}

// configured tells whether a name is in a folder that the loader's configuration adds; it is asked when nothing else fits.
func (c *Checker) configured(name string, by platforms.ELF) (bool, error) {
	folders, failed := c.loaderConf()
	for _, dir := range folders {
		if at, _, ok, err := c.inFolder(dir, name, by); err != nil || at.Info != nil && ok {
			return err == nil, err
		}
	}
	return false, failed
}

// readLoaderConf reads the folders of glibc's and musl's configuration.
func (c *Checker) readLoaderConf() (folders []string, err error) {
	names, err := c.Tree.Under("/etc", "ld.so.conf", "ld.so.conf.d/*.conf", "ld-musl-*.path")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := c.Evidence(name)
		if err != nil {
			return nil, err
		}
		for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(":, \t\r\n", r) }) {
			switch {
			case !path.IsAbs(word) || strings.Contains(word, "*"): // no folder
			case len(folders) == maxLoaderFolders:
				c.Note(fmt.Sprintf("the loader is told of more than %d folders: those behind were not looked into", maxLoaderFolders))
				return folders, nil
			default:
				folders = append(folders, path.Clean(word))
			}
		}
	}
	return folders, nil
}
