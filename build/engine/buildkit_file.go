package engine

import (
	"errors"
	"io"
	"io/fs"
	"sync"

	fstypes "github.com/tonistiigi/fsutil/types"
)

// blockSize is what one request to the gateway fetches. A check reads a few
// hundred bytes here and there in the head of a program; one block holds them
// all, and a reader of the whole file asks seldom.
const blockSize = 128 << 10

// rootFile is an open regular file. It keeps the block that was read last.
type rootFile struct {
	root *root
	path string
	stat *fstypes.Stat

	mu     sync.Mutex
	offset int64 // of Read
	block  []byte
	at     int64 // where block begins
}

var (
	_ io.ReaderAt = (*rootFile)(nil)
	_ io.Seeker   = (*rootFile)(nil)
)

func (f *rootFile) Stat() (fs.FileInfo, error) { return rootInfo{f.stat}, nil }
func (f *rootFile) Close() error               { return nil }

func (f *rootFile) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.fill(p, f.offset)
	f.offset += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (f *rootFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, &fs.PathError{Op: "read", Path: f.path, Err: fs.ErrInvalid}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	total := 0
	for total < len(p) {
		n, err := f.fill(p[total:], offset+int64(total))
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Seek implements io.Seeker.
func (f *rootFile) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += f.offset
	case io.SeekEnd:
		offset += f.stat.Size
	}
	if offset < 0 {
		return 0, &fs.PathError{Op: "seek", Path: f.path, Err: errors.New("before the beginning")}
	}
	f.offset = offset
	return offset, nil
}

// fill copies from the block that holds offset, and fetches it if need be.
func (f *rootFile) fill(p []byte, offset int64) (int, error) {
	if offset >= f.stat.Size {
		return 0, io.EOF
	}
	if offset < f.at || offset >= f.at+int64(len(f.block)) {
		start := offset - offset%blockSize
		block, err := f.root.read(f.path, start, blockSize)
		if err != nil {
			return 0, &fs.PathError{Op: "read", Path: f.path, Err: err}
		}
		f.block, f.at = block, start
	}
	if offset >= f.at+int64(len(f.block)) {
		return 0, io.ErrUnexpectedEOF
	}
	return copy(p, f.block[offset-f.at:]), nil
}
