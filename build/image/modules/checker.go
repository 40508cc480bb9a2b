package modules

import (
	"fmt"
	"sync"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/build/image/view"
)

// Host is who wants to know what a program cannot load. What it is stands behind "is", and the cure is a clause in the imperative. An error
// ends the look, and is what Libraries or Modules return.
type Host interface {
	// Library is of another machine, and no folder has one that fits.
	Library(name, what, cure string) error
	// Module is of another machine or for another C library, and there is none that fits.
	Module(name, what, cure string) error
	// Note keeps one sentence for people.
	Note(text string)
}

// Program is one that is started.
type Program struct {
	At     tree.Found
	File   tree.File   // what it is
	Frame  shell.Frame // the situation in which it is started
	Health bool        // it is a health check's
	Host   Host
}

// note tells one sentence to the host.
func (p Program) note(format string, args ...any) { p.Host.Note(fmt.Sprintf(format, args...)) }

// fault is what a host is told of a library or module.
type fault struct{ name, what, cure string }

// Checker looks at what the programs of an image load. It is told of one after another; then Libraries and Modules may look at the same time.
type Checker struct {
	*view.View
	linked      []linked
	interpreted []interpreted

	loaderConf func() ([]string, error)          // folders of the loader's configuration
	configs    map[string]func() (string, error) // what is read of the configurations of servers, by their files
	settled    int64                             // bytes of it
	meantBy    map[string][]string               // files that patterns in them mean
	compared   int                               // names that were compared with those
}

// New knows no program of the image.
func New(v *view.View) *Checker {
	c := &Checker{View: v, configs: map[string]func() (string, error){}, meantBy: map[string][]string{}}
	c.loaderConf = sync.OnceValues(c.readLoaderConf)
	return c
}

// Link keeps a program whose libraries are to be looked at.
func (c *Checker) Link(p Program) { c.linked = append(c.linked, linked{Program: p}) }

// interpreted is an interpreter or a server that is started.
type interpreted struct {
	Program
	args     []string
	language language
}

// Interpret keeps a program with its arguments if it is an interpreter or a server whose modules are to be looked at. What a health check has
// on its command line needs none, as far as anybody knows.
func (c *Checker) Interpret(p Program, args []string) {
	for _, lang := range languages() {
		if lang.is(p.At.Real) && !c.Foreign(p.File.ELF) && (!p.Health || lang.starts(args)) {
			c.interpreted = append(c.interpreted, interpreted{p, args, lang})
		}
	}
}
