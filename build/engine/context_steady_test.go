package engine

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"

	"github.com/tonistiigi/fsutil"
)

// locked is a directory of which the system lets nobody read anything.
type locked struct {
	fsutil.FS
	why error
}

func (l locked) Open(path string) (io.ReadCloser, error) {
	return nil, &fs.PathError{Op: "open", Path: path, Err: l.why}
}

// closed is one that cannot even be listed.
type closed struct{ fsutil.FS }

func (closed) Walk(context.Context, string, fs.WalkDirFunc) error {
	return &fs.PathError{Op: "open", Path: "d", Err: fs.ErrPermission}
}

// BuildKit's sender makes an empty file of one that it cannot open, and a whole one of what comes before an error.
func TestWhatCannotBeReadOfAContextIsNotSent(t *testing.T) {
	dir := folder(t, "data=12345")
	all, err := Context{Dir: dir}.files()
	if err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct {
		files fsutil.FS
		want  string
	}{
		"locked":  {locked{all, fs.ErrPermission}, "open data: permission denied; make it readable, or exclude it in .dockerignore"},
		"gone":    {locked{all, fs.ErrNotExist}, "open data: file does not exist; it went away while the context was read: exclude it in .dockerignore or build again"},
		"shorter": {changing{all, "123"}, "data became shorter while it was sent; exclude it in .dockerignore or build again"},
	} {
		var faults []error
		w := watched{newSteady(one.files), func(int64) {}, func(err error) { faults = append(faults, err) }}
		if err := w.Walk(t.Context(), "/", func(string, fs.DirEntry, error) error { return nil }); err != nil {
			t.Fatal(err)
		}
		file, err := w.Open("data")
		if err != nil {
			t.Fatalf("%s: %v, which the sender would pass over", name, err)
		}
		got, err := io.ReadAll(file)
		if len(got) == 5 || !errors.Is(err, ErrContext) || len(faults) == 0 || faults[0].Error() != ErrContext.Error()+": "+one.want {
			t.Errorf("%s: got %q, %v, told %v", name, got, err, faults)
		}
	}
}

func TestAFolderOfAContextThatCannotBeRead(t *testing.T) {
	var told error
	w := watched{newSteady(closed{}), nil, func(err error) { told = err }}
	walked := w.Walk(t.Context(), "/", nil)
	measured := measure(t.Context(), closed{}, RoadBuildKit, new(int), new(int64))
	for _, err := range []error{told, walked, measured} {
		if want := ErrContext.Error() + ": open d: permission denied; make it readable, or exclude it in .dockerignore"; !errors.Is(err, ErrContext) || err.Error() != want {
			t.Errorf("got %v", err)
		}
	}
}

// The wire of BuildKit has no place for other names; a tar has.
func TestNamesOfAContextThatAreNotUTF8(t *testing.T) {
	all, err := Context{Dir: folder(t, "caf\xe9=1")}.files()
	if err != nil {
		t.Fatal(err)
	}
	var told error
	w := watched{newSteady(all), nil, func(err error) { told = err }}
	walked := w.Walk(t.Context(), "/", func(string, fs.DirEntry, error) error { return nil })
	if walked != told || !errors.Is(told, ErrContext) || !strings.Contains(told.Error(), `the name "caf\xe9" is not in UTF-8`) {
		t.Errorf("got %v, told %v", walked, told)
	}
}

// Nothing is read of an empty file. A socket is one on its way, as docker build has it: git, editors and databases leave some.
func TestEmptyFilesAndSocketsOfAContext(t *testing.T) {
	dir := folder(t, "empty=", "data=12345")
	t.Chdir(dir)
	socket, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	all, err := Context{Dir: dir}.files()
	if err != nil {
		t.Fatal(err)
	}
	w := watched{newSteady(all), func(int64) {}, func(err error) { t.Errorf("told %v", err) }}
	if err := w.Walk(t.Context(), "/", func(string, fs.DirEntry, error) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"empty": "", "socket": "", "data": "12345"} {
		file, err := w.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(file); string(got) != want || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
}
