package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/platforms"
)

// maxLinks is the kernel's bound on the symbolic links of one path (MAXSYMLINKS).
const maxLinks = 40

// errLoop is a path whose links lead in a circle. For who asks whether something is there it is fs.ErrNotExist.
var errLoop error = loop{}

type loop struct{}

func (loop) Error() string { return "too many levels of symbolic links" }

func (loop) Is(target error) bool { return target == fs.ErrNotExist }

// tree is a root filesystem seen as the processes in it see it: absolute names, links that stay inside.
// It remembers what it saw, because every question may be a round trip to an engine.
type tree struct {
	root   fs.FS
	places chan struct{} // for those who ask the root

	mu      sync.Mutex
	infos   map[string]stat
	links   memory[string]
	folders memory[[]fs.DirEntry]
	files   memory[file]
	headers memory[platforms.ELF] // of libraries
	heads   memory[headed]        // of modules
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
func once[T any](t *tree, kept *memory[T], key string, read func() (T, error)) (T, error) {
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

func newTree(root fs.FS) *tree {
	return &tree{root: root, places: make(chan struct{}, maxReads), infos: map[string]stat{}}
}

// maxReads is how much is asked of the root at once: each question is a round trip to an engine, and more than this no longer gets
// faster there.
const maxReads = 8

// ask waits for a place to ask the root from. Who has one asks for no second.
func (t *tree) ask() (done func()) {
	t.places <- struct{}{}
	return func() { <-t.places }
}

// each calls do for every index below n, so many at once as may ask.
func each(n int, do func(i int) error) error {
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
func (t *tree) Lstat(name string) (fs.FileInfo, error) {
	t.mu.Lock()
	s, ok := t.infos[name]
	t.mu.Unlock()
	if ok {
		return s.info, s.err
	}
	if !fs.ValidPath(strings.ToValidUTF8(key(name), "?")) || !shell.Known(name) {
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

func (t *tree) ReadLink(name string) (string, error) {
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
// errLoop or a failure to read.
func (t *tree) Resolve(name string) (string, fs.FileInfo, error) {
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
		next := path.Join(at, part)
		if info, err = t.Lstat(next); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		target, err := t.ReadLink(next)
		if err != nil {
			return "", nil, err
		}
		if links++; links > maxLinks || len(rest) > 4096 {
			return "", nil, fmt.Errorf("%w at %s", errLoop, next)
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

// Folder lists the folder that a name leads to, and nothing where there is none.
func (t *tree) Folder(name string) (real string, entries []fs.DirEntry, err error) {
	real, info, err := t.Resolve(name)
	if nowhere(err) || err == nil && !info.IsDir() {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	entries, err = t.list(real)
	return real, entries, err
}

// list returns the entries of a real directory, remembering what they are.
func (t *tree) list(dir string) ([]fs.DirEntry, error) {
	return once(t, &t.folders, dir, func() ([]fs.DirEntry, error) {
		done := t.ask()
		entries, err := fs.ReadDir(t.root, key(dir))
		done()
		if err != nil {
			return nil, fmt.Errorf("listing %s in the image: %w", dir, err)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				t.infos[path.Join(dir, e.Name())] = stat{info: info}
			}
		}
		return entries, nil
	})
}

// read returns what a real regular file is, reading it at most once.
func (t *tree) read(real string, info fs.FileInfo) (file, error) {
	return once(t, &t.files, real, func() (file, error) {
		defer t.ask()()
		return readFile(t.root, real, info)
	})
}

// Text reads the begin of a script, which other scripts may start or read again and again.
func (t *tree) Text(real string, size int64) (string, error) {
	return once(t, &t.scripts, real, func() (string, error) { return t.begin(real, size, shell.MaxText) })
}

// begin reads a file, or no more than most bytes of it.
func (t *tree) begin(real string, size, most int64) (string, error) {
	defer t.ask()()
	s, err := open(t.root, real, size, nil)
	if err != nil {
		return "", err
	}
	defer s.close()
	b := make([]byte, min(size, most))
	n, err := s.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading %s in the image: %w", real, err)
	}
	return string(b[:n]), nil
}

// goBuild is what a Go program says of its build; zero for others. Of one without Go's build ID that was not asked while it was open.
func (t *tree) goBuild(f file) (platforms.GoBuild, error) {
	if f.maybeGo() {
		return f.build, nil
	}
	return once(t, &t.builds, f.path, func() (build platforms.GoBuild, err error) {
		err = t.reopened(f, func(s *source) (err error) {
			build, err = platforms.ReadGoBuild(s, f.elf)
			return err
		})
		return build, err
	})
}

// armOf reads the version of ARM that a program's attributes name, which only one for an older version needs. A loader is asked
// for by every program that needs it.
func (t *tree) armOf(f file) (int, error) {
	return once(t, &t.arms, f.path, func() (version int, err error) {
		err = t.reopened(f, func(s *source) (err error) {
			version, err = platforms.ReadARMArch(s, f.elf)
			return err
		})
		return version, err
	})
}

// reopened opens a file that was read before for what lies behind its head. What is not there, or damaged, is no error.
func (t *tree) reopened(f file, read func(*source) error) error {
	defer t.ask()()
	s, err := open(t.root, f.path, f.size, f.head)
	if err != nil {
		return err
	}
	defer s.close()
	if err := read(s); err != nil && !notThere(err) {
		return fmt.Errorf("reading %s in the image: %w", f.path, err)
	}
	return nil
}

// notThere tells whether a file simply does not hold what was looked for.
func notThere(err error) bool {
	return errors.Is(err, platforms.ErrNotGo) || errors.Is(err, platforms.ErrBadELF)
}
