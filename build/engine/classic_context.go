package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"

	"github.com/moby/buildkit/util/staticfs"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// rewrittenName is the file of the context in which the builder finds the
// rewritten Dockerfile. The user's own stays in its place, for COPY.
const rewrittenName = ".manymage.Dockerfile"

// ignoreNames are the files that builders read patterns from; Podman reads the
// second one in the first place.
var ignoreNames = []string{".dockerignore", ".containerignore"}

// withDockerfile puts the rewritten Dockerfile into a context, and hides it
// from COPY: a builder takes a Dockerfile out of the context after reading it
// if an ignore file says so. What the user's ignore file excludes is not in
// files any more; the file itself stays unless it excludes itself.
func withDockerfile(files fsutil.FS, dockerfile []byte) (fsutil.FS, error) {
	extra := staticfs.NewFS()
	extra.Add(rewrittenName, &fstypes.Stat{}, dockerfile)
	found := false
	for _, name := range ignoreNames {
		old, err := readFile(files, name)
		if err != nil {
			return nil, err
		}
		if old != nil {
			found = found || name == ignoreNames[0]
			extra.Add(name, &fstypes.Stat{}, append(old, "\n/"+rewrittenName+"\n"...))
		}
	}
	if !found {
		extra.Add(ignoreNames[0], &fstypes.Stat{}, []byte("/"+rewrittenName+"\n/"+ignoreNames[0]+"\n"))
	}
	return staticfs.NewMergeFS(files, extra), nil
}

// readFile gives nil for a file that is not there.
func readFile(files fsutil.FS, name string) ([]byte, error) {
	file, err := files.Open(name)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if data == nil {
		data = []byte{}
	}
	return data, err
}

// tarStream is a context on its way to the engine.
type tarStream struct {
	io.ReadCloser
	fault atomic.Pointer[error]
}

// streamTar sends a context as a tar while it is read, and counts its bytes.
func streamTar(ctx context.Context, files fsutil.FS, sent *atomic.Int64) *tarStream {
	r, w := io.Pipe()
	s := &tarStream{ReadCloser: r}
	go func() {
		err := fsutil.WriteTar(ctx, steady{files, map[string]int64{}}, &countWriter{w, sent})
		if err != nil && ctx.Err() == nil && !errors.Is(err, io.ErrClosedPipe) {
			s.fault.Store(&err)
		}
		w.CloseWithError(err)
	}()
	return s
}

// blame prefers what was wrong with the context to what the engine made of it.
func (s *tarStream) blame(err error) error {
	if fault := s.fault.Load(); fault != nil {
		return fmt.Errorf("%w: %w", ErrContext, *fault)
	}
	return err
}

// steady gives of each file as many bytes as it had when it was listed, which
// the tar has announced: others may write to it meanwhile, such as this build's
// own log. It serves one walk.
type steady struct {
	fsutil.FS
	sizes map[string]int64
}

func (s steady) Walk(ctx context.Context, target string, visit fs.WalkDirFunc) error {
	return s.FS.Walk(ctx, target, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			info, err := entry.Info()
			if err != nil {
				return err
			}
			s.sizes[path] = info.Size()
		}
		return visit(path, entry, err)
	})
}

func (s steady) Open(path string) (io.ReadCloser, error) {
	file, err := s.FS.Open(path)
	if err != nil {
		return nil, err
	}
	return &steadyFile{file, path, s.sizes[path]}, nil
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
	switch {
	case err == io.EOF && f.left > 0:
		return n, fmt.Errorf("%s became shorter while it was sent; exclude it in .dockerignore or build again", f.path)
	case err != nil && err != io.EOF:
		return n, fmt.Errorf("read %s: %w", f.path, err)
	}
	return n, err
}

type countWriter struct {
	io.Writer
	sent *atomic.Int64
}

func (c *countWriter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.sent.Add(int64(n))
	return n, err
}
