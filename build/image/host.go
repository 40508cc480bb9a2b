package image

import (
	"github.com/manymage/manymage/build/image/modules"
	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
)

// host is what the shell of a text asks the check, and who is told of what a program loads.
type host struct {
	check *checker
	in    frame // that the text is followed in
}

// as is the situation of what the text starts.
func (h host) as(f shell.Frame) frame {
	h.in.Frame = f
	return h.in
}

// Run follows a command.
func (h host) Run(words []string, f shell.Frame) error { return h.check.run(words, h.as(f)) }

// Try keeps what is judged when all is followed.
func (h host) Try(words []string, own string, f shell.Frame) {
	h.check.probes = append(h.check.probes, probe{words, h.as(f), own})
}

// Find looks a command up.
func (h host) Find(word string, f shell.Frame) (name string, sure bool, err error) {
	at, fault, err := h.check.find(word, h.as(f))
	switch {
	case err != nil:
		return "", false, err
	case fault != nil:
		return "", true, nil
	}
	return at.Name, at.Info != nil, nil
}

// Machine tells whose a program is.
func (h host) Machine(name string) (own, other bool, err error) {
	at, ok, err := h.check.Tree.Regular(name)
	if !ok {
		return false, false, err
	}
	file, err := h.check.Tree.Read(at.Real, at.Info)
	if err != nil || file.ELF.Bits == 0 {
		return false, false, err
	}
	other = h.check.Foreign(file.ELF)
	return !other, other, nil
}

// Innermost are the words behind wrappers.
func (h host) Innermost(words []string) []string { return innermost(words) }

// Note keeps one sentence.
func (h host) Note(text string) { h.check.note(h.in, "%s", text) }

// loading is a program that is followed to what it loads.
func (c *checker) loading(at tree.Found, f tree.File, fr frame) modules.Program {
	return modules.Program{At: at, File: f, Frame: fr.Frame, Health: fr.role == Health, Host: host{c, fr}}
}

// Library takes a fault in.
func (h host) Library(name, what, cure string) error {
	return h.check.add(h.in, Fault{Kind: ForeignLibrary, Path: name, What: what, Cure: cure})
}

// Module takes a fault in.
func (h host) Module(name, what, cure string) error {
	return h.check.add(h.in, Fault{Kind: ForeignModule, Path: name, What: what, Cure: cure})
}
