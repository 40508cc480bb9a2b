package shell_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image/shell"
)

func TestAbsolute(t *testing.T) {
	for _, test := range []struct{ dir, name, want string }{
		{"/app", "x", "/app/x"},
		{"/app", "./x//y/", "/app/x/y"},
		{"/app", "/x", "/x"},
		{"app", "x", "/app/x"},
		{"", "x", "/x"},
		{"/app", "../x", "//app/../x"}, // behind a link .. does not lead back
		{"/app", shell.Unknown, "/app/" + shell.Unknown},
		{shell.Unknown, "x", shell.Unknown},
		{shell.Unknown, "/x", "/x"},
	} {
		if got := shell.Absolute(test.dir, test.name); got != test.want {
			t.Errorf("%q in %q is %q, want %q", test.name, test.dir, got, test.want)
		}
	}
}

func TestPathList(t *testing.T) {
	if got := shell.PathList("/bin:" + shell.Unknown + "/x::/usr/bin"); !slices.Equal(got, []string{"/bin", shell.Unknown, "", "/usr/bin"}) {
		t.Errorf("%q", got)
	}
	long := shell.PathList(strings.Repeat("/bin:", 2*shell.MaxPathDirs))
	if len(long) != shell.MaxPathDirs+1 || long[shell.MaxPathDirs] != shell.Unknown {
		t.Errorf("%d folders, the last %q", len(long), long[len(long)-1])
	}
}

func TestShow(t *testing.T) {
	for name, want := range map[string]string{"/bin/sh": "/bin/sh", "/a b": `"/a b"`, "/a\n": `"/a\n"`, "": `""`} {
		if got := shell.Show(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
	if got := shell.ShowWord("/opt/" + shell.Unknown + "/x"); got != `"/opt/.../x"` {
		t.Errorf("it is shown as %s", got)
	}
	if got := shell.Brief(strings.Repeat("\u00e4", 150)); got != strings.Repeat("\u00e4", 100)+"..." {
		t.Errorf("it is cut to %s", got)
	}
}

func TestGlob(t *testing.T) {
	texts := shell.New(files{"/etc/init.d/a.sh": "", "/etc/init.d/b.sh": "", "/etc/init.d/.c.sh": "", "/etc/rc.d/a.sh": "", "/etc/[x]": ""}, nil, arm64)
	for pattern, want := range map[string]string{
		"/etc/init.d/*.sh":  "/etc/init.d/a.sh /etc/init.d/b.sh",
		"/etc/*/a.sh":       "/etc/init.d/a.sh /etc/rc.d/a.sh",
		"/etc/init.d/[!a]*": "/etc/init.d/b.sh",
		"/etc/init.d/.*":    "/etc/init.d/.c.sh",
		"/etc/init.d":       "/etc/init.d",
		`/etc/\[x\]`:        "/etc/[x]",
		"/none/*":           "",
		"/none":             "",
	} {
		names, err := texts.Glob(pattern)
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%s: %s, want %s; error %v", pattern, got, want, err)
		}
	}
	if _, err := texts.Glob("/etc/broken"); err == nil {
		t.Error("a failure to read is not told")
	}
}
