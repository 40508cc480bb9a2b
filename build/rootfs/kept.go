package rootfs

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/manymage/manymage/platforms"
)

// stretch is a stretch of a file behind its head.
type stretch struct {
	at   int64
	data []byte
}

// kept is what stays in memory of a file's content.
type kept struct {
	head   []byte
	pieces []stretch
}

// read serves what lies in one stretch that is kept.
func (k *kept) read(p []byte, offset int64) (n int, ok bool) {
	if k == nil {
		return 0, false
	}
	if offset+int64(len(p)) <= int64(len(k.head)) {
		return copy(p, k.head[offset:]), true
	}
	for _, piece := range k.pieces {
		if skip := offset - piece.at; skip >= 0 && skip+int64(len(p)) <= int64(len(piece.data)) {
			return copy(p, piece.data[skip:]), true
		}
	}
	return 0, false
}

// elfMagic is what ELF files begin with.
const elfMagic = "\x7fELF"

func (k *kept) isELF() bool { return k != nil && bytes.HasPrefix(k.head, []byte(elfMagic)) }

func (k *kept) size() int64 {
	size := int64(len(k.head))
	for _, piece := range k.pieces {
		size += int64(len(piece.data))
	}
	return size
}

// keeper decides what is kept of the files of one stream. Whoever checks an ELF program asks for its libraries and its build
// information, which lie far behind: a file in which there is such a thing is put down here while it streams by, and what
// those questions read of it is kept. Small files of any other kind are shelved.
type keeper struct {
	left  *budget
	begin [headOther]byte
	small []byte
	large *os.File
}

const (
	// maxSmall is up to which size a file is put down in memory.
	maxSmall = 4 << 20
	// maxLarge bounds what is put down in a temporary file: node has 100 MB, the largest of Go's programs 300. Of libraries
	// libnode has 60, and nobody asks for those of CUDA, which have ten times as many.
	maxLarge, maxLibrary = 512 << 20, 64 << 20
)

func (k *keeper) close() { _ = drop(k.large) }

// keep reads what there is to keep of a file.
func (k *keeper) keep(h *tar.Header, content io.Reader, f *file) error {
	if typeOf(h.Typeflag) != 0 || h.Typeflag == tar.TypeLink {
		return nil
	}
	head := k.begin[:min(h.Size, headOther)]
	if _, err := io.ReadFull(content, head); err != nil {
		return malformed(err)
	}
	program := h.Mode&0o111 != 0
	switch elf := bytes.HasPrefix(head, []byte(elfMagic)); {
	case elf && (program || isLibrary(h.Name) || isPlugin(h.Name)):
		return k.elf(h, content, f, head)
	case !elf && h.Size <= maxShelved:
		whole, err := k.inMemory(head, content, h.Size)
		if err != nil {
			return err
		}
		if f.shelve(whole) {
			return nil
		}
	}
	if program {
		k.hold(f, &kept{head: bytes.Clone(head)})
	}
	return nil
}

// hold keeps something in memory, if there is room.
func (k *keeper) hold(f *file, what *kept) {
	if k.left.heads.Add(what.size()) <= maxHeads {
		f.kept = what
	}
}

// elf keeps a longer head, and what is asked of a program or library behind it.
func (k *keeper) elf(h *tar.Header, content io.Reader, f *file, begin []byte) error {
	if k.left.heads.Load() > maxHeads {
		return nil
	}
	head := make([]byte, min(h.Size, headELF))
	n := copy(head, begin)
	if _, err := io.ReadFull(content, head[n:]); err != nil {
		return malformed(err)
	}
	what := &kept{head: head}
	defer func() { k.hold(f, what) }()
	elf, err := platforms.ReadELF(bytes.NewReader(head))
	most, library := int64(maxLarge), isLibrary(h.Name) || isPlugin(h.Name)
	if library {
		most = maxLibrary
	}
	if err != nil || !elf.Executable() || h.Size <= headELF || h.Size > most {
		return nil // damaged, or cut short by the head: who asks for it will find out
	}
	whole, err := k.put(head, content, h.Size)
	if err != nil || whole == nil {
		return err
	}
	recorder := &recorder{r: whole, head: headELF}
	if elf.Dynamic {
		_, _ = platforms.ReadDynamic(recorder, elf)
	}
	if elf.Go || !library {
		_, _ = platforms.ReadGoBuild(recorder, elf)
	}
	what.pieces = recorder.pieces
	return nil
}

// inMemory reads on behind what was read. It holds until the next file.
func (k *keeper) inMemory(head []byte, content io.Reader, size int64) ([]byte, error) {
	if int64(cap(k.small)) < size {
		k.small = make([]byte, size)
	}
	b := k.small[:size]
	_, err := io.ReadFull(content, b[copy(b, head):])
	return b, malformed(err)
}

// put puts a file down. It holds until the next one. nil: there is no place for it (a machine without /tmp, a full disk), and who asks
// for more of it has the stream opened again.
func (k *keeper) put(head []byte, content io.Reader, size int64) (io.ReaderAt, error) {
	if size <= maxSmall {
		b, err := k.inMemory(head, content, size)
		return bytes.NewReader(b), err
	}
	if k.large == nil {
		large, err := unlinked()
		if err != nil {
			return nil, nil
		}
		k.large = large
	}
	if _, err := k.large.WriteAt(head, 0); err != nil {
		return nil, nil
	}
	to := io.NewOffsetWriter(k.large, int64(len(head)))
	if _, err := io.Copy(to, content); err != nil {
		var own *fs.PathError
		if errors.As(err, &own) {
			return nil, nil
		}
		return nil, malformed(err)
	}
	return io.NewSectionReader(k.large, 0, size), nil
}

// recorder keeps what is read behind the head.
type recorder struct {
	r      io.ReaderAt
	head   int64
	pieces []stretch
}

func (r *recorder) ReadAt(p []byte, offset int64) (int, error) {
	n, err := r.r.ReadAt(p, offset)
	if offset+int64(n) > r.head {
		r.pieces = append(r.pieces, stretch{offset, bytes.Clone(p[:n])})
	}
	return n, err
}

// isLibrary tells by its name whether a file is one that programs are linked with: libx.so.1, ld-linux.so.2.
func isLibrary(name string) bool {
	base := path.Base(name)
	return isShared(base) && (strings.HasPrefix(base, "lib") || strings.HasPrefix(base, "ld"))
}

// isPlugin tells by its name whether a file is one that programs open by themselves: x.so, x.node.
func isPlugin(name string) bool {
	return strings.HasSuffix(name, ".node") || isShared(path.Base(name)) && !isLibrary(name)
}

func isShared(base string) bool {
	return strings.HasSuffix(base, ".so") || strings.Contains(base, ".so.")
}
