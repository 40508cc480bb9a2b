package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/moby/buildkit/util/staticfs"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// rewrittenName is the file of the context in which the builder finds the
// rewritten Dockerfile, unless the user's ignore file asks for another name, or
// the user has one of that name. The user's own Dockerfile stays in its place,
// for COPY.
const rewrittenName = ".manymage.Dockerfile"

// ignoreName is the file that an engine reads patterns from in the first place.
func (e *Engine) ignoreName() string {
	if e.info.Name == podman {
		return ".containerignore"
	}
	return ".dockerignore"
}

// withDockerfile puts the rewritten Dockerfile into a context, and tells its
// name. It is hidden from COPY: a builder takes a Dockerfile out of the context
// after reading it if the ignore file says so. The user's patterns have done
// their work in files; the file itself stays unless it excludes itself, as it
// is: the Dockerfile gets a name that it excludes anyway. Only one that
// excludes no name at all is added to.
func withDockerfile(ctx context.Context, files fsutil.FS, ignore string, dockerfile []byte) (fsutil.FS, string, error) {
	extra := staticfs.NewFS()
	old, err := readFile(files, ignore)
	if err != nil {
		return nil, "", err
	}
	name := excludedName(ctx, files, old)
	if name == "" {
		for name = rewrittenName; entryOf(ctx, files, name) != nil; {
			name += "_"
		}
		line := "/" + name + "\n"
		if own := entryOf(ctx, files, ignore); own != nil {
			extra.Add(ignore, own, append(old, "\n"+line...))
		} else {
			extra.Add(ignore, &fstypes.Stat{}, []byte(line+"/"+ignore+"\n"))
		}
	}
	extra.Add(name, &fstypes.Stat{}, dockerfile)
	return staticfs.NewMergeFS(files, extra), name, nil
}

// wildcards makes a name of a pattern for names at any depth.
var wildcards = strings.NewReplacer("**/", "", "**", product, "*", product, "?", "m")

// excludedName is a name that the patterns exclude and no file has, in a folder
// that is sent, or "".
func excludedName(ctx context.Context, files fsutil.FS, ignore []byte) string {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(ignore))
	if err != nil {
		return ""
	}
	all, err := patternmatcher.New(patterns)
	if err != nil {
		return ""
	}
	for _, pattern := range patterns {
		name := wildcards.Replace(pattern)
		if excluded, err := all.MatchesOrParentMatches(name); err != nil || !excluded || !fs.ValidPath(name) || entryOf(ctx, files, name) != nil {
			continue
		}
		if folder := path.Dir(name); folder == "." || isFolder(entryOf(ctx, files, folder)) {
			return name
		}
	}
	return ""
}

// entryOf is what a context has under a name, or nil.
func entryOf(ctx context.Context, files fsutil.FS, name string) *fstypes.Stat {
	var found *fstypes.Stat
	_ = files.Walk(ctx, name, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil {
			if info, err := entry.Info(); err == nil {
				found, _ = info.Sys().(*fstypes.Stat)
			}
		}
		return fs.SkipAll
	})
	return found
}

func isFolder(st *fstypes.Stat) bool { return st != nil && st.IsDir() }

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

// RefusesContext says why the engine's builder takes nothing of a context that
// can be read; nil where it does.
func (e *Engine) RefusesContext(ctx context.Context, given Context) error {
	if e.info.Road != RoadClassic {
		return nil
	}
	if _, err := classicContexts(given); err != nil || e.info.Name != podman {
		return err
	}
	files, err := given.files()
	if err != nil {
		return err
	}
	return leadsOut(ctx, files)
}

// leadsOut is the error of a symbolic link because of which Podman takes nothing
// of a context; nil where there is none. Up to 4.3 it says only that it fails.
func leadsOut(ctx context.Context, files fsutil.FS) error {
	var found error
	_ = files.Walk(ctx, "/", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink == 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*fstypes.Stat)
		if !ok || path.IsAbs(st.Linkname) || fs.ValidPath(path.Join(path.Dir(name), st.Linkname)) {
			return nil
		}
		found = fmt.Errorf("%w: the symbolic link %s leads out of the context (to %s), and Podman takes none with such a link: leave it out with a line of .dockerignore, or put the files in its place",
			ErrUnsupported, name, st.Linkname)
		return fs.SkipAll
	})
	return found
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
		err := fsutil.WriteTar(ctx, seconds{newSteady(files)}, &countWriter{w, sent})
		if err != nil && ctx.Err() == nil && !errors.Is(err, io.ErrClosedPipe) {
			s.fault.Store(&err)
		}
		w.CloseWithError(err)
	}()
	return s
}

// seconds are files whose times have no fractions, which docker leaves out: a tar rounds them, half of them up.
type seconds struct{ fsutil.FS }

func (s seconds) Walk(ctx context.Context, target string, visit fs.WalkDirFunc) error {
	return s.FS.Walk(ctx, target, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return visit(path, entry, err)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*fstypes.Stat); ok {
			st.ModTime -= st.ModTime % int64(time.Second)
			entry = &fsutil.DirEntryInfo{Stat: st}
		}
		return visit(path, entry, nil)
	})
}

// blame prefers what was wrong with the context to what the engine made of it.
func (s *tarStream) blame(err error) error {
	fault := s.fault.Load()
	switch {
	case fault == nil:
		return err
	case errors.Is(*fault, ErrContext):
		return *fault
	}
	return fmt.Errorf("%w: %w", ErrContext, *fault)
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
