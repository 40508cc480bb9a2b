package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// macroSizes are those at which the macro was measured when this project began, in MB.
var macroSizes = []int{30, 300, 900}

// setarchs measures relabelling an image in the engine against the macro.
func (b *bench) setarchs(ctx context.Context) error {
	if !b.has("setarch") {
		fmt.Println("\nsetarch: these targets have none, not measured")
		return nil
	}
	c := newContest("relabelling, setarch against the macro")
	for _, size := range macroSizes {
		var theirs, ours []sample
		if err := b.pairs(ctx, func(int) error {
			t, o, err := b.setarch(ctx, size)
			theirs, ours = append(theirs, t), append(ours, o)
			return err
		}); err != nil {
			return err
		}
		c.add(fmt.Sprintf("%d MB", size), theirs, ours)
	}
	return c.print()
}

// setarch builds one image with an arm64 program natively, so labelled amd64, and relabels it twice under two tags.
func (b *bench) setarch(ctx context.Context, size int) (theirs, ours sample, err error) {
	dir, err := b.content(sharedBlob, size)
	if err != nil {
		return theirs, ours, err
	}
	defer os.RemoveAll(dir)
	one, two := b.name("theirs")+":1", b.name("ours")+":1"
	ignore := func(int64) {}
	if err := b.dockerCLI(ctx, ignore, "classic", "build", "--quiet", "--build-arg", "GOARCH=arm64", "--tag", one, "--tag", two, dir); err != nil {
		return theirs, ours, err
	}
	parent, err := b.command(ctx, b.docker, "image", "inspect", "--format", "{{.Parent}}", one).output()
	if err != nil {
		return theirs, ours, err
	}
	ours, err = b.measure(ctx, func(ctx context.Context, peak func(int64)) error {
		c := b.command(ctx, b.ours, "setarch", two, "arm64")
		defer func() { peak(c.peak) }()
		return c.run()
	})
	if err != nil {
		return theirs, ours, err
	}
	theirs, err = b.measure(ctx, func(ctx context.Context, peak func(int64)) error { return b.macro(ctx, peak, one, "arm64") })
	_ = b.command(ctx, b.docker, "image", "rm", strings.TrimSpace(parent)).run() // the macro leaves it there, and its layers with it
	return theirs, ours, err
}
