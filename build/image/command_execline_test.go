package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// The services of s6 are chains of programs: each does one thing and becomes the next one. They lie in a folder of their own, which
// only its init has on PATH.
func TestExecline(t *testing.T) {
	const bang = "#!/command/execlineb -P\n"
	for _, test := range []struct{ text, want string }{
		{bang + "# /app/none\ns6-setuidgid app\n/app/server --all\n", server},
		{bang + "with-contenv\ns6-notifyoncheck -d -n 300 -w 1000\n/app/server\n", server},
		{bang + "cd /app fdmove -c 2 1 ./server\n", server},
		{bang + "importas -D 80 PORT PORT export A b \"/app/server\" ${PORT}\n", server},
		{bang + "foreground { /app/x }\n/app/server\n", server},
		{bang + "foreground { foreground { /app/x } s6-setuidgid app /app/server }\n/app/x\n", server},
		{bang + "backtick -n A { /app/x } s6-setuidgid app { /app/server\n", "verified"},
		{bang + "ifelse { /app/x } { /app/x } /app/server\n", server},
		{bang + "if { /app/x } s6-setuidgid app /app/server\n", server},
		{bang + "foreground { /app/x } s6-setuidgid app foreground { /app/server } /app/x\n", server},
		{bang + "/app/x # /app/server\n", "verified"},
		{bang + "nowhere /app/server\n", "verified"},
		{bang + "starter /app/server\n", "starter" + isGiven},
		{bang + "foreground {\n", "verified"},
		{bang + "cd\n", "verified"},
		{"#!/bin/sh\nexec s6-notifyoncheck -d -n 300 -c \"nc -z localhost 80\" cd /app s6-setuidgid app ./server --port 80\n", server},
		{"#!/bin/sh\nexec s6-notifyoncheck cd $X s6-setuidgid app ./server\n", "verified"},
	} {
		root := scripts(exe("/init", "#!/bin/sh\n"), elf("/command/execlineb", "arm64"), elf("/bin/starter", "arm64"), elf("/app/ok", "arm64"),
			exe("/etc/s6-overlay/s6-rc.d/x/run", test.text), text("/etc/s6-overlay/s6-rc.d/y/up", "/app/x"))
		for _, name := range []string{"s6-setuidgid", "s6-notifyoncheck", "with-contenv", "cd", "fdmove", "importas", "export", "foreground", "backtick", "ifelse", "if"} {
			root = append(root, elf("/command/"+name, "arm64"))
		}
		r, err := image.Check(run("/init").bytes(), rootOf(root...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/aarch64/"}})
		got := outcome(t, r, err)
		if len(r.Notes) > 0 && err == nil && !strings.Contains(test.text, "$X") {
			got = strings.Join(r.Notes, "\n")
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s; notes %q", test.text, got, test.want, r.Notes)
		}
	}
}

// What runs once is a line of execline without a #! line, and the tool that gives it the container's variables is a text of execline itself.
func TestExeclineTools(t *testing.T) {
	root := scripts(exe("/init", "#!/bin/sh\n"), elf("/command/execlineb", "arm64"), elf("/command/emptyenv", "arm64"),
		exe("/command/with-contenv", "#!/command/execlineb -S0\nemptyenv -p\n$@\n"),
		text("/etc/s6-overlay/s6-rc.d/y/up", "with-contenv /app/args /app/server"))
	r, err := image.Check(run("/init").bytes(), rootOf(root...), platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != server || len(r.Notes) > 0 {
		t.Errorf("%s; notes %q", got, r.Notes)
	}
}
