package image_test

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms/elftest"
)

// busybox is a shell with the right architecture, linked to from everywhere.
func busybox(arch string) entry {
	return func(root fstest.MapFS) {
		elf("/bin/busybox", arch)(root)
		for _, applet := range []string{"sh", "env", "nice", "ls"} {
			link("/bin/"+applet, "/bin/busybox")(root)
		}
	}
}

// Each row declares linux/arm64 unless it says otherwise; "arm64" are the right programs.
var checks = []struct {
	name    string
	declare string
	config  config
	root    []entry
	want    string
}{
	// Truth.
	{"a static program from scratch", "", run("/app"), []entry{elf("/app", "arm64")}, "verified"},
	{"entrypoint and cmd", "", run("/app").and("Cmd", []string{"serve"}), []entry{elf("/app", "arm64")}, "verified"},
	{"cmd alone", "", config{"Cmd": []string{"/app"}}, []entry{elf("/app", "arm64")}, "verified"},
	{"a name on the default PATH", "", run("app"), []entry{elf("/usr/local/bin/app", "arm64")}, "verified"},
	{"a name on the image's PATH", "", run("app").and("Env", []string{"PATH=/opt/bin"}), []entry{elf("/opt/bin/app", "arm64")}, "verified"},
	{"the last PATH counts", "", run("app").and("Env", []string{"PATH=/a", "PATH=/b"}), []entry{elf("/a/app", "amd64"), elf("/b/app", "arm64")}, "verified"},
	{"relative to WORKDIR", "", run("./app").and("WorkingDir", "/srv"), []entry{elf("/srv/app", "arm64")}, "verified"},
	{"relative without WORKDIR", "", run("bin/app"), []entry{elf("/bin/app", "arm64")}, "verified"},
	{"absolute despite WORKDIR", "", run("/app").and("WorkingDir", "/srv"), []entry{elf("/app", "arm64")}, "verified"},
	{"a loader that is there", "", run("/app"), []entry{muslProgram("/app", "arm64"), musl("arm64")}, "verified"},
	{"a script behind tini", "", run("/sbin/tini", "-g", "--", "/run.sh"), []entry{elf("/sbin/tini", "arm64"), exe("/run.sh", "#!/bin/sh\nexec /app \"$@\"\n"), elf("/app", "arm64"), busybox("arm64")}, "verified"},
	{"nothing declared to run, programs on PATH", "", config{}, []entry{busybox("arm64")}, "verified"},
	{"arm64/v8 is arm64", "arm64/v8", run("/app"), []entry{elf("/app", "arm64")}, "verified"},
	{"a v6 program under v7", "arm/v7", run("/app"), []entry{elf("/app", "armhf", elftest.ARMArch(6))}, "verified"},
	{"v3 under plain amd64", "amd64", run("/app"), []entry{elf("/app", "amd64", elftest.Go("GOARCH=amd64", "GOAMD64=v3"))}, "verified"},
	{"v3 under v3", "amd64/v3", run("/app"), []entry{elf("/app", "amd64", elftest.Go("GOARCH=amd64", "GOAMD64=v3"))}, "verified"},
	{"386 under amd64", "amd64", run("/app"), []entry{elf("/app", "386")}, "verified"},

	// Nothing to judge by.
	{"no layers, nothing to run", "", config{}, nil, "unverified"},
	{"data alone", "", config{}, []entry{text("/data.txt", "x")}, "unverified"},
	{"windows", "windows/amd64", run("app.exe"), []entry{exe("/app.exe", "MZ")}, "unverified"},

	{"a script on Windows", "windows/amd64", run("/run"), []entry{exe("/run", "#!/bin/sh\n")}, "unverified"},
	{"FreeBSD's own program", "freebsd/amd64", run("/app"), []entry{elf("/app", "amd64", elftest.OSABI(9))}, "unverified"},
	{"what NetBSD may run", "netbsd/amd64", run("/app"), []entry{elf("/app", "amd64")}, "unverified"},
	{"a library on Windows", "windows/amd64", run("/app"), []entry{elf("/app", "amd64", elftest.Type(1))}, "unverified"},
	{"what is not there on Windows", "windows/amd64", run("/app"), nil, "unverified"},
	{"what nobody can start on Windows", "windows/amd64", run("/app"), []entry{put("/app", 0o644, elftest.Of("amd64"))}, "unverified"},

	// Linux under another label.
	{"Linux as Windows", "windows/amd64", run("/app"), []entry{elf("/app", "amd64")}, "foreign-system:/app"},
	{"Linux on PATH as Windows", "windows/amd64", config{"Cmd": []string{"sh"}}, []entry{busybox("amd64")}, "foreign-system:/bin/busybox"},
	{"a script for Linux as Windows", "windows/amd64", run("/run.sh"), []entry{exe("/run.sh", "#!/bin/sh\n"), busybox("amd64")}, "foreign-system:/bin/busybox"},
	{"Linux as FreeBSD", "freebsd/amd64", run("/app"), []entry{elf("/app", "amd64")}, "foreign-system:/app"},
	{"Linux's loader as NetBSD", "netbsd/amd64", run("/app"), []entry{elf("/app", "amd64", elftest.Interp("/lib64/ld-linux-x86-64.so.2"))}, "foreign-system:/app"},
	{"musl's loader as NetBSD", "netbsd/amd64", run("/app"), []entry{elf("/app", "amd64", elftest.Interp("/lib/ld-musl-x86_64.so.1"))}, "foreign-system:/app"},

	// Lies.
	{"an amd64 program", "", run("/app"), []entry{elf("/app", "amd64")}, "foreign:/app"},
	{"the other byte order", "", run("/app"), []entry{elf("/app", "arm64be")}, "foreign:/app"},
	{"32 instead of 64 bits", "", run("/app"), []entry{elf("/app", "armhf")}, "foreign:/app"},
	{"hard-float under v5", "arm/v5", run("/app"), []entry{elf("/app", "armhf")}, "foreign:/app"},
	{"v7 base under v6", "arm/v6", run("/app"), []entry{elf("/app", "armhf", elftest.ARMArch(10), elftest.Interp("/lib/ld.so")), elf("/lib/ld.so", "armhf", elftest.ARMArch(10))}, "too-new:/app"},
	{"v3 under v2", "amd64/v2", run("/app"), []entry{elf("/app", "amd64", elftest.Go("GOARCH=amd64", "GOAMD64=v3"))}, "too-new:/app"},
	{"v3 under v2 without a build ID", "amd64/v2", run("/app"), []entry{elf("/app", "amd64", elftest.Go("GOARCH=amd64", "GOAMD64=v3"), elftest.Bare())}, "too-new:/app"},
	{"v3 under v2, linked by C", "amd64/v2", run("/app"), []entry{elf("/app", "amd64", elftest.Go("GOARCH=amd64", "GOAMD64=v3"), elftest.Bare(), elftest.Needs("libc.so.6")), elf("/lib/libc.so.6", "amd64", elftest.Type(3))}, "too-new:/app"},
	{"v3 on PATH under v2", "amd64/v2", run("/app"), []entry{elf("/app", "amd64"), elf("/bin/x", "amd64", elftest.Go("GOARCH=amd64", "GOAMD64=v3"))}, "too-new:/bin/x"},
	{"v9.0 under v8.2", "arm64/v8.2", run("/app"), []entry{elf("/app", "arm64", elftest.Go("GOARCH=arm64", "GOARM64=v9.0"))}, "too-new:/app"},
	{"GOARM=7 under v6 without a build ID", "arm/v6", run("/app"), []entry{elf("/app", "arm", elftest.Go("GOARCH=arm", "GOARM=7"), elftest.Bare())}, "too-new:/app"},
	{"v7 parts in a static program under v6", "arm/v6", run("/app"), []entry{elf("/app", "armhf", elftest.ARMArch(10))}, "verified"},
	{"v8 base under v7", "arm/v7", run("/app"), []entry{elf("/app", "armhf", elftest.ARMArch(14), elftest.Interp("/lib/ld.so")), elf("/lib/ld.so", "armhf", elftest.ARMArch(14))}, "too-new:/app"},
	{"v8 parts in a static program under v7", "arm/v7", run("/app"), []entry{elf("/app", "armhf", elftest.ARMArch(14))}, "verified"},
	{"v8 under v8", "arm/v8", run("/app"), []entry{elf("/app", "armhf", elftest.ARMArch(14), elftest.Interp("/lib/ld.so")), elf("/lib/ld.so", "armhf", elftest.ARMArch(14))}, "verified"},
	{"v7 parts over a v6 C library", "arm/v6", run("/app"), []entry{elf("/app", "armhf", elftest.ARMArch(10), elftest.Interp("/lib/ld.so")), elf("/lib/ld.so", "armhf", elftest.ARMArch(6))}, "verified"},
	{"an amd64 base under a right program", "", run("/app"), []entry{elf("/app", "arm64"), busybox("amd64")}, "foreign:/bin/busybox"},
	{"a foreign helper on PATH", "", run("/app"), []entry{elf("/app", "arm64"), elf("/usr/bin/curl", "amd64")}, "foreign:/usr/bin/curl"},
	{"a foreign helper that a script calls elsewhere", "", run("/run.sh"), []entry{busybox("arm64"), exe("/run.sh", "#!/bin/sh\nset -e\nif [ -n \"$X\" ]; then\n  /opt/tool --now\nfi\n"), elf("/opt/tool", "amd64")}, "foreign:/opt/tool"},
	{"a foreign interpreter", "", run("/app.py"), []entry{exe("/app.py", "#!/opt/python\n"), elf("/opt/python", "amd64")}, "foreign:/opt/python"},
	{"a foreign loader", "", run("/app"), []entry{muslProgram("/app", "arm64"), musl("amd64")}, "foreign-loader:/app"},
	{"a loader that is a text", "", run("/app"), []entry{muslProgram("/app", "arm64"), exe("/lib/ld-musl.so.1", "x")}, "foreign-loader:/app"},
	{"no loader", "", run("/app"), []entry{muslProgram("/app", "arm64")}, "missing-loader:/app"},
	{"no loader of a helper", "", run("/app"), []entry{elf("/app", "arm64"), muslProgram("/usr/bin/git", "arm64")}, "missing-loader:/usr/bin/git"},
	{"FreeBSD", "", run("/app"), []entry{elf("/app", "arm64", elftest.OSABI(9))}, "foreign-system:/app"},
	{"Windows", "", run("/app"), []entry{exe("/app", "MZ"+strings.Repeat("\x00", 58)+"\x40\x00\x00\x00PE\x00\x00\x64\xaa")}, "foreign-system:/app"},
	{"macOS", "", run("/app"), []entry{exe("/app", "\xcf\xfa\xed\xfe\x0c\x00\x00\x01")}, "foreign-system:/app"},
	{"macOS on PATH", "", run("/app"), []entry{elf("/app", "arm64"), exe("/bin/x", "\xcf\xfa\xed\xfe\x0c\x00\x00\x01")}, "foreign-system:/bin/x"},
	{"several lies", "", run("/app"), []entry{elf("/app", "amd64"), elf("/bin/b", "riscv64"), elf("/bin/a", "386")}, "foreign:/app foreign:/bin/a foreign:/bin/b"},
	{"what is started comes first", "", run("/bin/z"), []entry{elf("/bin/z", "amd64"), elf("/bin/a", "386")}, "foreign:/bin/z foreign:/bin/a"},
	{"a foreign interpreter of a helper", "", run("/app"), []entry{elf("/app", "arm64"), exe("/bin/x", "#!/opt/i\n"), elf("/opt/i", "amd64")}, "foreign:/opt/i"},

	// What cannot run at all.
	{"not there", "", run("/app"), []entry{elf("/other", "arm64")}, "missing:/app"},
	{"no layers at all", "", run("/app"), nil, "missing:/app"},
	{"not on PATH", "", run("app"), []entry{elf("/opt/app", "arm64")}, "missing:app"},
	{"below a file", "", run("/app/x"), []entry{elf("/app", "arm64")}, "missing:/app/x"},
	{"no execute bit", "", run("/app"), []entry{put("/app", 0o644, elftest.Of("arm64"))}, "not-executable:/app"},
	{"no execute bit on PATH", "", run("app"), []entry{put("/bin/app", 0o644, elftest.Of("arm64"))}, "not-executable:/bin/app"},
	{"behind one without execute bit", "", run("app"), []entry{put("/usr/bin/app", 0o644, nil), elf("/bin/app", "arm64")}, "verified"},
	{"a directory", "", run("/app"), []entry{dir("/app")}, "not-regular:/app"},
	{"a FIFO", "", run("/app"), []entry{put("/app", fs.ModeNamedPipe|0o755, nil)}, "not-regular:/app"},
	{"a socket", "", run("/app"), []entry{put("/app", fs.ModeSocket|0o755, nil)}, "not-regular:/app"},
	{"a device", "", run("/app"), []entry{put("/app", fs.ModeDevice|0o755, nil)}, "not-regular:/app"},
	{"a FIFO as interpreter", "", run("/app"), []entry{exe("/app", "#!/pipe\n"), put("/pipe", fs.ModeNamedPipe|0o755, nil)}, "not-regular:/pipe"},
	{"a FIFO as loader", "", run("/app"), []entry{muslProgram("/app", "arm64"), put("/lib/ld-musl.so.1", fs.ModeNamedPipe|0o755, nil)}, "missing-loader:/app"},
	{"a loop as loader", "", run("/app"), []entry{muslProgram("/app", "arm64"), link("/lib/ld-musl.so.1", "ld-musl.so.1")}, "missing-loader:/app"},
	{"a FIFO as script", "", run("/bin/sh", "/app"), []entry{busybox("arm64"), put("/app", fs.ModeNamedPipe|0o755, nil)}, "not-regular:/app"},
	{"a FIFO on PATH", "", run("/app"), []entry{elf("/app", "arm64"), put("/bin/p", fs.ModeNamedPipe|0o755, nil)}, "verified"},
	{"a file as folder of PATH", "", run("/app").and("Env", []string{"PATH=/bin/x:/opt"}), []entry{elf("/app", "arm64"), elf("/bin/x", "arm64"), elf("/opt/y", "amd64")}, "foreign:/opt/y"},
	{"empty", "", run("/app"), []entry{exe("/app", "")}, "empty:/app"},
	{"empty, started by a shell", "", run("sh", "-c", "/empty && exec /app"), []entry{busybox("arm64"), exe("/empty", ""), elf("/app", "arm64")}, "verified"},
	{"a text", "", run("/app"), []entry{exe("/app", "echo hello\n")}, "no-shebang:/app"},
	{"data", "", run("/app"), []entry{exe("/app", "\x00\x01\x02")}, "not-program:/app"},
	{"a library archive", "", run("/app"), []entry{exe("/app", "!<arch>\n")}, "not-program:/app"},
	{"an object file", "", run("/app"), []entry{elf("/app", "arm64", elftest.Type(1))}, "not-program:/app"},
	{"half a header", "", run("/app"), []entry{exe("/app", "\x7fELF\x02\x01\x01")}, "damaged:/app"},
	{"CRLF", "", run("/app"), []entry{busybox("arm64"), exe("/app", "#!/bin/sh\r\necho\r\n")}, "shebang-crlf:/app"},
	{"a byte order mark", "", run("/app"), []entry{busybox("arm64"), exe("/app", "\xef\xbb\xbf#!/bin/sh\n")}, "byte-order-mark:/app"},
	{"#! and nothing", "", run("/app"), []entry{exe("/app", "#!\n")}, "no-shebang:/app"},
	{"no interpreter", "", run("/app.py"), []entry{exe("/app.py", "#!/usr/bin/python3\n")}, "missing-interpreter:/app.py"},
	{"no interpreter for env", "", run("/app.py"), []entry{busybox("arm64"), exe("/app.py", "#!/bin/env python3\n")}, "missing-interpreter:/app.py"},
	{"a script that interprets itself", "", run("/app"), []entry{exe("/app", "#!/app\n")}, "link-loop:/app"},

	// Links.
	{"a chain of links", "", run("/a"), []entry{link("/a", "b"), link("/b", "/c"), link("/c", "x/../d"), dir("/x"), elf("/d", "arm64")}, "verified"},
	{"a chain to a lie", "", run("/a"), []entry{link("/a", "b"), link("/b", "/d"), elf("/d", "amd64")}, "foreign:/d"},
	{"links stay inside", "", run("/a"), []entry{link("/a", "../../../../d"), elf("/d", "arm64")}, "verified"},
	{"an absolute link in a folder", "", run("/x/a"), []entry{link("/x/a", "/y/app"), elf("/y/app", "arm64")}, "verified"},
	{"a loop", "", run("/a"), []entry{link("/a", "b"), link("/b", "a")}, "link-loop:/a"},
	{"a link to itself", "", run("/a"), []entry{link("/a", "a")}, "link-loop:/a"},
	{"a link to nowhere", "", run("/a"), []entry{link("/a", "b")}, "missing:/a"},
	{"a loop on PATH", "", run("/app"), []entry{elf("/app", "arm64"), link("/bin/x", "x")}, "verified"},
	{"up from behind a link", "", run("../app").and("WorkingDir", "/l"), []entry{link("/l", "/x/y"), dir("/x/y"), elf("/x/app", "amd64"), elf("/app", "arm64")}, "foreign:/x/app"},
	{"merged /usr", "", run("/bin/app"), []entry{link("/bin", "usr/bin"), link("/lib", "usr/lib"), muslProgram("/usr/bin/app", "arm64"), elf("/usr/lib/ld-musl.so.1", "arm64")}, "verified"},

	// Wrappers.
	{"env", "", run("env", "-u", "X", "A=b", "--", "app"), []entry{busybox("arm64"), elf("/usr/bin/app", "arm64")}, "verified"},
	{"env with a lie", "", run("env", "A=b", "/app"), []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"env sets PATH", "", run("env", "PATH=/opt", "app"), []entry{busybox("arm64"), elf("/opt/app", "amd64")}, "foreign:/opt/app"},
	{"env changes the folder", "", run("env", "-C", "/srv", "./app"), []entry{busybox("arm64"), elf("/srv/app", "amd64")}, "foreign:/srv/app"},
	{"env's options", "", run("env", "-i", "--unset", "X", "-", "/app"), []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"env without a folder", "", run("env", "-C"), []entry{busybox("arm64")}, "verified"},
	{"env -S", "", run("/app"), []entry{busybox("arm64"), exe("/app", "#!/bin/env -S A=b node --flag\n"), elf("/usr/bin/node", "arm64")}, "verified"},
	{"env -S with a lie elsewhere", "", run("/app"), []entry{busybox("arm64"), exe("/app", "#!/bin/env -S /opt/node --flag\n"), elf("/opt/node", "amd64")}, "foreign:/opt/node"},
	{"tini with options", "", run("tini", "-p", "SIGTERM", "-e", "143", "-g", "--", "/app"), []entry{elf("/bin/tini", "arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"tini without --", "", run("tini", "/app"), []entry{elf("/bin/tini", "arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"dumb-init", "", run("dumb-init", "--rewrite", "15:3", "--", "/app"), []entry{elf("/bin/dumb-init", "arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"catatonit", "", run("catatonit", "--", "/app"), []entry{elf("/bin/catatonit", "arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"gosu", "", run("gosu", "www:www", "/app"), []entry{elf("/bin/gosu", "arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"setpriv", "", run("setpriv", "--reuid", "1", "--regid=1", "--clear-groups", "/app"), []entry{elf("/bin/setpriv", "arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"nice", "", run("nice", "-n", "10", "/app"), []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"busybox nice", "", run("busybox", "nice", "-n", "10", "/app"), []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"busybox alone", "", run("busybox"), []entry{busybox("arm64")}, "verified"},
	{"timeout", "", run("timeout", "-k", "5", "10", "/app"), []entry{elf("/bin/timeout", "arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"stdbuf", "", run("stdbuf", "-oL", "/app"), []entry{elf("/bin/stdbuf", "arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"wrappers in a row", "", run("tini", "--", "gosu", "app", "env", "A=b", "nice", "/app"), []entry{busybox("arm64"), elf("/bin/tini", "arm64"), elf("/bin/gosu", "arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"wrappers without an end", "", run(slices.Repeat([]string{"nice"}, 40)...), []entry{busybox("arm64")}, "link-loop:nice"},
	{"the loader as command", "", run("/lib/ld-musl.so.1", "--library-path", "/x", "/app"), []entry{musl("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"s6", "", run("/init").and("Cmd", []string{"/app"}), []entry{busybox("arm64"), exe("/init", "#!/bin/sh -e\nexec s6 \"$@\"\n"), elf("/app", "amd64")}, "foreign:/app"},
	{"s6 without a program", "", run("/init").and("Cmd", []string{"/app"}), []entry{busybox("arm64"), exe("/init", "#!/bin/sh -e\nexec s6\n")}, "verified"},
	{"an argument of a script is no program", "", run("/run", "/data"), []entry{busybox("arm64"), exe("/run", "#!/bin/sh\n"), elf("/data", "amd64")}, "verified"},
	{"a wrapper that is a lie itself", "", run("tini", "--", "/app"), []entry{elf("/bin/tini", "amd64"), elf("/app", "arm64")}, "foreign:/bin/tini"},
	{"a wrapper of nothing", "", run("tini", "--"), []entry{elf("/bin/tini", "arm64")}, "verified"},

	// Interpreters.
	{"an interpreter's argument is no program", "", run("python3", "/app.py"), []entry{elf("/bin/python3", "arm64"), text("/app.py", "print()")}, "verified"},
	{"interpreters in a row", "", run("/a"), []entry{exe("/a", "#!/b\n"), exe("/b", "#!/c -x\n"), elf("/c", "amd64")}, "foreign:/c"},
	{"blanks behind #!", "", run("/a"), []entry{exe("/a", "#! \t/c  -x y \n"), elf("/c", "amd64")}, "foreign:/c"},
	{"#! from the working folder", "", run("./a").and("WorkingDir", "/srv"), []entry{exe("/srv/a", "#!./b\n"), elf("/srv/b", "amd64")}, "foreign:/srv/b"},
	{"a text as interpreter", "", sh("/a"), []entry{busybox("arm64"), exe("/a", "#!/b\n"), exe("/b", "echo\n")}, "no-shebang:/b"},
	{"options that end at -", "", run("/run.sh", "/app"), []entry{busybox("arm64"), exe("/run.sh", "#!/bin/sh -\nexec \"$@\"\n"), elf("/app", "amd64")}, "foreign:/app"},
	{"an interpreter's own script is not there", "", run("/a"), []entry{busybox("arm64"), exe("/a", "#!/bin/sh /b\n")}, "missing:/b"},
	{"exec \"$@\" of a script", "", run("/run.sh").and("Cmd", []string{"/app", "x"}), []entry{busybox("arm64"), exe("/run.sh", "#!/bin/sh\nset -e\nexec \"$@\"\n"), elf("/app", "amd64")}, "foreign:/app"},
	{"exec \"$@\" of a word that the script knows", "", run("/run.sh").and("Cmd", []string{"serve"}), []entry{busybox("arm64"), exe("/run.sh", "#!/bin/sh\n[ \"$1\" = serve ] && set -- /app\nexec \"$@\"\n")}, "verified"},

	// Shells.
	{"shell form", "", sh("/app --flag"), []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"shell form, truth", "", sh("/app --flag"), []entry{busybox("arm64"), elf("/app", "arm64")}, "verified"},
	{"a missing program", "", sh("/app"), []entry{busybox("arm64")}, "missing:/app"},
	{"no shell", "", sh("/app"), []entry{elf("/app", "arm64")}, "missing:/bin/sh"},
	{"exec", "", sh("exec /app"), []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"assignments", "", sh("A=1 B='x y' exec /app"), []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"cd", "", sh("cd /srv && ./app"), []entry{busybox("arm64"), elf("/srv/app", "amd64")}, "foreign:/srv/app"},
	{"cd to where nobody knows", "", sh("cd $X && ./app"), []entry{busybox("arm64")}, "verified"},
	{"a list", "", sh("echo hello; /a && /b"), []entry{busybox("arm64"), elf("/a", "amd64"), elf("/b", "amd64")}, "foreign:/a foreign:/b"},
	{"a pipe", "", sh("/a | /b"), []entry{busybox("arm64"), elf("/a", "arm64"), elf("/b", "amd64")}, "foreign:/b"},
	{"what may not be run may be absent", "", sh("test -x /a && true || /b; if test -x /d; then /c; fi"), []entry{busybox("arm64")}, "verified"},
	{"a variable of the image", "", sh("exec $HOME_DIR/app ${FLAGS}").and("Env", []string{"HOME_DIR=/srv"}), []entry{busybox("arm64"), elf("/srv/app", "amd64")}, "foreign:/srv/app"},
	{"a default", "", sh("exec ${APP:-/srv/app}"), []entry{busybox("arm64"), elf("/srv/app", "amd64")}, "foreign:/srv/app"},
	{"an unknown variable", "", sh("exec $APP"), []entry{busybox("arm64")}, "verified"},
	{"a substitution", "", sh("exec $(cat /which) --x"), []entry{busybox("arm64")}, "verified"},
	{"options of the shell", "", config{"Cmd": []string{"sh", "-euxo", "pipefail", "-c", "/app"}}, []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"sh -c 'exec \"$@\"'", "", config{"Cmd": []string{"sh", "-c", `exec "$@"`, "sh", "/app"}}, []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"a shell in a shell", "", sh(`sh -c "exec /app"`), []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"a shell's script", "", run("sh", "/run.sh"), []entry{busybox("arm64"), text("/run.sh", "/app\n"), elf("/app", "amd64")}, "foreign:/app"},
	{"a shell's script that is not there", "", run("sh", "/run.sh"), []entry{busybox("arm64")}, "missing:/run.sh"},
	{"a shell's script that is a loop", "", run("sh", "/run.sh"), []entry{busybox("arm64"), link("/run.sh", "run.sh")}, "missing:/run.sh"},
	{"a shell's script behind --", "", run("sh", "--", "/run.sh"), []entry{busybox("arm64"), text("/run.sh", "/app\n"), elf("/app", "amd64")}, "foreign:/app"},
	{"a shell's script behind a long option", "", run("bash", "--norc", "/run.sh"), []entry{elf("/bin/bash", "arm64"), text("/run.sh", "/app\n"), elf("/app", "amd64")}, "foreign:/app"},
	{"a shell's script behind a file of its own", "", run("bash", "--rcfile", "/rc", "/run.sh"), []entry{elf("/bin/bash", "arm64"), text("/run.sh", "/app\n"), elf("/app", "amd64")}, "foreign:/app"},
	{"a shell's option without its file", "", run("bash", "--init-file"), []entry{elf("/bin/bash", "arm64")}, "verified"},
	{"a shell's script that nobody knows", "", sh("sh $X"), []entry{busybox("arm64")}, "verified"},
	{"a shell's script in a folder that nobody knows", "", sh("cd $X; sh run.sh"), []entry{busybox("arm64")}, "verified"},
	{"a shell runs texts", "", sh("/run"), []entry{busybox("arm64"), exe("/run", "echo\n")}, "verified"},
	{"functions", "", sh("f() { /a; }; f; /b"), []entry{busybox("arm64"), elf("/b", "arm64")}, "verified"},
	{"case", "", run("/r"), []entry{busybox("arm64"), exe("/r", "#!/bin/sh\ncase $1 in\n-*|start) set -- /app ;;\n(x) /x;;\n*)exec /y;; esac\nfor i in a b; do /z $i; done\n"), elf("/z", "amd64"), elf("/y", "amd64")}, "foreign:/y foreign:/z"},
	{"here-documents", "", sh("cat <<EOF >/x\n/a\nEOF\n/b"), []entry{busybox("arm64"), elf("/bin/cat", "arm64"), elf("/a", "amd64"), elf("/b", "amd64")}, "foreign:/b"},
	{"redirections", "", sh("2>/dev/null /app >/log 2>&1 </dev/null"), []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"comments", "", sh("# /a\n/b # /c"), []entry{busybox("arm64"), elf("/a", "amd64"), elf("/b", "arm64")}, "verified"},
	{"tests", "", sh("[[ -f /a && ( -x /b ) ]] && /c; ((1+1)); [ -f /x ]"), []entry{busybox("arm64"), elf("/c", "arm64")}, "verified"},
	{"a login shell finds more", "", config{"Cmd": []string{"bash", "-lc", "node"}}, []entry{elf("/bin/bash", "arm64")}, "verified"},
	{"a login shell by its long name", "", config{"Cmd": []string{"bash", "--login", "-c", "node"}}, []entry{elf("/bin/bash", "arm64")}, "verified"},
	{"BASH_ENV", "", config{"Cmd": []string{"bash", "-c", "node"}}.and("Env", []string{"BASH_ENV=/x"}), []entry{elf("/bin/bash", "arm64")}, "verified"},
	{"an open quote", "", sh("/app 'x"), []entry{busybox("arm64"), elf("/app", "amd64")}, "verified"},
	{"PATH in the text", "", sh("export PATH=/opt:$PATH; app").and("Env", []string{"PATH=/bin"}), []entry{busybox("arm64"), elf("/opt/app", "amd64")}, "foreign:/opt/app"},
	{"PATH for one command", "", sh("PATH=/opt app; app"), []entry{busybox("arm64"), elf("/opt/app", "amd64"), elf("/bin/app", "arm64")}, "foreign:/opt/app"},
	{"PATH of a command that is none", "", sh("PATH=/opt A=b; app"), []entry{busybox("arm64"), elf("/opt/app", "amd64")}, "foreign:/opt/app"},
	{"PATH that only the shell knows", "", sh("PATH=$(x); app"), []entry{busybox("arm64")}, "verified"},
	{"a variable that is not PATH", "", sh("A=/opt; app"), []entry{busybox("arm64"), elf("/bin/app", "amd64")}, "foreign:/bin/app"},
	{"a variable of the text before the image's", "", sh("A=/b; exec $A").and("Env", []string{"A=/a"}), []entry{busybox("arm64"), elf("/a", "arm64"), elf("/b", "amd64")}, "foreign:/b"},
	{"a variable that may have changed", "", sh("A=/b; test -f /x || A=/c; $A"), []entry{busybox("arm64"), elf("/b", "amd64"), elf("/c", "amd64")}, "foreign:/b foreign:/c"},
	{"exec by another name", "", sh("exec -c -a name /app"), []entry{busybox("arm64"), elf("/app", "amd64")}, "foreign:/app"},
	{"command asks only", "", sh("command -v /app; command -V /app"), []entry{busybox("arm64"), elf("/app", "amd64")}, "verified"},
	{"cd to the home that nobody knows", "", sh("cd; ./app"), []entry{busybox("arm64"), elf("/app", "amd64")}, "verified"},
	{"a script that starts itself", "", run("/r"), []entry{busybox("arm64"), exe("/r", "#!/bin/sh\nexec /r \"$@\"\n")}, "verified"},

	// Health checks are notes.
	{"a foreign health check", "", run("/app").and("Healthcheck", map[string]any{"Test": []string{"CMD", "/check"}}), []entry{elf("/app", "arm64"), elf("/check", "amd64")}, "foreign:/check"},
	{"a foreign interpreter of a health check", "", run("/app").and("Healthcheck", map[string]any{"Test": []string{"CMD", "/check"}}), []entry{elf("/app", "arm64"), exe("/check", "#!/opt/i\n"), elf("/opt/i", "amd64")}, "foreign:/opt/i"},
	{"a health check that is absent", "", run("/app").and("Healthcheck", map[string]any{"Test": []string{"CMD", "/check"}}), []entry{elf("/app", "arm64")}, "verified"},
	{"a health check alone", "", config{"Healthcheck": map[string]any{"Test": []string{"CMD-SHELL", "/check || exit 1"}}}, []entry{elf("/check", "arm64")}, "unverified"},

	// What distributions have on PATH.
	{"scripts without interpreter", "", run("/app"), []entry{elf("/app", "arm64"), exe("/usr/bin/x", "#!/usr/bin/perl\n"), exe("/usr/bin/y", "#!/usr/bin/perl -w\n")}, "verified"},
	{"texts, data and empty files", "", run("/app"), []entry{elf("/app", "arm64"), exe("/bin/a", ""), exe("/bin/b", "x"), exe("/bin/c", "\x00"), text("/bin/d", "x"), dir("/bin/e"), exe("/bin/f", "#!/bin/sh\r\n")}, "verified"},
	{"an object file", "", run("/app"), []entry{elf("/app", "arm64"), elf("/bin/x.o", "amd64", elftest.Type(1))}, "verified"},
	{"a Windows program for wine", "", run("/app"), []entry{elf("/app", "arm64"), exe("/bin/x.exe", "MZ"+strings.Repeat("\x00", 58)+"\x40\x00\x00\x00PE\x00\x00\x64\x86")}, "verified"},
	{"a damaged helper", "", run("/app"), []entry{elf("/app", "arm64"), exe("/bin/x", "\x7fELF")}, "damaged:/bin/x"},
	{"a foreign program that is not executable", "", run("/app"), []entry{elf("/app", "arm64"), put("/bin/x", 0o644, elftest.Of("amd64"))}, "verified"},
	{"scripts for what is no program", "", run("/app"), []entry{elf("/app", "arm64"), exe("/bin/x", "#!/lib/o\n"), elf("/lib/o", "arm64", elftest.Type(1)), exe("/bin/y", "#!/lib\n"), dir("/lib")}, "verified"},
}

func TestCheck(t *testing.T) {
	for _, test := range checks {
		t.Run(test.name, func(t *testing.T) {
			declared := test.declare
			if declared == "" {
				declared = "arm64"
			}
			root := watched{MapFS: rootOf(test.root...), t: t}
			r, err := image.Check(test.config.bytes(), root, platform(t, declared), image.Options{})
			if got := outcome(t, r, err); got != test.want {
				t.Errorf("%s, want %s\n%v\nnotes: %s", got, test.want, err, strings.Join(r.Notes, "\n"))
			}
			if r.Verdict == image.Unverified && err == nil && len(r.Notes) == 0 {
				t.Error("unverified without a word why")
			}
		})
	}
}

// The same verdict whatever the root can do: read at offsets or only onwards, read links or not.
func TestCheckOnPlainRoots(t *testing.T) {
	for _, test := range checks {
		if slices.ContainsFunc(test.root, func(e entry) bool { return hasLinks(rootOf(e)) }) {
			continue // a root without links has none
		}
		declared := "arm64"
		if test.declare != "" {
			declared = test.declare
		}
		r, err := image.Check(test.config.bytes(), onward{rootOf(test.root...)}, platform(t, declared), image.Options{})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("%s: %s, want %s: %v", test.name, got, test.want, err)
		}
	}
}

func hasLinks(root fstest.MapFS) bool {
	for _, f := range root {
		if f.Mode&fs.ModeSymlink != 0 {
			return true
		}
	}
	return false
}

// onward is a root that implements nothing but Open, with files that can only be read on.
type onward struct{ root fstest.MapFS }

func (o onward) Open(name string) (fs.File, error) {
	f, err := o.root.Open(name)
	if err != nil {
		return nil, err
	}
	if d, ok := f.(fs.ReadDirFile); ok {
		return d, nil
	}
	return struct{ fs.File }{f}, nil
}

func TestMessages(t *testing.T) {
	for _, test := range []struct {
		config config
		root   []entry
		want   string
	}{
		{run("/app"), []entry{elf("/app", "amd64")},
			"/app is amd64 (x86-64, 64-bit little-endian) in an image declared linux/arm64: build it for linux/arm64, or allow it with ALLOW_FOREIGN=/app"},
		{run("/app"), []entry{elf("/app", "arm64", elftest.Interp("/lib/ld-musl-aarch64.so.1"))},
			"/app is linked against musl, whose loader /lib/ld-musl-aarch64.so.1 is not in the image: use a base image with musl such as Alpine, build it on the distribution it shall run on, or link it statically (CGO_ENABLED=0 for Go), or allow it with ALLOW_FOREIGN=/app"},
		{run("/app"), []entry{elf("/app", "arm64", elftest.Interp("/lib/ld-linux-aarch64.so.1"))},
			"/app is linked against glibc, whose loader /lib/ld-linux-aarch64.so.1 is not in the image: use a base image with glibc such as Debian, build it on the distribution it shall run on, or link it statically (CGO_ENABLED=0 for Go), or allow it with ALLOW_FOREIGN=/app"},
		{run("app"), nil,
			"app is not in any directory of the image's PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin): install it, or COPY it into one of those folders, or add its folder to PATH with ENV, or correct the spelling in ENTRYPOINT or CMD"},
		{run("/app"), nil,
			"/app is not in the image: copy it into the image, or correct the spelling in ENTRYPOINT or CMD, or allow it with ALLOW_FOREIGN=/app"},
		{run("/app"), []entry{exe("/app", "#!/usr/bin/python3\n")},
			"/app is a script for /usr/bin/python3, which is not in the image: install the interpreter, or correct the #! line, or allow it with ALLOW_FOREIGN=/app"},
		{run("/a b"), []entry{elf("/a b", "amd64"), elf("/bin/x", "386")},
			`the image has 2 faults on linux/arm64:
"/a b" is amd64 (x86-64, 64-bit little-endian) in an image declared linux/arm64: build it for linux/arm64, or allow it with ALLOW_FOREIGN='"/a b"'
/bin/x is 386 (x86, 32-bit little-endian) in an image declared linux/arm64: build it for linux/arm64, or allow it with ALLOW_FOREIGN=/bin/x`},
	} {
		_, err := image.Check(test.config.bytes(), rootOf(test.root...), platform(t, "arm64"), image.Options{})
		if err == nil || err.Error() != test.want {
			t.Errorf("says\n%v\nwant\n%s", err, test.want)
		}
	}
}

// Scripts made to blow up whoever follows them end in a note.
func TestHostileScripts(t *testing.T) {
	for name, script := range map[string]string{
		"a value that doubles":     "X=xxxxxxxx\n" + strings.Repeat("X=$X$X\n", 4000) + "$X$X$X\n",
		"arguments that double":    "/r \"$@\" \"$@\" x\n",
		"calls that double":        "/r \"$@\" x\n/r \"$@\" y\n",
		"words without end":        "X='" + strings.Repeat("x ", 4000) + "'\n: " + strings.Repeat("$X ", 4000) + "\n",
		"blocks without end":       strings.Repeat("if { ( ", 8000),
		"quotes within quotes":     strings.Repeat("$(", 30000),
		"here-documents wherever":  strings.Repeat("<<x ", 16000) + "\n",
		"copies of copies":         strings.Repeat("[ $X ] && cp /a /b || cp /b /a\n", 2000),
		"replacements that double": "uname -m | sed '" + strings.Repeat("s/a/aa/g;", 5000) + "'\nX=aarch64\n" + strings.Repeat("X=${X//a/aa}\n", 1000),
		"patterns without end":     "X=aarch64\n" + strings.Repeat("[[ $X =~ (a{1000}) ]]\n", 1000),
		"functions of one another": strings.Repeat("f(){ f;};", 7000),
	} {
		t.Run(name, func(t *testing.T) {
			root := rootOf(busybox("arm64"), exe("/r", "#!/bin/sh\n"+script))
			r, err := image.Check(run("/r", "a", "b").bytes(), root, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != "verified" && got != "link-loop:/r" {
				t.Error(got)
			}
		})
	}
}

func TestManyFaultsAreNotAllPrinted(t *testing.T) {
	root := rootOf(elf("/app", "arm64"))
	for i := range 50 {
		elf(fmt.Sprintf("/bin/%02d", i), "amd64")(root)
	}
	_, err := image.Check(run("/app").bytes(), root, platform(t, "arm64"), image.Options{})
	var refusal *image.Refusal
	if !errors.As(err, &refusal) || len(refusal.Faults) != 50 {
		t.Fatal(err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 12 || lines[11] != "and 40 more: is the base image for linux/arm64?" {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
}

func TestAllowForeign(t *testing.T) {
	root := rootOf(elf("/app", "arm64"), elf("/usr/bin/fw", "amd64"), link("/bin", "usr/bin"), elf("/usr/bin/other", "386"), link("/usr/bin/alias", "other"))
	for _, test := range []struct{ allow, want string }{
		{"", "foreign:/usr/bin/fw foreign:/usr/bin/other"},
		{"/usr/bin/fw", "foreign:/usr/bin/other"},
		{"/usr/bin/", "verified"},
		{"/usr/bin", "foreign:/usr/bin/fw foreign:/usr/bin/other"},
		{"/usr/bin/fw /usr/bin/other", "verified"},
		{"/usr/bin/../bin/fw /usr/bin/alias", "verified"},
	} {
		r, err := image.Check(run("/app").bytes(), root, platform(t, "arm64"), image.Options{AllowForeign: strings.Fields(test.allow)})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("ALLOW_FOREIGN=%q: %s, want %s", test.allow, got, test.want)
		}
		if test.want == "verified" && !strings.Contains(strings.Join(r.Notes, "\n"), "/usr/bin/fw is amd64 (x86-64, 64-bit little-endian) in an image declared linux/arm64: allowed") {
			t.Errorf("what was allowed is not said: %q", r.Notes)
		}
	}
}

// What was allowed proves nothing, and nothing is allowed that was not named.
func TestAllowedIsNotVerified(t *testing.T) {
	for _, test := range []struct {
		declare, allow string
		root           []entry
		want           string
	}{
		{"arm64", "/app", []entry{elf("/app", "amd64")}, "unverified"},
		{"arm64", "/app", nil, "unverified"},
		{"arm64", "/opt/../app", nil, "unverified"},
		{"arm64", "/app", []entry{muslProgram("/app", "arm64")}, "unverified"},
		{"arm64", "/app", []entry{muslProgram("/app", "arm64"), musl("amd64")}, "unverified"},
		{"arm/v6", "/app", []entry{elf("/app", "armhf", elftest.ARMArch(10), elftest.Interp("/lib/ld.so")), elf("/lib/ld.so", "armhf", elftest.ARMArch(10))}, "unverified"},
		{"arm64", "/l/", []entry{link("/app", "/opt/app"), link("/l", "opt"), elf("/opt/app", "amd64")}, "unverified"},
		{"arm64", "/nowhere/", []entry{elf("/app", "amd64")}, "foreign:/app"},
		{"arm64", "/nowhere", []entry{elf("/app", "amd64")}, "foreign:/app"},
		{"arm64", "/ap", []entry{elf("/app", "amd64")}, "foreign:/app"},
	} {
		r, err := image.Check(run("/app").bytes(), rootOf(test.root...), platform(t, test.declare), image.Options{AllowForeign: []string{test.allow}})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("ALLOW_FOREIGN=%s: %s, want %s", test.allow, got, test.want)
		}
	}
}

// A platform is understood as it is written.
func TestDeclaredAsWritten(t *testing.T) {
	for _, p := range []ocispec.Platform{{OS: "linux", Architecture: "aarch64"}, {OS: "linux", Architecture: "arm64", Variant: "8"}, {Architecture: "arm64"}} {
		r, err := image.Check(run("/app").bytes(), rootOf(elf("/app", "arm64")), p, image.Options{})
		if got := outcome(t, r, err); got != "verified" {
			t.Errorf("%+v: %s", p, got)
		}
	}
}

func TestReportNamesPrograms(t *testing.T) {
	root := rootOf(busybox("arm64"), exe("/run.sh", "#!/bin/sh\nexec app\n"), muslProgram("/usr/bin/app", "arm64"), musl("arm64"), elf("/check", "arm64"), elf("/usr/bin/x", "arm64"))
	c := run("/run.sh").and("Healthcheck", map[string]any{"Test": []string{"CMD", "/check"}})
	r, err := image.Check(c.bytes(), root, platform(t, "arm64"), image.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range r.Programs {
		got = append(got, string(p.Role)+":"+p.Path)
	}
	want := "entrypoint:/run.sh entrypoint:/usr/bin/app interpreter:/bin/busybox loader:/lib/ld-musl.so.1 helper:/usr/bin/x healthcheck:/check"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("programs are\n%s, want\n%s", s, want)
	}
}

func TestNotes(t *testing.T) {
	for _, test := range []struct {
		declare string
		config  config
		root    []entry
		want    string
	}{
		{"arm64", config{}, nil, "the image names neither ENTRYPOINT nor CMD|there is no program in the image to judge the platform by"},
		{"windows/amd64", config{}, nil, "programs for windows/amd64 are not judged, only those for linux"},
		{"amd64", run("/app"), []entry{elf("/app", "386")}, "/app is 386 (x86, 32-bit little-endian), which a kernel for linux/amd64 runs"},
		{"arm/v7", run("/app"), []entry{elf("/app", "armhf", elftest.ARMArch(14))}, "/app has parts for ARMv8 in an image for linux/arm/v7: it runs there only if it tests for them at run time"},
		{"amd64", run("/app"), []entry{elf("/app", "amd64", elftest.Go("GOARCH=amd64", "GOAMD64=v3")), elf("/bin/x", "amd64", elftest.Go("GOARCH=amd64", "GOAMD64=v3"))},
			"/app is a Go program built with GOAMD64=v3, and starts on no older CPUs: declare linux/amd64/v3, or build it for all"},
		{"ppc64le", run("/app"), []entry{elf("/app", "ppc64le", elftest.Go("GOARCH=ppc64le", "GOPPC64=power9"))},
			"/app is a Go program built with GOPPC64=power9, and starts on no older CPUs: declare linux/ppc64le/power9, or build it for all"},
		{"arm64", run("/app"), []entry{elf("/app", "arm64"), exe("/bin/x", "#!/perl\n"), exe("/bin/y", "#!/perl\n"), exe("/bin/z", "#!/ruby\n")},
			"/bin/x and 1 more on PATH are scripts for /perl, which is not in the image|/bin/z is a script for /ruby, which is not in the image"},
		{"arm64", sh("exec $APP"), []entry{busybox("arm64")}, `a shell text in the image works out at run time what it starts as "...": that program was not followed`},
		{"arm64", run("/app").and("Healthcheck", map[string]any{"Test": []string{"CMD", "/check"}}), []entry{elf("/app", "arm64")},
			"healthcheck: /check is not in the image: copy it into the image, or correct the spelling in HEALTHCHECK"},
	} {
		r, err := image.Check(test.config.bytes(), rootOf(test.root...), platform(t, test.declare), image.Options{})
		if got := strings.Join(r.Notes, "|"); err != nil || got != test.want {
			t.Errorf("notes are %q, %v; want %q", got, err, test.want)
		}
	}
}

// Busybox images have hundreds of names for one file.
func TestCheckReadsEachFileOnce(t *testing.T) {
	root := rootOf(busybox("arm64"), link("/usr", "."), dir("/sbin"))
	for _, applet := range []string{"a", "b", "c", "d", "e", "f"} {
		link("/sbin/"+applet, "../bin/busybox")(root)
	}
	var mu sync.Mutex
	opened := map[string]int{}
	w := watched{MapFS: root, t: t, opened: func(name string) {
		mu.Lock()
		opened[name]++
		mu.Unlock()
	}}
	if _, err := image.Check(sh("ls").bytes(), w, platform(t, "arm64"), image.Options{}); err != nil {
		t.Fatal(err)
	}
	if len(opened) != 1 || opened["bin/busybox"] != 1 {
		t.Errorf("opened %v", opened)
	}
}

// A script starts some programs again and again, and what one needs is the same each time. What only the running shell knows is never
// asked for.
func TestCheckReadsWhatAProgramNeedsOnce(t *testing.T) {
	root := rootOf(busybox("arm64"), elf("/bin/app", "arm64", elftest.Needs("libfoo.so.1")))
	exe("/run", "#!/bin/sh\nX=$(date)\n[ -e $X ] && cp $X /$X/b\n"+strings.Repeat("/bin/app\n", 50))(root)
	var opened atomic.Int64
	w := watched{MapFS: root, t: t, opened: func(name string) {
		if name == "bin/app" {
			opened.Add(1)
		}
	}}
	if _, err := image.Check(run("/run").bytes(), w, platform(t, "arm64"), image.Options{}); err != nil || opened.Load() > 2 {
		t.Errorf("it was opened %d times, %v", opened.Load(), err)
	}
}

// lister counts how often each folder is listed.
type lister struct {
	fstest.MapFS
	listed map[string]int
}

func (l lister) ReadDir(name string) ([]fs.DirEntry, error) {
	l.listed[name]++
	return l.MapFS.ReadDir(name)
}

// A pattern in a loop names the same folder again and again.
func TestCheckListsEachFolderOnce(t *testing.T) {
	root := lister{rootOf(busybox("arm64"), text("/data/x", "")), map[string]int{}}
	if _, err := image.Check(sh("ls /data/*; ls /data/*").bytes(), root, platform(t, "arm64"), image.Options{}); err != nil || root.listed["data"] != 1 {
		t.Errorf("listed %v, %v", root.listed, err)
	}
}

// frugal is a root that keeps only the first 256 bytes of /bin/x and counts what is asked beyond.
type frugal struct {
	fstest.MapFS
	beyond func()
}

func (f frugal) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	if err != nil || name != "bin/x" {
		return file, err
	}
	return &frugalFile{File: file, beyond: f.beyond}, nil
}

type frugalFile struct {
	fs.File
	at     int
	beyond func()
}

func (f *frugalFile) Read(b []byte) (int, error) {
	if f.at >= 256 {
		f.beyond()
	} else {
		b = b[:min(len(b), 256-f.at)]
	}
	n, err := f.File.Read(b)
	f.at += n
	return n, err
}

func TestScriptsOnPATHAreNotReadFurtherThanTheFirstLine(t *testing.T) {
	var mu sync.Mutex
	count := 0
	root := frugal{rootOf(elf("/app", "arm64"), exe("/bin/x", "#!/app\n"+strings.Repeat("#\n", 9000))), func() { mu.Lock(); count++; mu.Unlock() }}
	r, err := image.Check(run("/app").bytes(), root, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" || count != 0 {
		t.Errorf("%s, %d reads behind the heads", got, count)
	}
}

// broken fails at one file as a lost connection would.
type broken struct {
	fstest.MapFS
	at  string
	err error
}

func (b broken) Open(name string) (fs.File, error) {
	if name == b.at {
		return nil, b.err
	}
	return b.MapFS.Open(name)
}

func (b broken) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == b.at {
		return nil, b.err
	}
	return b.MapFS.ReadDir(name)
}

func (b broken) Lstat(name string) (fs.FileInfo, error) {
	if name == "link/"+b.at {
		return nil, b.err
	}
	return b.MapFS.Lstat(name)
}

func TestFailuresToReadAreNoVerdict(t *testing.T) {
	lost := errors.New("connection lost")
	for _, at := range []string{"app", "bin", "bin/x", "lib/ld-musl.so.1"} {
		root := broken{rootOf(muslProgram("/app", "arm64"), musl("arm64"), elf("/bin/x", "amd64")), at, lost}
		r, err := image.Check(run("/app").bytes(), root, platform(t, "arm64"), image.Options{})
		if !errors.Is(err, lost) || errors.Is(err, image.ErrRefused) || r.Verdict == image.Verified && at == "app" {
			t.Errorf("failing at %s: %v, %v", at, r.Verdict, err)
		}
	}
}

// fragile is a root whose connection is lost at one of its operations.
type fragile struct {
	fstest.MapFS
	left *atomic.Int64
	err  error
}

func (f fragile) fails() bool { return f.left.Add(-1) == -1 }

func (f fragile) Open(name string) (fs.File, error) {
	if f.fails() {
		return nil, f.err
	}
	file, err := f.MapFS.Open(name)
	return fragileFile{file, f}, err
}

func (f fragile) Lstat(name string) (fs.FileInfo, error) {
	if f.fails() {
		return nil, f.err
	}
	return f.MapFS.Lstat(name)
}

func (f fragile) ReadLink(name string) (string, error) {
	if f.fails() {
		return "", f.err
	}
	return f.MapFS.ReadLink(name)
}

func (f fragile) ReadDir(name string) ([]fs.DirEntry, error) {
	if f.fails() {
		return nil, f.err
	}
	return f.MapFS.ReadDir(name)
}

type fragileFile struct {
	fs.File
	root fragile
}

func (f fragileFile) Read(b []byte) (int, error) {
	if f.root.fails() {
		return 0, f.root.err
	}
	return f.File.Read(b)
}

// Whichever look into an image fails, the check fails with it: nothing that was not seen is taken for right, or for missing.
func TestEveryFailureIsTold(t *testing.T) {
	lost := errors.New("connection lost")
	for _, test := range checks {
		declared := platform(t, cmp.Or(test.declare, "arm64"))
		for n := int64(0); ; n++ {
			root := fragile{rootOf(test.root...), &atomic.Int64{}, lost}
			root.left.Store(n)
			r, err := image.Check(test.config.bytes(), root, declared, image.Options{})
			if root.left.Load() >= 0 {
				break // it has not come to pass
			}
			if !errors.Is(err, lost) || errors.Is(err, image.ErrRefused) {
				t.Errorf("%s, failing at operation %d: %s, %v", test.name, n, r.Verdict, err)
			}
		}
	}
}

func TestCheckRefusesNoConfig(t *testing.T) {
	if _, err := image.Check([]byte("[]"), rootOf(), platform(t, "arm64"), image.Options{}); !errors.Is(err, image.ErrConfig) {
		t.Errorf("checking no config: %v", err)
	}
	r, err := image.Check(config{}.bytes(), nil, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "unverified" {
		t.Errorf("an image without root is %s", got)
	}
}

// A GOARM=7 program is refused under arm/v6, and accepted under arm/v7: with real Go programs.
func TestGOARM(t *testing.T) {
	source := t.TempDir()
	for name, data := range map[string]string{"go.mod": "module hello\n\ngo 1.22\n", "main.go": "package main\n\nfunc main() { println(\"hello\") }\n"} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	built := map[string][]byte{}
	for _, goarm := range []string{"6", "7"} {
		app := filepath.Join(source, "app"+goarm)
		cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", app, ".")
		cmd.Dir = source
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm", "GOARM="+goarm, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
		data, err := os.ReadFile(app)
		if err != nil {
			t.Fatal(err)
		}
		built[goarm] = data
	}
	for _, test := range []struct{ goarm, declare, want string }{
		{"7", "arm/v7", "verified"},
		{"7", "arm/v6", "too-new:/app"},
		{"6", "arm/v7", "verified"},
		{"6", "arm/v6", "verified"},
		{"6", "arm/v5", "too-new:/app"},
		{"6", "arm64", "foreign:/app"},
	} {
		root := rootOf(put("/app", 0o755, built[test.goarm]))
		for name, root := range map[string]fs.FS{"at offsets": root, "onwards": onward{root}} {
			r, err := image.Check(run("/app").bytes(), root, platform(t, test.declare), image.Options{})
			if got := outcome(t, r, err); got != test.want {
				t.Errorf("GOARM=%s under %s, read %s: %s, want %s", test.goarm, test.declare, name, got, test.want)
			}
			if test.want == "too-new:/app" && !strings.Contains(err.Error(), "a Go program built with GOARM="+test.goarm) {
				t.Errorf("it is not said why: %v", err)
			}
		}
	}
}

// A PATH of more folders than are followed hides nothing that could be called missing, and no message grows with it.
func TestLongPaths(t *testing.T) {
	const cut = "PATH has more than 512 folders: those behind were not looked into"
	for _, test := range []struct {
		name string
		dirs int // empty ones, before /bin
		note bool
		want string
	}{
		{"app", 511, false, "foreign:/bin/app"}, // the 512th
		{"app", 512, true, "unverified"},        // the 513th
		{"none", 511, false, "missing:none foreign:/bin/app"},
		{"none", 512, true, "unverified"},
		{"none", 5000, true, "unverified"},
	} {
		c := run(test.name).and("Env", []string{"PATH=" + strings.Repeat("/opt/some/folder:", test.dirs) + "/bin"})
		r, err := image.Check(c.bytes(), rootOf(elf("/bin/app", "amd64")), platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != test.want || slices.Contains(r.Notes, cut) != test.note {
			t.Errorf("%s behind %d folders: %s, want %s; notes %q", test.name, test.dirs, got, test.want, r.Notes)
		}
		if err != nil && len(err.Error()) > 800 {
			t.Errorf("%s behind %d folders: the error has %d bytes", test.name, test.dirs, len(err.Error()))
		}
	}
}
