package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// memoryHead is how much of a file is kept in memory: more than any ELF header
// with its program headers, and than any #! line.
const memoryHead = 256 << 10

// boxFile is a regular file in a container. Its archive is requested with the
// first read and read no further than asked; what lies beyond memoryHead goes
// to an unlinked temporary file.
type boxFile struct {
	fs   *boxFS
	name string
	info fs.FileInfo

	mu     sync.Mutex
	stream io.ReadCloser
	head   []byte
	spool  *os.File
	have   int64 // bytes read from the stream so far
	at     int64 // of Read
}

func (f *boxFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Read reads on from where the last Read ended.
func (f *boxFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
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
	n, err := f.copy(p[:end-offset], offset)
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
	if f.have >= end {
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
	if err := f.fillHead(min(end, memoryHead)); err != nil || f.have >= end {
		return err
	}
	return f.fillSpool(end)
}

func (f *boxFile) fillHead(end int64) error {
	if f.have >= end {
		return nil
	}
	more := make([]byte, end-f.have)
	n, err := io.ReadFull(f.stream, more)
	f.head = append(f.head, more[:n]...)
	f.have += int64(n)
	return err
}

func (f *boxFile) fillSpool(end int64) error {
	if f.spool == nil {
		spool, err := unlinkedTemp()
		if err != nil {
			return err
		}
		f.spool = spool
	}
	n, err := io.CopyN(io.NewOffsetWriter(f.spool, f.have), f.stream, end-f.have)
	f.have += n
	return err
}

// unlinkedTemp is a file that is gone when it is closed, or the process dies. Its error wraps nothing: a folder for temporary files
// that is not there must not pass for a file that the container has not.
func unlinkedTemp() (*os.File, error) {
	file, err := os.CreateTemp("", "manymage-")
	if err != nil {
		return nil, fmt.Errorf("no temporary file can hold it (%v): set TMPDIR to a folder with room", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// copy serves what has been read.
func (f *boxFile) copy(p []byte, offset int64) (int, error) {
	n := 0
	if offset < int64(len(f.head)) {
		n = copy(p, f.head[offset:])
	}
	if n == len(p) {
		return n, nil
	}
	m, err := f.spool.ReadAt(p[n:], offset+int64(n))
	return n + m, err
}

// Close ends the request; the engine stops sending.
func (f *boxFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var faults []error
	if f.stream != nil {
		faults = append(faults, f.stream.Close())
	}
	if f.spool != nil {
		faults = append(faults, f.spool.Close())
	}
	f.stream, f.spool = nil, nil
	return errors.Join(faults...)
}

// boxDir is an open folder.
type boxDir struct {
	fs   *boxFS
	name string
	info fs.FileInfo
	next int
}

func (d *boxDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *boxDir) Close() error               { return nil }
func (d *boxDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a folder")}
}

// ReadDir gives the next n entries, or all with n <= 0.
func (d *boxDir) ReadDir(n int) ([]fs.DirEntry, error) {
	all, err := d.fs.ReadDir(d.name)
	if err != nil {
		return nil, err
	}
	rest := all[min(d.next, len(all)):]
	if n > 0 && len(rest) == 0 {
		return nil, io.EOF
	}
	if n > 0 {
		rest = rest[:min(n, len(rest))]
	}
	d.next += len(rest)
	return rest, nil
}
