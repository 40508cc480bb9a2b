package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// What starts PostgreSQL by its version or beside itself leads to the server. That of 15 is for another machine, and that of 16 alone has a module.
func TestPostgresStarters(t *testing.T) {
	const lib16 = "/usr/lib/postgresql/16/lib/x.so"
	for command, want := range map[string]string{
		"pg_ctlcluster 15 main start":                "foreign:/usr/lib/postgresql/15/bin/postgres",
		"pg_ctlcluster --foreground 15 main restart": "foreign:/usr/lib/postgresql/15/bin/postgres",
		"sh /any":                      "foreign:/usr/lib/postgresql/15/bin/postgres",
		"pg_ctlcluster 15-main start":  "foreign:/usr/lib/postgresql/15/bin/postgres",
		"pg_ctlcluster 15 main stop":   "verified",
		"pg_ctlcluster 16 main start":  "foreign-module:" + lib16,
		"pg_ctlcluster 16 other start": "verified",
		"pg_ctlcluster 16 other start -o -cshared_preload_libraries=x":          "foreign-module:" + lib16,
		"/usr/lib/postgresql/15/bin/pg_ctl -D /data start":                      "foreign:/usr/lib/postgresql/15/bin/postgres",
		"/usr/lib/postgresql/15/bin/pg_ctl -D /data stop":                       "verified",
		"/usr/lib/postgresql/16/bin/pg_ctl -w -D /etc/postgresql/16/main start": "foreign-module:" + lib16,
		"/usr/lib/postgresql/16/bin/pg_ctl -p /lie start":                       "foreign:/lie",
	} {
		root := []entry{busybox("arm64"), text("/any", "pg_ctlcluster $V main start\n"), elf("/usr/bin/perl", "arm64"), exe("/usr/bin/pg_ctlcluster", "#!/usr/bin/perl -wT\n"), elf("/lie", "amd64"), elf("/usr/lib/postgresql/15/bin/postgres", "amd64"), elf("/usr/lib/postgresql/16/bin/postgres", "arm64"),
			elf("/usr/lib/postgresql/15/bin/pg_ctl", "arm64"), elf("/usr/lib/postgresql/16/bin/pg_ctl", "arm64"), lib(lib16, "amd64"), text("/etc/postgresql/16/main/postgresql.conf", "shared_preload_libraries = 'x'\n"),
			text("/etc/postgresql/16/other/postgresql.conf", "port = 5433\n")}
		r, err := image.Check(run(strings.Fields(command)...).bytes(), rootOf(root...), platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != want {
			t.Errorf("%s: %s, want %s; notes %q", command, got, want, r.Notes)
		}
	}
}
