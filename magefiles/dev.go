//go:build mage

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/magefile/mage/mg"

	"github.com/manymage/manymage/build/git"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/magefiles/targets"
	"github.com/manymage/manymage/platforms"
)

// Test runs everything a change has to pass: format, vet, staticcheck, then all tests; as root on Debian the end-to-end ones, too.
func Test(ctx context.Context) error {
	ctx, stop := targets.Signals(ctx)
	defer stop()
	for _, step := range []func(context.Context) error{format, vet, staticcheck, test} {
		if err := step(ctx); err != nil {
			return mg.Fatalf(1, "%w", err)
		}
	}
	return nil
}

// format refuses what gofmt would change.
func format(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "gofmt", "-l", "build", "magefiles", "platforms")
	cmd.Dir = clone()
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("gofmt: %w", err)
	}
	if len(out) > 0 {
		return fmt.Errorf("gofmt would change these files, run 'gofmt -w' on them:\n%s", out)
	}
	return nil
}

// The magefiles have a build tag and a generated main: they are vetted by themselves.
func vet(ctx context.Context) error {
	return errors.Join(golang(ctx, "vet", "./..."), golang(ctx, "vet", "-tags=mage", "./magefiles/..."))
}

func staticcheck(ctx context.Context) error {
	return golang(ctx, "tool", "staticcheck", "./...")
}

// test leaves its last lines to `go test`, so that whoever reads a log finds its summary there.
func test(ctx context.Context) error {
	args := []string{"test", "-timeout=30m", "./..."}
	if _, debian := os.Stat("/etc/debian_version"); debian != nil || os.Geteuid() != 0 {
		fmt.Println("test: the end-to-end tests are left out, they need root on Debian")
		args = append(args, "-short")
	}
	return golang(ctx, args...)
}

// Binaries compiles the targets for the image of the root Dockerfile: dist/bin/PLATFORM/manymage, for amd64, arm64 and arm/v7.
func Binaries(ctx context.Context) error {
	ctx, stop := targets.Signals(ctx)
	defer stop()
	return binaries(ctx, []string{"linux/amd64", "linux/arm64", "linux/arm/v7"})
}

// binaries is Binaries for the platforms of a run; Go's cache makes an unchanged one cheap.
func binaries(ctx context.Context, list []string) error {
	// The first time takes a minute each, and silence looks like a hang.
	shown := progress.New(os.Stderr, progress.For(os.Stderr, os.Getenv))
	defer shown.Close()
	for _, name := range list {
		step := progress.Step{Platform: name, ID: name, Name: "compile manymage, once for these sources"}
		if err := binary(ctx, name, func(s progress.State) { step.State = s; shown.Send(step) }); err != nil {
			return err
		}
	}
	return nil
}

// binary cross-compiles through scripts/mage, which lets one compiler at a time write Mage's generated main.
func binary(ctx context.Context, name string, at func(progress.State)) error {
	p, err := platforms.Parse(name)
	if err != nil {
		return err
	}
	out, err := filepath.Abs(filepath.Join("dist", "bin", filepath.FromSlash(name), "manymage"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	flags, err := linkerFlags(ctx)
	if err != nil {
		return err
	}
	stamp := sources() + " " + flags
	if upToDate(out, stamp) {
		return nil
	}
	at(progress.Running)
	cmd := exec.CommandContext(ctx, filepath.Join(clone(), "scripts", "mage"),
		"-compile", out, "-goos", p.OS, "-goarch", p.Architecture, "-ldflags", flags)
	cmd.Env = append(os.Environ(), "GOARM="+platforms.GOARM(p))
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compile the targets for %s: %w\n%s", name, err, strings.TrimSpace(printed.String()))
	}
	at(progress.Done)
	return os.WriteFile(out+stampSuffix, []byte(stamp), 0o644)
}

// linkerFlags leave the symbols out, and tell the targets their version: Go does not stamp a program that is compiled from a list
// of files, as Mage's are.
func linkerFlags(ctx context.Context) (string, error) {
	info, err := git.Describe(ctx, clone(), nil)
	if err != nil || info.Version == "" {
		return "-s -w", err
	}
	return "-s -w -X github.com/manymage/manymage/magefiles/targets.toolVersion=" + info.Version, nil
}

// stampSuffix is behind a program's name in the file that tells which sources it is made of, and how it was linked.
const stampSuffix = ".sources"

// sources names the state of the sources that this program is made of: scripts/mage puts it into the program's name. Empty: unknown.
func sources() string {
	path, err := os.Executable()
	if err != nil || !strings.HasPrefix(filepath.Base(path), "targets-") {
		return ""
	}
	return filepath.Base(path)
}

// upToDate tells that a program is made of these very sources: Go would link it anew, and the engine be sent it again.
func upToDate(out, stamp string) bool {
	has, err := os.ReadFile(out + stampSuffix)
	_, missing := os.Stat(out)
	return err == nil && missing == nil && sources() != "" && string(has) == stamp
}

// clone is this project's folder as scripts/mage names it; without it, the folder of the run.
func clone() string { return os.Getenv("MANYMAGE_HOME") }

// golang runs the go command on this clone with what it prints shown.
func golang(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = clone()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as scripts/mage compiles, so that one cache serves all
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
