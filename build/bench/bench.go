package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// bench is what all measurements share: a folder, a registry, a counted way to the engine, and the compiled targets.
type bench struct {
	plan
	dir      string
	registry *registry
	meter    *meter
	metered  bool              // requests to the engine go through the meter
	hello    map[string]string // program by GOARCH
	targets  string            // what the compiled targets list
	serial   int               // makes names that nothing has used
	made     []string          // repositories whose images are to be removed from the engine
}

func open(ctx context.Context, p plan) (b *bench, err error) {
	b = &bench{plan: p, hello: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.dir, err = os.MkdirTemp("", "manymage-bench-"); err != nil {
		return b, err
	}
	if b.registry, err = startRegistry(filepath.Join(b.dir, "registry")); err != nil {
		return b, err
	}
	address, err := engineAddress()
	if err != nil {
		return b, err
	}
	if b.meter, err = newMeter(address, filepath.Join(b.dir, "engine.sock")); err != nil {
		return b, err
	}
	if err := b.compile(ctx); err != nil {
		return b, err
	}
	list, err := b.command(ctx, b.ours, "-l").output()
	b.targets = list
	return b, err
}

// engineAddress is DOCKER_HOST, or the default socket.
func engineAddress() (*url.URL, error) {
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		host = "unix:///var/run/docker.sock"
	}
	u, err := url.Parse(host)
	if err != nil || u.Scheme != "unix" && u.Scheme != "tcp" {
		return nil, fmt.Errorf("DOCKER_HOST=%s: bytes are counted on unix:// and tcp:// addresses only", host)
	}
	return u, nil
}

func dial(u *url.URL) (net.Conn, error) {
	if u.Scheme == "unix" {
		return net.Dial("unix", u.Path)
	}
	return net.Dial("tcp", u.Host)
}

// compile makes our side, unless it was given, and the program that the images run.
func (b *bench) compile(ctx context.Context) error {
	if b.ours == "" {
		b.ours = filepath.Join(b.dir, "manymage")
		if err := b.command(ctx, "go", "tool", "mage", "-compile", b.ours).in("").run(); err != nil {
			return fmt.Errorf("compile the targets from the clone's root: %w", err)
		}
	}
	source := filepath.Join(b.dir, "hello.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() { println(\"hello\") }\n"), 0o600); err != nil {
		return err
	}
	for _, arch := range arches {
		b.hello[arch] = filepath.Join(b.dir, "hello-"+arch)
		build := b.command(ctx, "go", "build", "-o", b.hello[arch], source)
		build.env = append(build.env, "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
		if err := build.run(); err != nil {
			return err
		}
	}
	return nil
}

// arches are those of every image here.
var arches = []string{"amd64", "arm64"}

// has tells whether our side has a target.
func (b *bench) has(target string) bool {
	for line := range strings.Lines(b.targets) {
		if fields := strings.Fields(line); len(fields) > 0 && strings.EqualFold(strings.TrimSuffix(fields[0], "*"), target) {
			return true
		}
	}
	return false
}

// name is a repository that nothing has used.
func (b *bench) name(side string) string {
	b.serial++
	name := fmt.Sprintf("%s/bench/%s-%d-%d", b.registry.address, side, os.Getpid(), b.serial)
	b.made = append(b.made, name)
	return name
}

// forget removes from the engine all images of the repositories in use since the last time: those under tags, and those that
// only a digest names since a tag has left them.
func (b *bench) forget(ctx context.Context) {
	for _, repository := range b.made {
		out, err := exec.CommandContext(ctx, b.docker, "images", "--quiet", "--no-trunc", repository).Output()
		if ids := strings.Fields(string(out)); err == nil && len(ids) > 0 {
			_ = exec.CommandContext(ctx, b.docker, append([]string{"image", "rm", "-f"}, ids...)...).Run() // one id may stand twice
		}
	}
	b.made = nil
}

func (b *bench) close() error {
	b.forget(context.Background())
	var errs []error
	if b.meter != nil {
		errs = append(errs, b.meter.close())
	}
	if b.registry != nil {
		errs = append(errs, b.registry.close())
	}
	return errors.Join(append(errs, os.RemoveAll(b.dir))...)
}
