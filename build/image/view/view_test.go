package view_test

import (
	"bytes"
	"reflect"
	"testing"
	"testing/fstest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image/shell"
	"github.com/manymage/manymage/build/image/tree"
	"github.com/manymage/manymage/build/image/view"
	"github.com/manymage/manymage/platforms"
	"github.com/manymage/manymage/platforms/elftest"
)

// of is the view of an image with these files.
func of(files fstest.MapFS, env map[string]string, user string, note func(string)) *view.View {
	root, declared := tree.New(files), ocispec.Platform{OS: "linux", Architecture: "arm64"}
	return &view.View{Tree: root, Texts: shell.New(root, env, declared), Declared: declared, Env: env, User: user, Note: note}
}

func TestHomes(t *testing.T) {
	for _, test := range []struct {
		home, user string
		f          shell.Frame
		want       string
	}{
		{"", "", shell.Frame{}, "/root"},
		{"", "0:0", shell.Frame{}, "/root"},
		{"", "app:app", shell.Frame{}, "/home/app"},
		{"/srv", "app", shell.Frame{}, "/srv"},
		{"/srv", "app", shell.Frame{}.With("HOME", "/x"), "/x"},
	} {
		env := map[string]string{}
		if test.home != "" {
			env["HOME"] = test.home
		}
		if got := of(nil, env, test.user, nil).Homes(test.f); !reflect.DeepEqual(got, []string{test.want}) {
			t.Errorf("HOME=%s of %s: %s, want %s", test.home, test.user, got, test.want)
		}
	}
}

func TestFolders(t *testing.T) {
	v := of(fstest.MapFS{"app/lib/x": {}, "opt/x": {}, "file": {}}, map[string]string{"DIRS": "lib::/opt:/file:../opt:/none"}, "", nil)
	named := v.FoldersIn("DIRS", shell.Frame{Dir: "/app"})
	got, err := v.There(named)
	if want := []string{"/app/lib", "/opt"}; err != nil || len(named) != 5 || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %s, %v, want %s", named, got, err, want)
	}
}

// What a shell on the way has put somewhere counts as what the image has.
func TestFirstFile(t *testing.T) {
	v := of(fstest.MapFS{"b": {}, "c": {}}, nil, "", nil)
	for _, test := range []struct {
		put  shell.Put
		want string
	}{
		{nil, "/b"},
		{shell.Put{"/a": "/c"}, "/a"},
		{shell.Put{"/a": "/none"}, "/b"},
	} {
		if got, err := v.FirstFile(shell.Frame{Put: test.put}, "/a", "/b", "/c"); got != test.want || err != nil {
			t.Errorf("%v: %s, %v, want %s", test.put, got, err, test.want)
		}
	}
	if got, err := v.FirstFile(shell.Frame{}, "/none"); got != "" || err != nil {
		t.Errorf("of what is not there it is %q, %v", got, err)
	}
}

// What installers leave is read as far as is reasonable, and that there is more is told.
func TestEvidence(t *testing.T) {
	var notes []string
	v := of(fstest.MapFS{"long": {Data: make([]byte, 16<<20+1)}, "short": {Data: []byte("x")}}, nil, "", func(text string) { notes = append(notes, text) })
	for name, want := range map[string]int{"/none": 0, "/short": 1, "/long": 16 << 20} {
		if got, err := v.Evidence(name); len(got) != want || err != nil {
			t.Errorf("of %s %d bytes were read, %v", name, len(got), err)
		}
	}
	if want := []string{"/long is so long that not all of it was read"}; !reflect.DeepEqual(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
}

// A library for another ABI of the machine is not another machine's.
func TestForeign(t *testing.T) {
	v := of(nil, nil, "", nil)
	for arch, want := range map[string]bool{"arm64": false, "amd64": true, "arm": true} {
		elf, err := platforms.ReadELFHeader(bytes.NewReader(elftest.Of(arch)))
		if got := v.Foreign(elf); err != nil || got != want {
			t.Errorf("%s: %t, %v", arch, got, err)
		}
	}
}
