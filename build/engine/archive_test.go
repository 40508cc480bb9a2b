package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"golang.org/x/sync/errgroup"
)

// boxDouble answers as Docker does for one container: HEAD evaluates a link's
// target, GET gives the link itself. A path that ends in "/" is a folder, one
// that contains " -> " a link, one that ends in "|" a FIFO.
type boxDouble struct {
	files map[string]string
	cuts  int // how many exports are broken off, or files

	mu       sync.Mutex
	requests []string
}

func (d *boxDouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete {
		d.note("DELETE")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/containers/create") {
		d.note("CREATE")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"Id":"box"}`)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/export") {
		d.note("EXPORT")
		var whole bytes.Buffer
		d.send(&whole, "/", tar.Header{Typeflag: tar.TypeDir})
		if d.cuts--; d.cuts >= 0 {
			whole.Truncate(whole.Len() / 2)
		}
		_, _ = w.Write(whole.Bytes())
		return
	}
	name := r.URL.Query().Get("path")
	d.note(r.Method + " " + name)
	header, ok := d.header(path.Clean(name))
	if !ok {
		http.Error(w, `{"message":"no such file"}`, http.StatusNotFound)
		return
	}
	stat := container.PathStat{Name: header.Name, Size: header.Size, Mode: header.FileInfo().Mode()}
	if header.Linkname != "" {
		stat.LinkTarget = path.Join("/", path.Dir(path.Clean(name)), header.Linkname)
		if path.IsAbs(header.Linkname) {
			stat.LinkTarget = header.Linkname
		}
	}
	encoded, _ := json.Marshal(stat)
	w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString(encoded))
	if r.Method == http.MethodGet {
		var archive bytes.Buffer
		d.send(&archive, path.Clean(name), header)
		if d.cuts--; d.cuts >= 0 {
			archive.Truncate(archive.Len() / 2)
		}
		_, _ = w.Write(archive.Bytes())
	}
}

func (d *boxDouble) note(request string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests = append(d.requests, request)
}

// took gives the requests since the last call.
func (d *boxDouble) took() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := strings.Join(d.requests, ", ")
	d.requests = nil
	return out
}

func (d *boxDouble) header(name string) (tar.Header, bool) {
	base := path.Base(name)
	for entry, content := range d.files {
		file, target, isLink := strings.Cut(entry, " -> ")
		switch {
		case isLink && file == name:
			return tar.Header{Typeflag: tar.TypeSymlink, Name: base, Linkname: target, Mode: 0o777}, true
		case strings.TrimSuffix(entry, "|") == name && entry != name:
			return tar.Header{Typeflag: tar.TypeFifo, Name: base, Mode: 0o644}, true
		case entry == name:
			return tar.Header{Typeflag: tar.TypeReg, Name: base, Size: int64(len(content)), Mode: 0o755}, true
		case name == "/" || strings.HasPrefix(entry, name+"/"):
			return tar.Header{Typeflag: tar.TypeDir, Name: base, Mode: 0o755}, true
		}
	}
	return tar.Header{}, false
}

// send writes a file, or a folder with all that is below it.
func (d *boxDouble) send(w io.Writer, name string, header tar.Header) {
	out := tar.NewWriter(w)
	defer out.Close()
	if header.Typeflag != tar.TypeDir {
		_ = out.WriteHeader(&header)
		_, _ = io.WriteString(out, d.files[name])
		return
	}
	var below []string
	for entry := range d.files {
		file, _, _ := strings.Cut(strings.TrimSuffix(entry, "|"), " -> ")
		if rest, ok := strings.CutPrefix(file, strings.TrimSuffix(name, "/")+"/"); ok {
			below = append(below, rest)
		}
	}
	slices.Sort(below)
	for _, rest := range below {
		h, _ := d.header(path.Join(name, rest))
		h.Name = "./" + rest
		_ = out.WriteHeader(&h)
		if h.Typeflag == tar.TypeReg {
			_, _ = io.WriteString(out, d.files[path.Join(name, rest)])
		}
	}
}

// openDouble opens the root of a container whose image has the size.
func openDouble(t *testing.T, d *boxDouble, size int64) (fs.FS, func() error) {
	t.Helper()
	root, end, err := doubleEngine(t, d).openRoot(t.Context(), stored{id: "sha256:x"}, size)
	if err != nil {
		t.Fatal(err)
	}
	return root, end
}

func doubleEngine(t *testing.T, d *boxDouble) *Engine {
	t.Helper()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion(minAPI))
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{api: api, info: docker20}
}

func newBoxDouble() *boxDouble {
	return &boxDouble{files: map[string]string{
		"/app/server":                 "program " + strings.Repeat("x", memoryHead) + " end",
		"/app/pipe|":                  "",
		"/usr/bin/tool":               "tool",
		"/usr/bin/alias -> tool":      "",
		"/usr/bin/far -> ../lib/real": "",
		"/usr/lib/real":               "real",
		"/bin -> usr/bin":             "",
		"/entry -> /app/server":       "",
		"/opt/a/b/deep":               "deep",
		"/opt/a/out -> /usr/lib":      "",
		"/srv/caf\xe9":                "latin",
	}}
}

// tooLarge is a root that is not worth being read as a whole for a hundred archives.
const tooLarge = 50 * wholeLimitSlow

func TestLazyRootAsksForLittle(t *testing.T) {
	d := newBoxDouble()
	root, end := openDouble(t, d, tooLarge)
	steps := []struct {
		do   func() (string, error)
		want string
		asks string
	}{
		{func() (string, error) { return statOf(fs.Lstat(root, "entry")) }, "entry L", "CREATE, HEAD /entry"},
		{func() (string, error) { return statOf(fs.Lstat(root, "entry")) }, "entry L", ""},
		{func() (string, error) { return fs.ReadLink(root, "entry") }, "/app/server", "GET /entry"},
		{func() (string, error) { return statOf(fs.Stat(root, "entry")) }, "server -", "HEAD /app/server"},
		{func() (string, error) { return statOf(fs.Lstat(root, "none")) }, "file does not exist", "HEAD /none"},
		{func() (string, error) { return statOf(fs.Lstat(root, "none")) }, "file does not exist", ""},
		{func() (string, error) { return headOf(root, "app/server", 7) }, "program", "GET /app/server"},
		{func() (string, error) { return namesOf(fs.ReadDir(root, "bin")) }, "alias far tool", "HEAD /bin, HEAD /usr/bin, GET /usr/bin/."},
		{func() (string, error) { return statOf(fs.Lstat(root, "usr/bin/alias")) }, "alias L", ""},
		{func() (string, error) { return fs.ReadLink(root, "usr/bin/far") }, "../lib/real", ""},
		{func() (string, error) { return headOf(root, "usr/bin/tool", 4) }, "tool", ""},
		{func() (string, error) { return headOf(root, "usr/bin/far", 4) }, "real", "HEAD /usr/bin/far, HEAD /usr/lib/real, GET /usr/lib/real"},
		{func() (string, error) { return headOf(root, "app/pipe", 1) }, errNotRegular.Error(), "HEAD /app/pipe"},
		{func() (string, error) { return namesOf(fs.ReadDir(root, "opt")) }, "a", "HEAD /opt, GET /opt/."},
		{func() (string, error) { return namesOf(fs.ReadDir(root, "opt/a/b")) }, "deep", ""},
		{func() (string, error) { return statOf(fs.Lstat(root, "opt/a/b")) }, "b d", ""},
		{func() (string, error) { return headOf(root, "opt/a/b/deep", 4) }, "deep", ""},
		{func() (string, error) { return fs.ReadLink(root, "opt/a/out") }, "/usr/lib", ""},
		{func() (string, error) { return statOf(fs.Lstat(root, "opt/a/b/none")) }, "file does not exist", ""},
		{func() (string, error) { return headOf(root, "opt/a/out/real", 4) }, "file does not exist", "HEAD /opt/a/out/real"},
		{func() (string, error) { return headOf(root, "srv/caf\xe9", 5) }, "latin", "HEAD /srv/caf\xe9, GET /srv/caf\xe9"},
		{func() (string, error) { return statOf(fs.Lstat(root, "../etc")) }, "invalid argument", ""},
		{func() (string, error) { return "", end() }, "", "DELETE"},
	}
	for i, step := range steps {
		got, err := step.do()
		if err != nil {
			got = rootCause(err).Error()
		}
		if asked := d.took(); got != step.want || asked != step.asks {
			t.Errorf("step %d: %q after %q, want %q after %q", i, got, asked, step.want, step.asks)
		}
	}
}

func rootCause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return rootCause(inner)
	}
	return err
}

func statOf(info fs.FileInfo, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return info.Name() + " " + info.Mode().String()[:1], nil
}

func namesOf(entries []fs.DirEntry, err error) (string, error) {
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " "), err
}

func headOf(root fs.FS, name string, length int) (string, error) {
	file, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	head := make([]byte, length)
	_, err = file.(io.ReaderAt).ReadAt(head, 0)
	return string(head), err
}

func TestLazyFileIsReadAnywhere(t *testing.T) {
	d := newBoxDouble()
	root, _ := openDouble(t, d, tooLarge)
	want := d.files["/app/server"]
	file, err := root.Open("app/server")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	end := make([]byte, 3)
	if _, err := file.(io.ReaderAt).ReadAt(end, int64(len(want)-3)); err != nil || string(end) != "end" {
		t.Errorf("the end is %q, %v", end, err)
	}
	across := make([]byte, 10)
	if _, err := file.(io.ReaderAt).ReadAt(across, memoryHead-5); err != nil || string(across) != want[memoryHead-5:memoryHead+5] {
		t.Errorf("across the head: %q, %v", across, err)
	}
	if n, err := file.(io.ReaderAt).ReadAt(across, int64(len(want)-2)); n != 2 || !errors.Is(err, io.EOF) {
		t.Errorf("beyond the end: %d, %v", n, err)
	}
	all, err := io.ReadAll(file)
	if err != nil || string(all) != want {
		t.Errorf("read %d bytes, %v", len(all), err)
	}
	if got := d.took(); strings.Count(got, "GET") != 1 {
		t.Errorf("asked %s", got)
	}
}

// A file that is not what was listed of it is no program to judge by.
func TestLazyFileIsTheOneThatWasListed(t *testing.T) {
	for want, change := range map[string]func(*boxDouble){
		"read app/server: its size changed from 262156 to 5": func(d *boxDouble) { d.files["/app/server"] = "other" },
		"read app/server: " + errCut.Error():                 func(d *boxDouble) { d.cuts = 1 },
	} {
		d := newBoxDouble()
		root, _ := openDouble(t, d, tooLarge)
		file, err := root.Open("app/server")
		if err != nil {
			t.Fatal(err)
		}
		change(d)
		if _, err := file.(io.ReaderAt).ReadAt(make([]byte, 9), memoryHead); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := file.(io.ReaderAt).ReadAt(make([]byte, 9), -1); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("before the beginning: %v", err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Without a place for temporary files a long file cannot be read, which is another thing than not to be there.
func TestLazyFileWithoutATemporaryOneIsNotAbsent(t *testing.T) {
	t.Setenv("TMPDIR", path.Join(t.TempDir(), "none"))
	root, _ := openDouble(t, newBoxDouble(), tooLarge)
	if _, err := fs.ReadFile(root, "app/server"); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("got %v", err)
	}
}

// Whoever asks for so much that the whole root would have been quicker gets that, and everything out of it.
func TestManyArchivesBecomeOne(t *testing.T) {
	d := newBoxDouble()
	for i := range 20 {
		d.files[fmt.Sprintf("/modules/%02d.so", i)] = "module"
	}
	d.files["/large"] = strings.Repeat("0123456789abcdef", 1<<17)
	root, end := openDouble(t, d, 3*wholeLimitSlow)
	for range 2 {
		for i := range 20 {
			if got, err := headOf(root, fmt.Sprintf("modules/%02d.so", i), 6); err != nil || got != "module" {
				t.Fatalf("%q, %v", got, err)
			}
		}
	}
	if got, err := namesOf(fs.ReadDir(root, "usr/bin")); err != nil || got != "alias far tool" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := headOf(root, "entry", 7); err != nil || got != "program" {
		t.Errorf("behind a link: %q, %v", got, err)
	}
	if got, err := fs.ReadLink(root, "usr/bin/far"); err != nil || got != "../lib/real" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := fs.Lstat(root, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if got, err := fs.ReadFile(root, "large"); err != nil || string(got) != d.files["/large"] {
		t.Errorf("what the export did not leave here: %d bytes, %v", len(got), err)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if took := d.took(); strings.Count(took, "GET ") != 3*archiveCost+2 || strings.Count(took, "EXPORT") != 1 || !strings.HasSuffix(took, "EXPORT, GET /modules/06.so, HEAD /large, GET /large, DELETE") {
		t.Errorf("asked %s", took)
	}
	if _, err := headOf(root, "modules/00.so", 6); err == nil {
		t.Error("the root can be read after its end")
	}
}

// What is small depends on what an archive costs.
func TestSmallRootIsReadAtOnce(t *testing.T) {
	for _, test := range []struct {
		api, name string
		size      int64
		want      string
	}{
		{"1.41", "Docker", wholeLimitSlow, "CREATE, EXPORT, DELETE"},
		{"1.41", "Docker", wholeLimitSlow + 1, "CREATE, HEAD /entry, HEAD /app/server, GET /app/server, DELETE"},
		{"1.45", "Docker", wholeLimit, "CREATE, EXPORT, DELETE"},
		{"1.45", "Docker", wholeLimit + 1, "CREATE, HEAD /entry, HEAD /app/server, GET /app/server, DELETE"},
		{"1.41", podman, 1 << 40, "CREATE, EXPORT, DELETE"},
	} {
		d := newBoxDouble()
		e := doubleEngine(t, d)
		e.info.API, e.info.Name = test.api, test.name
		root, end, err := e.openRoot(t.Context(), stored{id: "sha256:x"}, test.size)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := headOf(root, "entry", 7); err != nil || got != "program" {
			t.Errorf("%q, %v", got, err)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		if got := d.took(); got != test.want {
			t.Errorf("%s %s, %d bytes: asked %s, want %s", test.name, test.api, test.size, got, test.want)
		}
	}
}

// An archive without an end is not the image's fault. It is asked for once more,
// and then the container goes.
func TestCutArchiveIsAskedForAgain(t *testing.T) {
	for cuts, want := range map[int]string{
		1: "CREATE, EXPORT, EXPORT, DELETE",
		2: "CREATE, EXPORT, EXPORT, DELETE",
	} {
		d := newBoxDouble()
		d.cuts = cuts
		_, end, err := doubleEngine(t, d).openRoot(t.Context(), stored{id: "sha256:x"}, 1)
		if err == nil {
			err = end()
		}
		if said := "the container's root: " + errCut.Error(); (err != nil) != (cuts > 1) || err != nil && err.Error() != said {
			t.Errorf("cut off %d times: %v", cuts, err)
		}
		if got := d.took(); got != want {
			t.Errorf("cut off %d times: asked %s, want %s", cuts, got, want)
		}
	}
}

// Where an image has its volumes the container has mounts that are never made: one at each place, and none that an engine refuses.
func TestContainersOfTheCheckHaveNoVolumes(t *testing.T) {
	for config, want := range map[string]string{
		`{"config":{"Volumes":{"/data/":{},"/data":{},"/data-1":{},"/a/../b":{},"/":{},"relative":{}}}}`: "tmpfs /b, tmpfs /data, tmpfs /data-1",
		`{"config":{"Volumes":{"/a,b":{},"/a\"b":{},"/a\nb":{},"/a:b":{}}}}`:                             "tmpfs /a:b", // Podman reads none of the others
		`{"config":{"Volumes":null}}`: "",
		`{"config":null}`:             "",
		``:                            "",
	} {
		var got []string
		for _, m := range insteadOfVolumes([]byte(config)) {
			got = append(got, string(m.Type)+" "+m.Target)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q", config, got)
		}
	}
}

// The container of a check is of the very image, in no network, and ours by its label; it goes with whatever it has.
func TestContainersOfTheCheck(t *testing.T) {
	var created struct {
		Image, NetworkMode string
		Cmd                []string
		Labels             map[string]string
		HostConfig         struct{ NetworkMode string }
	}
	removed := ""
	e := answering(t, docker, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPost:
			_ = json.NewDecoder(r.Body).Decode(&created)
			fmt.Fprint(w, `{"Id":"box"}`)
		case http.MethodDelete:
			removed = r.URL.Query().Encode()
		case http.MethodGet:
			if q := r.URL.Query(); q.Get("all") != "1" || q.Get("filters") != `{"label":{"`+boxLabel+`":true}}` {
				t.Errorf("asked for containers with %s", q.Encode())
			}
			fmt.Fprint(w, `[{"ImageID":"sha256:other"},{"ImageID":"sha256:x"}]`)
		}
	})
	box, err := e.createBox(t.Context(), stored{id: "sha256:x"})
	if err != nil {
		t.Fatal(err)
	}
	if created.Image != "sha256:x" || len(created.Cmd) == 0 || created.Labels[boxLabel] == "" || created.HostConfig.NetworkMode != "none" {
		t.Errorf("created %+v", created)
	}
	if !e.lookedInto(t.Context(), "sha256:x") || e.lookedInto(t.Context(), "sha256:y") {
		t.Error("somebody looks into x, and nobody into y")
	}
	if err := box.remove(); err != nil || removed != "force=1&v=1" {
		t.Errorf("removed with %q, %v", removed, err)
	}
}

// A caller that gives up while the container is created leaves none behind.
func TestInterruptedRootLeavesNoContainer(t *testing.T) {
	d := newBoxDouble()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/containers/create") {
			cancel()
		}
		d.ServeHTTP(w, r)
	}))
	defer server.Close()
	api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion(minAPI))
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{api: api, info: docker20}
	if _, _, err := e.openRoot(ctx, stored{id: "sha256:x"}, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := d.took(); got != "CREATE, DELETE" {
		t.Errorf("asked %s", got)
	}
}

// What killed runs have left goes when the next one begins, and nothing else: neither what runs nor what others look into now.
func TestABuildRemovesLeftContainers(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+path.Base(r.URL.Path)+" "+r.URL.Query().Get("filters"))
		http.Error(w, `{"message":"a prune operation is already running"}`, http.StatusConflict)
	}))
	defer server.Close()
	api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion(minAPI))
	if err != nil {
		t.Fatal(err)
	}
	b, err := newClassic(&Engine{api: api, info: docker20}).start(t.Context(), Context{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if want := `POST prune {"label":{"com.github.manymage":true},"until":{"1h0m0s":true}}`; len(asked) != 1 || asked[0] != want {
		t.Errorf("asked for %q, want %s", asked, want)
	}
}

// A name that begins with a dot is not the one without it.
func TestNamesInTheRootsOwnArchive(t *testing.T) {
	d := &boxDouble{files: map[string]string{"/.venv/bin/python": "right", "/venv/bin/python": "wrong"}}
	root, _ := openDouble(t, d, tooLarge)
	if _, err := fs.ReadDir(root, "."); err != nil {
		t.Fatal(err)
	}
	if got, err := headOf(root, ".venv/bin/python", 5); err != nil || got != "right" {
		t.Errorf("%q, %v", got, err)
	}
}

// Many read at once, and a folder's archive holds all that is below it.
func TestAFolderIsFetchedOnce(t *testing.T) {
	d := newBoxDouble()
	root, _ := openDouble(t, d, tooLarge)
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			_, err := fs.ReadDir(root, "usr/bin")
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if took := d.took(); strings.Count(took, "GET /usr/bin/.") != 1 {
		t.Errorf("asked %s", took)
	}
}
