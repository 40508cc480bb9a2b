package image_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms"
	"github.com/manymage/manymage/platforms/elftest"
)

// The language of these tests: a root is made of entries, an image of what it runs.

// entry puts something into a root.
type entry func(fstest.MapFS)

func rootOf(entries ...entry) fstest.MapFS {
	root := fstest.MapFS{}
	for _, e := range entries {
		e(root)
	}
	return root
}

func put(name string, mode fs.FileMode, data []byte) entry {
	return func(root fstest.MapFS) {
		root[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: data, Mode: mode}
	}
}

// elf is a program: elf("/app", "arm64", elftest.Interp(...)).
func elf(name, arch string, options ...elftest.Option) entry {
	return put(name, 0o755, elftest.Of(arch, options...))
}

// exe is any other executable file.
func exe(name, text string) entry { return put(name, 0o755, []byte(text)) }

// text is a file without execute bit.
func text(name, data string) entry { return put(name, 0o644, []byte(data)) }

func link(name, target string) entry { return put(name, fs.ModeSymlink|0o777, []byte(target)) }

func dir(name string) entry { return put(name, fs.ModeDir|0o755, nil) }

// musl and glibc are loaders, and programs linked against them.
func musl(arch string) entry { return elf("/lib/ld-musl.so.1", arch, elftest.Type(3)) }

func muslProgram(name, arch string) entry {
	return elf(name, arch, elftest.Interp("/lib/ld-musl.so.1"), elftest.Type(3))
}

// config is an image's config.
type config map[string]any

func (c config) bytes() []byte {
	b, err := json.Marshal(map[string]any{"architecture": "amd64", "os": "linux", "config": c, "rootfs": map[string]any{"type": "layers"}})
	if err != nil {
		panic(err)
	}
	return b
}

// run is the config of an image with this ENTRYPOINT in exec form.
func run(words ...string) config { return config{"Entrypoint": words} }

// sh is the config of an image with a CMD in shell form.
func sh(line string) config { return config{"Cmd": []string{"/bin/sh", "-c", line}} }

// and adds a field.
func (c config) and(field string, value any) config {
	c[field] = value
	return c
}

func platform(t testing.TB, s string) ocispec.Platform {
	t.Helper()
	p, err := platforms.ParseAny(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// outcome is a check's result in one line: "verified", "unverified", or the faults as kind:path, in order.
func outcome(t testing.TB, r image.Report, err error) string {
	t.Helper()
	var refusal *image.Refusal
	if err == nil {
		return string(r.Verdict)
	}
	if !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	if !errors.Is(err, image.ErrRefused) || r.Verdict != image.Unverified || len(refusal.Faults) == 0 {
		t.Errorf("a refusal that is none: %v, %+v", err, r)
	}
	var faults []string
	for _, f := range refusal.Faults {
		faults = append(faults, string(f.Kind)+":"+f.Path)
		allowed := strings.Contains(f.Cure, "ALLOW_FOREIGN="+strings.Trim(f.Path, `"`)) || strings.Contains(f.Cure, `ALLOW_FOREIGN='"`)
		if f.What == "" || f.Cure == "" || allowed != path.IsAbs(f.Path) {
			t.Errorf("a fault that helps nobody: %s", f)
		}
	}
	return strings.Join(faults, " ")
}

// watched is a root that fails the test when something is opened that is no regular file, or asked for that no filesystem holds, and
// counts what is opened.
type watched struct {
	fstest.MapFS
	t      testing.TB
	opened func(name string)
}

func (w watched) Open(name string) (fs.File, error) {
	info, err := w.MapFS.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		w.t.Errorf("%s was opened, which is %v", name, info.Mode())
	}
	if w.opened != nil {
		w.opened(path.Clean(name))
	}
	return w.MapFS.Open(name)
}

func (w watched) Lstat(name string) (fs.FileInfo, error) {
	if strings.Contains(name, "\x00") {
		w.t.Errorf("%q was asked for", name)
	}
	return w.MapFS.Lstat(name)
}
