package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// ours is the same job in one command.
func (b *bench) ourJob(dir, image string) side {
	return func(ctx context.Context, peak func(int64)) error {
		c := b.command(ctx, b.ours, "build", "push", "IMG="+image, "VERSION=1", "ARCHES=amd64,arm64").in(dir)
		err := c.run()
		peak(c.peak)
		return err
	}
}

// jobs measures the whole job, cold and unchanged, against each recipe.
func (b *bench) jobs(ctx context.Context) error {
	for _, builder := range b.recipes {
		c, shares := newContest("the whole job, against the "+builder+" recipe"), &shares{}
		for _, size := range b.sizes {
			if err := b.job(ctx, c, shares, builder, size); err != nil {
				return err
			}
		}
		if err := errors.Join(c.print(), shares.print("the truth check and the relabelling, of our time")); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) job(ctx context.Context, c *contest, shares *shares, builder string, size int) error {
	var cold, warm [2][]sample
	if err := b.pairs(ctx, func(round int) error {
		order := []int{0, 1}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, who := range order {
			first, second, err := b.coldAndWarm(ctx, who, builder, size)
			if err != nil {
				return err
			}
			cold[who], warm[who] = append(cold[who], first), append(warm[who], second)
		}
		return nil
	}); err != nil {
		return err
	}
	c.add(fmt.Sprintf("%d MB, cold", size), cold[0], cold[1])
	c.add(fmt.Sprintf("%d MB, unchanged", size), warm[0], warm[1])
	shares.add(fmt.Sprintf("%d MB, cold", size), cold[1])
	shares.add(fmt.Sprintf("%d MB, unchanged", size), warm[1])
	return nil
}

// coldAndWarm does a job twice: on content that nobody has seen, and again.
func (b *bench) coldAndWarm(ctx context.Context, who int, builder string, size int) (cold, warm sample, err error) {
	dir, err := b.content(size)
	if err != nil {
		return cold, warm, err
	}
	defer os.RemoveAll(dir)
	image := b.name([]string{"theirs", "ours"}[who])
	do := []side{b.recipe(dir, image, builder), b.ourJob(dir, image)}[who]
	var both [2]sample
	for i := range both {
		if both[i], err = b.measure(ctx, do); err != nil {
			return cold, warm, err
		}
		if who == 1 {
			if both[i].check, err = checked(dir); err != nil {
				return cold, warm, err
			}
		}
	}
	return both[0], both[1], nil
}
