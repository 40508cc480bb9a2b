package lists

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/index"
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
