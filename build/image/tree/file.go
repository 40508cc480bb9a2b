package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"unicode/utf8"

	"github.com/manymage/manymage/platforms"
)

// MaxBang is the kernel's bound on a #! line (BINPRM_BUF_SIZE).
const MaxBang = 256

// headSize is what is asked of every program in one round trip, and headLeast what is needed of any file: the #! line.
// A root that keeps only the beginnings of files may answer with less than it was asked for.
const (
	headSize  = 4 << 10
	headLeast = MaxBang
)

// Format is what the first bytes of a file make it.
type Format int

// The formats.
const (
	FormatData  Format = iota // unknown
	FormatELF                 // with a readable header
	FormatBad                 // ELF magic, damaged header
	FormatEmpty               // no byte
	FormatBang                // #!
	FormatBOM                 // #! behind a byte order mark
	FormatText                // text without #!
	FormatOther               // another system's program, an archive: Title says which
)

// File is a regular file of the root and what its head says.
type File struct {
	Path   string
	Size   int64
	Format Format
	ELF    platforms.ELF
	Build  platforms.GoBuild // of a Go program
	Title  string            // of FormatOther and FormatBad
	Head   []byte
}

// readFile opens a regular file, reads its head and says what it is.
func readFile(root fs.FS, name string, info fs.FileInfo) (File, error) {
	f := File{Path: name, Size: info.Size()}
	s, err := open(root, name, f.Size, nil)
	if err != nil {
		return f, err
	}
	defer s.close()
	if err := s.readHead(); err != nil {
		return f, fmt.Errorf("reading %s in the image: %w", name, err)
	}
	f.Head = s.head
	return f, f.classify(s)
}

// classify fills in what the head makes the file.
func (f *File) classify(s *source) error {
	if bytes.HasPrefix(f.Head, []byte("\x7fELF")) {
		elf, err := platforms.ReadELF(s)
		f.ELF, f.Format = elf, FormatELF
		if errors.Is(err, platforms.ErrBadELF) {
			f.Format, f.Title = FormatBad, err.Error()
			return nil
		}
		f.Head = nil // what an ELF file needs is in elf; a shell needs the text
		if err == nil && f.MaybeGo() {
			f.Build, err = platforms.ReadGoBuild(s, elf) // while the file is open: to open it again costs as much
		}
		if err != nil && !notThere(err) {
			return fmt.Errorf("reading %s in the image: %w", f.Path, err)
		}
		return nil
	}
	switch title := otherProgram(f.Head); {
	case len(f.Head) == 0:
		f.Format = FormatEmpty
	case title != "":
		f.Format, f.Title = FormatOther, title
	case bytes.HasPrefix(f.Head, []byte("#!")):
		f.Format = FormatBang
	case bytes.HasPrefix(f.Head, []byte("\xef\xbb\xbf#!")):
		f.Format = FormatBOM
	case IsText(f.Head):
		f.Format = FormatText
	}
	return nil
}

// MaybeGo tells whether a program is worth being asked for its build. One that is built with -ldflags=-buildid= does not say that it
// is Go's, but most static programs are.
func (f *File) MaybeGo() bool {
	return f.ELF.Go || f.ELF.Executable() && f.ELF.Interp == "" && !f.ELF.Dynamic
}

// IsText tells whether a head is UTF-8 without control characters. The last rune may be cut.
func IsText(head []byte) bool {
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
