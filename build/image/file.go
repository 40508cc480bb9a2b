package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"unicode/utf8"

	"github.com/manymage/manymage/platforms"
)

// headSize is what is asked of every program in one round trip, and headLeast what is needed of any file: the #! line.
// A root that keeps only the beginnings of files may answer with less than it was asked for.
const (
	headSize  = 4 << 10
	headLeast = maxBang
)

// format is what the first bytes of a file make it.
type format int

const (
	formatData  format = iota // unknown
	formatELF                 // with a readable header
	formatBad                 // ELF magic, damaged header
	formatEmpty               // no byte
	formatBang                // #!
	formatBOM                 // #! behind a byte order mark
	formatText                // text without #!
	formatOther               // another system's program, an archive: title says which
)

// file is a regular file of the root and what its head says.
type file struct {
	path   string
	size   int64
	format format
	elf    platforms.ELF
	build  platforms.GoBuild // of a Go program
	title  string            // of formatOther and formatBad
	head   []byte
}

// readFile opens a regular file, reads its head and says what it is.
func readFile(root fs.FS, name string, info fs.FileInfo) (file, error) {
	f := file{path: name, size: info.Size()}
	s, err := open(root, name, f.size, nil)
	if err != nil {
		return f, err
	}
	defer s.close()
	if err := s.readHead(); err != nil {
		return f, fmt.Errorf("reading %s in the image: %w", name, err)
	}
	f.head = s.head
	return f, f.classify(s)
}

// classify fills in what the head makes the file.
func (f *file) classify(s *source) error {
	if bytes.HasPrefix(f.head, []byte("\x7fELF")) {
		elf, err := platforms.ReadELF(s)
		f.elf, f.format = elf, formatELF
		if errors.Is(err, platforms.ErrBadELF) {
			f.format, f.title = formatBad, err.Error()
			return nil
		}
		f.head = nil // what an ELF file needs is in elf; a shell needs the text
		if err == nil && f.maybeGo() {
			f.build, err = platforms.ReadGoBuild(s, elf) // while the file is open: to open it again costs as much
		}
		if err != nil && !notThere(err) {
			return fmt.Errorf("reading %s in the image: %w", f.path, err)
		}
		return nil
	}
	switch title := otherProgram(f.head); {
	case len(f.head) == 0:
		f.format = formatEmpty
	case title != "":
		f.format, f.title = formatOther, title
	case bytes.HasPrefix(f.head, []byte("#!")):
		f.format = formatBang
	case bytes.HasPrefix(f.head, []byte("\xef\xbb\xbf#!")):
		f.format = formatBOM
	case isText(f.head):
		f.format = formatText
	}
	return nil
}

// maybeGo tells whether a program is worth being asked for its build. One that is built with -ldflags=-buildid= does not say that it
// is Go's, but most static programs are.
func (f *file) maybeGo() bool {
	return f.elf.Go || f.elf.Executable() && f.elf.Interp == "" && !f.elf.Dynamic
}

// isText tells whether a head is UTF-8 without control characters. The last rune may be cut.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 {
			return len(head) < utf8.UTFMax && !utf8.FullRune(head)
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != 0x1b {
			return false
		}
		head = head[n:]
	}
	return true
}

// source reads at offsets of a file that may only know how to read on. It does not ask twice for the head, nor
// for what is behind the end: roots answer that in ways of their own.
type source struct {
	root fs.FS
	name string
	size int64
	head []byte
	file fs.File
	at   int64 // position of a file without ReadAt
}

func open(root fs.FS, name string, size int64, head []byte) (*source, error) {
	s := &source{root: root, name: name, size: size, head: head}
	return s, s.reopen()
}

func (s *source) reopen() error {
	s.close()
	f, err := s.root.Open(key(s.name))
	if err != nil {
		return fmt.Errorf("opening %s in the image: %w", s.name, err)
	}
	s.file, s.at = f, 0
	return nil
}

func (s *source) close() {
	if s.file != nil {
		s.file.Close() // it was only read: nothing can be lost
	}
}

// readHead reads the begin of the file as far as it comes easily.
func (s *source) readHead() error {
	head := make([]byte, min(headSize, s.size))
	for s.at < min(headLeast, s.size) {
		n, err := s.file.Read(head[s.at:])
		s.at += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	s.head = head[:s.at]
	return nil
}

// ReadAt serves the head from memory and the rest by the file's own ReadAt, or by reading on from where it is.
func (s *source) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	if end := s.size - off; int64(len(b)) > end {
		n, err = s.ReadAt(b[:end], off)
		if err == nil {
			err = io.EOF
		}
		return n, err
	}
	if off+int64(len(b)) <= int64(len(s.head)) {
		return copy(b, s.head[off:]), nil
	}
	if r, ok := s.file.(io.ReaderAt); ok {
		return r.ReadAt(b, off)
	}
	return s.readOn(b, off)
}

// readOn skips to the offset, from the begin of the file where it lies behind.
func (s *source) readOn(b []byte, off int64) (int, error) {
	if off < s.at {
		if err := s.reopen(); err != nil {
			return 0, err
		}
	}
	skipped, err := io.CopyN(io.Discard, s.file, off-s.at)
	s.at += skipped
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s.file, b)
	s.at += int64(n)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
