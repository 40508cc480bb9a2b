package engine

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonistiigi/fsutil"
)

// contextTar is what a classic builder is sent of a folder, and the name under
// which it finds the rewritten Dockerfile.
func contextTar(t *testing.T, ignore string, files map[string]string) (string, map[string]string) {
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
	own, has := files[ignore]
	if has && os.Chmod(filepath.Join(dir, ignore), 0o600) != nil {
		t.Fatal(ignore)
	}
	all, err := Context{Dir: dir}.files()
	if err != nil {
		t.Fatal(err)
	}
	all, dockerfile, err := withDockerfile(t.Context(), all, ignore, []byte("rewritten"))
	if err != nil {
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
		if has && h.Name == ignore && strings.HasPrefix(string(content), own) && h.Mode&0o777 != 0o600 {
			t.Errorf("%s has the mode %o", ignore, h.Mode)
		}
	}
	if sent.Load() < total {
		t.Errorf("counted %d of %d bytes", sent.Load(), total)
	}
	return dockerfile, got
}

// What the user's ignore file says stays byte for byte, wherever it excludes a
// name that the rewritten Dockerfile can have.
func TestClassicContext(t *testing.T) {
	const own = "/.manymage.Dockerfile\n/.dockerignore\n"
	for _, test := range []struct {
		name             string
		files            map[string]string
		sent, dockerfile string
		ignore           string
	}{
		{name: "no ignore file", files: map[string]string{"Dockerfile": "x", "a/b": "y"},
			sent: "Dockerfile a/ a/b", ignore: own},
		{name: "one that excludes itself", files: map[string]string{"Dockerfile": "x", "k": "y", ".dockerignore": ".*\nDocker*"},
			sent: "k", ignore: own},
		{name: "a name", files: map[string]string{"Dockerfile": "x", "key": "y", ".dockerignore": "key"},
			sent: "Dockerfile", dockerfile: "key", ignore: "key"},
		{name: "a folder", files: map[string]string{".git/HEAD": "x", "a": "y", ".dockerignore": "# none\n/.git/\r\n"},
			sent: "a", dockerfile: ".git", ignore: "# none\n/.git/\r\n"},
		{name: "a wildcard", files: map[string]string{"a": "y", ".dockerignore": "**/*.m?"},
			sent: "a", dockerfile: "manymage.mm", ignore: "**/*.m?"},
		{name: "a folder of which something is kept", files: map[string]string{"in/a": "x", "in/b": "y", ".dockerignore": "in\n!in/b\nc"},
			sent: "in/ in/b", dockerfile: "c", ignore: "in\n!in/b\nc"},
		{name: "all but a few", files: map[string]string{"a": "x", "b": "y", ".dockerignore": "**\n!b\n!.dockerignore"},
			sent: "b", dockerfile: "manymage", ignore: "**\n!b\n!.dockerignore"},
		{name: "names in a folder", files: map[string]string{"a/b": "x", "docs/b.md": "x", "docs/c": "y", ".dockerignore": "none/*.md\ndocs/c/*\ndocs/*.md"},
			sent: "a/ a/b docs/ docs/c", dockerfile: "docs/manymage.md", ignore: "none/*.md\ndocs/c/*\ndocs/*.md"},
		{name: "the user's own of our name", files: map[string]string{rewrittenName: "x"},
			sent: rewrittenName, dockerfile: rewrittenName + "_", ignore: "/" + rewrittenName + "_\n/.dockerignore\n"},
		{name: "nothing", files: map[string]string{"a": "x", ".dockerignore": ""},
			sent: "a", ignore: "\n/.manymage.Dockerfile\n"},
		{name: "no name in a folder that is sent", files: map[string]string{"a/c": "y", ".dockerignore": "none/b\n.\n..\n[de]\nf\n!f"},
			sent: "a/ a/c", ignore: "none/b\n.\n..\n[de]\nf\n!f\n/.manymage.Dockerfile\n"},
	} {
		dockerfile, got := contextTar(t, ".dockerignore", test.files)
		if want := cmp.Or(test.dockerfile, rewrittenName); dockerfile != want || got[dockerfile] != "rewritten" || got[".dockerignore"] != test.ignore {
			t.Errorf("%s: the Dockerfile is %s, wanted %s: %q", test.name, dockerfile, want, got)
		}
		delete(got, dockerfile)
		delete(got, ".dockerignore")
		if sent := strings.Join(slices.Sorted(maps.Keys(got)), " "); sent != test.sent {
			t.Errorf("%s: sent %s, want %s", test.name, sent, test.sent)
		}
	}
}

// Podman reads an ignore file of its own in the first place, and Docker's not beside it.
func TestClassicContextForPodman(t *testing.T) {
	e := &Engine{info: Info{Name: podman}}
	for own, want := range map[string]string{"": "/.manymage.Dockerfile\n/.containerignore\n", "z": "z"} {
		files := map[string]string{"k": "y", ".dockerignore": "x"}
		if own != "" {
			files[".containerignore"] = own
		}
		if _, got := contextTar(t, e.ignoreName(), files); got[".containerignore"] != want || got[".dockerignore"] != "x" {
			t.Errorf("%q: %q", own, got)
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

// An engine that has failed reads no further, and an interrupt ends the stream: neither is a fault of the context.
func TestClassicContextThatIsNotReadToItsEnd(t *testing.T) {
	broken := errors.New("the engine's connection broke")
	all, err := Context{Dir: folder(t, "a", "b")}.files()
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(*tarStream, func()){
		"the engine":   func(s *tarStream, _ func()) { _ = s.Close() },
		"an interrupt": func(s *tarStream, interrupt func()) { interrupt(); _, _ = io.Copy(io.Discard, s) },
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			var sent atomic.Int64
			stream := streamTar(ctx, all, &sent)
			_, _ = stream.Read(make([]byte, 1))
			end(stream, interrupt)
			synctest.Wait()
			interrupt()
			if blamed := stream.blame(broken); blamed != broken {
				t.Errorf("%s: %v", name, blamed)
			}
		})
	}
}

// A file is as old as docker has it, by whole seconds that are over.
func TestClassicContextHasWholeSeconds(t *testing.T) {
	dir := folder(t, "a")
	if err := os.Chtimes(filepath.Join(dir, "a"), time.Time{}, time.Unix(100, 900_000_000)); err != nil {
		t.Fatal(err)
	}
	all, err := Context{Dir: dir}.files()
	if err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int64
	stream := streamTar(t.Context(), all, &sent)
	defer stream.Close()
	if h, err := tar.NewReader(stream).Next(); err != nil || h.ModTime.Unix() != 100 {
		t.Errorf("%v, %v", h, err)
	}
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

// Podman takes links to any absolute path, and none that climbs out of the context.
func TestClassicContextThatLeadsOut(t *testing.T) {
	for link, out := range map[string]string{"../../out": "d/link", "..": "", "../a": "", "/etc/hostname": "", "/../..": "", "x/../../../y": "d/link"} {
		dir := t.TempDir()
		if err := errors.Join(os.Mkdir(filepath.Join(dir, "d"), 0o755), os.Symlink(link, filepath.Join(dir, "d", "link"))); err != nil {
			t.Fatal(err)
		}
		files, err := (Context{Dir: dir}).files()
		if err != nil {
			t.Fatal(err)
		}
		err = leadsOut(t.Context(), files)
		if (err != nil) != (out != "") || err != nil && (!errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "the symbolic link "+out+" leads out of the context (to "+link+")")) {
			t.Errorf("%s: %v", link, err)
		}
		if files, err = (Context{Dir: dir, Excludes: []string{"d"}}).files(); err != nil || leadsOut(t.Context(), files) != nil {
			t.Errorf("%s: it is left out, and told of; %v", link, err)
		}
	}
}
