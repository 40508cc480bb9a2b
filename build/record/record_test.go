package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

func sample() Record {
	return Record{
		Schema: Schema, Tool: "1.0", Image: "docker.io/me/app", Version: "1.2", Revision: "abc", Source: "https://x/<y>&z", Step: Published,
		Started: time.Unix(1700000000, 5).UTC(), Finished: time.Unix(1700000009, 0).UTC(),
		Platforms: []Platform{{
			Platform: "linux/arm/v7", Ref: "docker.io/me/app:armv7-1.2", Local: []string{"me/app:armv7-latest"}, ID: "sha256:1", Config: "sha256:2",
			Digest: "sha256:3", Size: 4, Verdict: "verified", Notes: []string{"n"}, Strategy: "cross", Engine: "Docker 20.10", Relabelled: "linux/amd64",
			Pushed: true, Scanned: true, Refused: "exit status 1", Seconds: 1.5, CheckSeconds: 0.25,
		}},
		Index:    &Index{Digest: "sha256:5", MediaType: "application/vnd.oci.image.index.v1+json", Size: 6},
		Tags:     []Tag{{Ref: "docker.io/me/app:1.2", Previous: "sha256:7", Moved: true, Kept: "2.0.0"}},
		Registry: &Registry{Address: "127.0.0.1:5000", Data: "dist/registry"},
	}
}

func TestWriteRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dist", "manymage.json")
	for _, want := range []Record{sample(), {Schema: Schema, Platforms: []Platform{}}} {
		if err := Write(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

// Every field of the sample is set, so that the test above misses none when one is added.
func TestSampleIsFull(t *testing.T) {
	for _, part := range []any{sample(), sample().Platforms[0], *sample().Index, sample().Tags[0], *sample().Registry} {
		v := reflect.ValueOf(part)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%T.%s is not set", part, v.Type().Field(i).Name)
			}
		}
	}
}

func TestNothingButTheRecordIsLeft(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "manymage.json")
	for range 2 {
		if err := Write(path, sample()); err != nil {
			t.Fatal(err)
		}
	}
	if names := list(t, dir); !reflect.DeepEqual(names, []string{"manymage.json"}) {
		t.Errorf("files: %v", names)
	}
}

func TestFailedWriteKeepsTheOldAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "manymage.json")
	if err := os.Mkdir(path, 0o755); err != nil { // a rename onto a folder fails, for root too
		t.Fatal(err)
	}
	if err := Write(path, sample()); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v, want an error that names %s", err, path)
	}
	if names := list(t, dir); !reflect.DeepEqual(names, []string{"manymage.json"}) {
		t.Errorf("files: %v", names)
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWritersAndReadersAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manymage.json")
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				if err := Write(path, sample()); err != nil {
					t.Error(err)
				}
				if _, err := Read(path); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// Runs that begin take away the folder that they have made to ask whether they may write, while others end.
func TestFoldersThatVanish(t *testing.T) {
	for range 200 {
		path := filepath.Join(t.TempDir(), "dist", "manymage.json")
		var group sync.WaitGroup
		for _, do := range []func() error{
			func() error { return Writable(path) },
			func() error { return Writable(path) },
			func() error { return Write(path, sample()) },
		} {
			group.Go(func() {
				if err := do(); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name, content string
		want          error
		says          string
	}{
		{"newer", `{"schema":2,"everything":"else"}`, ErrSchema, "schema 2"},
		{"older", `{"schema":0}`, ErrSchema, "delete it"},
		{"no schema", `{}`, ErrDamaged, "no schema"},
		{"unknown field", `{"schema":1,"imge":"x"}`, ErrDamaged, `"imge"`},
		{"truncated", `{"schema":1,"image":"x`, ErrDamaged, "unexpected end"},
		{"empty", ``, ErrDamaged, "delete it"},
		{"two records", `{"schema":1}{"schema":1}`, ErrDamaged, "delete it"},
		{"another type", `{"schema":1,"image":7}`, ErrDamaged, "image"},
		{"no object", `[1]`, ErrDamaged, "delete it"},
		{"null", `null`, ErrDamaged, "no schema"},
		{"huge", `{"schema":1,"image":"` + strings.Repeat("x", largest) + `"}`, ErrDamaged, "larger"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "manymage.json")
			if err := os.WriteFile(path, []byte(test.content), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path)
			if !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), test.says) || !strings.Contains(fmt.Sprint(err), path) {
				t.Errorf("got %v, want %v that says %q", err, test.want, test.says)
			}
		})
	}
}

// People and other programs read the file.
func TestForm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manymage.json")
	if err := Write(path, Record{Image: "docker.io/me/app", Version: "1", Source: "https://x/<y>&z", Step: Built}); err != nil {
		t.Fatal(err)
	}
	const want = `{
  "schema": 1,
  "image": "docker.io/me/app",
  "version": "1",
  "source": "https://x/<y>&z",
  "step": "built",
  "started": "0001-01-01T00:00:00Z",
  "finished": "0001-01-01T00:00:00Z",
  "platforms": []
}
`
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v (%v), want that others may read it", info.Mode(), err)
	}
}

func TestFaults(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder was read: %v", err)
	}
	if err := Write(filepath.Join(file, "manymage.json"), sample()); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a record was written below a file: %v", err)
	}
	if err := Write(filepath.Join(dir, "manymage.json"), Record{Finished: time.Unix(1<<40, 0)}); err == nil {
		t.Error("a time beyond the year 9999 was written, which nobody can read")
	}
	if err := Remove(dir); err == nil {
		t.Error("a folder with a file in it was removed")
	}
	if names := list(t, dir); !reflect.DeepEqual(names, []string{"file"}) {
		t.Errorf("files: %v", names)
	}
}

func TestMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dist")
	path := filepath.Join(dir, "manymage.json")
	if _, err := Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read: %v", err)
	}
	if err := Remove(path); err != nil {
		t.Errorf("remove: %v", err)
	}
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	if err := Remove(path); err != nil {
		t.Errorf("remove: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after remove: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the empty folder was left: %v", err)
	}
}

// What cannot be written after a build is known before it, and nothing is left of the question.
func TestWritable(t *testing.T) {
	dir := t.TempDir()
	if err := Writable(filepath.Join(dir, "dist", "manymage.json")); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dist"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Writable(filepath.Join(dir, "dist", "manymage.json")); err == nil {
		t.Error("a folder that is a file can be written to")
	}
}

// A folder that was there stays, and a link to one: somebody has put it there.
func TestFoldersOfOthersStay(t *testing.T) {
	for name, put := range map[string]func(dir, elsewhere string) error{
		"an empty folder":           func(dir, _ string) error { return os.Mkdir(dir, 0o755) },
		"a link to a folder":        func(dir, elsewhere string) error { return os.Symlink(elsewhere, dir) },
		"a link that leads nowhere": func(dir, elsewhere string) error { return os.Symlink(filepath.Join(elsewhere, "none"), dir) },
	} {
		dir := filepath.Join(t.TempDir(), "dist")
		if err := put(dir, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		before, err := os.Lstat(dir)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "manymage.json")
		_ = Writable(path) // not where the link leads nowhere
		if after, err := os.Lstat(dir); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s: %v after Writable", name, err)
		}
		if before.IsDir() || Write(path, sample()) != nil {
			continue
		}
		if err := Remove(path); err != nil {
			t.Error(err)
		}
		if after, err := os.Lstat(dir); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s: %v after Remove", name, err)
		}
	}
}

// FuzzDecode: what decodes is the same record after it was encoded and decoded again; nothing panics.
func FuzzDecode(f *testing.F) {
	full, err := encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{full, []byte(`{"schema":1}`), []byte(`{"schema":2}`), []byte(`null`), nil} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := decode("x", data)
		if err != nil {
			if !errors.Is(err, ErrSchema) && !errors.Is(err, ErrDamaged) {
				t.Errorf("untyped error %v", err)
			}
			return
		}
		again, err := encode(first)
		if err != nil {
			return // a time beyond the year 9999 has no JSON form
		}
		second, err := decode("x", again)
		if err != nil || fmt.Sprintf("%+v", second.Platforms) != fmt.Sprintf("%+v", first.Platforms) || !second.Started.Equal(first.Started) {
			t.Errorf("%+v became %+v (%v)", first, second, err)
		}
	})
}
