package rootfs

import (
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
)

const (
	// maxShelved is up to which size a file that is no ELF file is shelved: scripts, configurations, and what installers leave word in.
	maxShelved = 1 << 20
	// maxShelf bounds what is shelved of a filesystem. Large applications for Node have half as much.
	maxShelf = 1 << 30
)

// shelf holds the small files of a filesystem. A check may ask for hundreds, and to find one again a stream has to be read anew, up to where
// it is. It is a temporary file, because there may be ten times as much as belongs in memory. The zero value is empty; it is safe for
// concurrent use.
type shelf struct {
	once  sync.Once
	file  *os.File // nil: there is no place for it (a machine without /tmp)
	taken atomic.Int64
}

// put shelves a file, and says where. It does not when the shelf is full, or the disk: then the file is read from its stream again.
func (s *shelf) put(content []byte) (at int64, ok bool) {
	s.once.Do(func() { s.file, _ = unlinked() })
	if s.file == nil || s.taken.Load() > maxShelf {
		return 0, false
	}
	end := s.taken.Add(int64(len(content)))
	if end > maxShelf {
		return 0, false
	}
	at = end - int64(len(content))
	if _, err := s.file.WriteAt(content, at); err != nil {
		s.taken.Store(maxShelf + 1)
		return 0, false
	}
	return at, true
}

func (s *shelf) readAt(p []byte, at int64) (int, error) {
	if s.file == nil {
		return 0, fs.ErrClosed
	}
	return s.file.ReadAt(p, at)
}

func (s *shelf) close() error {
	s.once.Do(func() {})
	return drop(s.file)
}
