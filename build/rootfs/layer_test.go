package rootfs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
)

// The language of these tests: tarOf(dir("etc"), exec("bin/sh", "..."), link("sh", "bin/sh")) is a layer.

type header = tar.Header

type piece struct {
	header
	content string
}

func dir(name string) piece {
	return piece{header: header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}}
}

func plain(name, content string) piece { return regular(name, content, 0o644) }

func exec(name, content string) piece { return regular(name, content, 0o755) }

func regular(name, content string, mode int64) piece {
	return piece{header: header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}, content: content}
}

func symlink(name, target string) piece {
	return piece{header: header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}}
}

func hardlink(name, target string) piece {
	return piece{header: header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o755}}
}

func fifo(name string) piece {
	return piece{header: header{Typeflag: tar.TypeFifo, Name: name, Mode: 0o755}}
}

func tarOf(pieces ...piece) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, p := range pieces {
		h := p.header
		if err := w.WriteHeader(&h); err != nil {
			panic(err)
		}
		if _, err := io.WriteString(w, p.content); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func source(raw []byte) Source {
	return Source{Name: "test", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }}
}

func layersOf(t testing.TB, layers ...[]byte) *FS {
	t.Helper()
	var sources []Source
	for _, raw := range layers {
		sources = append(sources, source(raw))
	}
	root, err := Layers(t.Context(), sources, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// listing is a filesystem as text: one name a line, with what it is.
func listing(t testing.TB, root *FS) string {
	t.Helper()
	var out strings.Builder
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		switch {
		case d.IsDir():
			fmt.Fprintf(&out, "%s/ ", name)
		case d.Type() == fs.ModeSymlink:
			target, err := root.ReadLink(name)
			fmt.Fprintf(&out, "%s->%s ", name, target)
			return err
		case d.Type() != 0:
			fmt.Fprintf(&out, "%s|%v ", name, d.Type())
		default:
			content, err := root.read(name)
			fmt.Fprintf(&out, "%s=%s ", name, content)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

func (f *FS) read(name string) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

func TestLayersApplyInOrder(t *testing.T) {
	for _, test := range []struct {
		name   string
		layers [][]byte
		want   string
	}{
		{"nothing", nil, ""},
		{"an empty layer", [][]byte{tarOf()}, ""},
		{"one file, its folders made", [][]byte{tarOf(plain("a/b/c", "1"))}, "a/ a/b/ a/b/c=1"},
		{"names are relative, absolute or dotted", [][]byte{tarOf(plain("/a", "1"), plain("./b", "2"), plain("x/../c", "3"))}, "a=1 b=2 c=3"},
		{"a later layer replaces", [][]byte{tarOf(plain("a", "1")), tarOf(plain("a", "2"))}, "a=2"},
		{"a later entry replaces", [][]byte{tarOf(plain("a", "1"), plain("a", "2"))}, "a=2"},
		{"folders merge", [][]byte{tarOf(dir("d"), plain("d/a", "1")), tarOf(dir("d"), plain("d/b", "2"))}, "d/ d/a=1 d/b=2"},
		{"a whiteout removes a file", [][]byte{tarOf(plain("d/a", "1"), plain("d/b", "2")), tarOf(plain("d/.wh.a", ""))}, "d/ d/b=2"},
		{"a whiteout removes a folder", [][]byte{tarOf(plain("d/a", "1")), tarOf(plain(".wh.d", ""))}, ""},
		{"a whiteout does not touch its own layer", [][]byte{tarOf(plain("a", "1")), tarOf(plain("a", "2"), plain(".wh.a", ""))}, "a=2"},
		{"an opaque folder hides what is below", [][]byte{tarOf(plain("d/a", "1")), tarOf(plain("d/b", "2"), plain("d/.wh..wh..opq", ""))}, "d/ d/b=2"},
		{"an opaque root", [][]byte{tarOf(plain("a", "1")), tarOf(plain(".wh..wh..opq", ""), plain("b", "2"))}, "b=2"},
		{"aufs's bookkeeping is no file", [][]byte{tarOf(dir(".wh..wh.plnk"), plain(".wh..wh.plnk/x", ""), plain(".wh..wh.aufs", ""))}, ""},
		{"a whiteout of nothing", [][]byte{tarOf(plain("d/a", "1")), tarOf(plain("d/.wh.", ""), plain("d/.wh..", ""), plain("d/.wh...", ""), plain(".wh.x", ""))}, "d/ d/a=1"},
		{"a folder over a file", [][]byte{tarOf(plain("a", "1")), tarOf(plain("a/b", "2"))}, "a/ a/b=2"},
		{"a file over a folder", [][]byte{tarOf(plain("a/b", "1")), tarOf(plain("a", "2"))}, "a=2"},
		{"a hard link", [][]byte{tarOf(exec("a", "1"), hardlink("b", "a"))}, "a=1 b=1"},
		{"a hard link to a layer below", [][]byte{tarOf(exec("a", "1")), tarOf(hardlink("b", "/a"))}, "a=1 b=1"},
		{"a hard link outlives its first name", [][]byte{tarOf(exec("a", "1"), hardlink("b", "a")), tarOf(plain(".wh.a", ""))}, "b=1"},
		{"through a link of its own layer", [][]byte{tarOf(symlink("a/l", "d"), plain("a/l/f", "1"))}, "a/ a/d/ a/d/f=1 a/l->d"},
		{"through a link that begins at the root", [][]byte{tarOf(symlink("a/l", "/d"), plain("a/l/f", "1"))}, "a/ a/l->/d d/ d/f=1"},
		{"through a link with dots", [][]byte{tarOf(symlink("l", "../a/../d"), plain("l/f", "1"))}, "a/ d/ d/f=1 l->../a/../d"},
		{"marks in folders that are none", [][]byte{tarOf(plain("a", "1")), tarOf(plain("x/.wh.y", ""), plain("z/.wh..wh..opq", ""), plain("a/.wh..wh..opq", ""))}, "a=1"},
		{"a global header is no file", [][]byte{tarOf(piece{header: header{Typeflag: tar.TypeXGlobalHeader, Name: "g", PAXRecords: map[string]string{"comment": "c"}}}, plain("a", "1"))}, "a=1"},
		{"a hard link to nothing, or to a folder", [][]byte{tarOf(hardlink("b", "a"), dir("d"), hardlink("c", "d"))}, "d/"},
		{"links and a FIFO", [][]byte{tarOf(symlink("l", "/x/../y"), fifo("p"))}, "l->/x/../y p|p---------"},
		{"through a link of its own layer", [][]byte{tarOf(symlink("bin", "usr/bin"), plain("bin/a", "1"))}, "bin->usr/bin usr/ usr/bin/ usr/bin/a=1"},
		{"never through a link of a layer below", [][]byte{tarOf(symlink("bin", "usr/bin"), dir("usr/bin")), tarOf(plain("bin/a", "1"))}, "bin/ bin/a=1 usr/ usr/bin/"},
		{"a link out of the image stays inside", [][]byte{tarOf(symlink("l", "../../etc"), plain("l/a", "1"))}, "etc/ etc/a=1 l->../../etc"},
		{"a link to itself", [][]byte{tarOf(symlink("l", "l"), plain("l/a", "1"))}, "l/ l/a=1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := layersOf(t, test.layers...)
			if got := listing(t, root); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAnArchiveHasNoWhiteouts(t *testing.T) {
	root, err := Archive(t.Context(), source(tarOf(dir("."), plain("./a", "1"), plain("./.wh.a", "2"))), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := listing(t, root); got != ".wh.a=2 a=1" {
		t.Errorf("got %s", got)
	}
}

func TestCompressions(t *testing.T) {
	raw := tarOf(plain("a", "1"))
	for name, packed := range map[string][]byte{"plain": raw, "gzip": gzipped(raw), "gzip of two members": append(gzipped(raw[:100]), gzipped(raw[100:])...),
		"zstd": zstandard(raw), "zstd behind a skippable frame": append([]byte{0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 'h', 'i'}, zstandard(raw)...),
		"something behind the end": append(gzipped(raw), "trailing"...)} {
		t.Run(name, func(t *testing.T) {
			if got := listing(t, layersOf(t, packed)); got != "a=1" {
				t.Errorf("got %s", got)
			}
		})
	}
}

func gzipped(raw []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(raw)
	_ = w.Close()
	return out.Bytes()
}

func zstandard(raw []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return w.EncodeAll(raw, nil)
}

func TestRefused(t *testing.T) {
	raw := tarOf(exec("a", strings.Repeat("x", 2000)))
	var many []piece
	for i := range 20 {
		many = append(many, plain(fmt.Sprintf("f%d", i), ""))
	}
	for name, test := range map[string]struct {
		raw  []byte
		want error
	}{
		"a name out of the image":      {tarOf(plain("../etc/passwd", "")), ErrMalformed},
		"a link's name out of it":      {tarOf(hardlink("a", "../../etc/passwd")), ErrMalformed},
		"deeper out of it":             {tarOf(plain("a/../../b", "")), ErrMalformed},
		"a name longer than PATH_MAX":  {tarOf(plain(strings.Repeat("a/", 2500)+"a", "")), ErrMalformed},
		"a target longer than that":    {tarOf(symlink("l", strings.Repeat("a/", 2500))), ErrMalformed},
		"no archive":                   {bytes.Repeat([]byte("hello "), 1000), ErrMalformed},
		"a short archive":              {raw[:1000], ErrMalformed},
		"a short gzip":                 {gzipped(raw)[:30], ErrMalformed},
		"a broken gzip":                {[]byte("\x1f\x8bxxxxxxxxxx"), ErrMalformed},
		"a broken zstd":                {[]byte("\x28\xb5\x2f\xfdxxxxxxxxxx"), ErrMalformed},
		"xz":                           {[]byte("\xfd7zXZ\x00"), ErrMalformed},
		"too many entries":             {tarOf(many...), ErrTooManyEntries},
		"too many folders in one name": {tarOf(plain(strings.Repeat("d/", 20)+"f", "")), ErrTooManyEntries},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Layers(t.Context(), []Source{source(test.raw)}, Options{MaxEntries: 10})
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestLooksLikeAFilesystem(t *testing.T) {
	root := layersOf(t, tarOf(dir("etc"), plain("etc/hosts", strings.Repeat("h", 5000)), exec("bin/sh", "#!x\n"), symlink("sh", "bin/sh")))
	if err := fstest.TestFS(root, "etc/hosts", "bin/sh", "sh"); err != nil {
		t.Error(err)
	}
}
