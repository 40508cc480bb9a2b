package rootfs

import (
	"errors"
	"io/fs"
	"testing"
)

// FuzzLayers holds that whatever the bytes are there is an error of ours or a filesystem that can be walked from end to
// end, all of whose names are valid and none of whose look-ups fails in an unknown way.
func FuzzLayers(f *testing.F) {
	base := tarOf(dir("usr/bin"), exec("usr/bin/a", "\x7fELF"), symlink("bin", "usr/bin"), hardlink("b", "usr/bin/a"), fifo("p"))
	for _, top := range [][]byte{nil, tarOf(), tarOf(plain("usr/.wh..wh..opq", ""), plain("bin/x", "1")), tarOf(plain(".wh.usr", "")),
		tarOf(symlink("l", "l/l/../l"), plain("l/x", "")), tarOf(plain("../x", "")), tarOf(hardlink("bin", "bin")),
		gzipped(base), zstandard(base), base[:700], []byte("\x1f\x8b"), []byte("BZh9")} {
		f.Add(base, top)
	}
	f.Fuzz(func(t *testing.T, base, top []byte) {
		root, err := Layers(t.Context(), []Source{source(base), source(top)}, Options{MaxEntries: 1000})
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooManyEntries) {
				t.Fatalf("an error of nobody: %v", err)
			}
			return
		}
		walkAll(t, root)
	})
}

func walkAll(t *testing.T, root *FS) {
	t.Helper()
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !fs.ValidPath(name) {
			t.Errorf("%q: %v", name, err)
		}
		if info, err := root.Lstat(name); err != nil || info.Mode().Type() != d.Type() {
			t.Errorf("%q: Lstat says %v, %v and ReadDir %v", name, info, err, d.Type())
		}
		if _, err := root.Stat(name); err != nil && d.Type() != fs.ModeSymlink {
			t.Errorf("%q: Stat: %v", name, err)
		}
		if info, _ := d.Info(); d.Type().IsRegular() && info.Size() < 1<<20 { // a sparse file may claim petabytes
			if _, err := root.read(name); err != nil && !errors.Is(err, ErrMalformed) {
				t.Errorf("%q: read: %v", name, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
