package tree_test

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/platforms/elftest"
)

// rootOf makes a root of names and what they hold: "-> target" for a link, "/" for a folder.
func rootOf(entries map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, data := range entries {
		file := &fstest.MapFile{Data: []byte(data), Mode: 0o644}
		if target, is := strings.CutPrefix(data, "-> "); is {
			file = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
		} else if data == "/" {
			file = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
		}
		root[strings.TrimPrefix(name, "/")] = file
	}
	return root
}

var linked = map[string]string{
	"/bin": "-> usr/bin", "/usr/bin/sh": "#!/bin/dash\n", "/usr/bin/up": "-> ../../../../etc/x", "/etc/x": "text", "/etc/abs": "-> /bin/sh",
	"/loop": "-> loop", "/to": "-> fro", "/fro": "-> to", "/none": "-> nowhere", "/empty": "/", "/usr/self": "-> .",
}

func TestResolve(t *testing.T) {
	root := tree.New(rootOf(linked))
	for name, want := range map[string]string{
		"/bin/sh":            "/usr/bin/sh",
		"/bin/../bin/./sh":   "/usr/bin/sh", // the .. leads out of what the link leads to
		"/bin/up":            "/etc/x",
		"/etc/abs":           "/usr/bin/sh",
		"/../../etc/x":       "/etc/x",
		"/usr/self/self/bin": "/usr/bin",
		"/":                  "/",
		"/none":              "",
		"/etc/x/y":           "",
		"/loop":              "circle",
		"/to/x":              "circle",
		"/a\x00b":            "",
	} {
		got, _, err := root.Resolve(name)
		switch {
		case errors.Is(err, tree.ErrLoop):
			got = "circle"
		case errors.Is(err, fs.ErrNotExist):
			got = ""
		case err != nil:
			t.Error(err)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	if _, _, err := root.Resolve("/loop"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what leads in a circle is there: %v", err)
	}
}

// FuzzResolve: whatever links hold, what they lead to is inside, and no link itself.
func FuzzResolve(f *testing.F) {
	for _, target := range []string{"x", "../x", "/b", "..", "b/../../x", ".", "//b"} {
		f.Add("/a/b", target, "a")
	}
	f.Fuzz(func(t *testing.T, name, one, other string) {
		root := rootOf(map[string]string{"/x": "", "/d/x": ""})
		for at, target := range map[string]string{"a": one, "d/b": other} {
			root[at] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
		}
		real, info, err := tree.New(root).Resolve(name)
		if err == nil && (!path.IsAbs(real) || path.Clean(real) != real || info.Mode()&fs.ModeSymlink != 0) {
			t.Errorf("%q leads to %q, %v", name, real, info.Mode())
		}
	})
}

func TestFolders(t *testing.T) {
	root := tree.New(rootOf(map[string]string{"/lib": "-> usr/lib", "/usr/lib/a/x.so": "", "/usr/lib/b/x.so": "", "/usr/lib/b/x.txt": "", "/usr/lib/c": ""}))
	if real, entries, err := root.Folder("/lib"); err != nil || real != "/usr/lib" || len(entries) != 3 {
		t.Errorf("%s has %v: %v", real, entries, err)
	}
	if real, entries, err := root.Folder("/usr/lib/c"); err != nil || real != "" || len(entries) > 0 {
		t.Errorf("a file has %v: %v", entries, err)
	}
	list, err := root.Under("/lib", "*/x.so", "b/*.txt", "none/*")
	if got := strings.Join(list, " "); err != nil || got != "/usr/lib/a/x.so /usr/lib/b/x.so /usr/lib/b/x.txt" {
		t.Errorf("%s: %v", got, err)
	}
	if list, err := root.Matching("/lib", "*/*", func(int) bool { return false }); err != nil || len(list) > 0 {
		t.Errorf("what costs too much is %v: %v", list, err)
	}
	list, err = root.Inside([]string{"/lib", "/usr/lib", "/none"}, func(e fs.DirEntry) bool { return e.IsDir() })
	if got := strings.Join(list, " "); err != nil || got != "/usr/lib/a /usr/lib/b" {
		t.Errorf("%s: %v", got, err)
	}
}

func TestRegular(t *testing.T) {
	root := tree.New(rootOf(linked))
	for name, want := range map[string]bool{"/bin/sh": true, "/bin": false, "/none": false, "/loop": false} {
		at, ok, err := root.Regular(name)
		if err != nil || ok != want || at.Name != name || (name == "/none") && at.Info != nil {
			t.Errorf("%s: %v, %v", name, at, err)
		}
	}
}

func TestRead(t *testing.T) {
	root := tree.New(rootOf(map[string]string{
		"/elf": string(elftest.Of("arm64")), "/bad": "\x7fELF\x09", "/bang": "#!/bin/sh\n", "/bom": "\ufeff#!/bin/sh\n", "/text": "echo\n", "/empty": "", "/data": "\x00\x01",
		"/zip": "PK\x03\x04", "/exe": "MZ" + strings.Repeat("\x00", 58) + "\xff\x00\x00\x00",
	}))
	for name, want := range map[string]tree.Format{
		"/elf": tree.FormatELF, "/bad": tree.FormatBad, "/bang": tree.FormatBang, "/bom": tree.FormatBOM, "/text": tree.FormatText, "/empty": tree.FormatEmpty,
		"/data": tree.FormatData, "/zip": tree.FormatOther, "/exe": tree.FormatOther,
	} {
		at, _, err := root.Regular(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := root.Read(at.Real, at.Info)
		if err != nil || f.Format != want || want == tree.FormatELF && f.ELF.Arch() != "arm64" {
			t.Errorf("%s is %v %s, want %v: %v", name, f.Format, f.Title, want, err)
		}
		head, err := root.Head(at.Real, at.Info)
		if err != nil || (head.ELF.Bits != 0) != (want == tree.FormatELF) || (head.Title != "") != (want == tree.FormatOther) {
			t.Errorf("%s begins as %v: %v", name, head, err)
		}
	}
}

// counted counts what is opened.
type counted struct {
	fstest.MapFS
	opened *atomic.Int32
}

func (c counted) Open(name string) (fs.File, error) {
	c.opened.Add(1)
	return c.MapFS.Open(name)
}

// Whoever asks for a text, it is read once.
func TestTextsAreReadOnce(t *testing.T) {
	opened := &atomic.Int32{}
	root := tree.New(counted{rootOf(map[string]string{"/x": "0123456789"}), opened})
	err := tree.Each(20, func(int) error {
		text, err := root.Text("/x", 10, 4)
		if text != "0123" {
			t.Errorf("it is %q", text)
		}
		return err
	})
	if err != nil || opened.Load() != 1 {
		t.Errorf("it was opened %d times: %v", opened.Load(), err)
	}
	if text, err := root.Begin("/x", 10, 100); err != nil || text != "0123456789" {
		t.Errorf("it is %q: %v", text, err)
	}
}

func TestEach(t *testing.T) {
	failure, done := errors.New("no more"), atomic.Int32{}
	err := tree.Each(100, func(i int) error {
		done.Add(1)
		if i == 7 {
			return failure
		}
		return nil
	})
	if !errors.Is(err, failure) || done.Load() != 100 {
		t.Errorf("%v behind %d", err, done.Load())
	}
}
