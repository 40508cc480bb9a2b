package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/rootfs"
)

// tree is a gateway's reference over folders of entries, which answers only for
// paths without links, as root must ask.
type tree struct {
	gateway.Reference
	dirs  map[string][]*fstypes.Stat
	text  map[string]string
	lists int
	reads []string // "usr/bin/sh 0+16384"
}

func (r *tree) ReadDir(_ context.Context, req gateway.ReadDirRequest) ([]*fstypes.Stat, error) {
	r.lists++
	list, ok := r.dirs[req.Path]
	if !ok {
		return nil, errors.New("no such file or directory, in words")
	}
	return list, nil
}

func (r *tree) ReadFile(_ context.Context, req gateway.ReadRequest) ([]byte, error) {
	r.reads = append(r.reads, fmt.Sprintf("%s %d+%d", req.Filename, req.Range.Offset, req.Range.Length))
	text, ok := r.text[req.Filename]
	if !ok || req.Range == nil {
		return nil, errors.New("this read could hang the engine")
	}
	start := min(req.Range.Offset, len(text))
	return []byte(text[start:min(start+req.Range.Length, len(text))]), nil
}

func entry(name string, mode fs.FileMode, link string, size int) *fstypes.Stat {
	return &fstypes.Stat{Path: name, Mode: uint32(mode), Linkname: link, Size: int64(size)}
}

func oddTree() *tree {
	return &tree{
		dirs: map[string][]*fstypes.Stat{
			".": {entry("usr", fs.ModeDir, "", 0), entry("bin", fs.ModeSymlink, "usr/bin", 0), entry("up", fs.ModeSymlink, "../../usr", 0),
				entry("a", fs.ModeSymlink, "b", 0), entry("b", fs.ModeSymlink, "/a", 0), entry("pipe", fs.ModeNamedPipe, "", 0), entry("gone", fs.ModeSymlink, "/nowhere", 0)},
			"usr":     {entry("bin", fs.ModeDir, "", 0)},
			"usr/bin": {entry("sh", 0o755, "", 5), entry("dash", 0o755, "sh", 0), entry("link", fs.ModeSymlink, "/bin/sh", 0)},
		},
		text: map[string]string{"usr/bin/sh": "shell", "usr/bin/dash": "shell"},
	}
}

// nosy is a reference that looks at another folder while it is asked for usr.
type nosy struct {
	*tree
	look func()
}

func (r *nosy) ReadDir(ctx context.Context, req gateway.ReadDirRequest) ([]*fstypes.Stat, error) {
	if req.Path == "usr" {
		r.look()
	}
	return r.tree.ReadDir(ctx, req)
}

// Eight readers would be one if they waited for each other's folders.
func TestListingsDoNotWaitForEachOther(t *testing.T) {
	ref := &nosy{tree: oddTree()}
	ref.dirs["."] = append(ref.dirs["."], entry("opt", fs.ModeDir, "", 0))
	ref.dirs["opt"] = []*fstypes.Stat{entry("x", 0o644, "", 1)}
	r := newRoot(t.Context(), ref)
	ref.look = func() {
		if info, err := r.Lstat("opt/x"); err != nil || info.Size() != 1 {
			t.Errorf("meanwhile: %v %v", info, err)
		}
	}
	if _, err := r.Lstat("usr/bin"); err != nil || ref.lists != 3 {
		t.Errorf("%v after %d lists", err, ref.lists)
	}
}

func TestRootFollowsLinksInside(t *testing.T) {
	ref := oddTree()
	r := newRoot(t.Context(), ref)
	for _, name := range []string{"usr/bin/sh", "bin/sh", "bin/dash", "bin/link", "up/bin/link"} {
		if text, err := fs.ReadFile(r, name); err != nil || string(text) != "shell" {
			t.Errorf("%s: %q %v", name, text, err)
		}
	}
	if ref.lists > len(ref.dirs) {
		t.Errorf("listed %d times", ref.lists)
	}
	for name, want := range map[string]error{"gone": fs.ErrNotExist, "nothing": fs.ErrNotExist, "bin/sh/x": fs.ErrNotExist, "/bin": fs.ErrInvalid, "pipe": errNotRegular} {
		if _, err := r.Open(name); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	if _, err := r.Stat("a"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a loop: got %v", err)
	}
	if info, err := r.Lstat("a"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the loop itself: got %v %v", info, err)
	}
	if link, err := r.ReadLink("bin"); err != nil || link != "usr/bin" {
		t.Errorf("readlink: %q %v", link, err)
	}
	if _, err := r.ReadLink("usr"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("readlink of a folder: %v", err)
	}
}

// latin is a reference with a name that protocol buffers do not take.
type latin struct{ *tree }

func (latin) ReadDir(context.Context, gateway.ReadDirRequest) ([]*fstypes.Stat, error) {
	return nil, errors.New("rpc error: code = Internal desc = grpc: failed to unmarshal the received message: string field contains invalid UTF-8")
}

func TestRootSaysWhichNamesBuildKitCannotList(t *testing.T) {
	if _, err := newRoot(t.Context(), latin{oddTree()}).Lstat("usr"); err == nil || !strings.Contains(err.Error(), "rename it, or build with DOCKER_BUILDKIT=0") {
		t.Errorf("got %v", err)
	}
}

func TestRootListsInOrder(t *testing.T) {
	dir, err := newRoot(t.Context(), oddTree()).Open("bin")
	if err != nil {
		t.Fatal(err)
	}
	list := dir.(fs.ReadDirFile)
	first, err := list.ReadDir(2)
	if err != nil || len(first) != 2 || first[0].Name() != "dash" || first[1].Name() != "link" {
		t.Errorf("got %v %v", first, err)
	}
	rest, err := list.ReadDir(-1)
	if err != nil || len(rest) != 1 || rest[0].Name() != "sh" {
		t.Errorf("got %v %v", rest, err)
	}
	if _, err := list.ReadDir(1); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

func TestRootFileReadsInBlocks(t *testing.T) {
	text := strings.Repeat("0123456789", 2*largeBlock/10)
	var all []int64
	for at := int64(0); at < int64(len(text)); at += smallBlock {
		all = append(all, at)
	}
	for _, test := range []struct {
		length int
		at     []int64
		reads  []string
	}{
		{40, []int64{0, 1, smallBlock - 40}, []string{"f 0+16384"}},
		{40, []int64{smallBlock - 1, 0}, []string{"f 0+32768"}},
		{40, []int64{1_000_000, 0}, []string{"f 999424+16384", "f 0+16384"}},
		{40, []int64{200_000, 196_700, 199_000}, []string{"f 196608+16384"}},
		{100_000, []int64{20_000}, []string{"f 16384+114688"}},
		{40, []int64{int64(len(text)) - 2}, []string{"f 2080768+32768"}},
		{1, []int64{int64(len(text))}, nil},
		{40, all, []string{"f 0+16384", "f 16384+32768", "f 49152+65536", "f 114688+131072", "f 245760+262144", "f 507904+524288", "f 1032192+1048576", "f 2080768+1048576"}},
	} {
		ref := &tree{dirs: map[string][]*fstypes.Stat{".": {entry("f", 0o644, "", len(text))}}, text: map[string]string{"f": text}}
		file, err := newRoot(t.Context(), ref).Open("f")
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range test.at {
			part := make([]byte, test.length)
			n, err := file.(io.ReaderAt).ReadAt(part, at)
			want := text[at:min(at+int64(test.length), int64(len(text)))]
			if string(part[:n]) != want || (err == nil) != (len(want) == test.length) {
				t.Errorf("at %d: %q %v", at, part[:n], err)
			}
		}
		if !slices.Equal(ref.reads, test.reads) {
			t.Errorf("%d bytes at %v: asked for %q instead of %q", test.length, test.at, ref.reads, test.reads)
		}
		if _, err := file.(io.ReaderAt).ReadAt(make([]byte, 1), -1); err == nil {
			t.Error("read before the beginning")
		}
	}
}

// Each question that a check has of a module opens it again.
func TestRootKeepsHeads(t *testing.T) {
	ref := &tree{dirs: map[string][]*fstypes.Stat{}, text: map[string]string{}}
	name := func(i int) string { return fmt.Sprintf("%04d", i) }
	for i := range maxHeads + 1 {
		ref.dirs["."] = append(ref.dirs["."], entry(name(i), 0o644, "", len(name(i))))
		ref.text[name(i)] = name(i)
	}
	root := newRoot(t.Context(), ref)
	for _, i := range []int{0, 0, 1, 0, 1} {
		if text, err := fs.ReadFile(root, name(i)); err != nil || string(text) != name(i) {
			t.Fatalf("%q %v", text, err)
		}
	}
	if want := []string{"0000 0+16384", "0001 0+16384"}; !slices.Equal(ref.reads, want) {
		t.Fatalf("asked for %q instead of %q", ref.reads, want)
	}
	for i := range maxHeads + 1 {
		if _, err := fs.ReadFile(root, name(i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(root.heads.kept) != maxHeads || len(root.heads.order) != maxHeads || root.heads.kept[name(maxHeads)] == nil || root.heads.kept[name(0)] != nil {
		t.Errorf("%d heads are kept, of %d in order", len(root.heads.kept), len(root.heads.order))
	}
}

// A folder of many programs is read at once where there is a way: each read
// of its own takes the engine longer.
func TestRootReadsManyProgramsAtOnce(t *testing.T) {
	const many = fewPrograms + 1
	for name, test := range map[string]struct {
		programs, data int
		fails          bool
		whole          string // the folders read at once
	}{
		"few":                   {programs: fewPrograms, data: many},
		"many":                  {programs: many, whole: "usr/bin"},
		"many and a bad stream": {programs: many, whole: "usr/bin", fails: true},
	} {
		ref := oddTree()
		ref.text = nil // none can be read by itself
		ref.dirs["usr/bin"] = nil
		var members []member
		for i := range test.programs + test.data {
			mode := fs.FileMode(0o755)
			if i >= test.programs {
				mode = 0o644
			}
			file := fmt.Sprintf("p%02d", i)
			ref.dirs["usr/bin"] = append(ref.dirs["usr/bin"], entry(file, mode, "", 4))
			members = append(members, member{file, []byte("text")})
		}
		stream, err := tarOf(members...)
		if err != nil {
			t.Fatal(err)
		}
		if test.fails {
			stream = stream[:100]
		}
		r, whole, mu := newRoot(t.Context(), ref), "", sync.Mutex{}
		r.whole = func(ctx context.Context, dir string) (*rootfs.FS, error) {
			mu.Lock()
			whole += dir
			mu.Unlock()
			open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(stream)), nil }
			return rootfs.Archive(ctx, rootfs.Source{Name: dir, Open: open}, rootfs.Options{})
		}
		var listers errgroup.Group
		for range 8 {
			listers.Go(func() error {
				_, err := fs.ReadDir(r, "bin")
				return err
			})
		}
		listed := listers.Wait()
		_, again := fs.ReadDir(r, "usr/bin")
		text, err := fs.ReadFile(r, "bin/p03")
		if whole != test.whole || (listed != nil || again != nil) != test.fails {
			t.Errorf("%s: read %q at once, %v, %v", name, whole, listed, again)
		}
		if read := string(text) == "text" && err == nil; read != (whole != "" && !test.fails) {
			t.Errorf("%s: read %q, %v", name, text, err)
		}
		if faulty := r.failed() != nil; faulty != (test.fails || test.whole == "") {
			t.Errorf("%s: the engine's fault: %v", name, r.failed())
		}
	}
}

// Whatever links an image holds, a look-up ends, and never leaves the root.
func FuzzRoot(f *testing.F) {
	f.Add("a/b", "../../a", "/b/./..//a")
	f.Add("x", "x/x", "..")
	f.Fuzz(func(t *testing.T, name, first, second string) {
		ref := &tree{dirs: map[string][]*fstypes.Stat{
			".": {entry("a", fs.ModeSymlink, first, 0), entry("b", fs.ModeDir, "", 0), entry("x", fs.ModeSymlink, second, 0)},
			"b": {entry("a", fs.ModeSymlink, second, 0), entry("x", 0o644, "", 1)},
		}}
		r := newRoot(t.Context(), ref)
		real, _, err := r.resolve("stat", name, true)
		if err == nil && (path.Clean(real) != real || !fs.ValidPath(real)) {
			t.Errorf("resolved to %q", real)
		}
	})
}

// Who gave up waiting for another's question asks again; what the engine says of a file is told at once.
func TestPatient(t *testing.T) {
	for text, want := range map[string]int{"": 1, "no such file": 1, "flightcontrol: exceeded retry timeout": maxAsked} {
		asked := 0
		_, err := patient(t.Context(), func() (int, error) {
			if asked++; text == "" {
				return 0, nil
			}
			return 0, errors.New(text)
		})
		if asked != want || (err == nil) != (text == "") {
			t.Errorf("%q: asked %d times, want %d: %v", text, asked, want, err)
		}
	}
}
