package lists

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/registry"
)

func TestFetchWritesOneTarballForEveryEngine(t *testing.T) {
	s := newScene(t)
	s.pushList("one.example/app:1", imageFor("linux/amd64").attested(), imageFor("linux/arm64"))
	p := platformsOf("linux/arm64/v8")[0]
	var out bytes.Buffer
	got, err := Fetch(t.Context(), s.client, "one.example/app:1", &out, FetchOptions{Platform: &p})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := s.index("one.example/app:1").Get(p)
	if got.Digest != e.Digest || got.Platform != "linux/arm64" || !strings.Contains(strings.Join(got.Steps, "\n"), "found linux/arm64") {
		t.Errorf("%+v", got)
	}
	files := untar(t, out.Bytes())
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range files {
			if !yield(name) {
				return
			}
		}
	})
	if len(names) != 6 {
		t.Errorf("holds %q", names)
	}
	for name, content := range files {
		if hex, ok := strings.CutPrefix(name, "blobs/sha256/"); ok && digest.FromBytes(content).Encoded() != hex {
			t.Errorf("%s holds something else", name)
		}
	}
	config := "blobs/sha256/" + got.Config.Encoded()
	if !containsAll(string(files["manifest.json"]), `"Config":"`+config+`"`, `"RepoTags":["one.example/app:1"]`) || files[config] == nil {
		t.Errorf("manifest.json is %s", files["manifest.json"])
	}
	if !containsAll(string(files["index.json"]), e.Digest.String(), `"org.opencontainers.image.ref.name":"1"`) || string(files["oci-layout"]) != `{"imageLayoutVersion":"1.0.0"}` {
		t.Errorf("index.json is %s", files["index.json"])
	}
	var again bytes.Buffer
	if _, err := Fetch(t.Context(), s.client, "one.example/app:1", &again, FetchOptions{Platform: &p}); err != nil || !bytes.Equal(again.Bytes(), out.Bytes()) {
		t.Errorf("the same image gives another tarball: %v", err)
	}
}

// A layout holds no manifest of Docker's type: both digests are told.
func TestFetchTellsWhichManifestIsWritten(t *testing.T) {
	s := newScene(t)
	pushed := s.push("one.example/app:1", imageFor("linux/amd64").asDocker())
	var out bytes.Buffer
	got, err := Fetch(t.Context(), s.client, "one.example/app:1", &out, FetchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != pushed.entry.Digest || got.Written == got.Digest || !strings.Contains(strings.Join(got.Steps, "\n"), got.Written.String()) {
		t.Errorf("%+v", got)
	}
	files := untar(t, out.Bytes())
	if got.Written == "" || !strings.Contains(string(files["index.json"]), got.Written.String()) || files[blobPath(got.Written)] == nil {
		t.Errorf("%s is not what index.json names: %s", got.Written, files["index.json"])
	}
	s.push("one.example/app:2", imageFor("linux/amd64"))
	if got, err := Fetch(t.Context(), s.client, "one.example/app:2", io.Discard, FetchOptions{}); err != nil || got.Written != "" {
		t.Errorf("of OCI's type: %+v, %v", got, err)
	}
}

// Not every engine loads what every registry takes, which is told.
func TestFetchTellsOfZstd(t *testing.T) {
	s := newScene(t)
	for _, c := range []struct {
		docker bool
		packed string
		want   string // the layer's type in the layout
		told   bool
	}{
		{false, "", ocispec.MediaTypeImageLayerGzip, false},
		{false, ocispec.MediaTypeImageLayerZstd, ocispec.MediaTypeImageLayerZstd, true},
		{true, "", ocispec.MediaTypeImageLayerGzip, false},
		{true, "application/vnd.docker.image.rootfs.diff.tar.zstd", ocispec.MediaTypeImageLayerZstd, true},
		{true, "application/vnd.docker.image.rootfs.diff.tar", ocispec.MediaTypeImageLayer, false},
	} {
		i := imageFor("linux/amd64")
		i.docker, i.packed = c.docker, c.packed
		s.push("one.example/app:1", i)
		var out bytes.Buffer
		got, err := Fetch(t.Context(), s.client, "one.example/app:1", &out, FetchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if said := strings.Join(got.Steps, "\n"); strings.Contains(said, "zstd, which Docker loads since version 23") != c.told {
			t.Errorf("%+v: said %q", c, said)
		}
		if manifest := string(untar(t, out.Bytes())[blobPath(cmp.Or(got.Written, got.Digest))]); !strings.Contains(manifest, `"`+c.want+`"`) {
			t.Errorf("%+v: %s", c, manifest)
		}
	}
}

func untar(t *testing.T, raw []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	r := tar.NewReader(bytes.NewReader(raw))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if out[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFetchFile(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:1", imageFor("linux/s390x"))
	dir := t.TempDir()
	if _, err := FetchFile(t.Context(), s.client, "one.example/app:1", filepath.Join(dir, "app.tar"), FetchOptions{}); err != nil {
		t.Error(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "app.tar"))
	if err != nil || untar(t, raw)["manifest.json"] == nil {
		t.Errorf("%v", err)
	}
	if _, err := FetchFile(t.Context(), s.client, "one.example/app:1", filepath.Join(dir, "layout")+"/", FetchOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "layout", "index.json")); err != nil {
		t.Error(err)
	}
	if _, err := FetchFile(t.Context(), s.client, "one.example/app:1", filepath.Join(dir, "layout"), FetchOptions{}); !errors.Is(err, ErrUsage) {
		t.Errorf("over what is there: %v", err)
	}
}

func TestFetchFileWritesIntoWhatIsThere(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:1", imageFor("linux/s390x"))
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("old"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link": "other", "other": "old", "fresh": "new", "to-pipe": "pipe", "round": "round"} {
		if err := os.Symlink(to, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		path, holds string
		kind        fs.FileMode // of what the path names afterwards
	}{
		{"link", "old", fs.ModeSymlink}, {"fresh", "new", fs.ModeSymlink}, {"pipe", "pipe", fs.ModeNamedPipe}, {"to-pipe", "pipe", fs.ModeSymlink},
	} {
		t.Run(test.path, func(t *testing.T) {
			read := make(chan []byte, 1)
			if test.holds == "pipe" {
				r, err := os.OpenFile(at("pipe"), os.O_RDWR, 0) // which waits for nobody
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					raw := make([]byte, 257)
					_, _ = io.ReadFull(r, raw)
					read <- raw
					_, _ = io.Copy(io.Discard, r)
				}()
				defer r.Close()
			}
			_, err := FetchFile(t.Context(), s.client, "one.example/app:1", at(test.path), FetchOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if test.holds != "pipe" {
				raw, err := os.ReadFile(at(test.holds))
				if err != nil {
					t.Fatal(err)
				}
				read <- raw
			}
			if info, err := os.Lstat(at(test.path)); err != nil || info.Mode().Type() != test.kind {
				t.Fatalf("it was replaced: %v %v", info.Mode(), err)
			}
			if raw := <-read; !bytes.HasPrefix(raw, []byte("oci-layout\x00")) {
				t.Errorf("it holds %.20q", raw)
			}
		})
	}
	if _, err := FetchFile(t.Context(), s.client, "one.example/app:1", at("round"), FetchOptions{}); !errors.Is(err, ErrUsage) {
		t.Errorf("a link to itself: %v", err)
	}
}

// What cannot be written is the file that was asked for, whatever is called otherwise meanwhile.
func TestFetchNamesWhatItWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.tar")
	for want, cause := range map[string]error{
		"writing " + path + ": no space left on device; free some, or name a place on another disk": syscall.ENOSPC,
		"writing " + path + ": input/output error":                                                  syscall.EIO,
	} {
		_, err := beside(path, func(tmp string) (Fetched, error) {
			return Fetched{}, errors.Join(&os.PathError{Op: "write", Path: tmp, Err: cause}, nil)
		})
		if !errors.Is(err, cause) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	other := &os.PathError{Op: "read", Path: "/elsewhere", Err: syscall.EIO}
	if _, err := beside(path, func(string) (Fetched, error) { return Fetched{}, other }); err != error(other) {
		t.Errorf("another's error: %v", err)
	}
}

// A pipe that nobody reads is waited for, which is told once and can be given up.
func TestFetchWaitsForAReader(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:1", imageFor("linux/s390x"))
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	opts := FetchOptions{Waits: func(string) { cancel() }}
	if _, err := FetchFile(ctx, s.client, "one.example/app:1", pipe, opts); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "nobody reads the pipe "+pipe) {
		t.Errorf("given up: %v", err)
	}
	read, told := make(chan []byte, 1), 0
	opts.Waits = func(path string) {
		told++
		go func() {
			raw, _ := os.ReadFile(path)
			read <- raw
		}()
	}
	if _, err := FetchFile(t.Context(), s.client, "one.example/app:1", pipe, opts); err != nil {
		t.Fatal(err)
	}
	if raw := <-read; !bytes.HasPrefix(raw, []byte("oci-layout\x00")) || told != 1 {
		t.Errorf("told %d times, read %.20q", told, raw)
	}
}

// What is fetched has the rights of what anybody else creates, under the umask that there is.
func TestFetchFileHonoursTheUmask(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:1", imageFor("linux/s390x"))
	dir := t.TempDir()
	before := syscall.Umask(0o027)
	defer syscall.Umask(before)
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"app.tar", "layout/"} {
		if _, err := FetchFile(t.Context(), s.client, "one.example/app:1", filepath.Join(dir, "x")+to, FetchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for path, like := range map[string]string{"xapp.tar": "file", "xlayout": "folder", "xlayout/blobs": "folder", "xlayout/index.json": "file"} {
		got, err := os.Stat(filepath.Join(dir, path))
		want, err2 := os.Stat(filepath.Join(dir, like))
		if err = errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if got.Mode() != want.Mode() {
			t.Errorf("%s is %v, not %v", path, got.Mode(), want.Mode())
		}
	}
}

// A folder that is there stays what it is, as a mount has to, and a link leads to the layout.
func TestFetchFillsTheFolderThatIsThere(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:1", imageFor("linux/s390x"))
	dir := t.TempDir()
	for _, folder := range []string{"here", "far"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"link": "far", "fresh": "none"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(dir, "here"))
	for path, layout := range map[string]string{".": "here", "../link/": "far", "../fresh/": "none"} {
		at := filepath.Join(dir, layout)
		before, _ := os.Stat(at) // one of them is not there
		if _, err := FetchFile(t.Context(), s.client, "one.example/app:1", path, FetchOptions{}); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if after, err := os.Stat(at); err != nil || before != nil && !os.SameFile(before, after) {
			t.Errorf("%s: %s is another folder: %v", path, layout, err)
		}
		entries, err := os.ReadDir(at)
		if err != nil || len(entries) != 4 {
			t.Errorf("%s: %s holds %v, %v", path, layout, entries, err)
		}
	}
}

func TestFetchFileRefusesPaths(t *testing.T) {
	s := newScene(t)
	dir := t.TempDir()
	for path, says := range map[string]string{
		"":                            "no file is named",
		filepath.Join(dir, "no/x"):    "there is no folder " + filepath.Join(dir, "no") + ";",
		filepath.Join(dir, "no/y/z/"): "there is no folder " + filepath.Join(dir, "no/y") + ";",
	} {
		_, err := FetchFile(t.Context(), s.client, "one.example/app:1", path, FetchOptions{})
		if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if asked := s.one.Requests(); len(asked) > 0 {
		t.Errorf("the registry was asked: %v", asked)
	}
}

func TestFetchThatFailsLeavesNothing(t *testing.T) {
	for name, fault := range map[string]faults.Fault{"a flipped bit": faults.FlipBit(), "gone": faults.Status(http.StatusNotFound)} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			img := s.push("one.example/app:1", imageFor("linux/amd64"))
			s.one.Add(faults.Rule{Match: faults.On(http.MethodGet, "/blobs/"+digest.FromBytes(img.layer).String()), Fault: fault})
			dir := t.TempDir()
			for _, to := range []string{"app.tar", "layout/"} {
				if _, err := FetchFile(t.Context(), s.client, "one.example/app:1", filepath.Join(dir, "x")+to, FetchOptions{}); err == nil {
					t.Error("fetched")
				}
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// A bit flips once on the way: the blob is read again, as in a copy, except where it went out already.
func TestFetchReadsACorruptBlobAgain(t *testing.T) {
	s := newScene(t)
	noise := make([]byte, 1<<20) // so that half of it is written when the last byte proves it wrong
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	img := s.push("one.example/app:1", imageFor("linux/amd64").running(string(noise)))
	var sound bytes.Buffer
	if _, err := Fetch(t.Context(), s.client, "one.example/app:1", &sound, FetchOptions{}); err != nil {
		t.Fatal(err)
	}
	flip := func() {
		s.one.Reset()
		s.one.Add(faults.Rule{Match: faults.On(http.MethodGet, "/blobs/"+digest.FromBytes(img.layer).String()), Fault: faults.FlipBit(), Times: 1})
	}
	dir := t.TempDir()
	flip()
	if _, err := FetchFile(t.Context(), s.client, "one.example/app:1", filepath.Join(dir, "app.tar"), FetchOptions{}); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "app.tar")); err != nil || !bytes.Equal(raw, sound.Bytes()) {
		t.Errorf("it is another tarball: %v", err)
	}
	flip()
	if _, err := FetchFile(t.Context(), s.client, "one.example/app:1", filepath.Join(dir, "layout")+"/", FetchOptions{}); err != nil {
		t.Fatal(err)
	}
	layer := filepath.Join(dir, "layout", filepath.FromSlash(blobPath(digest.FromBytes(img.layer))))
	if raw, err := os.ReadFile(layer); err != nil || !bytes.Equal(raw, img.layer) {
		t.Errorf("it is another layer: %v", err)
	}
	flip()
	if _, err := Fetch(t.Context(), s.client, "one.example/app:1", io.Discard, FetchOptions{}); !errors.Is(err, registry.ErrCorrupt) {
		t.Errorf("a stream: %v", err)
	}
}

func TestFetchRefuses(t *testing.T) {
	s := newScene(t)
	s.push("one.example/app:one", imageFor("linux/s390x"))
	s.pushList("one.example/app:1", imageFor("linux/s390x"))
	p := platformsOf("linux/arm64")[0]
	for _, ref := range []string{"one.example/app:one", "one.example/app:1"} {
		if _, err := Fetch(t.Context(), s.client, ref, io.Discard, FetchOptions{Platform: &p}); !errors.Is(err, index.ErrNotFound) || !strings.Contains(err.Error(), "it has linux/s390x") {
			t.Errorf("%s: %v", ref, err)
		}
	}
}
