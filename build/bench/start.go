package main

import "context"

// starts is how often a program is started in one sample: one start is shorter than what else the machine does.
const starts = 20

// start measures what each command pays before it does anything, against the docker command.
func (b *bench) start(ctx context.Context) error {
	c := newContest("20 starts, version against docker --version")
	var theirs, ours []sample
	if err := b.pairs(ctx, func(int) error {
		o, err := b.measure(ctx, b.started(b.ours, "version"))
		if err != nil {
			return err
		}
		t, err := b.measure(ctx, b.started(b.docker, "--version"))
		theirs, ours = append(theirs, t), append(ours, o)
		return err
	}); err != nil {
		return err
	}
	c.add("start", theirs, ours)
	return c.print()
}

// started runs a program that only says who it is.
func (b *bench) started(name, word string) side {
	return func(ctx context.Context, peak func(int64)) error {
		for range starts {
			c := b.command(ctx, name, word)
			if _, err := c.output(); err != nil {
				return err
			}
			peak(c.peak)
		}
		return nil
	}
}
