package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/manymage/manymage/build/rootfs"
)

// maxLinks is how many symlinks a path may lead through, as in Linux.
const maxLinks = 40

// root is the root filesystem of a solve's result, read through the gateway.
//
// Every look-up starts from a listing: the gateway reports a missing file in
// words only, follows links in its own way, and hangs the daemon when it is
// made to open a FIFO. Listings are kept, because a check asks for many names
// in the same few folders, and links are followed here, inside the root.
type root struct {
	ctx   context.Context // of the solve that the root lives in
	ref   looker
	whole func(ctx context.Context, dir string) (*rootfs.FS, error) // reads a folder's files at once; may be nil

	folders folders // that were read as a whole, by path without links
	heads   heads   // of files, likewise

	mu    sync.Mutex
	dirs  map[string]func() ([]*fstypes.Stat, error) // likewise
	fault error                                      // of the first request that failed
}

// looker is what is asked of a gateway's reference.
type looker interface {
	ReadDir(context.Context, gateway.ReadDirRequest) ([]*fstypes.Stat, error)
	ReadFile(context.Context, gateway.ReadRequest) ([]byte, error)
}

var (
	_ fs.ReadLinkFS = (*root)(nil)
	_ fs.ReadDirFS  = (*root)(nil)
	_ fs.StatFS     = (*root)(nil)
)

func newRoot(ctx context.Context, ref looker) *root {
	return &root{ctx: ctx, ref: ref, dirs: map[string]func() ([]*fstypes.Stat, error){}}
}

// Open opens a regular file or a folder, through links.
func (r *root) Open(name string) (fs.File, error) {
	real, st, err := r.resolve("open", name, true)
	if err != nil {
		return nil, err
	}
	switch mode := fs.FileMode(st.Mode); {
	case mode.IsDir():
		return &openFolder{root: r, name: real, info: rootInfo{st}}, nil
	case mode.IsRegular():
		if folder := r.folders.have(path.Dir(real)); folder != nil {
			return folder.Open(path.Base(real))
		}
		return &rootFile{root: r, path: real, stat: st}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: errNotRegular}
}

// errNotRegular keeps devices and FIFOs shut: opening one can hang the engine.
var errNotRegular = errors.New("neither a file nor a folder")

// Stat describes a file, through links.
func (r *root) Stat(name string) (fs.FileInfo, error) {
	_, st, err := r.resolve("stat", name, true)
	return rootInfo{st}, err
}

// Lstat describes a name itself.
func (r *root) Lstat(name string) (fs.FileInfo, error) {
	_, st, err := r.resolve("lstat", name, false)
	return rootInfo{st}, err
}

// ReadLink gives a link's target as it is written.
func (r *root) ReadLink(name string) (string, error) {
	_, st, err := r.resolve("readlink", name, false)
	if err != nil {
		return "", err
	}
	if fs.FileMode(st.Mode)&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return st.Linkname, nil
}

// ReadDir lists a folder, through links, sorted by name.
func (r *root) ReadDir(name string) ([]fs.DirEntry, error) {
	real, st, err := r.resolve("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if !fs.FileMode(st.Mode).IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a folder")}
	}
	list, err := r.list(real)
	if err == nil {
		err = r.readWhole(real, list)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	entries := make([]fs.DirEntry, len(list))
	for i, st := range list {
		entries[i] = fs.FileInfoToDirEntry(rootInfo{st})
	}
	return entries, nil
}

// resolve walks a path from the root, follows the links on it, and the last
// one too when asked to. It gives the path without links.
func (r *root) resolve(op, name string, last bool) (string, *fstypes.Stat, error) {
	if !rootfs.ValidPath(name) {
		return "", nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	real, st, err := r.walk(name, last)
	if err != nil {
		return "", nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return real, st, nil
}

func (r *root) walk(name string, last bool) (string, *fstypes.Stat, error) {
	at, st := ".", &fstypes.Stat{Path: ".", Mode: uint32(fs.ModeDir | 0o755)}
	left := strings.Split(name, "/")
	for links := 0; len(left) > 0; {
		part := left[0]
		left = left[1:]
		if part == "." || part == "" {
			continue
		}
		if part == ".." {
			at, st = path.Dir(at), &fstypes.Stat{Path: path.Base(path.Dir(at)), Mode: uint32(fs.ModeDir | 0o755)}
			continue
		}
		next, err := r.lookup(at, st, part)
		if err != nil {
			return "", nil, err
		}
		if fs.FileMode(next.Mode)&fs.ModeSymlink == 0 || (len(left) == 0 && !last) {
			at, st = path.Join(at, part), next
			continue
		}
		if links++; links > maxLinks {
			return "", nil, errors.New("too many symbolic links")
		}
		if strings.HasPrefix(next.Linkname, "/") {
			at, st = ".", &fstypes.Stat{Path: ".", Mode: uint32(fs.ModeDir | 0o755)}
		}
		left = append(strings.Split(next.Linkname, "/"), left...)
	}
	return at, st, nil
}

// lookup finds one name in a folder.
func (r *root) lookup(dir string, st *fstypes.Stat, name string) (*fstypes.Stat, error) {
	if !fs.FileMode(st.Mode).IsDir() {
		return nil, fs.ErrNotExist
	}
	list, err := r.list(dir)
	if err != nil {
		return nil, err
	}
	i, found := slices.BinarySearchFunc(list, name, func(st *fstypes.Stat, name string) int { return strings.Compare(st.Path, name) })
	if !found {
		return nil, fs.ErrNotExist
	}
	return list[i], nil
}

// list gives the entries of a folder that holds no link in its path, sorted by
// name. Who asks for another one does not wait.
func (r *root) list(dir string) ([]*fstypes.Stat, error) {
	r.mu.Lock()
	get, ok := r.dirs[dir]
	if !ok {
		get = sync.OnceValues(func() ([]*fstypes.Stat, error) { return r.readDir(dir) })
		r.dirs[dir] = get
	}
	r.mu.Unlock()
	return get()
}

// notUTF8 is how protocol buffers refuse a text.
const notUTF8 = "invalid UTF-8"

func (r *root) readDir(dir string) ([]*fstypes.Stat, error) {
	list, err := patient(r.ctx, func() ([]*fstypes.Stat, error) { return r.ref.ReadDir(r.ctx, gateway.ReadDirRequest{Path: dir}) })
	if err != nil && strings.Contains(err.Error(), notUTF8) {
		err = fmt.Errorf("the folder %s has a name in it that is not UTF-8, and BuildKit lists no such folder; rename it, or build with DOCKER_BUILDKIT=0", path.Join("/", dir))
	}
	if err != nil {
		r.note(err)
		return nil, err
	}
	slices.SortFunc(list, func(a, b *fstypes.Stat) int { return strings.Compare(a.Path, b.Path) })
	undoHardLinks(list)
	return list, nil
}

// undoHardLinks gives the second name of a file what the listing left out: it
// comes as a regular file of no size with the first name as its link.
func undoHardLinks(list []*fstypes.Stat) {
	sizes := map[string]int64{}
	for _, st := range list {
		if fs.FileMode(st.Mode).IsRegular() && st.Linkname == "" {
			sizes[st.Path] = st.Size
		}
	}
	for _, st := range list {
		if fs.FileMode(st.Mode).IsRegular() && st.Linkname != "" {
			st.Size, st.Linkname = sizes[path.Base(st.Linkname)], ""
		}
	}
}

// read fetches a range of a regular file.
func (r *root) read(name string, offset int64, length int) ([]byte, error) {
	ask := gateway.ReadRequest{Filename: name, Range: &gateway.FileRange{Offset: int(offset), Length: length}}
	data, err := patient(r.ctx, func() ([]byte, error) { return r.ref.ReadFile(r.ctx, ask) })
	r.note(err)
	return data, err
}

// BuildKit mounts the root for whoever asks first, and lets the others wait until they give up (util/flightcontrol). On a busy
// machine they may: that says nothing of the file.
const (
	gaveUp   = "exceeded retry timeout"
	maxAsked = 5
)

// patient asks again where BuildKit gave up waiting.
func patient[T any](ctx context.Context, ask func() (T, error)) (answer T, err error) {
	for range maxAsked {
		if answer, err = ask(); err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), gaveUp) {
			break
		}
	}
	return answer, err
}

// note keeps the first fault of the engine's: nothing that was said of a root
// with one is to be trusted.
func (r *root) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = cmp.Or(r.fault, err)
}

// failed gives the engine's fault.
func (r *root) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fault
}

// fewPrograms is how many programs of one folder are rather read one by one.
const fewPrograms = 16

// readWhole reads a folder's files at once if there is a way and they are many:
// who lists a folder of programs reads them all.
func (r *root) readWhole(dir string, list []*fstypes.Stat) error {
	programs := 0
	for _, st := range list {
		if mode := fs.FileMode(st.Mode); mode.IsRegular() && mode&0o111 != 0 {
			programs++
		}
	}
	if r.whole == nil || programs <= fewPrograms {
		return nil
	}
	_, err := r.folders.get(dir, func() (*rootfs.FS, error) { return r.whole(r.ctx, dir) })
	r.note(err)
	return err
}

// rootInfo is a listing's entry as fs.FileInfo.
type rootInfo struct{ st *fstypes.Stat }

func (i rootInfo) Name() string       { return i.st.Path }
func (i rootInfo) Size() int64        { return i.st.Size }
func (i rootInfo) Mode() fs.FileMode  { return fs.FileMode(i.st.Mode) }
func (i rootInfo) ModTime() time.Time { return time.Unix(0, i.st.ModTime) }
func (i rootInfo) IsDir() bool        { return i.Mode().IsDir() }
func (i rootInfo) Sys() any           { return nil }
