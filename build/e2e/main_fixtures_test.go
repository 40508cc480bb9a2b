package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// target is a platform of the fixtures, in the words of everybody who names it.
type target struct {
	Platform      string // as --platform has it
	Arch, Variant string // the image config's
	Debian        string // the package architecture
	GOARCH, GOARM string
	Uname         string // what `uname -m` says there
}

// Targets are the platforms that every fixture has, and every test of a whole way should build.
func Targets() []target {
	return []target{
		{Platform: "linux/amd64", Arch: "amd64", Debian: "amd64", GOARCH: "amd64", Uname: "x86_64"},
		{Platform: "linux/arm64", Arch: "arm64", Debian: "arm64", GOARCH: "arm64", Uname: "aarch64"},
		{Platform: "linux/arm/v7", Arch: "arm", Variant: "v7", Debian: "armhf", GOARCH: "arm", GOARM: "7", Uname: "armv7l"},
	}
}

// release is the Debian that fixtures come from.
const release = "bookworm"

// Busybox is a base image for every target on the registry: a static busybox with its applets as links, /bin/sh among them.
func Busybox(t *testing.T, r *Registry) string {
	t.Helper()
	return base(t, r, "busybox", busyboxRoot, nil)
}

// Debian is a base image for every target whose programs are dynamic: /bin/sh is dash, /bin/busybox a dynamic one, /usr/bin/tini
// an init; /bin, /lib and their like are links into /usr, as in Debian's own images.
func Debian(t *testing.T, r *Registry) string {
	t.Helper()
	return base(t, r, "debian", debianRoot, nil)
}

// Python is a base image for every target with Debian's smallest Python, and a package with an extension module where Debian puts them.
func Python(t *testing.T, r *Registry) string {
	t.Helper()
	return base(t, r, "python", pythonRoot, nil)
}

// Golang stands in for the golang image, which cannot be had without a public registry: a busybox base whose /usr/local/go/bin/go
// "builds" by copying the program that was compiled beforehand for $GOARCH and $GOARM (its own platform where they are not set).
func Golang(t *testing.T, r *Registry) string {
	t.Helper()
	return base(t, r, "golang", golangRoot, map[string]any{"WorkingDir": "/go",
		"Env": []string{"PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}})
}

// base publishes a multi-platform base image once per registry.
func base(t *testing.T, r *Registry, name string, root func(target) (string, error), config map[string]any) string {
	t.Helper()
	return lazily(t, "image "+name+" on "+r.Host, func() (string, error) {
		var images []image
		for _, p := range Targets() {
			dir, err := root(p)
			if err != nil {
				return "", err
			}
			images = append(images, image{os: "linux", arch: p.Arch, variant: p.Variant, root: dir, config: config})
		}
		repo := r.Host + "/base/" + name
		return repo + ":1", r.publish(repo, "1", images...)
	})
}

// unpackDebs unpacks Debian packages of the target's architecture into a new folder.
func unpackDebs(p target, packages ...string) (string, error) {
	dir, err := os.MkdirTemp(suite.temp, "root-")
	if err != nil {
		return "", err
	}
	args := []string{release}
	for _, name := range packages {
		args = append(args, name+":"+p.Debian)
	}
	debs, err := script(nil, "debs", args...)
	if err != nil {
		return "", err
	}
	for _, deb := range strings.Fields(debs) {
		if _, err := output(nil, "dpkg-deb", "-x", deb, dir); err != nil {
			return "", err
		}
	}
	for _, unread := range []string{"usr/share", "etc/default"} {
		if err := os.RemoveAll(filepath.Join(dir, unread)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// applets are what the tests' Dockerfiles call.
var applets = []string{"sh", "uname", "cat", "cp", "chmod", "echo", "env", "ls", "ln", "mkdir", "mkfifo", "mv", "printf", "rm", "sleep", "test", "true", "false", "touch"}

func busyboxRoot(p target) (string, error) {
	dir, err := unpackDebs(p, "busybox-static")
	for _, applet := range applets {
		if err == nil {
			err = os.Symlink("busybox", filepath.Join(dir, "bin", applet))
		}
	}
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "tmp"), 0o1777)
	}
	return dir, err
}

func debianRoot(p target) (string, error) {
	dir, err := unpackDebs(p, "libc6", "dash", "busybox", "tini")
	if err != nil {
		return "", err
	}
	for _, applet := range applets[1:] { // sh is dash's
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", applet)); err != nil {
			return "", err
		}
	}
	return dir, mergeUsr(dir)
}

func pythonRoot(p target) (string, error) {
	dir, err := unpackDebs(p, "libc6", "zlib1g", "libexpat1", "python3.11-minimal", "libpython3.11-minimal", "python3-markupsafe")
	if err != nil {
		return "", err
	}
	return dir, mergeUsr(dir)
}

// mergeUsr makes /bin, /lib and their like links into /usr.
func mergeUsr(root string) error {
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			continue
		}
		if _, err := output(nil, "sh", "-ec", `cd "$1"; mkdir -p "usr/$2"; cp -a "$2/." "usr/$2/"; rm -r "$2"; ln -s "usr/$2" "$2"`, "sh", root, name); err != nil {
			return err
		}
	}
	return nil
}

// standIn is the "compiler": `go build -o FILE ...` copies, everything else does nothing.
const standIn = `#!/bin/sh
arch=${GOARCH:-DEFAULT}
[ "$arch" != arm ] || arch=armv${GOARM:-7}
[ "$1" = build ] || exit 0
while [ $# -gt 1 ] && [ "$1" != -o ]; do shift; done
exec cp "/usr/local/go/programs/$arch" "${2:-./hello}"
`

func golangRoot(p target) (string, error) {
	dir, err := busyboxRoot(p)
	if err != nil {
		return "", err
	}
	tool := strings.ReplaceAll(standIn, "DEFAULT", p.GOARCH)
	if err := write(filepath.Join(dir, "usr/local/go/bin/go*"), tool); err != nil {
		return "", err
	}
	for _, other := range programs {
		file, err := compile(other)
		if err != nil {
			return "", err
		}
		content, err := os.ReadFile(file)
		if err == nil {
			err = write(filepath.Join(dir, "usr/local/go/programs", other.name()+"*"), string(content))
		}
		if err != nil {
			return "", err
		}
	}
	return dir, nil
}

// program is a Go target of the hello program.
type program struct{ goarch, goarm string }

var programs = []program{{"amd64", ""}, {"arm64", ""}, {"arm", "6"}, {"arm", "7"}}

func (p program) name() string {
	if p.goarm == "" {
		return p.goarch
	}
	return p.goarch + "v" + p.goarm
}

// hello says for what it was compiled: "hello from arm64", "hello from arm/7".
const hello = `package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

func main() {
	arch := runtime.GOARCH
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "GOARM" {
			arch += "/" + s.Value[:1]
		}
	}
	fmt.Println("hello from", arch, os.Args[1:])
}
`

// Hello is a static Go program for the platform (amd64, arm64, armv6, armv7) that says for what it was compiled: the file's path.
func Hello(t *testing.T, name string) string {
	t.Helper()
	for _, p := range programs {
		if p.name() == name {
			return lazily(t, "program "+name, func() (string, error) { return compile(p) })
		}
	}
	t.Fatalf("no program for %s", name)
	return ""
}

// compile builds hello; the go command's cache makes the second time cheap.
func compile(p program) (string, error) {
	source := filepath.Join(suite.temp, "hello-"+p.name())
	if err := write(filepath.Join(source, "main.go"), hello); err != nil {
		return "", err
	}
	if err := write(filepath.Join(source, "go.mod"), "module hello\n\ngo 1.24\n"); err != nil {
		return "", err
	}
	file := filepath.Join(source, "hello")
	_, err := output([]string{"CGO_ENABLED=0", "GOFLAGS=", "GOOS=linux", "GOARCH=" + p.goarch, "GOARM=" + p.goarm},
		"go", "build", "-C", source, "-trimpath", "-ldflags=-s -w", "-o", file, ".")
	if err != nil {
		err = fmt.Errorf("compile hello for %s: %w", p.name(), err)
	}
	return file, err
}
