package rootfs

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// reader is an open file that is no directory.
type reader struct {
	info
	rest   rest
	offset int64
	closed bool
}

func (r *reader) Stat() (fs.FileInfo, error) { return r.info, nil }

// Read gives what is in memory by itself, so that reading a `#!` line never opens a stream.
func (r *reader) Read(p []byte) (int, error) {
	if k := r.file.kept; k != nil && !r.closed {
		if behind := int64(len(k.head)) - r.offset; behind > 0 {
			p = p[:min(int64(len(p)), behind)]
		}
	}
	n, err := r.ReadAt(p, r.offset)
	r.offset += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// ReadAt implements io.ReaderAt. Beyond what is in memory it reads the file's stream again.
func (r *reader) ReadAt(p []byte, offset int64) (int, error) {
	switch {
	case r.closed:
		return 0, r.fault(fs.ErrClosed)
	case !r.file.mode.IsRegular():
		return 0, r.fault(errNotRegular)
	case offset < 0:
		return 0, r.fault(fs.ErrInvalid)
	case offset >= r.file.size:
		return 0, io.EOF
	}
	wanted := p[:min(int64(len(p)), r.file.size-offset)]
	n, err := r.rest.readAt(wanted, offset)
	switch {
	case err != nil:
		return n, r.fault(err)
	case n < len(p):
		return n, io.EOF
	}
	return n, nil
}

// errNotRegular is what reading a FIFO or a device gets here, where reading the real one would hang.
var errNotRegular = errors.New("not a regular file")

func (r *reader) fault(err error) error { return &fs.PathError{Op: "read", Path: r.name, Err: err} }

func (r *reader) Close() error {
	r.closed = true
	return r.rest.close()
}

// rest is a file's content: what is kept of it, and a spool of all of it, which grows as far as is read.
type rest struct {
	file *file

	mu      sync.Mutex
	spool   *Spool
	content *io.PipeReader
	cancel  context.CancelFunc
}

func (r *rest) readAt(p []byte, offset int64) (int, error) {
	if n, ok := r.file.kept.read(p, offset); ok {
		return n, nil
	}
	if r.file.at > 0 {
		return r.file.src.shelf.readAt(p, r.file.at-1+offset)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.reach(offset + int64(len(p))); err != nil {
		return 0, err
	}
	return r.spool.ReadAt(p, offset)
}

// maxSpool is how far into one file may be read: no program is that large, but a sparse file's header may say so.
const maxSpool = 2 << 30

// reach spools at least the first size bytes.
func (r *rest) reach(size int64) error {
	if size > maxSpool {
		return fmt.Errorf("%w: %d GiB into one file, which is further than anybody has to look", ErrMalformed, size>>30)
	}
	if r.spool == nil {
		r.start()
	}
	if size <= r.spool.Size() {
		return nil
	}
	_, err := io.CopyN(r.spool, r.content, size-r.spool.Size())
	if errors.Is(err, io.EOF) {
		err = errChanged
	}
	return err
}

// errChanged is a source that gives something else when it is opened again.
var errChanged = errors.New("the layer is another one when it is read again")

// start opens the file's stream again and looks for it there.
func (r *rest) start() {
	ctx, cancel := context.WithCancel(context.Background())
	content, feed := io.Pipe()
	r.spool, r.content, r.cancel = NewSpool(maxSmall), content, cancel
	go func() { feed.CloseWithError(r.file.stream(ctx, feed)) }()
}

// stream writes the file's content.
func (f *file) stream(ctx context.Context, to io.Writer) error {
	found := false
	err := walk(ctx, f.src.Source, func(index int, header *tar.Header, content io.Reader) error {
		if index != f.index {
			return nil
		}
		if header.Size != f.size {
			return errChanged
		}
		found = true
		if _, err := io.Copy(to, content); err != nil {
			return err
		}
		return errStop
	})
	if err == nil && !found {
		return errChanged
	}
	return err
}

func (r *rest) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spool == nil {
		return nil
	}
	r.cancel()
	_ = r.content.Close()
	err := r.spool.Close()
	r.spool = nil
	return err
}
