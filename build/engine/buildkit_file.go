package engine

import (
	"io"
	"io/fs"
	"sync"

	fstypes "github.com/tonistiigi/fsutil/types"
)

// A request to the gateway costs as much as 200 KiB of what it fetches. A check
// reads a few hundred bytes in the head of most programs, and one small block
// holds them; whoever reads on, or asks for more at once, is given more.
const (
	smallBlock = 16 << 10
	largeBlock = 1 << 20
)

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

var _ io.ReaderAt = (*rootFile)(nil)

func (f *rootFile) Stat() (fs.FileInfo, error) { return rootInfo{f.stat}, nil }
func (f *rootFile) Close() error               { return nil }

func (f *rootFile) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.fill(p, f.offset)
	f.offset += int64(n)
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

// fill copies from the block that holds offset, and fetches it if need be.
func (f *rootFile) fill(p []byte, offset int64) (int, error) {
	if offset >= f.stat.Size {
		return 0, io.EOF
	}
	if !f.holds(offset) {
		start := offset - offset%smallBlock
		block, err := f.fetch(start, offset+int64(len(p))-start)
		if err != nil {
			return 0, &fs.PathError{Op: "read", Path: f.path, Err: err}
		}
		f.block, f.at = block, start
	}
	if !f.holds(offset) {
		return 0, io.ErrUnexpectedEOF
	}
	return copy(p, f.block[offset-f.at:]), nil
}

func (f *rootFile) holds(offset int64) bool {
	return offset >= f.at && offset < f.at+int64(len(f.block))
}

// fetch reads the block that begins there, and holds as much as was asked for.
// The head of the file may come from the root's memory.
func (f *rootFile) fetch(start, asked int64) ([]byte, error) {
	length := max(smallBlock, asked)
	if start > 0 && start == f.at+int64(len(f.block)) {
		length = max(length, 2*int64(len(f.block)))
	}
	length = min(length+smallBlock-1, largeBlock) / smallBlock * smallBlock
	read := func() ([]byte, error) { return f.root.read(f.path, start, int(length)) }
	if start == 0 && length == smallBlock {
		return f.root.heads.get(f.path, read)
	}
	return read()
}

// maxHeads is how many heads of files are kept.
const maxHeads = 256

// heads are the heads of the files that were opened last: what tells for which
// machine a module is opens it, and so does what asks it for its libraries next.
// The zero value keeps none yet.
type heads struct {
	mu    sync.Mutex
	kept  map[string][]byte
	order []string // of their arrival
}

// get gives the small block that a file begins with.
func (h *heads) get(name string, read func() ([]byte, error)) ([]byte, error) {
	h.mu.Lock()
	head, ok := h.kept[name]
	h.mu.Unlock()
	if ok {
		return head, nil
	}
	head, err := read()
	if err == nil {
		h.keep(name, head)
	}
	return head, err
}

func (h *heads) keep(name string, head []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.kept[name]; ok {
		return
	}
	if h.kept == nil {
		h.kept = map[string][]byte{}
	}
	if len(h.order) == maxHeads {
		delete(h.kept, h.order[0])
		h.order = h.order[1:]
	}
	h.kept[name], h.order = head, append(h.order, name)
}
