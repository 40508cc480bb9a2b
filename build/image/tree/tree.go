// Package tree is a root filesystem as the processes in it see it: names are absolute, and symbolic links never lead out of it.
//
//	root (io/fs) --> Resolve --> a folder: Folder, Under
//	                         --> a regular file: what its begin makes it (Read, Head, Header), or its text (Text, Begin)
//	                             --> what a program says of itself: Dynamic, GoBuild, ARMVersion
//
// It remembers what it saw, because every question may be a round trip to an engine; Each asks many at once. Only regular files are opened.
package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/platforms"
)

// maxLinks is the kernel's bound on the symbolic links of one path (MAXSYMLINKS).
const maxLinks = 40

// ErrLoop is a path whose links lead in a circle. For who asks whether something is there it is fs.ErrNotExist.
var ErrLoop error = loop{}

type loop struct{}

func (loop) Error() string { return "too many levels of symbolic links" }

func (loop) Is(target error) bool { return target == fs.ErrNotExist }

// Tree is a root filesystem, and what was seen of it. It bears many goroutines.
type Tree struct {
	root   fs.FS
	places chan struct{} // for those who ask the root

	mu      sync.Mutex
	infos   map[string]stat
	links   memory[string]
	folders memory[[]fs.DirEntry]
	files   memory[File]
	headers memory[platforms.ELF] // of libraries
	heads   memory[Head]          // of modules
	scripts memory[string]        // that are followed
	needs   memory[platforms.Dynamic]
	arms    memory[int]
	builds  memory[platforms.GoBuild] // of programs that rather are not Go's
}

// memory is what was asked of the root, by name.
type memory[T any] map[string]func() (T, error)

type stat struct {
	info fs.FileInfo
	err  error
}

// once keeps what reads key, so that it is read one time, whoever asks first.
func once[T any](t *Tree, kept *memory[T], key string, read func() (T, error)) (T, error) {
	t.mu.Lock()
	get, ok := (*kept)[key]
	if !ok {
		if *kept == nil {
			*kept = memory[T]{}
		}
		get = sync.OnceValues(read)
		(*kept)[key] = get
	}
	t.mu.Unlock()
	return get()
}

// New has not seen anything of a root, which should implement fs.ReadLinkFS.
func New(root fs.FS) *Tree {
	return &Tree{root: root, places: make(chan struct{}, maxReads), infos: map[string]stat{}}
}

// maxReads is how much is asked of the root at once: each question is a round trip to an engine, and more than this no longer gets
// faster there.
const maxReads = 8

// ask waits for a place to ask the root from. Who has one asks for no second.
func (t *Tree) ask() (done func()) {
	t.places <- struct{}{}
	return func() { <-t.places }
}

// Each calls do for every index below n, so many at once as may ask.
func Each(n int, do func(i int) error) error {
	var group errgroup.Group
	group.SetLimit(maxReads)
	for i := range n {
		group.Go(func() error { return do(i) })
	}
	return group.Wait()
}

// key turns an absolute name into io/fs's form.
func key(name string) string {
	if name == "/" {
		return "."
	}
	return strings.TrimPrefix(name, "/")
}

// Lstat describes an absolute, clean name and follows nothing. What is below a file is not there, and neither is a
// name that no filesystem can hold (with NUL), or the root's (a strict io/fs holds UTF-8 alone).
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	t.mu.Lock()
	s, ok := t.infos[name]
	t.mu.Unlock()
	if ok {
		return s.info, s.err
	}
	if !fs.ValidPath(strings.ToValidUTF8(key(name), "?")) || strings.Contains(name, "\x00") {
		return nil, fs.ErrNotExist
	}
	done := t.ask()
	s.info, s.err = fs.Lstat(t.root, key(name))
	done()
	if errors.Is(s.err, fs.ErrInvalid) {
		s.err = fs.ErrNotExist
	}
	if s.err != nil && !errors.Is(s.err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s in the image: %w", name, s.err)
	}
	t.mu.Lock()
	t.infos[name] = s
	t.mu.Unlock()
	return s.info, s.err
}

// ReadLink is what the link holds that is there.
func (t *Tree) ReadLink(name string) (string, error) {
	return once(t, &t.links, name, func() (string, error) {
		defer t.ask()()
		target, err := fs.ReadLink(t.root, key(name))
		if err != nil {
			return "", fmt.Errorf("reading the link %s in the image: %w", name, err)
		}
		return target, nil
	})
}

// Resolve follows every link of an absolute name and returns the name of what is there. The errors are fs.ErrNotExist,
// ErrLoop or a failure to read.
func (t *Tree) Resolve(name string) (string, fs.FileInfo, error) {
	rest := strings.Split(name, "/")
	at, links := "/", 0
	info, err := t.Lstat(at)
	for len(rest) > 0 && err == nil {
		part := rest[0]
		rest = rest[1:]
		if part == "" || part == "." {
			continue
		}
		if part == ".." {
			at = path.Dir(at)
			info, err = t.Lstat(at)
			continue
		}
		if !info.IsDir() {
			return "", nil, fs.ErrNotExist
		}
		next := strings.TrimSuffix(at, "/") + "/" + part
		if info, err = t.Lstat(next); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		target, err := t.ReadLink(next)
		if err != nil {
			return "", nil, err
		}
		if links++; links > maxLinks || len(rest) > 4096 {
			return "", nil, fmt.Errorf("%w at %s", ErrLoop, next)
		}
		if strings.HasPrefix(target, "/") {
			at = "/"
		}
		if info, err = t.Lstat(at); err != nil {
			return "", nil, err
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at, info, err
}
