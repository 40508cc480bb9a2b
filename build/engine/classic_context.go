package engine

import (
	"context"
	"io"
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

// streamTar sends a context as a tar while it is read, and counts its bytes.
func streamTar(ctx context.Context, files fsutil.FS, sent *atomic.Int64) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		w.CloseWithError(fsutil.WriteTar(ctx, files, &countWriter{w, sent}))
	}()
	return r
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
