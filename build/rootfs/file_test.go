package rootfs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/manymage/manymage/platforms"
	"github.com/manymage/manymage/platforms/elftest"
)

// counting is a source that counts how often it is opened.
func counting(raw []byte) (Source, *atomic.Int64) {
	var opened atomic.Int64
	return Source{Name: "counted", Open: func() (io.ReadCloser, error) {
		opened.Add(1)
		return io.NopCloser(bytes.NewReader(raw)), nil
	}}, &opened
}

func openAt(t *testing.T, root *FS, name string) io.ReaderAt {
	t.Helper()
	file, err := root.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file.(io.ReaderAt)
}

func TestHeadsNeedNoSecondReading(t *testing.T) {
	elf := "\x7fELF" + strings.Repeat("e", 1<<20)
	src, opened := counting(gzipped(tarOf(exec("elf", elf), exec("script", "#!/bin/sh\n"+strings.Repeat("s", maxShelved)))))
	root, err := Layers(t.Context(), []Source{src}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, size := range map[string]int{"elf": headELF, "script": headOther} {
		got := make([]byte, size)
		if n, err := openAt(t, root, name).ReadAt(got, 0); n != size || err != nil {
			t.Errorf("%s: ReadAt = %d, %v", name, n, err)
		}
	}
	file, _ := root.Open("script")
	defer file.Close()
	if n, err := file.Read(make([]byte, 4096)); n != headOther || err != nil {
		t.Errorf("Read of a long script = %d, %v; want its head alone", n, err)
	}
	if opened.Load() != 1 {
		t.Errorf("opened %d times, want once", opened.Load())
	}
}

// What a check asks of programs and libraries is told without another reading, wherever in the file it lies.
func TestWhatProgramsNeedIsKept(t *testing.T) {
	program := func(size int) string {
		return string(elftest.Of("arm64", elftest.Needs("libfoo.so.1"), elftest.RunPath("/lib"), elftest.Padding(size), elftest.Go("GOARM64=v8.1")))
	}
	src, opened := counting(gzipped(tarOf(exec("small", program(100)), exec("app", program(20<<10)), exec("large", program(maxSmall+5)), exec("again", program(maxSmall+1)),
		plain("lib/libx.so.1.2", program(20<<10)), plain("lib/libx.so", program(20<<10)))))
	root, err := Layers(t.Context(), []Source{src}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"small", "app", "large", "again", "lib/libx.so.1.2", "lib/libx.so"} {
		file := openAt(t, root, name)
		elf, err := platforms.ReadELF(file)
		if err != nil {
			t.Fatal(name, err)
		}
		if d, err := platforms.ReadDynamic(file, elf); err != nil || len(d.Needed) != 1 || d.Needed[0] != "libfoo.so.1" || d.RunPath != "/lib" {
			t.Errorf("%s needs %+v, %v", name, d, err)
		}
		if build, err := platforms.ReadGoBuild(file, elf); err != nil || build.Level != "v8.1" {
			t.Errorf("%s was built %+v, %v", name, build, err)
		}
	}
	if opened.Load() != 1 {
		t.Errorf("opened %d times, want once", opened.Load())
	}
}

// What programs open by themselves is asked for what it needs, too, and everything small may tell of it, wherever it lies.
func TestModulesAndSmallFilesAreKept(t *testing.T) {
	module := string(elftest.Of("arm64", elftest.Needs("libfoo.so.1"), elftest.Padding(20<<10)))
	modules := []string{"lib/python3.11/site-packages/x/_x.abi3.so", "math.cpython-311.so", "app/node_modules/x/build/Release/x.node"}
	texts := map[string]string{"empty": "", "etc/apache2/mods-enabled/a.load": "LoadModule a a.so", "app/package-lock.json": strings.Repeat("x", maxShelved), "b": "b"}
	var entries, upper []piece
	for i, name := range slices.Sorted(maps.Keys(texts)) {
		if entries = append(entries, plain(name, texts[name])); i%2 == 0 {
			entries[i], upper = plain(name, "of the layer below"), append(upper, plain(name, texts[name]))
		}
	}
	for _, name := range modules {
		entries = append(entries, plain(name, module))
	}
	entries = append(entries, plain("large", strings.Repeat("x", maxShelved+1)))
	lower, opened := counting(tarOf(entries...))
	root, err := Layers(t.Context(), []Source{lower, source(tarOf(upper...))}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range modules {
		file := openAt(t, root, name)
		elf, err := platforms.ReadELF(file)
		if err != nil || elf.Arch() != "arm64" {
			t.Errorf("%s: %+v, %v", name, elf, err)
		}
		if d, err := platforms.ReadDynamic(file, elf); err != nil || len(d.Needed) != 1 {
			t.Errorf("%s needs %+v, %v", name, d, err)
		}
	}
	for name, text := range texts {
		if got, err := root.read(name); err != nil || string(got) != text {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if opened.Load() != 1 {
		t.Errorf("opened %d times, want once", opened.Load())
	}
	for name, near := range map[string]bool{"b": true, "empty": true, "etc": true, "none": true, modules[0]: true, "large": false} {
		if root.Near(name) != near {
			t.Errorf("%s is near: %v", name, !near)
		}
	}
	file := openAt(t, root, "b")
	if err := root.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := file.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("reading what was closed: %v", err)
	}
}

// What does not fit is read from its stream again.
func TestTheShelfIsBounded(t *testing.T) {
	s := &shelf{}
	defer s.close()
	s.taken.Store(maxShelf - 5)
	src := &origin{source(nil), s}
	for _, test := range []struct {
		content string
		at      int64
	}{{"123", maxShelf - 4}, {"4567", 0}, {"8", 0}} {
		f := &file{src: src}
		if ok := f.shelve([]byte(test.content)); ok != (test.at > 0) || f.at != test.at {
			t.Errorf("%s is at %d, %v", test.content, f.at, ok)
		}
	}
}

// What is kept saves a reading, and a machine without a place for temporary files goes without: small files are read again. What
// needs a place is an error, and none of a file that is not there.
func TestWithoutTemporaryFilesLessIsKept(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	large := string(elftest.Of("arm64", elftest.Needs("libfoo.so.1"), elftest.Padding(maxSmall+5)))
	root := layersOf(t, tarOf(exec("large", large), plain("after", "x")))
	for range 2 {
		if text, err := fs.ReadFile(root, "after"); err != nil || string(text) != "x" {
			t.Errorf("a small file: %q, %v", text, err)
		}
	}
	if _, err := fs.ReadFile(root, "large"); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("a large file: %v", err)
	}
	if elf, err := platforms.ReadELF(openAt(t, root, "large")); err != nil || !elf.Dynamic {
		t.Errorf("the head of a large program: %+v, %v", elf, err)
	}
	if info, err := fs.Stat(root, "after"); err != nil || info.Size() != 1 {
		t.Errorf("what comes behind it: %v, %v", info, err)
	}
}

func TestReadingOnIsOneMoreReading(t *testing.T) {
	content := "\x7fELF" + strings.Repeat("0123456789abcdef", 1<<16)
	src, opened := counting(gzipped(tarOf(plain("before", "x"), exec("elf", content), plain("after", strings.Repeat("y", 1<<20)))))
	root, err := Layers(t.Context(), []Source{src}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	file := openAt(t, root, "elf")
	for _, offset := range []int64{5000, 900_000, 100, int64(len(content)) - 10} {
		got := make([]byte, 10)
		if _, err := file.ReadAt(got, offset); err != nil || string(got) != content[offset:offset+10] {
			t.Errorf("ReadAt(%d) = %q, %v", offset, got, err)
		}
	}
	if n, err := file.ReadAt(make([]byte, 20), int64(len(content))-10); n != 10 || err != io.EOF {
		t.Errorf("ReadAt across the end = %d, %v; want 10, EOF", n, err)
	}
	if opened.Load() != 2 {
		t.Errorf("opened %d times, want twice: the layer and the file", opened.Load())
	}
}

func TestNamesNeedNotBeUTF8(t *testing.T) {
	root := layersOf(t, tarOf(plain("caf\xe9/x", "latin"), symlink("l\xe9", "caf\xe9/x")))
	for _, name := range []string{"caf\xe9/x", "l\xe9"} {
		if text, err := fs.ReadFile(root, name); err != nil || string(text) != "latin" {
			t.Errorf("%q: %q, %v", name, text, err)
		}
	}
	if _, err := root.Stat("caf\xe9/../caf\xe9"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a name that leads up: %v", err)
	}
}

func TestReadsLikeAFile(t *testing.T) {
	content := []byte("\x7fELF" + strings.Repeat("0123456789abcdef", 2000))
	root := layersOf(t, tarOf(exec("elf", string(content)), plain("plain", string(content))))
	for _, name := range []string{"elf", "plain"} {
		file, err := root.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(file, content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		file.Close()
		if _, err := file.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: read after close: %v", name, err)
		}
	}
}

func TestOnlyRegularFilesAreRead(t *testing.T) {
	root := layersOf(t, tarOf(fifo("pipe"), dir("d"), symlink("to", "pipe")))
	for _, name := range []string{"pipe", "to", "d"} {
		file, err := root.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("reading %s: %v, want a refusal", name, err)
		}
		file.Close()
	}
}

func TestLinksAreThoseOfAChroot(t *testing.T) {
	root := layersOf(t, tarOf(
		plain("usr/bin/tool", "tool"), symlink("bin", "usr/bin"), symlink("abs", "/bin/tool"), symlink("out", "../../../bin/tool"),
		symlink("usr/up", "../bin/../bin/tool"), symlink("loop", "pool"), symlink("pool", "loop"), symlink("dangling", "nowhere"),
		symlink("file-as-dir", "abs/x"), symlink("slash", "abs/"), symlink("self/proc", "/"), symlink("through", "self/proc/self/proc/abs"),
	))
	for name, want := range map[string]any{
		"bin/tool": "tool", "abs": "tool", "out": "tool", "usr/up": "tool", "through": "tool",
		"loop": syscall.ELOOP, "dangling": fs.ErrNotExist, "file-as-dir": syscall.ENOTDIR, "slash": syscall.ENOTDIR,
		"abs/x": syscall.ENOTDIR, "../x": fs.ErrInvalid, "/abs": fs.ErrInvalid, "nothing": fs.ErrNotExist,
	} {
		got, err := root.read(name)
		if wanted, isErr := want.(error); isErr && !errors.Is(err, wanted) || !isErr && string(got) != want {
			t.Errorf("%s: %q, %v; want %v", name, got, err, want)
		}
	}
	if info, err := root.Lstat("loop"); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("Lstat of a link: %v, %v", info, err)
	}
	if _, err := root.ReadLink("usr"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("ReadLink of a folder: %v", err)
	}
}

func TestLinksAreFollowedFortyTimes(t *testing.T) {
	var pieces []piece
	for i := range maxLinks + 1 {
		pieces = append(pieces, symlink(strings.Repeat("l", i+1), strings.Repeat("l", i+2)))
	}
	pieces = append(pieces, plain(strings.Repeat("l", maxLinks+2), "end"))
	root := layersOf(t, tarOf(pieces...))
	if _, err := root.Stat("ll"); err != nil {
		t.Errorf("40 links: %v", err)
	}
	if _, err := root.Stat("l"); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("41 links: %v", err)
	}
}

func TestASourceThatFails(t *testing.T) {
	broken := errors.New("line cut")
	raw := tarOf(exec("a", strings.Repeat("x", 100_000)))
	for name, open := range map[string]func() (io.ReadCloser, error){
		"at once":    func() (io.ReadCloser, error) { return nil, broken },
		"on its way": func() (io.ReadCloser, error) { return cut(raw[:2000], broken), nil },
		"packed":     func() (io.ReadCloser, error) { return cut(gzipped(raw)[:50], broken), nil },
		"at its end": func() (io.ReadCloser, error) { return cut(raw, broken), nil },
	} {
		_, err := Layers(t.Context(), []Source{{Name: "sha256:abc", Open: open}}, Options{})
		if !errors.Is(err, broken) || errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "sha256:abc") {
			t.Errorf("%s: %v; want the source's own error, with its name", name, err)
		}
	}
}

func cut(raw []byte, err error) io.ReadCloser {
	return io.NopCloser(io.MultiReader(bytes.NewReader(raw), iotest.ErrReader(err)))
}

func TestASourceThatChanges(t *testing.T) {
	content := strings.Repeat("x", maxShelved+1)
	now := tarOf(plain("a", content))
	root, err := Layers(t.Context(), []Source{{Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(now)), nil }}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string][]byte{"empty": tarOf(), "another size": tarOf(plain("a", "y"))} {
		now = other
		if _, err := root.read("a"); !errors.Is(err, errChanged) {
			t.Errorf("%s: %v, want %v", name, err, errChanged)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	src := Source{Open: func() (io.ReadCloser, error) {
		cancel(stopped)
		return io.NopCloser(bytes.NewReader(tarOf(plain("a", "")))), nil
	}}
	if _, err := Layers(ctx, []Source{src}, Options{}); !errors.Is(err, stopped) {
		t.Errorf("got %v", err)
	}
}

func TestNoTemporaryFileIsLeft(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	root := layersOf(t, tarOf(plain("a", strings.Repeat("x", 100_000)), plain("b", strings.Repeat("x", maxSmall+1))))
	for _, name := range []string{"a", "b"} {
		file, _ := root.Open(name)
		if _, err := file.(io.ReaderAt).ReadAt(make([]byte, 10), 50_000); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestHeadsAreBounded(t *testing.T) {
	left := newBudget(10)
	left.heads.Store(maxHeads - headOther)
	script := strings.Repeat("x", maxShelved+1)
	entries, err := scan(t.Context(), source(tarOf(exec("a", script), exec("b", script))), &shelf{}, left)
	if err != nil || len(entries[0].file.kept.head) != headOther || entries[1].file.kept != nil {
		t.Errorf("%+v and %+v are kept, %v; want the first alone", entries[0].file.kept, entries[1].file.kept, err)
	}
}

// What is read again must be what was there when it was checked.
func TestSourcesThatChange(t *testing.T) {
	content := strings.Repeat("x", maxShelved+1)
	was := tarOf(plain("before", "1"), exec("f", content))
	for name, now := range map[string][]byte{
		"the file has another size": tarOf(plain("before", "1"), exec("f", content+"y")),
		"the file is gone":          tarOf(plain("before", "1")),
		"the stream is cut off":     was[:len(was)-4000],
		"there is no archive":       []byte(strings.Repeat("nothing", 1000)),
	} {
		opened := 0
		src := Source{Name: "changing", Open: func() (io.ReadCloser, error) {
			opened++
			if opened == 1 {
				return io.NopCloser(bytes.NewReader(was)), nil
			}
			return io.NopCloser(bytes.NewReader(now)), nil
		}}
		root, err := Archive(t.Context(), src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := root.read("f"); err == nil {
			t.Errorf("%s: %d bytes were read", name, len(got))
		}
	}
}

// A header may say any size; nobody fills a disk with it.
func TestReadingTooFarIsRefused(t *testing.T) {
	r := rest{file: &file{size: 8 << 30}}
	if _, err := r.readAt(make([]byte, 1), maxSpool); !errors.Is(err, ErrMalformed) || r.spool != nil {
		t.Errorf("%v", err)
	}
}

// Each stream that was opened is closed: it is a connection to an engine or a registry.
func TestStreamsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		raw := tarOf(exec("f", strings.Repeat("x", maxShelved+1)))
		var opened, closed atomic.Int64
		src := Source{Name: "counted", Open: func() (io.ReadCloser, error) {
			opened.Add(1)
			return closing{bytes.NewReader(raw), &closed}, nil
		}}
		root, err := Archive(t.Context(), src, Options{})
		if err != nil || closed.Load() != 1 {
			t.Fatalf("%v, %d closed", err, closed.Load())
		}
		_, err = root.read("f")
		synctest.Wait()
		if err != nil || opened.Load() != 2 || closed.Load() != 2 {
			t.Errorf("%v, %d opened, %d closed", err, opened.Load(), closed.Load())
		}
	})
}

type closing struct {
	io.Reader
	closed *atomic.Int64
}

func (c closing) Close() error { c.closed.Add(1); return nil }

func TestFilesAreNoFolders(t *testing.T) {
	root := layersOf(t, tarOf(plain("f", "1")))
	if _, err := root.ReadDir("f"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("ReadDir of a file: %v", err)
	}
}
