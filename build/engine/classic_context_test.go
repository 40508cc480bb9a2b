package engine

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tonistiigi/fsutil"
)

// contextTar is what a classic builder is sent of a folder.
func contextTar(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Context{Dir: dir}.files()
	if err != nil {
		t.Fatal(err)
	}
	if all, err = withDockerfile(all, []byte("rewritten")); err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int64
	stream := streamTar(t.Context(), all, &sent)
	defer stream.Close()
	got := map[string]string{}
	total := int64(0)
	for r := tar.NewReader(stream); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		total += h.Size
		got[h.Name] = string(content)
	}
	if sent.Load() < total {
		t.Errorf("counted %d of %d bytes", sent.Load(), total)
	}
	return got
}

func TestClassicContext(t *testing.T) {
	for _, test := range []struct {
		name         string
		files        map[string]string
		names        string
		ignore, podm string
	}{
		{name: "no ignore file", files: map[string]string{"Dockerfile": "x", "a/b": "y"},
			names:  ".dockerignore .manymage.Dockerfile Dockerfile a/ a/b",
			ignore: "/.manymage.Dockerfile\n/.dockerignore\n"},
		{name: "an ignore file that stays", files: map[string]string{"Dockerfile": "x", "key": "y", ".dockerignore": "key"},
			names:  ".dockerignore .manymage.Dockerfile Dockerfile",
			ignore: "key\n/.manymage.Dockerfile\n"},
		{name: "an ignore file that excludes itself", files: map[string]string{"Dockerfile": "x", "k": "y", ".dockerignore": ".*\nDocker*"},
			names:  ".dockerignore .manymage.Dockerfile k",
			ignore: "/.manymage.Dockerfile\n/.dockerignore\n"},
		{name: "Podman's own", files: map[string]string{"k": "y", ".containerignore": "z"},
			names:  ".containerignore .dockerignore .manymage.Dockerfile k",
			ignore: "/.manymage.Dockerfile\n/.dockerignore\n", podm: "z\n/.manymage.Dockerfile\n"},
	} {
		got := contextTar(t, test.files)
		var names []string
		for name := range got {
			names = append(names, name)
		}
		slices.Sort(names)
		if all := strings.Join(names, " "); all != test.names {
			t.Errorf("%s: sent %s, want %s", test.name, all, test.names)
		}
		if got[rewrittenName] != "rewritten" || got[".dockerignore"] != test.ignore || got[".containerignore"] != test.podm {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

// changing is a context whose files somebody writes to before they are read.
type changing struct {
	fsutil.FS
	content string
}

func (c changing) Open(string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(c.content)), nil
}

// A file that grows is sent as it was listed; one that shrinks is named, and not the engine's fault.
func TestClassicContextOfFilesThatChange(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "build.log"), []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	all, err := Context{Dir: dir}.files()
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the engine's connection broke")
	for now, want := range map[string]string{"12345": "12345", "12345 and more": "12345", "123": "", "": ""} {
		var sent atomic.Int64
		stream := streamTar(t.Context(), changing{all, now}, &sent)
		r := tar.NewReader(stream)
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(r)
		_, err := r.Next()
		stream.Close()
		blamed := stream.blame(broken)
		if want != "" && (string(got) != want || err != io.EOF || blamed != broken) {
			t.Errorf("%q: got %q, %v, %v", now, got, err, blamed)
		}
		if want == "" && (!errors.Is(blamed, ErrContext) || !strings.Contains(blamed.Error(), "build.log became shorter")) {
			t.Errorf("%q: %v", now, blamed)
		}
	}
}
