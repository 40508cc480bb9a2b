package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// maker makes a list of children with one tool.
type maker struct {
	name string
	do   func(ctx context.Context, image string, children []child, peak func(int64)) error
}

// makers are ours, docker manifest, and those of the peers that are on PATH.
func (b *bench) makers() []maker {
	all := []maker{{"manymage", b.ourList}, {"docker", b.dockerList}}
	for _, m := range []maker{
		{"manifest-tool", b.manifestToolList}, {"crane", b.craneList}, {"regctl", b.regctlList}, {"buildx", b.buildxList}, {"oras", b.orasList},
	} {
		if _, err := exec.LookPath(m.name); err == nil {
			all = append(all, m)
		}
	}
	return all
}

// tool runs one process of a maker.
func (b *bench) tool(ctx context.Context, peak func(int64), name string, args ...string) error {
	c := b.command(ctx, name, args...)
	err := c.run()
	peak(c.peak)
	return err
}

// references are those of the children, each with a word before it unless that is empty.
func references(children []child, before string) []string {
	var out []string
	for _, c := range children {
		if before != "" {
			out = append(out, before)
		}
		out = append(out, c.ref)
	}
	return out
}

func (b *bench) ourList(ctx context.Context, image string, children []child, peak func(int64)) error {
	return b.tool(ctx, peak, b.ours, "manifest:create", image, strings.Join(references(children, ""), ","))
}

func (b *bench) dockerList(ctx context.Context, image string, children []child, peak func(int64)) error {
	args := append([]string{"manifest", "create", "--insecure", image}, references(children, "")...)
	if err := b.tool(ctx, peak, b.docker, args...); err != nil {
		return err
	}
	return b.tool(ctx, peak, b.docker, "manifest", "push", "--insecure", "--purge", image)
}

// manifestToolList gives the platforms in a spec file: manifest-tool takes them from nowhere else.
func (b *bench) manifestToolList(ctx context.Context, image string, children []child, peak func(int64)) error {
	type entry struct {
		Image    string            `json:"image"`
		Platform map[string]string `json:"platform"`
	}
	spec := struct {
		Image     string  `json:"image"`
		Manifests []entry `json:"manifests"`
	}{Image: image}
	for _, c := range children {
		spec.Manifests = append(spec.Manifests, entry{c.ref, map[string]string{"os": c.platform.OS, "architecture": c.platform.Architecture}})
	}
	text, err := json.Marshal(spec) // which is YAML, too
	if err != nil {
		return err
	}
	file := filepath.Join(b.dir, "spec.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	return b.tool(ctx, peak, "manifest-tool", "--insecure", "--plain-http", "--docker-cfg", filepath.Join(b.dir, "docker"), "push", "from-spec", file)
}

func (b *bench) craneList(ctx context.Context, image string, children []child, peak func(int64)) error {
	return b.tool(ctx, peak, "crane", append([]string{"index", "append", "--insecure", "--tag", image}, references(children, "--manifest")...)...)
}

func (b *bench) regctlList(ctx context.Context, image string, children []child, peak func(int64)) error {
	host, _, _ := strings.Cut(image, "/")
	return b.tool(ctx, peak, "regctl", append([]string{"index", "create", "--host", "reg=" + host + ",tls=disabled", image}, references(children, "--ref")...)...)
}

func (b *bench) buildxList(ctx context.Context, image string, children []child, peak func(int64)) error {
	return b.tool(ctx, peak, "buildx", append([]string{"imagetools", "create", "--progress", "plain", "--tag", image}, references(children, "")...)...)
}

// orasList names the children by their tags: all are in the list's own repository.
func (b *bench) orasList(ctx context.Context, image string, children []child, peak func(int64)) error {
	args := []string{"manifest", "index", "create", "--plain-http", image}
	for _, c := range children {
		args = append(args, c.ref[strings.LastIndex(c.ref, ":")+1:])
	}
	return b.tool(ctx, peak, "oras", args...)
}
