package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// serve starts a registry on a free port over dir.
func serve(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := Serve(t.Context(), Options{Dir: dir, Port: freePort(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// do makes a request and requires a status.
func do(t *testing.T, want int, method, url, contentType string, body []byte) (http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	if method == http.MethodGet {
		r.Header.Set("Accept", contentType)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != want {
		t.Fatalf("%s %s: %s: %s", method, url, response.Status, got)
	}
	return response.Header, got
}

const (
	octets       = "application/octet-stream"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
)

// putBlob uploads a blob as every client does: POST, then PUT to the place that the answer names.
func putBlob(t *testing.T, s *Server, repository string, content []byte) digest.Digest {
	t.Helper()
	d := digest.FromBytes(content)
	header, _ := do(t, http.StatusAccepted, http.MethodPost, "http://"+s.Address()+"/v2/"+repository+"/blobs/uploads/", octets, nil)
	do(t, http.StatusCreated, http.MethodPut, header.Get("Location")+"&digest="+d.String(), octets, content)
	return d
}

// putImage publishes an image without layers under a tag, and gives its manifest.
func putImage(t *testing.T, s *Server, repository, tag string) []byte {
	t.Helper()
	config := []byte(`{"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`)
	d := putBlob(t, s, repository, config)
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "layers": []any{},
		"config": map[string]any{"mediaType": configType, "digest": d, "size": len(config)},
	})
	if err != nil {
		t.Fatal(err)
	}
	do(t, http.StatusCreated, http.MethodPut, manifestURL(s, repository, tag), manifestType, manifest)
	return manifest
}

func manifestURL(s *Server, repository, ref string) string {
	return "http://" + s.Address() + "/v2/" + repository + "/manifests/" + ref
}

func TestAnImageIsPushedReadAndDeleted(t *testing.T) {
	s := serve(t, t.TempDir())
	manifest := putImage(t, s, "me/app", "1.2")
	if _, got := do(t, http.StatusOK, http.MethodGet, manifestURL(s, "me/app", "1.2"), manifestType, nil); !bytes.Equal(got, manifest) {
		t.Errorf("read back %s", got)
	}
	if _, got := do(t, http.StatusOK, http.MethodGet, "http://"+s.Address()+"/v2/_catalog", "", nil); !strings.Contains(string(got), "me/app") {
		t.Errorf("catalog %s", got)
	}
	do(t, http.StatusAccepted, http.MethodDelete, manifestURL(s, "me/app", digest.FromBytes(manifest).String()), "", nil)
	do(t, http.StatusNotFound, http.MethodGet, manifestURL(s, "me/app", "1.2"), manifestType, nil)
}

func TestAnIndexNeedsItsChildren(t *testing.T) {
	s := serve(t, t.TempDir())
	index := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":%q,"size":2,"digest":%q}]}`,
		manifestType, digest.FromString("{}"))
	do(t, http.StatusBadRequest, http.MethodPut, manifestURL(s, "me/app", "1.2"), "application/vnd.oci.image.index.v1+json", index)
}

func TestContentOutlivesTheServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dist", "registry")
	first, err := Serve(t.Context(), Options{Dir: dir, Port: freePort(t)})
	if err != nil {
		t.Fatal(err)
	}
	manifest := putImage(t, first, "me/app", "1.2")
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}
	second := serve(t, dir)
	if _, got := do(t, http.StatusOK, http.MethodGet, manifestURL(second, "me/app", "1.2"), manifestType, nil); !bytes.Equal(got, manifest) {
		t.Errorf("read back %s", got)
	}
}

func TestTwoServersShareAFolder(t *testing.T) {
	dir := t.TempDir()
	one, two := serve(t, dir), serve(t, dir)
	if one.Address() == two.Address() {
		t.Fatal("one address for both")
	}
	manifest := putImage(t, one, "me/app", "1.2")
	if _, got := do(t, http.StatusOK, http.MethodGet, manifestURL(two, "me/app", "1.2"), manifestType, nil); !bytes.Equal(got, manifest) {
		t.Errorf("read back %s", got)
	}
}

func portOf(t *testing.T, s *Server) int {
	t.Helper()
	_, text, err := net.SplitHostPort(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// A second run in the folder finds the first one's registry, so that references keep their host; another folder's is not taken.
func TestAServedFolderIsJoined(t *testing.T) {
	dir := t.TempDir()
	first := serve(t, dir)
	prefer := portOf(t, first)
	joined, err := Serve(t.Context(), Options{Dir: dir, Prefer: prefer})
	if err != nil || !joined.Joined() || joined.Address() != first.Address() {
		t.Fatalf("joined %+v, %v, want %s", joined, err, first.Address())
	}
	if err := joined.Close(); err != nil {
		t.Fatal(err)
	}
	other, err := Serve(t.Context(), Options{Dir: t.TempDir(), Prefer: prefer})
	if err != nil || other.Joined() || other.Address() == first.Address() {
		t.Fatalf("another folder: %+v, %v", other, err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	putImage(t, first, "me/app", "1") // the first is as it was
}

// A run that has joined a shorter one goes on, in the middle of an upload too, and keeps the address.
func TestWhoHasJoinedFollows(t *testing.T) {
	dir := t.TempDir()
	first, err := Serve(t.Context(), Options{Dir: dir, Prefer: freePort(t)})
	if err != nil {
		t.Fatal(err)
	}
	second, err := Serve(t.Context(), Options{Dir: dir, Prefer: portOf(t, first)})
	if err != nil || !second.Joined() {
		t.Fatalf("joined %+v, %v", second, err)
	}
	upload, _ := do(t, http.StatusAccepted, http.MethodPost, "http://"+first.Address()+"/v2/me/app/blobs/uploads/", "", nil)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for tries := 200; ; tries-- {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", second.Address())
		if err == nil {
			conn.Close()
			break
		}
		if tries == 0 {
			t.Fatal(err)
		}
		time.Sleep(vacancy)
	}
	content := []byte("content")
	do(t, http.StatusCreated, http.MethodPut, upload.Get("Location")+"&digest="+digest.FromBytes(content).String(), "application/octet-stream", content)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	third := serve(t, dir)
	do(t, http.StatusOK, http.MethodGet, "http://"+third.Address()+"/v2/me/app/blobs/"+digest.FromBytes(content).String(), "", nil)
}

func TestThePort(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy, free := taken.Addr().(*net.TCPAddr).Port, freePort(t)

	if _, err := Serve(t.Context(), Options{Dir: t.TempDir(), Port: busy}); !errors.Is(err, ErrPort) || !strings.Contains(err.Error(), fmt.Sprint(busy)) {
		t.Errorf("a taken port: %v", err)
	}
	for _, c := range []struct {
		name   string
		prefer int
		is     func(port int) bool
	}{
		{"a preferred port that is free", free, func(port int) bool { return port == free }},
		{"a preferred port that is taken", busy, func(port int) bool { return port >= FirstPort && port < FirstPort+tries }},
		{"no preference", 0, func(port int) bool { return port >= FirstPort && port < FirstPort+tries }},
	} {
		s, err := Serve(t.Context(), Options{Dir: t.TempDir(), Prefer: c.prefer})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		host, port, _ := net.SplitHostPort(s.Address())
		var n int
		_, _ = fmt.Sscan(port, &n)
		if host != "127.0.0.1" || !c.is(n) {
			t.Errorf("%s: %s", c.name, s.Address())
		}
		_ = s.Close()
	}
}

func TestItEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Serve(ctx, Options{Dir: t.TempDir(), Port: freePort(t)})
	if err != nil {
		t.Fatal(err)
	}
	do(t, http.StatusOK, http.MethodGet, "http://"+s.Address()+"/v2/", "", nil)
	cancel()
	<-s.done
	if c, err := net.Dial("tcp4", s.Address()); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestAFolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(t.Context(), Options{Dir: filepath.Join(file, "sub")}); err == nil || !strings.Contains(err.Error(), "choose a folder") {
		t.Error(err)
	}
}

func TestOnlyLoopbackNamesAreServed(t *testing.T) {
	s := serve(t, t.TempDir())
	for host, want := range map[string]int{
		s.Address(): 200, "localhost:5000": 200, "localhost": 200, "[::1]:5000": 200, "127.1.2.3": 200,
		"LOCALHOST:5000": 200, "[::1]": 200, "[::ffff:127.0.0.1]:5000": 200,
		"evil.example:5000": 403, "10.0.0.1:5000": 403, "localhost.evil.example": 403,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Address()+"/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("host %s: %s", host, response.Status)
		}
	}
}

func TestRemainsOfOldUploadsAreDiscarded(t *testing.T) {
	dir := t.TempDir()
	first := serve(t, dir)
	manifest := putImage(t, first, "a/b/app", "1")
	for range 2 {
		do(t, http.StatusAccepted, http.MethodPost, "http://"+first.Address()+"/v2/a/b/app/blobs/uploads/", octets, nil)
	}
	uploads, _ := filepath.Glob(filepath.Join(dir, "docker/registry/v2/repositories/a/b/app/_uploads/*"))
	if len(uploads) != 2 {
		t.Fatal(uploads)
	}
	old := time.Now().Add(-2 * abandoned)
	if err := filepath.WalkDir(uploads[0], func(path string, _ fs.DirEntry, _ error) error { return os.Chtimes(path, old, old) }); err != nil {
		t.Fatal(err)
	}
	second := serve(t, dir)
	if left := glob(t, filepath.Dir(uploads[0])+"/*"); len(left) != 1 || left[0] != uploads[1] {
		t.Errorf("left: %v", left)
	}
	if _, got := do(t, http.StatusOK, http.MethodGet, manifestURL(second, "a/b/app", "1"), manifestType, nil); !bytes.Equal(got, manifest) {
		t.Errorf("read back %s", got)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestItIsQuiet runs a registry in a process of its own, pushes, asks for what is not there, and requires that nothing was
// written to its stdout and stderr.
func TestItIsQuiet(t *testing.T) {
	const role = "MANYMAGE_TEST_SERVE"
	if dir := os.Getenv(role); dir != "" {
		s := serve(t, dir)
		putImage(t, s, "me/app", "1")
		do(t, http.StatusNotFound, http.MethodGet, manifestURL(s, "me/app", "2"), manifestType, nil)
		do(t, http.StatusBadRequest, http.MethodPut, manifestURL(s, "me/app", "2"), manifestType, []byte("{"))
		do(t, http.StatusNotFound, http.MethodGet, manifestURL(s, "me/app", digest.FromString("x").String()), manifestType, nil)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestItIsQuiet$")
	child.Env = append(os.Environ(), role+"="+t.TempDir())
	out, err := child.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "PASS\n") { // go test -cover has more to say behind it
		t.Errorf("%v: %s", err, out)
	}
}
