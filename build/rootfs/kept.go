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

func (k *kept) size() int64 {
	size := int64(len(k.head))
	for _, piece := range k.pieces {
		size += int64(len(piece.data))
	}
	return size
}

// keeper decides what is kept of the files of one stream. Whoever checks an ELF program asks for its libraries and its build
// information, which lie far behind: a file in which there is such a thing is put down here while it streams by, and what
// those questions read of it is kept.
type keeper struct {
	left  *budget
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

func (k *keeper) close() {
	if k.large != nil {
		_ = k.large.Close()
		_ = os.Remove(k.large.Name())
	}
}

// keep reads what there is to keep of a file: nothing of what is neither executable nor a library, nor tells of some.
func (k *keeper) keep(h *tar.Header, content io.Reader) (*kept, error) {
	if typeOf(h.Typeflag) != 0 || h.Typeflag == tar.TypeLink {
		return nil, nil
	}
	size, whole := int64(headOther), !isPlugin(h.Name)
	switch {
	case tells(h.Name):
		size, whole = maxTold, false
	case whole && h.Mode&0o111 == 0 && !isLibrary(h.Name):
		return nil, nil
	}
	if size = min(h.Size, size); k.left.heads.Load()+size > maxHeads {
		return nil, nil
	}
	file := &kept{head: make([]byte, size)}
	if _, err := io.ReadFull(content, file.head); err != nil {
		return nil, malformed(err)
	}
	if bytes.HasPrefix(file.head, []byte("\x7fELF")) && whole {
		if err := k.elf(h, content, file); err != nil {
			return nil, err
		}
	}
	if k.left.heads.Add(file.size()) > maxHeads {
		return nil, nil
	}
	return file, nil
}

// elf keeps a longer head, and what is asked of a program or library behind it.
func (k *keeper) elf(h *tar.Header, content io.Reader, file *kept) error {
	head := make([]byte, min(h.Size, headELF))
	n := copy(head, file.head)
	if _, err := io.ReadFull(content, head[n:]); err != nil {
		return malformed(err)
	}
	file.head = head
	elf, err := platforms.ReadELF(bytes.NewReader(head))
	most := int64(maxLarge)
	if isLibrary(h.Name) {
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
	if elf.Go || !isLibrary(h.Name) {
		_, _ = platforms.ReadGoBuild(recorder, elf)
	}
	file.pieces = recorder.pieces
	return nil
}

// put puts a file down. It holds until the next one. nil: there is no place for it (a machine without /tmp, a full disk), and who asks
// for more of it has the stream opened again.
func (k *keeper) put(head []byte, content io.Reader, size int64) (io.ReaderAt, error) {
	if size <= maxSmall {
		if int64(cap(k.small)) < size {
			k.small = make([]byte, size)
		}
		b := k.small[:size]
		_, err := io.ReadFull(content, b[copy(b, head):])
		return bytes.NewReader(b), malformed(err)
	}
	if k.large == nil {
		large, err := os.CreateTemp("", "rootfs-*")
		if err != nil {
			return nil, nil
		}
		_ = os.Remove(large.Name()) // it lives as long as it is open; where that cannot be, close removes it
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

// isPlugin tells by its name whether a file is one that programs open by themselves: x.so, x.node. There may be thousands, of which
// nobody asks for more than the header.
func isPlugin(name string) bool {
	return strings.HasSuffix(name, ".node") || isShared(path.Base(name)) && !isLibrary(name)
}

func isShared(base string) bool {
	return strings.HasSuffix(base, ".so") || strings.Contains(base, ".so.")
}

// maxTold is how much is kept of a file that tells of modules.
const maxTold = 4 << 20

// tells names the files in which installers leave word of what they put where.
func tells(name string) bool {
	switch dir, base := path.Split(name); base {
	case "WHEEL", "RECORD":
		return strings.HasSuffix(dir, ".dist-info/")
	case "pyvenv.cfg", ".package-lock.json", "package.json":
		return true
	}
	return false
}
