package engine

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/manymage/manymage/build/rootfs"
)

// boxFS reads a container's files when they are asked for.
//
//	Lstat     HEAD of the name, or the folder's archive when it was listed
//	ReadLink  archive of the link
//	ReadDir   archive of the folder, kept
//	Open      archive of the file, read only as far as it is asked for
//
// The engine resolves the links on the way to a name, inside the root. Once there
// were so many archives that it does not pay, all is answered by an export.
type boxFS struct {
	box *box

	patience int64 // how many archives there may be
	archives atomic.Int64
	whole    atomic.Pointer[rootfs.FS] // nil until then

	listed folders // each with all that is below it

	mu    sync.Mutex
	stats map[string]looked
}

// looked is the remembered answer of a HEAD.
type looked struct {
	stat container.PathStat
	err  error
}

var (
	_ fs.ReadLinkFS = (*boxFS)(nil)
	_ fs.ReadDirFS  = (*boxFS)(nil)
	_ fs.StatFS     = (*boxFS)(nil)
)

func newBoxFS(b *box, patience int64) *boxFS {
	return &boxFS{box: b, patience: patience, stats: map[string]looked{}}
}

// another is asked before each archive. Whoever asks for one too many reads the
// whole root; the others go on meanwhile, and so do all if that fails.
func (f *boxFS) another() {
	if f.archives.Add(1) != f.patience+1 {
		return
	}
	if root, err := f.box.read(f.box.ctx, f.box.export()); err == nil {
		f.whole.Store(root)
	}
}

// Lstat describes a name itself.
func (f *boxFS) Lstat(name string) (fs.FileInfo, error) {
	if err := valid("lstat", name); err != nil {
		return nil, err
	}
	if whole := f.whole.Load(); whole != nil {
		return whole.Lstat(name)
	}
	if dir, rest, ok := f.inListed(name); ok {
		return dir.Lstat(rest)
	}
	stat, err := f.head(name)
	if err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	return pathInfo{stat}, nil
}

// Stat describes what a name leads to.
func (f *boxFS) Stat(name string) (fs.FileInfo, error) {
	if whole := f.whole.Load(); whole != nil {
		return whole.Stat(name)
	}
	_, info, err := f.follow("stat", name)
	return info, err
}

// follow gives the name behind a link, and what is there.
func (f *boxFS) follow(op, name string) (string, fs.FileInfo, error) {
	if err := valid(op, name); err != nil {
		return "", nil, err
	}
	stat, err := f.head(name)
	if err == nil && stat.Mode&fs.ModeSymlink != 0 {
		// The engine evaluates a link's target fully and inside the root.
		name = key(stat.LinkTarget)
		stat, err = f.head(name)
	}
	if err != nil {
		return "", nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return name, pathInfo{stat}, nil
}

// head asks for one name, once. The root is a folder: nobody needs to ask.
func (f *boxFS) head(name string) (container.PathStat, error) {
	if name == "." {
		return container.PathStat{Name: "/", Mode: fs.ModeDir | 0o755}, nil
	}
	f.mu.Lock()
	known, ok := f.stats[name]
	f.mu.Unlock()
	if ok {
		return known.stat, known.err
	}
	stat, err := f.box.engine.api.ContainerStatPath(f.box.ctx, f.box.id, "/"+name)
	if isMissing(err) {
		err = fs.ErrNotExist
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats[name] = looked{stat, err}
	return stat, err
}

// isMissing knows how engines say that a name, or a folder on its way, is not there.
func isMissing(err error) bool {
	return cerrdefs.IsNotFound(err) || (err != nil && strings.Contains(err.Error(), "not a directory"))
}

// ReadLink gives a link's target as it is written.
func (f *boxFS) ReadLink(name string) (string, error) {
	if err := valid("readlink", name); err != nil {
		return "", err
	}
	if whole := f.whole.Load(); whole != nil {
		return whole.ReadLink(name)
	}
	if dir, rest, ok := f.inListed(name); ok {
		return dir.ReadLink(rest)
	}
	stream, header, err := f.archive(name)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	defer stream.Close()
	if header.Typeflag != tar.TypeSymlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return header.Linkname, nil
}

// archive opens the archive of one name behind its first header.
func (f *boxFS) archive(name string) (io.ReadCloser, *tar.Header, error) {
	f.another()
	stream, _, err := f.box.engine.api.CopyFromContainer(f.box.ctx, f.box.id, "/"+name)
	if isMissing(err) {
		return nil, nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, nil, err
	}
	r := tar.NewReader(stream)
	header, err := r.Next()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the engine's archive: %w", err), stream.Close())
	}
	return tarBody{r, stream}, header, nil
}

// tarBody reads a member and closes the stream that it is in.
type tarBody struct {
	io.Reader
	io.Closer
}

// ReadDir lists a folder, through links, sorted by name.
func (f *boxFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if whole := f.whole.Load(); whole != nil {
		return whole.ReadDir(name)
	}
	if dir, rest, ok := f.inListed(name); ok && rootfs.ValidPath(name) {
		if info, err := dir.Lstat(rest); err == nil && info.IsDir() {
			return dir.ReadDir(rest)
		}
	}
	real, info, err := f.follow("readdir", name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a folder")}
	}
	f.another()
	if whole := f.whole.Load(); whole != nil {
		return whole.ReadDir(real)
	}
	dir, err := f.listed.get(real, func() (*rootfs.FS, error) { return f.box.read(f.box.ctx, f.box.source("/"+real+"/.")) })
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return dir.ReadDir(".")
}

// inListed finds a listed folder that a name is in, at any depth. Links inside it
// may lead out of it: only a name without one on its way is served.
func (f *boxFS) inListed(name string) (*rootfs.FS, string, bool) {
	for at := path.Dir(name); name != "."; at = path.Dir(at) {
		if dir := f.listed.have(at); dir != nil {
			rest := name
			if at != "." {
				rest = strings.TrimPrefix(name, at+"/")
			}
			return dir, rest, isPlain(dir, path.Dir(rest))
		}
		if at == "." || at == "/" {
			break
		}
	}
	return nil, "", false
}

// isPlain tells whether a name leads to a folder through folders alone.
func isPlain(dir *rootfs.FS, name string) bool {
	for ; name != "."; name = path.Dir(name) {
		if info, err := dir.Lstat(name); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// Open opens a regular file or a folder, through links.
func (f *boxFS) Open(name string) (fs.File, error) {
	if whole := f.whole.Load(); whole != nil && whole.Near(name) { // or one archive is less than another export
		return whole.Open(name)
	}
	if dir, rest, ok := f.inListed(name); ok && rootfs.ValidPath(name) {
		if info, err := dir.Lstat(rest); err == nil && info.Mode().IsRegular() {
			return dir.Open(rest)
		}
	}
	real, info, err := f.follow("open", name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return &openFolder{root: f, name: real, info: info}, nil
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "open", Path: name, Err: errNotRegular}
	}
	return newBoxFile(f, real, info), nil
}

func valid(op, name string) error {
	if !rootfs.ValidPath(name) {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}

// key makes an io/fs name of an absolute path.
func key(absolute string) string {
	if name := strings.Trim(path.Clean("/"+absolute), "/"); name != "" {
		return name
	}
	return "."
}

// pathInfo is the engine's description of a path as fs.FileInfo.
type pathInfo struct{ stat container.PathStat }

func (i pathInfo) Name() string       { return i.stat.Name }
func (i pathInfo) Size() int64        { return i.stat.Size }
func (i pathInfo) Mode() fs.FileMode  { return i.stat.Mode }
func (i pathInfo) ModTime() time.Time { return i.stat.Mtime }
func (i pathInfo) IsDir() bool        { return i.stat.Mode.IsDir() }
func (i pathInfo) Sys() any           { return nil }
