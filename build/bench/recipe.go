package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// recipe is the Makefile: per architecture a native build whose label is then repaired, tags, pushes, and a manifest list.
func (b *bench) recipe(dir, image, builder string) side {
	return func(ctx context.Context, peak func(int64)) error {
		docker := func(args ...string) error { return b.dockerCLI(ctx, peak, builder, args...) }
		create := []string{"manifest", "create", "--insecure", "--amend", image + ":1"}
		for _, arch := range arches {
			ref := image + ":" + arch + "-1"
			if err := docker("build", "--quiet", "--build-arg", "GOARCH="+arch, "--tag", ref, dir); err != nil {
				return err
			}
			if err := b.macro(ctx, peak, ref, arch); err != nil {
				return err
			}
			if err := docker("tag", ref, image+":"+arch+"-latest"); err != nil {
				return err
			}
			if err := docker("push", "--quiet", ref); err != nil {
				return err
			}
			create = append(create, ref)
		}
		if err := docker(create...); err != nil {
			return err
		}
		for _, arch := range arches {
			if err := docker("manifest", "annotate", "--os", "linux", "--arch", arch, image+":1", image+":"+arch+"-1"); err != nil {
				return err
			}
		}
		return docker("manifest", "push", "--insecure", "--purge", image+":1")
	}
}

// dockerCLI runs the docker command with the classic builder or BuildKit.
func (b *bench) dockerCLI(ctx context.Context, peak func(int64), builder string, args ...string) error {
	c := b.command(ctx, b.docker, args...)
	c.env = append(c.env, "DOCKER_BUILDKIT="+map[string]string{"classic": "0", "buildkit": "1"}[builder])
	err := c.run()
	peak(c.peak)
	return err
}

// macro is set_image_arch: docker save, untar, edit the config, tar, docker load. It is done by the programs that the Makefile
// calls, but for the editing, which is cheaper here than with sed.
func (b *bench) macro(ctx context.Context, peak func(int64), ref, arch string) error {
	work, err := os.MkdirTemp(b.dir, "macro-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	saved, edited, image := filepath.Join(work, "saved.tar"), filepath.Join(work, "edited.tar"), filepath.Join(work, "image")
	if err := os.Mkdir(image, 0o755); err != nil {
		return err
	}
	if err := b.dockerCLI(ctx, peak, "classic", "save", "--output", saved, ref); err != nil {
		return err
	}
	if err := b.command(ctx, "tar", "-xf", saved, "-C", image).run(); err != nil {
		return err
	}
	if err := b.dockerCLI(ctx, peak, "classic", "rmi", "--no-prune", ref); err != nil {
		return err
	}
	if err := setArchitecture(image, arch); err != nil {
		return err
	}
	if err := b.command(ctx, "tar", "-cf", edited, "-C", image, ".").run(); err != nil {
		return err
	}
	return b.dockerCLI(ctx, peak, "classic", "load", "--input", edited)
}

// setArchitecture edits the config of a saved image. The config keeps its name, which the engine does not check.
func setArchitecture(image, arch string) error {
	data, err := os.ReadFile(filepath.Join(image, "manifest.json"))
	if err != nil {
		return err
	}
	var manifest []struct{ Config string }
	if err := json.Unmarshal(data, &manifest); err != nil || len(manifest) != 1 {
		return fmt.Errorf("manifest.json of a saved image: %w", err)
	}
	path := filepath.Join(image, manifest[0].Config)
	config, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	edited := strings.Replace(string(config), `"architecture":"amd64"`, `"architecture":"`+arch+`"`, 1)
	return os.WriteFile(path, []byte(edited), 0o644)
}
