package image_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms/elftest"
)

// lib is a library, which needs no execute bit.
func lib(name, arch string, options ...elftest.Option) entry {
	return put(name, 0o644, elftest.Of(arch, append(options, elftest.Type(3))...))
}

// needs is /app, which needs /lib's or another's libfoo.so.1.
func needs(options ...elftest.Option) entry {
	return elf("/app", "arm64", append(options, elftest.Needs("libc.so.6", "libfoo.so.1"))...)
}

// Each row declares linux/arm64 unless it says otherwise and runs /app.
var libraryChecks = []struct {
	name    string
	declare string
	config  config
	root    []entry
	want    string
}{
	{"a right one", "", run("/app"), []entry{needs(), lib("/usr/lib/aarch64-linux-gnu/libfoo.so.1", "arm64")}, "verified"},
	{"none at all: it may come later", "", run("/app"), []entry{needs()}, "verified"},
	{"a foreign one", "", run("/app"), []entry{needs(), lib("/usr/lib/libfoo.so.1", "amd64")}, "foreign-library:/usr/lib/libfoo.so.1"},
	{"one that nobody needs", "", run("/app"), []entry{needs(), lib("/usr/lib/libbar.so.1", "amd64")}, "verified"},
	{"a foreign one behind a link", "", run("/app"), []entry{needs(), link("/lib", "usr/lib"), link("/usr/lib/libfoo.so.1", "libfoo.so.1.2"), lib("/usr/lib/libfoo.so.1.2", "amd64")}, "foreign-library:/usr/lib/libfoo.so.1.2"},
	{"a link to nowhere", "", run("/app"), []entry{needs(), link("/usr/lib/libfoo.so.1", "x")}, "verified"},
	{"a foreign one before a right one", "", run("/app"), []entry{needs(), lib("/lib64/libfoo.so.1", "amd64"), lib("/usr/local/lib/libfoo.so.1", "arm64")}, "verified"},
	{"another ABI of the machine", "arm/v5", run("/app"), []entry{elf("/app", "armel", elftest.Needs("libfoo.so.1")), lib("/lib/libfoo.so.1", "armhf")}, "verified"},
	{"32 bits for a program of 64", "amd64", run("/app"), []entry{elf("/app", "amd64", elftest.Needs("libfoo.so.1")), lib("/usr/lib/libfoo.so.1", "386")}, "foreign-library:/usr/lib/libfoo.so.1"},
	{"... before a right one", "amd64", run("/app"), []entry{elf("/app", "amd64", elftest.Needs("libfoo.so.1")), lib("/usr/lib64/libfoo.so.1", "386"), lib("/usr/lib/libfoo.so.1", "amd64")}, "verified"},
	{"... for one of 32 that the kernel runs", "amd64", run("/app"), []entry{elf("/app", "386", elftest.Needs("libfoo.so.1")), lib("/usr/lib/libfoo.so.1", "386")}, "verified"},
	{"another machine's folder of a system for two", "amd64", run("/app"), []entry{elf("/app", "amd64", elftest.Needs("libfoo.so.1")), lib("/usr/lib/aarch64-linux-gnu/libfoo.so.1", "arm64")}, "verified"},
	{"a linker's script", "", run("/app"), []entry{needs(), text("/usr/lib/libfoo.so.1", "GROUP ( x )")}, "verified"},
	{"a folder of that name", "", run("/app"), []entry{needs(), dir("/usr/lib/libfoo.so.1")}, "verified"},

	{"RUNPATH", "", run("/app"), []entry{needs(elftest.RunPath("/opt/lib")), lib("/opt/lib/libfoo.so.1", "amd64")}, "foreign-library:/opt/lib/libfoo.so.1"},
	{"RPATH", "", run("/app"), []entry{needs(elftest.RPath("/a:/opt/lib")), lib("/opt/lib/libfoo.so.1", "amd64")}, "foreign-library:/opt/lib/libfoo.so.1"},
	{"$ORIGIN", "", run("/l/app"), []entry{link("/l", "/opt/bin"), elf("/opt/bin/app", "arm64", elftest.Needs("x.so"), elftest.RunPath("$ORIGIN/../lib")), lib("/opt/lib/x.so", "amd64")}, "foreign-library:/opt/lib/x.so"},
	{"${ORIGIN}", "", run("/opt/bin/app"), []entry{elf("/opt/bin/app", "arm64", elftest.Needs("x.so"), elftest.RunPath("${ORIGIN}/lib")), lib("/opt/bin/lib/x.so", "amd64")}, "foreign-library:/opt/bin/lib/x.so"},
	{"$LIB", "", run("/app"), []entry{needs(elftest.RunPath("/opt/$LIB")), lib("/opt/lib64/libfoo.so.1", "amd64")}, "foreign-library:/opt/lib64/libfoo.so.1"},
	{"what only the system knows", "", run("/app"), []entry{needs(elftest.RunPath("/opt/$PLATFORM")), lib("/usr/lib/libfoo.so.1", "amd64")}, "verified"},
	{"LD_LIBRARY_PATH", "", run("/app").and("Env", []string{"LD_LIBRARY_PATH=/x:/opt"}), []entry{needs(), lib("/opt/libfoo.so.1", "amd64")}, "foreign-library:/opt/libfoo.so.1"},
	{"LD_LIBRARY_PATH exported by a text, a lie", "", sh("export LD_LIBRARY_PATH=/x:/y; exec /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "amd64")}, "foreign-library:/x/libfoo.so.1"},
	{"LD_LIBRARY_PATH exported by a text", "", sh("export LD_LIBRARY_PATH=/x:/y; exec /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "arm64"), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"LD_LIBRARY_PATH exported later, a lie", "", sh("LD_LIBRARY_PATH=/x; export LD_LIBRARY_PATH; /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "amd64")}, "foreign-library:/x/libfoo.so.1"},
	{"LD_LIBRARY_PATH exported later", "", sh("LD_LIBRARY_PATH=/x; export LD_LIBRARY_PATH; /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "arm64"), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"LD_LIBRARY_PATH added to, a lie", "", sh("export LD_LIBRARY_PATH=/x:$LD_LIBRARY_PATH; exec /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "amd64")}, "foreign-library:/x/libfoo.so.1"},
	{"LD_LIBRARY_PATH added to", "", sh("export LD_LIBRARY_PATH=/x:$LD_LIBRARY_PATH; exec /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "arm64"), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"LD_LIBRARY_PATH for one command, a lie", "", sh("LD_LIBRARY_PATH=/x /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "amd64")}, "foreign-library:/x/libfoo.so.1"},
	{"LD_LIBRARY_PATH for one command", "", sh("LD_LIBRARY_PATH=/x /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "arm64"), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"LD_LIBRARY_PATH by env, a lie", "", sh("exec env LD_LIBRARY_PATH=/x /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "amd64")}, "foreign-library:/x/libfoo.so.1"},
	{"LD_LIBRARY_PATH by env", "", sh("exec env LD_LIBRARY_PATH=/x /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "arm64"), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"LD_LIBRARY_PATH by a text in a text, a lie", "", sh("export LD_LIBRARY_PATH=/x; sh -c /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "amd64")}, "foreign-library:/x/libfoo.so.1"},
	{"LD_LIBRARY_PATH by a text in a text", "", sh("export LD_LIBRARY_PATH=/x; sh -c /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "arm64"), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"LD_LIBRARY_PATH that only the shell knows", "", sh("export LD_LIBRARY_PATH=$(cat /z); exec /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"LD_LIBRARY_PATH that is not exported", "", sh("LD_LIBRARY_PATH=/x; exec /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "amd64")}, "verified"},
	{"LD_LIBRARY_PATH under a condition", "", sh("[ $X ] && export LD_LIBRARY_PATH=/x; exec /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "arm64"), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"first unknown, then known", "", sh("LD_LIBRARY_PATH=$(cat /z) /app; /app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/lib/libfoo.so.1", "amd64")}, "foreign-library:/lib/libfoo.so.1"},
	{"a loader's --library-path, a lie", "", run("/lib/ld-musl.so.1", "--library-path", "/x", "/app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "amd64")}, "foreign-library:/x/libfoo.so.1"},
	{"a loader's --library-path", "", run("/lib/ld-musl.so.1", "--library-path", "/x", "/app"), []entry{busybox("arm64"), musl("arm64"), link("/bin/env", "busybox"), needs(), lib("/x/libfoo.so.1", "arm64"), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"the working folder in it", "", run("/app").and("Env", []string{"LD_LIBRARY_PATH=/x:"}).and("WorkingDir", "/w"), []entry{needs(), lib("/w/libfoo.so.1", "arm64"), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"a folder of ld.so.conf", "", run("/app"), []entry{needs(), lib("/lib/libfoo.so.1", "amd64"), text("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"), text("/etc/ld.so.conf.d/x.conf", "# x\n/opt/lib\n"), lib("/opt/lib/libfoo.so.1", "arm64")}, "verified"},
	{"a folder of musl's configuration", "", run("/app"), []entry{needs(), lib("/lib/libfoo.so.1", "amd64"), text("/etc/ld-musl-aarch64.path", "/lib:/opt/lib"), lib("/opt/lib/libfoo.so.1", "arm64")}, "verified"},
	{"by its path", "", run("/app"), []entry{elf("/app", "arm64", elftest.Needs("/opt/x.so", "./y.so")), lib("/opt/x.so", "amd64"), lib("/y.so", "amd64")}, "foreign-library:/opt/x.so"},

	{"what its own library needs", "", run("/app"), []entry{needs(), lib("/usr/local/lib/libfoo.so.1", "arm64", elftest.Needs("libbar.so")), lib("/usr/local/lib/libbar.so", "amd64")}, "foreign-library:/usr/local/lib/libbar.so"},
	{"RPATH holds for what is loaded", "", run("/app"), []entry{needs(elftest.RPath("/opt")), lib("/opt/libfoo.so.1", "arm64", elftest.Needs("libbar.so")), lib("/opt/libbar.so", "amd64")}, "foreign-library:/opt/libbar.so"},
	{"RUNPATH does not", "", run("/app"), []entry{needs(elftest.RunPath("/opt")), lib("/opt/libfoo.so.1", "arm64", elftest.Needs("libbar.so")), lib("/opt/libbar.so", "amd64")}, "verified"},
	{"libraries in a circle", "", run("/app"), []entry{needs(elftest.RPath("/opt")), lib("/opt/libfoo.so.1", "arm64", elftest.Needs("libbar.so")), lib("/opt/libbar.so", "arm64", elftest.Needs("libfoo.so.1"))}, "verified"},

	{"of an interpreter", "", run("/a.py"), []entry{exe("/a.py", "#!/opt/python\n"), elf("/opt/python", "arm64", elftest.Needs("libpython.so")), lib("/usr/local/lib/libpython.so", "amd64")}, "foreign-library:/usr/local/lib/libpython.so"},
	{"of what a script starts", "", run("/r"), []entry{busybox("arm64"), exe("/r", "#!/bin/sh\nexec /app\n"), needs(), lib("/lib/libfoo.so.1", "amd64")}, "foreign-library:/lib/libfoo.so.1"},
	{"of a helper: not looked at", "", run("/app"), []entry{elf("/app", "arm64"), elf("/bin/x", "arm64", elftest.Needs("libfoo.so.1")), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"of a health check: not looked at", "", run("/ok").and("Healthcheck", map[string]any{"Test": []string{"CMD", "/app"}}), []entry{elf("/ok", "arm64"), needs(), lib("/lib/libfoo.so.1", "amd64")}, "verified"},
	{"of a foreign program: not looked at", "", run("/app"), []entry{elf("/app", "386", elftest.Needs("libfoo.so.1")), lib("/lib/libfoo.so.1", "amd64")}, "foreign:/app"},
}

func TestLibraries(t *testing.T) {
	for _, test := range libraryChecks {
		t.Run(test.name, func(t *testing.T) {
			declared := "arm64"
			if test.declare != "" {
				declared = test.declare
			}
			root := watched{MapFS: rootOf(test.root...), t: t}
			r, err := image.Check(test.config.bytes(), root, platform(t, declared), image.Options{})
			if got := outcome(t, r, err); got != test.want {
				t.Errorf("%s, want %s\n%v\nnotes: %s", got, test.want, err, strings.Join(r.Notes, "\n"))
			}
		})
	}
}

func TestForeignLibraryIsToldAndCanBeAllowed(t *testing.T) {
	root := rootOf(needs(), link("/lib", "usr/lib"), lib("/usr/lib/libfoo.so.1", "amd64"))
	_, err := image.Check(run("/app").bytes(), root, platform(t, "arm64"), image.Options{})
	want := "/usr/lib/libfoo.so.1 is amd64 (x86-64, 64-bit little-endian) in an image declared linux/arm64, and /app needs it: build or install it for linux/arm64, or allow it with ALLOW_FOREIGN=/usr/lib/libfoo.so.1"
	if err == nil || err.Error() != want {
		t.Errorf("says\n%v\nwant\n%s", err, want)
	}
	r, err := image.Check(run("/app").bytes(), root, platform(t, "arm64"), image.Options{AllowForeign: []string{"/usr/lib/libfoo.so.1"}})
	if got := outcome(t, r, err); got != "verified" || len(r.Notes) != 1 {
		t.Errorf("%s, %q", got, r.Notes)
	}
}

// What LD_PRELOAD names and the loader cannot take is left out by it, with a line on stderr: it is told, and no fault.
func TestPreloads(t *testing.T) {
	const jemalloc = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
	loaded := elf("/app", "arm64", elftest.Interp("/lib/ld-linux-aarch64.so.1"))
	for _, test := range []struct {
		name    string
		preload string
		app     entry
		file    entry
		want    string
	}{
		{"a right one", jemalloc, loaded, lib(jemalloc, "arm64"), "[]"},
		{"a foreign one", jemalloc, loaded, lib(jemalloc, "amd64"), "[LD_PRELOAD names " + jemalloc + ", which is amd64 (x86-64, 64-bit little-endian): programs start without it]"},
		{"an absent one, behind another", "/lib/a.so " + jemalloc, loaded, lib("/lib/a.so", "arm64"), "[LD_PRELOAD names " + jemalloc + ", which is not in the image: programs start without it]"},
		{"a name that is searched for", "libjemalloc.so.2", loaded, lib(jemalloc, "amd64"), "[]"},
		{"what only the system knows", "/usr/lib/$PLATFORM/a.so", loaded, lib(jemalloc, "amd64"), "[]"},
		{"a program without a loader", jemalloc, elf("/app", "arm64"), lib(jemalloc, "amd64"), "[]"},
	} {
		root := rootOf(test.app, test.file, elf("/lib/ld-linux-aarch64.so.1", "arm64", elftest.Type(3)))
		r, err := image.Check(run("/app").and("Env", []string{"LD_PRELOAD=" + test.preload}).bytes(), root, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != "verified" || fmt.Sprint(r.Notes) != test.want {
			t.Errorf("%s: %s, %q, want %s", test.name, got, r.Notes, test.want)
		}
	}
}
