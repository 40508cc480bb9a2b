package e2e

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/engine"
)

// odd is an image whose root holds what a naive reader trips over.
const odd = `
RUN mkdir -p /opt/a /opt/fifos && ln -s ../../../../hello /opt/a/escape && ln -s /opt /abs && ln -s loop2 /loop1 && ln -s loop1 /loop2 && \
    ln -s nowhere /dangling && ln /hello /opt/first && ln /opt/first /opt/second && mkfifo /opt/fifos/pipe
`

func TestEngineReadsTheRootBeforeItExists(t *testing.T) {
	reg := Plain(t)
	dockerfile := "FROM " + Busybox(t, reg) + "\nCOPY hello /\n" + odd
	hello := strings.Repeat("hello ", 50_000) // more than one block
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		var found error
		_, _, err := job{
			Context: engine.Context{Dir: Dir(t, Files{"hello": hello})},
			Solve:   engine.Solve{Dockerfile: []byte(dockerfile)},
			hook:    looks(func(root fs.FS) error { found = checkRoot(root.(fs.ReadLinkFS), hello); return nil }),
		}.build(t, e)
		if err := errors.Join(err, found); err != nil {
			t.Error(err)
		}
	})
}

func checkRoot(root fs.ReadLinkFS, hello string) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, name := range []string{"hello", "opt/first", "opt/second", "opt/a/escape", "abs/a/escape"} {
		text, err := fs.ReadFile(root, name)
		if err != nil || string(text) != hello {
			fault("%s: read %d bytes, %v", name, len(text), err)
		}
		info, err := fs.Stat(root, name)
		if err != nil || info.Size() != int64(len(hello)) {
			fault("%s: stat %v %v", name, info, err)
		}
	}
	for name, want := range map[string]error{"none": fs.ErrNotExist, "hello/below": fs.ErrNotExist, "none/below": fs.ErrNotExist, "dangling": fs.ErrNotExist, "../hello": fs.ErrInvalid} {
		if _, err := fs.Stat(root, name); !errors.Is(err, want) {
			fault("%s: got %v, want %v", name, err, want)
		}
	}
	if _, err := fs.Stat(root, "loop1"); err == nil || errors.Is(err, fs.ErrNotExist) {
		fault("loop1: got %v, want an error of its own", err)
	}
	if target, err := root.ReadLink("opt/a/escape"); err != nil || target != "../../../../hello" {
		fault("readlink: %q %v", target, err)
	}
	info, err := root.Lstat("opt/fifos/pipe")
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		fault("pipe: %v %v", info, err)
	}
	if _, err := root.Open("opt/fifos/pipe"); err == nil {
		fault("a FIFO was opened")
	}
	return errors.Join(append(faults, checkReadAt(root, hello), checkFS(root))...)
}

// checkReadAt reads across blocks and over the end.
func checkReadAt(root fs.FS, hello string) error {
	file, err := root.Open("hello")
	if err != nil {
		return err
	}
	defer file.Close()
	at := file.(io.ReaderAt)
	part := make([]byte, 200_000)
	if n, err := at.ReadAt(part, 100_000); err != nil || string(part[:n]) != hello[100_000:300_000] {
		return fmt.Errorf("ReadAt over blocks: %d %v", n, err)
	}
	if n, err := at.ReadAt(part, int64(len(hello)-3)); n != 3 || err != io.EOF {
		return fmt.Errorf("ReadAt over the end: %d %v", n, err)
	}
	return nil
}

// checkFS asks Go's own judge of file systems, in a folder whose every file can be opened.
func checkFS(root fs.FS) error {
	bin, err := fs.Sub(root, "bin")
	if err != nil {
		return err
	}
	return fstest.TestFS(bin, "busybox", "sh")
}

func TestEngineHasNoRootForAnImageWithoutLayers(t *testing.T) {
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		built, _, err := job{
			Solve: engine.Solve{Dockerfile: []byte("FROM scratch\nLABEL only=config\n")},
			hook: looks(func(root fs.FS) error {
				if root != nil {
					return errors.New("there is a root")
				}
				return nil
			}),
		}.build(t, e)
		if err != nil || built.Config == "" {
			t.Errorf("got %+v %v", built, err)
		}
	})
}
