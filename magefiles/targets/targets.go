// Package targets holds the Mage targets that build one image for many architectures and publish it under one tag.
//
// A magefile imports them under a name of its own choice,
//
//	//mage:import image
//	_ "github.com/manymage/manymage/magefiles/targets"
//
// and then has `mage image:build image:push IMG=ghcr.io/me/app`. Defaults gives them the project's own settings. The knobs are
// NAME=value words of the command line, environment variables and manymage.yaml; `mage image:help` lists them.
package targets

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/manymage/manymage/build"
	"github.com/manymage/manymage/build/progress"
)

// Build makes one image per architecture, checked and truthfully labelled, in the engine.
func Build(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, s *session) error {
		pushed := follows("push") // which ends with the same table, and more in it
		if pushed {
			if err := s.pipeline.Foresee(ctx); err != nil {
				return err
			}
		}
		if err := s.pipeline.Build(ctx); err != nil || pushed {
			return err
		}
		return s.finish()
	})
}

// Push builds, pushes every image, and publishes the list over them under the image's tags.
func Push(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, s *session) error {
		if err := s.pipeline.Push(ctx); err != nil {
			return err
		}
		return s.finish()
	})
}

// Plan prints all that `build push` would do, and does nothing.
func Plan(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, s *session) error {
		plan, err := s.pipeline.Plan(ctx)
		if err != nil {
			return err
		}
		return show(os.Stdout, plan)
	})
}

// Doctor looks whether all is there that `build push` needs: engines, emulation, base images, the registry, the right to push.
func Doctor(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, s *session) error {
		health, err := s.pipeline.Doctor(ctx)
		if err := errors.Join(show(os.Stdout, health), err); err != nil {
			return err
		}
		return health.Err()
	})
}

// Verify reads the published image (or -ref=REF) back and checks every platform of it.
func Verify(ctx context.Context, ref *string) error {
	return run(ctx, func(ctx context.Context, s *session) error {
		v, err := s.pipeline.Verify(ctx, word(ref))
		if err != nil {
			return err
		}
		return show(os.Stdout, v)
	})
}

// Scan has the published image (or -ref=REF) scanned by the command of SCAN, platform by platform.
func Scan(ctx context.Context, ref *string) error {
	return run(ctx, func(ctx context.Context, s *session) error {
		scan, err := s.pipeline.Scan(ctx, word(ref))
		if len(scan.Images) > 0 {
			err = errors.Join(s.display.Flush(), show(os.Stdout, scan), err)
		}
		return err
	})
}

// Registry serves the embedded registry until Ctrl-C.
func Registry(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, s *session) error {
		served, err := build.Serve(ctx, s.settings.Embedded, s.cfg.Dir)
		if err != nil {
			return err
		}
		if served.Joined {
			fmt.Printf("%s is served on %s by another process already\n", build.RegistryDir(s.cfg.Dir), served.Address)
			return nil
		}
		fmt.Printf("serving %s on %s until Ctrl-C\n", build.RegistryDir(s.cfg.Dir), served.Address)
		<-ctx.Done()
		return served.Close()
	})
}

// Clean removes the images' tags from the engine, and the record of the run. Registries keep what they have.
func Clean(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, s *session) error {
		removed, err := s.pipeline.Clean(ctx)
		for _, ref := range removed {
			fmt.Println("removed", ref)
		}
		if err == nil && len(removed) == 0 {
			fmt.Println("nothing to remove")
		}
		return err
	})
}

// Emulation lets the engine run programs of other architectures, by QEMU.
func Emulation(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, s *session) error {
		if s.settings.Emulation != nil {
			return s.settings.Emulation(ctx)
		}
		fmt.Println("run once, as the user who may talk to the engine:\n\n\tdocker run --privileged --rm tonistiigi/binfmt --install all\n\n" +
			"or install your distribution's packages (Debian: qemu-user-static binfmt-support)")
		return nil
	})
}

// Setarch repairs the label of the image REF in the engine (-registry: in its registry) after checking its binaries.
func Setarch(ctx context.Context, ref, arch string, registry, dryRun *bool) error {
	return process.run(ctx, nil, func(ctx context.Context, s *session) error {
		opts := build.SetArchOptions{Registry: is(registry), DryRun: is(dryRun)}
		label, err := s.pipeline.SetArch(ctx, ref, arch, opts)
		if err != nil {
			return err
		}
		return show(os.Stdout, label)
	})
}

// Version prints this program's version.
func Version(ctx context.Context) error {
	if err := exit(process.words()); err != nil {
		return err
	}
	_, err := fmt.Println("manymage", tool(ctx))
	return err
}

// finish prints the table and leaves GitHub Actions its summary and outputs.
func (s *session) finish() error {
	if err := s.display.Flush(); err != nil {
		return err
	}
	summary := s.pipeline.Summary()
	if err := show(os.Stdout, summary); err != nil {
		return err
	}
	if err := progress.AppendSummary(s.getenv("GITHUB_STEP_SUMMARY"), summary); err != nil {
		return err
	}
	if summary.Digest == "" {
		return nil
	}
	return progress.AppendOutput(s.getenv("GITHUB_OUTPUT"),
		progress.Value{Name: "digest", Text: summary.Digest}, progress.Value{Name: "image", Text: summary.Reference})
}
