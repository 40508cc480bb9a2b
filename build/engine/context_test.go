package engine

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tonistiigi/fsutil"
)

// folder makes a directory of empty files; a content comes behind "=".
// Everything in it belongs to somebody else than root.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range files {
		name, content, _ := strings.Cut(file, "=")
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() != 0 {
		return dir // which is another's than root's
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, 1234, 1234))
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// sent lists what leaves for the engine, folders with a slash.
func sent(t *testing.T, c Context) []string {
	t.Helper()
	files, err := c.files()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := fsutil.WriteTar(t.Context(), files, &out); err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(&out); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", header.Name, header.Uid, header.Gid)
		}
		names = append(names, header.Name)
	}
}

func TestIgnoreFiles(t *testing.T) {
	for _, one := range []struct {
		name       string
		files      []string
		dockerfile string
		excludes   []string
		want       string
	}{
		{name: "none", files: []string{"a", "d/b"}, want: "a d/ d/b"},
		{name: "a name", files: []string{".dockerignore=a\n", "a", "d/a"}, want: ".dockerignore d/ d/a"},
		{name: "anywhere", files: []string{".dockerignore=**/a\n", "a", "d/a", "d/b"}, want: ".dockerignore d/ d/b"},
		{name: "a folder", files: []string{".dockerignore=d\n", "a", "d/a"}, want: ".dockerignore a"},
		{name: "a leading slash and dots", files: []string{".dockerignore=/d/../a\n./b\n", "a", "b", "c"}, want: ".dockerignore c"},
		{name: "comments and blanks", files: []string{".dockerignore=# a\n\n  a  \n", "a", "b"}, want: ".dockerignore b"},
		{name: "the exception", files: []string{".dockerignore=d\n!d/keep\n", "d/a", "d/keep"}, want: ".dockerignore d/ d/keep"},
		{name: "the last one wins", files: []string{".dockerignore=!d/keep\nd\n", "d/a", "d/keep"}, want: ".dockerignore"},
		{name: "everything but", files: []string{".dockerignore=*\n!src\nsrc/*.o\n", "a", "src/a.c", "src/a.o"}, want: "src/ src/a.c"},
		{name: "itself and the Dockerfile", files: []string{".dockerignore=.dockerignore\nDockerfile\n", "Dockerfile", "a"}, want: "a"},
		{name: "the Dockerfile's own", files: []string{".dockerignore=a\n", "x.Dockerfile.dockerignore=b\n", "a", "b"}, dockerfile: "x.Dockerfile",
			want: ".dockerignore a x.Dockerfile.dockerignore"},
		{name: "another Dockerfile's", files: []string{".dockerignore=a\n", "x.Dockerfile.dockerignore=b\n", "a", "b"}, dockerfile: "y.Dockerfile",
			want: ".dockerignore b x.Dockerfile.dockerignore"},
		{name: "the caller's", files: []string{".dockerignore=!a\n", "a", "b"}, excludes: []string{"a"}, want: ".dockerignore b"},
	} {
		c := Context{Dir: folder(t, one.files...), Excludes: one.excludes}
		if one.dockerfile != "" {
			c.Dockerfile = filepath.Join(c.Dir, one.dockerfile)
		}
		if got := sent(t, c); !slices.Equal(got, strings.Fields(one.want)) {
			t.Errorf("%s: sent %v, want %v", one.name, got, one.want)
		}
	}
}

// Of a context what is read is sent, with the ignore file, and what links on the way lead to.
func TestReads(t *testing.T) {
	dir := folder(t, ".dockerignore=*.o\n", "a", "a.o", "d/x", "d/y", "d/e/z.o")
	for name, to := range map[string]string{"link": "d/x", "d/up": "../a", "folder": "d"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	all := ".dockerignore a d/ d/e/ d/e/z.o d/up d/x d/y folder link"
	for _, test := range []struct {
		reads []string
		want  string
	}{
		{nil, all},
		{[]string{}, ".dockerignore"},
		{[]string{"a"}, ".dockerignore a"},
		{[]string{"a.o"}, ".dockerignore"},
		{[]string{"nothere", "d/x"}, ".dockerignore d/ d/x"},
		{[]string{"d/?"}, ".dockerignore d/ d/e/ d/e/z.o d/x d/y"},
		{[]string{"link"}, ".dockerignore d/ d/x link"},
		{[]string{"d/u*"}, ".dockerignore a d/ d/up"},
		{[]string{"folder/x"}, ".dockerignore d/ d/x folder"},
		{[]string{"a/x"}, ".dockerignore"},
		{[]string{"/"}, all},
		{[]string{"a", "."}, all},
	} {
		if got := sent(t, Context{Dir: dir, Reads: test.reads}); !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("%q: sent %v, want %v", test.reads, got, test.want)
		}
	}
}

func TestContextsRefused(t *testing.T) {
	file := filepath.Join(folder(t, "a"), "a")
	for name, c := range map[string]Context{
		"a git repository": {Dir: "https://example.com/a.git"},
		"git by ssh":       {Dir: "git@example.com:a.git"},
		"standard input":   {Dir: "-"},
		"a file":           {Dir: file},
		"nothing":          {Dir: file + "-none"},
		"a bad pattern":    {Dir: folder(t, ".dockerignore=[a\n")},
		"a bad exception":  {Dir: folder(t, ".dockerignore=!\n")},
	} {
		if _, err := c.files(); !errors.Is(err, ErrContext) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Named contexts leave for the engine, too. What another Dockerfile's ignore file says is nothing to them.
func TestMeasure(t *testing.T) {
	dir := folder(t, ".dockerignore=big\n", "big=0123456789", "a=123", "d/b=4567")
	named := folder(t, "Dockerfile.dockerignore=b\n", ".dockerignore=a\n", "a=12345", "b=123", "dist/app=1234567")
	c := Context{Dir: dir, Named: []Named{{Name: "src", Source: named, Excludes: []string{"dist"}}, {Name: "base", Source: "docker-image://alpine"}}}
	files, size, err := c.Measure(t.Context(), RoadBuildKit)
	if want := int64(4 + 3 + 4 + 2 + 2 + 3); err != nil || files != 6 || size != want {
		t.Errorf("got %d files, %d bytes of %d, %v", files, size, want, err)
	}
	odd := Context{Dir: folder(t, "a\xff=1")}
	if _, _, err := odd.Measure(t.Context(), RoadBuildKit); !errors.Is(err, ErrContext) || !strings.Contains(err.Error(), `"a\xff" is not in UTF-8`) {
		t.Errorf("a name that BuildKit does not take: %v", err)
	}
	if _, _, err := odd.Measure(t.Context(), RoadClassic); err != nil {
		t.Errorf("the same for a classic builder: %v", err)
	}
	c.Named[0].Source += "-none"
	if _, _, err := c.Measure(t.Context(), RoadBuildKit); !errors.Is(err, ErrContext) {
		t.Errorf("%v", err)
	}
}

func TestSecretsRefused(t *testing.T) {
	for name, one := range map[string]Secret{
		"no id":       {Env: "A"},
		"no source":   {ID: "a"},
		"two sources": {ID: "a", Env: "A", File: "/dev/null"},
		"no file":     {ID: "a", File: "/does/not/exist"},
	} {
		if _, err := newSecrets([]Secret{one}, env(nil)); !errors.Is(err, ErrContext) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Whatever an ignore file holds, it is read or refused, and what it excludes by
// its plain name is not sent.
func FuzzIgnoreFile(f *testing.F) {
	f.Add("a\n!b\n")
	f.Add("[\n")
	f.Add("**/**/*?[^a]\\\n!!\n#\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := folder(t, "planted", "other")
		if err := os.WriteFile(filepath.Join(dir, ".dockerignore"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		c := Context{Dir: dir, Excludes: []string{"planted"}}
		if _, err := c.files(); err != nil {
			if !errors.Is(err, ErrContext) {
				t.Errorf("got %v", err)
			}
			return
		}
		if slices.Contains(sent(t, c), "planted") {
			t.Errorf("%q: the excluded file was sent", text)
		}
	})
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(".dockerignore", "# all\n*\n!conf\nconf/*.key\n")
	write("conf/a.key", "")
	write("conf/a.txt", "")
	write("b", "")
	write("own", "")
	c := Context{Dir: dir, Excludes: []string{"conf/own"}}
	write("conf/own", "")
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "conf/away")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/nothing":    "the context " + dir + " has no nothing",
		"/b":          "b is left out of the context by the line * of .dockerignore",
		"conf/a.key":  "conf/a.key is left out of the context by the line conf/*.key of .dockerignore",
		"/conf/own":   "conf/own is this program's own file, and is not sent",
		"/conf/away":  "conf/away leads through the symbolic link conf/away to what is not sent with the context",
		"/conf/a.txt": "the engine does not find conf/a.txt in the context",
	} {
		if got, cure := c.missing(name); got != want || cure == "" {
			t.Errorf("%s: %q, %q, want %q", name, got, cure, want)
		}
	}
	write("ci/Dockerfile.dockerignore", "b\n")
	c.Dockerfile = filepath.Join(dir, "ci/Dockerfile")
	if got, _ := c.missing("b"); got != "b is left out of the context by the line b of Dockerfile.dockerignore" {
		t.Errorf("of a Dockerfile's own: %q", got)
	}
}

// What a pattern with a star may bring back is the engine's to tell.
func TestContextMayBringBack(t *testing.T) {
	dir := folder(t, ".dockerignore=lib\n!**/kept", "lib/kept", "lib/x")
	for _, name := range []string{"lib", "lib/x"} {
		if why, _ := (Context{Dir: dir}).Lacks(name); why != "" {
			t.Errorf("%s: %s", name, why)
		}
	}
}

// A path that the context surely has not is told in the words of the build, and no other.
func TestContextLacks(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		".dockerignore": "**/*.log\nsecret\nlib\n!lib/kept\nold\n", "a/b": "", "a/x.log": "", "secret/key": "", "lib/kept": "", "old": "", "own": "",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"good": "a/b", "top": "/a", "up": "../../a", "all": ".", "link": "nowhere", "abs": "/etc/passwd", "hidden": "secret/key", "kept": "lib/kept", "x.log": "a", "l1": "a/../l2", "l2": "l1",
		"a/root": "/lib/kept", "a/beside": "b",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	const leads, unsent = " leads through the symbolic link ", " to what is not sent with the context"
	for name, want := range map[string]string{
		"a": "", "a/b": "", "lib": "", "lib/kept": "", "a/root": "", "a/beside": "",
		"good": "", "top": "", "top/b": "", "up": "", "all": "", "all/a/b": "", "kept": "",
		"link": "link" + leads + "link" + unsent, "abs": "abs" + leads + "abs" + unsent, "a/b/c": "the context " + dir + " has no a/b/c",
		"hidden": "secret/key is left out of the context by the line secret of .dockerignore",
		"link/x": "the context " + dir + " has no link/x", "top/nothere": "the context " + dir + " has no top/nothere", "all/secret": "secret is left out of the context by the line secret of .dockerignore",
		"x.log": "x.log is left out of the context by the line **/*.log of .dockerignore", "l1": circle, "l2/x": circle,
		"nothere": "the context " + dir + " has no nothere", "a/c": "the context " + dir + " has no a/c",
		"a/x.log": "a/x.log is left out of the context by the line **/*.log of .dockerignore", "old": "old is left out of the context by the line old of .dockerignore",
		"secret":     "secret is left out of the context by the line secret of .dockerignore",
		"secret/key": "secret/key is left out of the context by the line secret of .dockerignore",
		"lib/other":  "the context " + dir + " has no lib/other", "own": "own is this program's own file, and is not sent",
	} {
		if why, cure := (Context{Dir: dir, Excludes: []string{"own"}}).Lacks(name); why != want || (cure == "") != (want == "") {
			t.Errorf("%s: got %q; %q, want %q", name, why, cure, want)
		}
	}
}

// Patterns fit what is sent.
func TestContextLacksAll(t *testing.T) {
	dir := folder(t, ".dockerignore=secret\n*.log\n", "a/b", "secret/key", "x.log")
	for name, to := range map[string]string{"link": "a", "none": "nowhere", "sent": "x.log"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	unsent := " of " + dir
	for patterns, want := range map[string]string{
		"no*": "none leads through the symbolic link none to what is not sent with the context", "a* n*": "none leads through the symbolic link none to what is not sent with the context",
		"se*": "x.log is left out of the context by the line *.log of .dockerignore", "l*": "", "link/*": unsent, "link/../a*": unsent,
	} {
		for _, linked := range []bool{false, true} {
			why, cure := (Context{Dir: dir}).LacksAll(strings.Fields(patterns), linked)
			if want := map[bool]string{true: "nothing that is sent of the context " + dir + " fits", false: want}[want == unsent && (!linked || strings.Contains(patterns, ".."))]; why != strings.TrimPrefix(want, unsent) || (why == "") != (cure == "") {
				t.Errorf("%s, linked %t: %q, %q", patterns, linked, why, cure)
			}
		}
	}
	for patterns, fits := range map[string]bool{"a*": true, "*/b": true, ".*": true, "z* a": true, "[a]": true, "z*": false, "a*/c*": false, "sec*": false, "secret/*": false, "*.log z?": false} {
		why, cure := (Context{Dir: dir}).LacksAll(strings.Fields(patterns), true)
		if want := "nothing that is sent of the context " + dir + " fits"; (why == "") != fits || !fits && (why != want || cure == "") {
			t.Errorf("%s: %q, %q", patterns, why, cure)
		}
	}
}

// BuildKit asks for a named context in lower case, and for an image's by its short form.
func TestNamesOfContexts(t *testing.T) {
	for name, want := range map[string]string{"lib": "lib", "Lib": "lib", "docker.io/library/alpine:latest": "alpine", "alpine:Edge": "alpine:Edge", "a b": "a b"} {
		if got := (Named{Name: name}).key(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
