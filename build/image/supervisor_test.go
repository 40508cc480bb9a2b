package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// What supervisord starts is read from its configuration as it reads that itself.
func TestSupervisorConfiguration(t *testing.T) {
	const cut = "/etc/s.conf was followed only in part: it is longer than 64 KiB"
	for _, test := range []struct{ option, text, want string }{
		{"-c /etc/s.conf", "[program:b]\ncommand: /app/server\n", server},
		{"-c /etc/s.conf", "[program:b]\nCommand = /app/server\n", server},
		{"-c /etc/s.conf", "[program:b]\ncommand=\n  /app/server\n", server},
		{"-c /etc/s.conf", "[program:b]\ncommand=sh -c \"\n  cd /app\n\n  exec ./server\n  \"\n", server},
		{"-c /etc/s.conf", "[program:b]\r\ncommand=starter\r\n  --\r\n  /app/server\r\n", server},
		{"-c /etc/s.conf", "  [program:b]\n  command=starter ; x\n  ; x\n    -- /app/server\n", server},
		{"-c /etc/s.conf", "[include]\nfiles=\n  /x/a.conf\n  /etc/more\n", server},
		{"-c /etc/s.conf", "[program:b]\n  environment=A=1\n  command=/app/server\n", server},
		{"-c/etc/s.conf", "[program:b]\ncommand=/app/server\n", server},
		{"-nc /etc/s.conf", "[program:b]\ncommand=/app/server\n", server},
		{"-c /etc/s.conf", "[program:b]\ncommand=starter ; was -- /app/server\n", "verified"},
		{"-c /etc/s.conf", "[program:b]\ncommand=starter # was -- /app/server\n", "verified"},
		{"-c /etc/s.conf", "[program:b]\nenvironment=A=1,\n  command=/app/server\n", "verified"},
		{"-c /etc/s.conf", strings.Repeat("# padding\n", 7000) + "[program:b]\ncommand=/app/server\n", cut},
	} {
		root := scripts(elf("/bin/starter", "arm64"), exe("/bin/supervisord", "#!/bin/starter\n"), text("/etc/s.conf", "[program:a]\ncommand=/bin/starter\n"+test.text), text("/etc/more", "[program:c]\ncommand=/app/server\n"))
		r, err := image.Check(run(append([]string{"supervisord"}, strings.Fields(test.option)...)...).bytes(), rootOf(root...), platform(t, "arm64"), image.Options{})
		got := outcome(t, r, err)
		if len(r.Notes) > 0 && err == nil {
			got = strings.Join(r.Notes, "\n")
		}
		if got != test.want {
			t.Errorf("%s\n%s\n%s, want %s", test.option, test.text[max(0, len(test.text)-100):], got, test.want)
		}
	}
}
