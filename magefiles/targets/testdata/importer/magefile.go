//go:build mage

// A project that has targets of its own, and imports this project's under a name.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/magefile/mage/mg"

	"github.com/manymage/manymage/build/config"
	//mage:import image
	"github.com/manymage/manymage/magefiles/targets"
)

func init() {
	targets.Defaults(targets.Settings{
		Knobs:  config.Defaults{Img: "team/app", Arches: []string{"arm64", "arm/v7"}},
		Extra:  []string{"STAGE"},
		Before: generate,
	})
}

// generate is what this project does before its images are built.
func generate(_ context.Context, platforms []string) error {
	fmt.Println("generated for", platforms)
	return nil
}

// Aliases are other names of targets, as Mage has them.
var Aliases = map[string]any{"d": Deploy, "ship": targets.Push}

// Default is what a bare call runs.
var Default = Show

// Show prints what the targets of this project get to see.
func Show() { fmt.Printf("words %q args %q\n", targets.Words(), os.Args[1:]) }

// Deploy prints where it would go.
func Deploy(where string, note *string, loud *bool) {
	fmt.Printf("deploy %q", where)
	if note != nil {
		fmt.Printf(" note %q", *note)
	}
	fmt.Println(" loud", loud != nil && *loud)
}

type Site mg.Namespace

// Check is in a namespace.
func (Site) Check() { fmt.Println("checked") }

// Wait waits until it is told to end.
func Wait(ctx context.Context) error {
	ctx, stop := targets.Signals(ctx)
	defer stop()
	fmt.Println("waiting")
	<-ctx.Done()
	fmt.Println("cleaned up:", context.Cause(ctx))
	return mg.Fatal(7, "told to end")
}
