package rootfs

import (
	"fmt"
	"io"
	"os"
)

// spool holds what was read of one file.
type spool interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// newSpool is a spool for a file of the given size: a small one needs no place for temporary files, which a machine may lack.
func newSpool(size int64) (spool, error) {
	if size <= maxSmall {
		return new(memory), nil
	}
	f, err := unlinked()
	if err != nil {
		return nil, noPlace(err)
	}
	return disk{f}, nil
}

// memory is a spool in memory. The zero value is empty.
type memory struct{ content []byte }

func (m *memory) Write(p []byte) (int, error) {
	m.content = append(m.content, p...)
	return len(p), nil
}

func (m *memory) ReadAt(p []byte, offset int64) (int, error) {
	n := copy(p, m.content[min(offset, int64(len(m.content))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memory) Close() error { return nil }

// disk is a spool in a temporary file.
type disk struct{ file *os.File }

func (d disk) Write(p []byte) (int, error) {
	n, err := d.file.Write(p)
	if err != nil {
		err = noPlace(err)
	}
	return n, err
}

func (d disk) ReadAt(p []byte, offset int64) (int, error) { return d.file.ReadAt(p, offset) }

func (d disk) Close() error {
	err := d.file.Close()
	_ = os.Remove(d.file.Name()) // where it could not be removed while it was open
	return err
}

// noPlace wraps nothing: a folder for temporary files that is not there must not pass for a file that the image has not.
func noPlace(err error) error {
	return fmt.Errorf("no temporary file can hold it (%v): set TMPDIR to a folder with room", err)
}
