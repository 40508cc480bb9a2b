package image

import (
	"errors"
	"path"
)

// probe is another machine's program that a text tries to run. That tells no lie where the text starts in the end what lies beside it for
// the declared machine, which only shows when all is followed.
type probe struct {
	words []string
	frame frame
	own   string // what lies beside it; a mere name for one of that name anywhere
}

// judgeProbes follows what was only tried, which may itself be a text that tries some.
func (c *checker) judgeProbes() (err error) {
	for i := 0; i < len(c.probes); i++ {
		p := c.probes[i]
		started, failed := c.started(p.own)
		p.frame.Chosen = p.frame.Chosen || started
		err = errors.Join(err, failed, c.run(p.words, p.frame))
	}
	return err
}

// started tells whether a program is started, or, of a mere name, one of that name that is for the declared machine.
func (c *checker) started(name string) (is bool, err error) {
	if !path.IsAbs(name) {
		for _, p := range c.programs {
			is = is || path.Base(p.Path) == name && p.ELF.Bits != 0 && !c.Foreign(p.ELF)
		}
		return is, nil
	}
	own, err := c.Tree.At(name)
	_, is = c.programs[own.Real]
	return is, err
}
