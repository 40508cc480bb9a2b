package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/manymage/manymage/build/rootfs"
)

// memoryHead is how much of a file is spooled in memory: more than any ELF header
// with its program headers, and than any #! line.
const memoryHead = 256 << 10

// boxFile is a regular file in a container. Its archive is requested with the
// first read and read no further than asked.
type boxFile struct {
	fs   *boxFS
	name string
	info fs.FileInfo

	mu     sync.Mutex
	stream io.ReadCloser
	spool  *rootfs.Spool // of the stream
	at     int64         // of Read
}

func newBoxFile(fs *boxFS, name string, info fs.FileInfo) *boxFile {
	return &boxFile{fs: fs, name: name, info: info, spool: rootfs.NewSpool(memoryHead)}
}

func (f *boxFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Read reads on from where the last Read ended.
func (f *boxFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	return n, err
}

// ReadAt reads anywhere; reading backwards costs nothing more.
func (f *boxFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrInvalid}
	}
	end := min(offset+int64(len(p)), f.info.Size())
	if offset >= end {
		return 0, eofUnless(len(p) == 0)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.reach(end); err != nil {
		if isCut(err) {
			err = errCut
		}
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: err}
	}
	n, err := f.spool.ReadAt(p[:end-offset], offset)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func eofUnless(empty bool) error {
	if empty {
		return nil
	}
	return io.EOF
}

// reach reads the stream up to a position.
func (f *boxFile) reach(end int64) error {
	if f.spool.Size() >= end {
		return nil
	}
	if f.stream == nil {
		stream, header, err := f.fs.archive(f.name)
		if err != nil {
			return err
		}
		f.stream = stream
		if header.Size != f.info.Size() {
			return fmt.Errorf("its size changed from %d to %d", f.info.Size(), header.Size)
		}
	}
	_, err := io.CopyN(f.spool, f.stream, end-f.spool.Size())
	return err
}

// Close ends the request; the engine stops sending.
func (f *boxFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.spool.Close()
	if f.stream != nil {
		err = errors.Join(err, f.stream.Close())
	}
	return err
}
