package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// A walk passes over the folder that it begins with, and an empty context would be sent.
func TestAContextThatCannotBeListed(t *testing.T) {
	dir := folder(t, "data=12345")
	for at, mode := range map[string]fs.FileMode{dir: 0o311, filepath.Dir(dir): 0o755} {
		if err := os.Chmod(at, mode); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 { // who may list everything
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := syscall.Setfsuid(0); err != nil {
				t.Error(err)
			}
		}()
	}
	_, err := Context{Dir: dir}.files()
	if want := ErrContext.Error() + ": open " + dir + ": permission denied; make it readable"; err == nil || !errors.Is(err, ErrContext) || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
