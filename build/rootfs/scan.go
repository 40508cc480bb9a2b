package rootfs

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync/atomic"
)

const (
	// headELF is how much of an ELF file is kept: its header, 64 program headers of 56 bytes and the interpreter's
	// name, which linkers put right behind them.
	headELF = 4 << 10
	// headOther is how much is kept of any other executable: all of a `#!` line that the kernel reads (BINPRM_BUF_SIZE).
	headOther = 256
	// maxHeads bounds all that is kept of a filesystem. A large distribution has 4000 programs, which take 16 MiB; what
	// comes after is read again when somebody asks.
	maxHeads = 32 << 20
	// maxName is Linux's PATH_MAX; nothing longer can be opened in a container.
	maxName = 4096
)

// entry is one tar header, as far as anybody asks for it.
type entry struct {
	name string // cleaned, relative; "." is the root
	link string // a symbolic link's target as it stands, or a hard link's cleaned name
	hard bool
	file *file
}

// file is what names lead to; hard links share it.
type file struct {
	mode  fs.FileMode
	size  int64
	mtime int64 // Unix seconds; a time.Time would be three times as large, a million times
	kept  *kept // nil: nothing
	link  string
	src   *origin
	index int   // which entry of its stream it is
	at    int64 // where it is on the shelf, plus one; 0: it is not there
}

// origin is a stream, and the shelf that holds its small files.
type origin struct {
	Source
	shelf *shelf
}

// shelve puts the whole content on the shelf, if there is room.
func (f *file) shelve(content []byte) bool {
	at, ok := f.src.shelf.put(content)
	if ok {
		f.at = at + 1
	}
	return ok
}

// budget is what is left of Options.MaxEntries and of maxHeads, shared by layers that are read at once.
type budget struct {
	max     int64
	entries atomic.Int64
	heads   atomic.Int64
}

func newBudget(maxEntries int) *budget { return &budget{max: int64(maxEntries)} }

func (b *budget) entry() error {
	if b.entries.Add(1) > b.max {
		return fmt.Errorf("%w: more than %d; a smaller base image or fewer files in the layers help", ErrTooManyEntries, b.max)
	}
	return nil
}

// scan reads a stream's headers and heads, and shelves what is small. Other contents stream by.
func scan(ctx context.Context, src Source, shelf *shelf, left *budget) ([]entry, error) {
	var entries []entry
	from, keeper := &origin{src, shelf}, &keeper{left: left}
	defer keeper.close()
	err := walk(ctx, src, func(index int, header *tar.Header, content io.Reader) error {
		if err := left.entry(); err != nil {
			return err
		}
		e, err := entryOf(header)
		if err != nil || e == nil {
			return err
		}
		e.file.src, e.file.index = from, index
		entries = append(entries, *e)
		return keeper.keep(header, content, e.file)
	})
	return entries, err
}

// errStop ends a walk early.
var errStop = errors.New("stop")

// walk calls visit for every entry of a stream, in order, until visit returns errStop.
func walk(ctx context.Context, src Source, visit func(index int, header *tar.Header, content io.Reader) error) error {
	raw, err := src.Open()
	if err != nil {
		return fmt.Errorf("%s: %w", src.Name, err)
	}
	defer raw.Close()
	err = walkTar(ctx, raw, visit)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil, errors.Is(err, errStop):
		return nil
	}
	return fmt.Errorf("%s: %w", src.Name, err)
}

func walkTar(ctx context.Context, raw io.Reader, visit func(int, *tar.Header, io.Reader) error) error {
	source := &watched{ctx: ctx, r: raw}
	plain, err := decompress(source)
	if err != nil {
		return err
	}
	defer plain.Close()
	archive := tar.NewReader(plain)
	for index := 0; ; index++ {
		header, err := archive.Next()
		if err == io.EOF {
			return drain(source)
		}
		if err != nil {
			return malformed(err)
		}
		if err := visit(index, header, archive); err != nil {
			return err
		}
	}
}

// drain reads what follows an archive's end, so that a source which verifies a digest at its own end gets there. It is
// not decompressed: nothing in it is a file.
func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return malformed(err)
}

// watched ends a stream when its context ends, and marks its errors as not the archive's fault.
type watched struct {
	ctx context.Context
	r   io.Reader
}

func (w *watched) Read(p []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, context.Cause(w.ctx)
	}
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		err = &sourceError{err}
	}
	return n, err
}

type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }

func (e *sourceError) Unwrap() error { return e.err }

// malformed blames the archive, unless it was its source that failed.
func malformed(err error) error {
	var source *sourceError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &source):
		return source.err
	}
	return fmt.Errorf("%w: %w; build or push the image again", ErrMalformed, err)
}

// entryOf reads a header; nil is an entry that is no file (a PAX global header).
func entryOf(h *tar.Header) (*entry, error) {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil, nil
	}
	name, err := clean(h.Name)
	if err != nil {
		return nil, err
	}
	if len(h.Linkname) > maxName {
		return nil, fmt.Errorf("%w: a link with a target of %d bytes", ErrMalformed, len(h.Linkname))
	}
	mode := h.FileInfo().Mode()&^fs.ModeType | typeOf(h.Typeflag)
	e := &entry{name: name, file: &file{mode: mode, size: h.Size, mtime: h.ModTime.Unix()}}
	switch h.Typeflag {
	case tar.TypeSymlink:
		e.file.link, e.file.size = h.Linkname, int64(len(h.Linkname))
	case tar.TypeLink:
		e.hard = true
		e.link, err = clean(h.Linkname)
	}
	return e, err
}

// typeOf goes by the entry's type alone: the type bits of its mode are what a hostile archive may have otherwise.
func typeOf(flag byte) fs.FileMode {
	switch flag {
	case tar.TypeReg, 0, tar.TypeLink, tar.TypeCont, tar.TypeGNUSparse:
		return 0
	case tar.TypeDir:
		return fs.ModeDir
	case tar.TypeSymlink:
		return fs.ModeSymlink
	case tar.TypeFifo:
		return fs.ModeNamedPipe
	case tar.TypeChar:
		return fs.ModeDevice | fs.ModeCharDevice
	case tar.TypeBlock:
		return fs.ModeDevice
	}
	return fs.ModeIrregular
}

// clean makes a tar name one of io/fs: absolute ones begin at the root. One that leads out of it is an attack, and no engine
// unpacks it.
func clean(name string) (string, error) {
	if len(name) > maxName || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("%w: a name that no filesystem can hold", ErrMalformed)
	}
	cleaned := path.Clean(strings.TrimLeft(name, "/"))
	if cleaned == ".." || strings.HasPrefix(cleaned, "../") {
		return "", fmt.Errorf("%w: the name %q leads out of the image", ErrMalformed, name)
	}
	return cleaned, nil
}
