//go:build mage

package main

import (
	"context"
	"os"
	"strconv"

	"github.com/magefile/mage/mg"

	"github.com/manymage/manymage/magefiles/targets"
)

// Bench measures this project against the recipe that it replaces, on the engine at hand; it takes long and 10 GB of disk.
func Bench(
	ctx context.Context,
	only *string, // parts of it: start,job,setarch,lists,transfer
	sizes *string, // MB of the job's images: 3,100,500
	rounds *int, // pairs per measurement
	docker *string, // the docker CLI of the recipe
) error {
	ctx, stop := targets.Signals(ctx)
	defer stop()
	ours, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"run", "./build/bench", "-ours", ours}
	for name, value := range map[string]*string{"-only": only, "-sizes": sizes, "-docker": docker} {
		if value != nil {
			args = append(args, name, *value)
		}
	}
	if rounds != nil {
		args = append(args, "-rounds", strconv.Itoa(*rounds))
	}
	if err := golang(ctx, args...); err != nil {
		return mg.Fatalf(1, "%w", err)
	}
	return nil
}
