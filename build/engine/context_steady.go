package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tonistiigi/fsutil"
)

// steady is a directory on its way to an engine: of each file as many bytes
// are given as it had when it was listed, which the engine has been told.
// Others may write to it meanwhile, such as this build's own log. A file that
// cannot be read to there is an error of the context.
type steady struct {
	fsutil.FS

	mu    sync.Mutex
	sizes map[string]int64 // of the files that were listed
}

func newSteady(files fsutil.FS) *steady { return &steady{FS: files, sizes: map[string]int64{}} }

func (s *steady) Walk(ctx context.Context, target string, visit fs.WalkDirFunc) error {
	return unreadable(s.FS.Walk(ctx, target, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			info, err := entry.Info()
			if err != nil {
				return err
			}
			if info.Mode().IsRegular() { // so is a socket by now, which goes as an empty file
				s.list(path, info.Size())
			}
		}
		return visit(path, entry, err)
	}))
}

func (s *steady) list(path string, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sizes[path] = size
}

// Open opens nothing for an empty file: there is nothing to read, and a socket cannot be opened.
func (s *steady) Open(path string) (io.ReadCloser, error) {
	s.mu.Lock()
	size, listed := s.sizes[path]
	s.mu.Unlock()
	if listed && size == 0 {
		return io.NopCloser(strings.NewReader("")), nil
	}
	file, err := s.FS.Open(path)
	if err != nil {
		return nil, unreadable(err)
	}
	if !listed {
		return file, nil
	}
	return &steadyFile{file, path, size}, nil
}

type steadyFile struct {
	io.ReadCloser
	path string
	left int64
}

func (f *steadyFile) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	n, err := f.ReadCloser.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	if err == io.EOF && f.left > 0 {
		return n, fmt.Errorf("%w: %s became shorter while it was sent; exclude it in .dockerignore or build again", ErrContext, f.path)
	}
	return n, unreadable(err)
}

// unreadable says what is to be done about a file or folder of the context
// that the system does not let us read. Other errors stay what they are.
func unreadable(err error) error {
	var at *fs.PathError
	switch {
	case errors.Is(err, ErrContext) || !errors.As(err, &at):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w; it went away while the context was read: exclude it in .dockerignore or build again", ErrContext, at)
	}
	return fmt.Errorf("%w: %w; make it readable, or exclude it in .dockerignore", ErrContext, at)
}

// watched is a directory that counts the bytes of the files read from it, and
// tells of what cannot be read. BuildKit's sender would pass over that: it
// gives the engine an empty file, which the engine keeps for later builds, too.
type watched struct {
	fsutil.FS
	add  func(int64)
	fail func(error)
}

func (w watched) Walk(ctx context.Context, target string, visit fs.WalkDirFunc) error {
	err := w.FS.Walk(ctx, target, func(path string, entry fs.DirEntry, err error) error {
		if bad := unsendable(path); bad != nil {
			return bad
		}
		return visit(path, entry, err)
	})
	if errors.Is(err, ErrContext) {
		w.fail(err)
	}
	return err
}

// unsendable refuses a name of the context that BuildKit's sender cannot send.
func unsendable(path string) error {
	if utf8.ValidString(path) {
		return nil
	}
	return fmt.Errorf("%w: the name %q is not in UTF-8, and BuildKit takes no other; rename it, or exclude it in .dockerignore", ErrContext, path)
}

func (w watched) Open(path string) (io.ReadCloser, error) {
	file, err := w.FS.Open(path)
	if err != nil {
		w.fail(err)
		file = io.NopCloser(failing{err}) // nothing ends the file, so that it is never whole
	}
	return watchedFile{file, w}, nil
}

type watchedFile struct {
	io.ReadCloser
	dir watched
}

func (f watchedFile) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	f.dir.add(int64(n))
	if err != nil && err != io.EOF {
		f.dir.fail(err)
	}
	return n, err
}

// failing is a file that nothing can be read from.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
