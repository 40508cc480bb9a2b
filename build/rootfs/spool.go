package rootfs

import (
	"fmt"
	"io"
	"os"
)

// Spool holds what was read of one file, in its order: the begin in memory, and what is behind that in an unlinked temporary file, for
// which a machine may have no place. It is for one goroutine at a time.
type Spool struct {
	head []byte
	most int
	file *os.File // nil: all is in memory
	size int64
}

// NewSpool makes a spool that keeps so many bytes in memory.
func NewSpool(inMemory int) *Spool { return &Spool{most: inMemory} }

// Size is how much was written.
func (s *Spool) Size() int64 { return s.size }

// Write implements io.Writer. Its error says what to do where there is no place.
func (s *Spool) Write(p []byte) (n int, err error) {
	n = min(len(p), s.most-len(s.head))
	s.head = append(s.head, p[:n]...)
	if n < len(p) {
		var behind int
		behind, err = s.spill(p[n:])
		n += behind
	}
	s.size += int64(n)
	return n, err
}

func (s *Spool) spill(p []byte) (n int, err error) {
	if s.file == nil {
		if s.file, err = unlinked(); err != nil {
			return 0, noPlace(err)
		}
	}
	if n, err = s.file.Write(p); err != nil {
		err = noPlace(err)
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (s *Spool) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < int64(len(s.head)) {
		n = copy(p, s.head[offset:])
	}
	switch {
	case n == len(p):
		return n, nil
	case s.file == nil:
		return n, io.EOF
	}
	behind, err := s.file.ReadAt(p[n:], offset+int64(n-len(s.head)))
	return n + behind, err
}

// Close gives back what the spool takes.
func (s *Spool) Close() error {
	s.head = nil
	return drop(s.file)
}

// noPlace wraps nothing: a folder for temporary files that is not there must not pass for a file that the image has not.
func noPlace(err error) error {
	return fmt.Errorf("no temporary file can hold it (%v): set TMPDIR to a folder with room", err)
}

// unlinked is a temporary file that lives as long as it is open, until drop.
func unlinked() (*os.File, error) {
	f, err := os.CreateTemp("", "manymage-*")
	if err == nil {
		_ = os.Remove(f.Name())
	}
	return f, err
}

// drop closes a temporary file, if there is one, and removes it where that cannot be while it is open.
func drop(f *os.File) error {
	if f == nil {
		return nil
	}
	err := f.Close()
	_ = os.Remove(f.Name())
	return err
}
