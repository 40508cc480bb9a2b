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
			for _, blob := range b.blobs {
				if err := b.job(ctx, c, shares, job{builder, blob, size}); err != nil {
					return err
				}
			}
		}
		if err := errors.Join(c.print(), shares.print("the truth check and the relabelling, of our time")); err != nil {
			return err
		}
	}
	return nil
}

// job is one that both sides do.
type job struct {
	builder string // of the recipe
	blob    string // whose its megabytes are: sharedBlob or ownBlob
	size    int    // MB of each platform's image
}

func (j job) String() string {
	if j.blob == ownBlob {
		return fmt.Sprintf("%d MB of its own", j.size)
	}
	return fmt.Sprintf("%d MB", j.size)
}

func (b *bench) job(ctx context.Context, c *contest, shares *shares, j job) error {
	var cold, warm [2][]sample
	if err := b.pairs(ctx, func(round int) error {
		order := []int{0, 1}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, who := range order {
			first, second, err := b.coldAndWarm(ctx, who, j)
			if err != nil {
				return err
			}
			cold[who], warm[who] = append(cold[who], first), append(warm[who], second)
		}
		return nil
	}); err != nil {
		return err
	}
	c.add(j.String()+", cold", cold[0], cold[1])
	c.add(j.String()+", unchanged", warm[0], warm[1])
	shares.add(j.String()+", cold", cold[1])
	shares.add(j.String()+", unchanged", warm[1])
	return nil
}

// coldAndWarm does a job twice: on content that nobody has seen, and again.
func (b *bench) coldAndWarm(ctx context.Context, who int, j job) (cold, warm sample, err error) {
	dir, err := b.content(j.blob, j.size)
	if err != nil {
		return cold, warm, err
	}
	defer os.RemoveAll(dir)
	image := b.name([]string{"theirs", "ours"}[who])
	do := []side{b.recipe(dir, image, j.builder), b.ourJob(dir, image)}[who]
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
