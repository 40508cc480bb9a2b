package image_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// Each row is a shell text whose program /app/server is for amd64 in an image for arm64. "+" stands before the texts that
// lead to it, "-" before those that do not, and "?" before those of which a note says that they were not followed.
var texts = slices.Concat(flowTexts, variableTexts, startTexts)

// scripts is what the rows find in their image.
func scripts(more ...entry) []entry {
	all := []entry{
		busybox("arm64"), link("/bin/bash", "busybox"), elf("/app/server", "amd64"), elf("/app/aarch64/server", "amd64"),
		text("/app/lib.sh", "serve() { /app/server; }\n[ $X ] && /app/server\n"), exe("/app/text", "exec /app/server\n"),
		exe("/app/args", "#!/bin/sh\nexec \"$@\"\n"), exe("/app/again", "#!/bin/sh\n[ $1 ] && exec /app/server; exec \"$0\" x\n"), exe("/app/x", "#!/bin/sh\n"),
		text("/app/ends", "if [ $X ]; then return; fi; exit\n"), text("/app/exits", "exit\n"), text("/app/left", "return\n/x\n"),
		text("/app/aarch64/env", "DIR=$(dirname \"${BASH_SOURCE[0]}\")\n"),
		link("/usr/bin/env", "/bin/busybox"),
	}
	for _, name := range []string{"time", "sudo", "gosu", "su-exec", "setpriv", "find", "xargs", "runuser", "su", "chroot", "nohup", "setsid", "flock", "watch", "xvfb-run", "prlimit", "choom", "envuidgid", "softlimit",
		"uname", "arch", "dpkg", "apk", "grep", "sed", "tr", "cat", "getconf", "dirname", "basename", "readlink", "which"} {
		all = append(all, elf("/usr/bin/"+name, "arm64"))
	}
	return append(all, more...)
}

// What a shell form asks for must be there, unless it may well not be run.
func TestShellForms(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"/x", "missing:/x"},
		{"exec /x", "missing:/x"},
		{"cd /srv && ./y", "missing:/srv/y"},
		{"mkdir -p /data && /x", "missing:/x missing:mkdir"},
		{"X=/x; exec $X", "missing:/x"},
		{"set -- /x; exec \"$@\"", "missing:/x"},
		{"exec ${X:-/x}", "missing:/x"},
		{"{ /x; }; (/y)", "missing:/y"},
		{"/x | /y", "missing:/y"},
		{"/x &", "missing:/x"},
		{"/x && /y || /z", "verified"},
		{"[ -x /hook ] && /hook; [ -f /x ] || exit 1; ls", "verified"},
		{"[ -f /a ] && [ -f /b ] && /x", "verified"},
		{"[ -f /a ] && ls && /x", "verified"},
		{"[[ -x /hook ]] && /hook", "verified"},
		{"! grep -q x /y && /hook", "verified"},
		{"command -v foo && foo", "verified"},
		{"which foo && foo", "verified"},
		{"test -n \"$X\" && /x || /y", "verified"},
		{"if /x; then /y; else /z; fi", "verified"},
		{"args=(--port 80); ls \"${args[@]}\"", "verified"},
		{"function f { ls; }; f", "verified"},
		{"while read x; do :; done < <(find /x)", "verified"},
		{"coproc ls", "verified"},
		{"exec {fd}>f; ls", "verified"},
		{"exec > >(tee log) 2>&1; ls", "verified"},
		{"bash -O globstar -c ls", "verified"},
		{"time -f FMT ls", "verified"},
		{"sudo A=b ls", "verified"},
		{"env -S 'ls --x'", "verified"},
		{"X=$(cat /x) ls", "verified"},
		{"[ $X ] && set -- /x; \"$@\"", "verified"},
		{". /x; node", "verified"},
		{"PATH=$X:$PATH; node", "verified"},
		{"f() { /x; }; f", "missing:/x"},
		{"f() { /x; }; f || ls", "verified"},
		{"if true; then /x; fi", "missing:/x"},
	} {
		r, err := image.Check(sh(test.text).bytes(), rootOf(scripts()...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("%s: %s, want %s; notes %q", test.text, got, test.want, r.Notes)
		}
	}
}

// A program that is absent is a fault where its text surely ends with it, and else a note; in scripts it is a note where it
// is surely started.
func TestAbsentPrograms(t *testing.T) {
	for _, test := range []struct{ text, want, note string }{
		{"cd /srv && ./y", "missing:/srv/y", ""},
		{"ls; exec /x", "missing:/x", ""},
		{"exec /x; ls", "missing:/x", ""},
		{"mkdir -p /d && /x >/dev/null", "missing:/x", ""},
		{"/x; ls", "verified", "a shell text in the image starts /x, which is not in the image"},
		{"/x\nls", "verified", "a shell text in the image starts /x, which is not in the image"},
		{"x & ls", "verified", "a shell text in the image starts x, which is not in the image"},
		{"/x || ls", "verified", "a shell text in the image starts /x, which is not in the image"},
		{"/x | ls", "verified", "a shell text in the image starts /x, which is not in the image"},
		{"(/x; ls)", "verified", "a shell text in the image starts /x, which is not in the image"},
		{"sh -c /x; ls", "verified", "a shell text in the image starts /x, which is not in the image"},
		{"cp $X /x; exec /x", "verified", "/x is written at run time by what starts it: it was not followed"},
		{"cp $X /x && sh -c /x", "verified", "/x is written at run time by what starts it: it was not followed"},
		{"$X >/x; chmod +x /x; exec /x", "verified", "/x is written at run time by what starts it: it was not followed"},
		{"$X; exec /x", "verified", "a shell text in the image starts /x, which is not in the image"},

		{"sh /script /x", "verified", "/script starts /x, which is not in the image"},
		{"sh /script exec x", "verified", "/script starts x, which is not in the image"},
		{"sh /script exec gosu app /x", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'gunzip -c /x.gz >/x; chmod +x /x; exec /x'", "verified", "/x is written at run time by what starts it: it was not followed"},
		{"sh /script 'cat /x.gz >/x; exec /x'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'cat /app/x >/x; exec /x'", "verified", ""},
		{"sh /script 'x a'", "verified", "/script starts x, which is not in the image"},
		{"sh /script 'set -e; x a; exec \"$@\"'", "verified", "/script starts x, which is not in the image"},
		{"sh /script '. /x/env.sh; exec ls'", "verified", "/script reads /x/env.sh, which is not in the image"},
		{". /x/env.sh; exec ls", "verified", "a shell text in the image reads /x/env.sh, which is not in the image"},
		{"sh /script '[ -f /x ] && . /x; . /x || :'", "verified", ""},
		{"sh /script 'cp $X /x; . /x'", "verified", ""},
		{"sh /script 'x() { :; }; x'", "verified", ""},
		{"sh /script 'alias x=ls; x'", "verified", ""},
		{"sh /script 'chdir /; ulimit -n 9; umask 22'", "verified", ""},
		{"sh /script 'complete -W x y; compopt -o nospace y'", "verified", ""},
		{"sh /script 'command_not_found_handle() { :; }; x'", "verified", ""},
		{"sh /script 'cp $X /bin/x; x'", "verified", ""},
		{"sh /script 'PATH=$X; x'", "verified", ""},
		{"sh /script 'command -v x && x; x || :'", "verified", ""},
		{"sh /script '[ $Y ] && /x'", "verified", ""},
		{"sh /script 'if ls; then /x; fi'", "verified", ""},
		{"sh /script 'cp /app/x /x; /x'", "verified", ""},
		{"sh /script '. /app/left; /x'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script '. /app/ends; /x'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'exec /x a ${Y:+b}'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'exec ${Y:+/x} ls'", "verified", ""},
		{"sh /script '[ $Y ] && exec /x a ${Y:+b}'", "verified", ""},
		{"sh /script 'ls; exec /x'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'tar xf /app.tgz -C /opt; /opt/x'", "verified", "/script starts /opt/x, which is not in the image"},
		{"sh /script 'python -m venv /v; . /v/env'", "verified", "/script reads /v/env, which is not in the image"},
		{"sh /script 'f() { ls; /x; }; f'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'eval exec /x'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'if [ $(uname -m) = aarch64 ]; then /x; fi'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script '[ $(uname -m) = aarch64 ] && exec /x'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'if [ $(uname -m) = x86_64 ]; then /x; fi'", "verified", ""},
		{"sh /script 'f() { [ \"$Y\" = 1 ]; }; f && exec /x'", "verified", ""},
		{"sh /script 'test -x /x || exit 0; exec /x'", "verified", ""},
		{"sh /script '[ -x /app/x ] || exit 0; exec /x'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script '[ -x /x ] || ls; exec /x'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script '(grep -q a /b) && /x'", "verified", ""},
		{"sh /script 'ls && uname && exec /x'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script '[ \"$0\" = /script ] && exec ls; exec /x'", "verified", ""}, // as where CMD is a word that the script knows
		{"sh /script 'case $0 in /script) exec ls ;; esac; exec /x'", "verified", ""},
		{"sh /script '[ \"$0\" = /other ] && exec ls; exec /x'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'x && exec ls'", "verified", "/script starts x, which is not in the image"},
		{"sh /script 'x && ls || uname'", "verified", ""},
		{"sh /script 'x && ls; exec ls'", "verified", ""},
		{"sh /script 'x && /y; exec ls'", "verified", ""},
		{"sh /script 'if x; then /y; fi; exec ls'", "verified", ""},
		{"sh /script 'x || exec /y'", "verified", "/script starts /y, which is not in the image"},
		{"sh /script '[ $# -eq 0 ] && exec /x; exec \"$@\"'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'if [ $# -gt 0 ]; then /x; fi; exec ls'", "verified", ""},
		{"sh /script 'set -- server; if [ \"$1\" = server ]; then exec /x; fi; exec ls'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'case $0 in /script) exec /x ;; *) exec ls ;; esac'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'case $0 in /other) exec ls ;; *) exec /x ;; esac'", "verified", "/script starts /x, which is not in the image"},
		{"sh /script 'case $0 in $Y) exec ls ;; *) exec /x ;; esac'", "verified", ""},
		{"sh /script 'case $0 in $Y) ls ;; /script) exec /x ;; esac'", "verified", ""},
		{"sh /script 'for i in a b; do x $i; done'", "verified", "/script starts x, which is not in the image"},
		{"sh /script 'for i in a b; do [ $Y ] || continue; x $i; done'", "verified", ""},
		{"sh /script 'for i in a b; do [ $Y ] && break; x $i; done'", "verified", ""},
		{"sh /script 'for i in $Y; do x $i; done'", "verified", ""},
		{"sh /script 'while :; do x; done'", "verified", "/script starts x, which is not in the image"},
		{"sh /script 'while [ $Y ]; do x; done'", "verified", ""},
		{"sh /script 'until x; do ls; done'", "verified", ""},
		{"sh /script 'f() { [ \"$Y\" ] && return; ls; }; f; exec /x'", "verified", "/script starts /x, which is not in the image"},
	} {
		src, entrypoint := test.text, sh(test.text)
		if script, ok := strings.CutPrefix(src, "sh /script "); ok {
			src, entrypoint = strings.Trim(script, "'"), run("sh", "/script")
		}
		root := rootOf(scripts(elf("/bin/ls", "arm64"), elf("/bin/cp", "arm64"), elf("/bin/mkdir", "arm64"), elf("/bin/chmod", "arm64"), text("/script", src))...)
		r, err := image.Check(entrypoint.bytes(), root, platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		got, notes := outcome(t, r, err), strings.Join(r.Notes, "\n")
		if got != test.want || test.note == "" && strings.Contains(notes, "which is not in the image") || !strings.Contains(notes, test.note) {
			t.Errorf("%s: %s, want %s; notes %q, want %q", test.text, got, test.want, r.Notes, test.note)
		}
	}
}

// Busybox's shell may have its tools in itself, and nothing is said of them where it is alone.
func TestLoneShell(t *testing.T) {
	root := rootOf(elf("/bin/busybox", "arm64"), link("/bin/sh", "busybox"), text("/script", "mkdir /d; exec sh"))
	r, err := image.Check(run("sh", "/script").bytes(), root, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" || len(r.Notes) > 0 {
		t.Errorf("%s; notes %q", got, r.Notes)
	}
}

// What may start a program of another machine is told of, and not refused.
func TestGivenPrograms(t *testing.T) {
	const note = "starter" + isGiven
	for _, test := range []struct{ command, note string }{
		{"starter -wait tcp://db:5432 /app/server", note},
		{"sh -c 'exec starter /app/server'", note},
		{"starter -c app/x app/server", note},
		{"sh -c 'cd /app; exec starter ./server'", note},
		{"sh -c 'cd $X; exec starter ./server'", ""},
		{"starter /app/lib.sh /app/x /nowhere /app", ""},
		{"starter server", ""},
		{"starter /bin/ls", ""},
		{"ls /app/server", ""},
		{"cp /app/server /x", ""},
	} {
		words := strings.Fields(test.command)
		if text, ok := strings.CutPrefix(test.command, "sh -c "); ok {
			words = []string{"sh", "-c", strings.Trim(text, "'")}
		}
		root := rootOf(scripts(elf("/bin/starter", "arm64"), elf("/bin/ls", "arm64"), elf("/bin/cp", "arm64"))...)
		r, err := image.Check(run(words...).bytes(), root, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != "verified" || strings.Join(r.Notes, "\n") != test.note {
			t.Errorf("%s: %s, notes %q, want %q", test.command, got, r.Notes, test.note)
		}
	}
}

// What a program surely starts is followed by how it is called, and what a supervisor starts by its folders and its configuration.
func TestStarters(t *testing.T) {
	service := exe("/bin/service", "#!/bin/sh\nfor s in /etc/init.d/*; do $s start; done\n")
	ini := "[supervisord]\nnodaemon=true ; x\n[program:x]\ncommand = '/app/server' --x ; y\n"
	for _, test := range []struct {
		command string
		root    []entry
		want    string
	}{
		{"starter run -- /app/server --port 80", nil, server},
		{"starter run -- ./server", nil, "verified"},
		{"starter run -- /nowhere", nil, "verified"},
		{"starter --", nil, "verified"},
		{"grep -- /app/server", nil, "verified"},
		{"script.py run -- /app/server", nil, server},
		{"wait-for-it.sh db:5432 -- /app/server", nil, server},
		{"wait-for-it.sh /app/server", nil, "verified"},
		{"sh -c : -- /app/server", nil, "verified"},
		{"dockerize -wait tcp://db:5432 -timeout 1s /app/server", nil, server},
		{"vault-env /app/server", nil, server},
		{"start-stop-daemon --start --quiet --pidfile /run/x --chuid app:app --exec /app/server -- --port 80", nil, server},
		{"start-stop-daemon -S -bm -x /app/ok -a /usr/bin/env -- X=1 /app/server", nil, server},
		{"start-stop-daemon --start --exec /app/server --test", nil, "verified"},
		{"start-stop-daemon --stop --exec /app/server", nil, "verified"},
		{"start-stop-daemon --start --chdir /srv --exec ./server", []entry{elf("/srv/server", "amd64")}, "foreign:/srv/server"},
		{"start-stop-daemon --start --stdout /var/log/x -2 /var/log/y -w 10 -e A=b --exec /bin/sh -- -c /app/server", nil, server},
		{"prlimit --pid 1 --nofile=1024", []entry{elf("/bin/prlimit", "arm64")}, "verified"},
		{"prlimit -n1024 -o SOFT -p 1", []entry{elf("/bin/prlimit", "arm64")}, "verified"},
		{"start-stop-daemon --start --chroot /x --exec /app/server", nil, "what start-stop-daemon starts was not followed"},
		{"with-contenv /app/server", []entry{exe("/bin/with-contenv", "#!/bin/starter\n")}, server},

		{"service app start", []entry{service, exe("/etc/init.d/app", "#!/bin/sh\n[ $1 = start ] && start-stop-daemon --start --exec /app/server\n")}, server},
		{"service app start", []entry{service, exe("/etc/init.d/app", "#!/bin/sh\n"), exe("/etc/init.d/other", "#!/bin/sh\n/app/server\n")}, "verified"},
		{"/app/service app start", []entry{exe("/app/service", "#!/bin/sh\nexec /app/server\n"), exe("/etc/init.d/app", "#!/bin/sh\n")}, server},
		{"service --status-all", []entry{service, exe("/etc/init.d/other", "#!/bin/sh\n/app/server\n")}, server},

		{"supervisord -n", []entry{text("/etc/supervisord.conf", ini)}, server},
		{"supervisord -c /x.conf", []entry{text("/x.conf", ini)}, server},
		{"supervisord --configuration /x.conf", []entry{text("/x.conf", ini)}, server},
		{"supervisord --configuration=/x.conf", []entry{text("/x.conf", ini), text("/etc/supervisord.conf", "")}, server},
		{"supervisord", []entry{text("/etc/supervisor/supervisord.conf", "[include]\nfiles = conf.d/*.conf /x/*.ini\n"), text("/etc/supervisor/conf.d/app.conf", ini)}, server},
		{"supervisord", []entry{text("/etc/supervisor/supervisord.conf", "[include]\nfiles = conf.d/*.conf /x/*.ini\n"), text("/x/app.ini", ini)}, server},
		{"supervisord", []entry{text("/etc/supervisor/supervisord.conf", "[include]\nfiles = conf.d/*.conf\n"), text("/etc/supervisor/conf.d/app.ini", ini)}, "what supervisord starts was not followed"},
		{"supervisord", []entry{text("/etc/supervisord.conf", "command=/app/%(ENV_X)s\n")}, "/etc/supervisord.conf works out at run time what it starts as \"/app/...\": that program was not followed"},
		{"supervisord", []entry{text("/etc/supervisord.conf", "command=/nowhere\n")}, "/etc/supervisord.conf starts /nowhere, which is not in the image"},
		{"supervisord", []entry{text("/etc/supervisord.conf", "command=/nowhere\nautostart = False\n")}, "verified"},
		{"env X=false supervisord", []entry{text("/etc/supervisord.conf", "command=/nowhere\nautostart=%(ENV_X)s\n")}, "verified"},
		{"sh -c supervisord", []entry{text("/etc/supervisord.conf", "command=/nowhere\n")}, "/etc/supervisord.conf starts /nowhere, which is not in the image"},
		{"supervisord", nil, "what supervisord starts was not followed"},
		{"supervisord", []entry{dir("/etc/supervisord.conf")}, "what supervisord starts was not followed"},
		{"supervisord", []entry{text("/etc/supervisord.conf", "files=*.conf\n")}, "what supervisord starts was not followed"},

		{"/init", []entry{exe("/etc/services.d/x/run", "#!/bin/sh\nexec /app/server\n")}, server},
		{"/init", []entry{exe("/etc/s6-overlay/s6-rc.d/x/run", "#!/bin/with-contenv sh\nexec /app/server\n"), elf("/bin/with-contenv", "arm64")}, server},
		{"/init", []entry{exe("/etc/cont-init.d/10-x", "#!/bin/sh\n/app/server\n")}, server},
		{"/init", []entry{exe("/etc/services.d/x/run", "#!/bin/sh\nexec /nowhere\n")}, "/etc/services.d/x/run starts /nowhere, which is not in the image"},
		{"/init", []entry{exe("/etc/s6-overlay/s6-rc.d/x/run", "#!/bin/sh\nexec /nowhere\n")}, "verified"},
		{"/init", []entry{exe("/etc/services.d/x/run", "#!/bin/sh\nexec /nowhere\n"), text("/etc/services.d/x/down", "")}, "verified"},
		{"/init", nil, "what init starts was not followed"},
		{"/sbin/my_init", []entry{exe("/sbin/my_init", "#!/bin/starter\n"), exe("/etc/service/x/run", "#!/bin/sh\nexec /app/server\n")}, server},
		{"/sbin/my_init", []entry{exe("/sbin/my_init", "#!/bin/starter\n"), exe("/etc/rc.local", "#!/bin/sh\n/app/server\n")}, server},
		{"runsvdir -P /srv", []entry{exe("/srv/x/run", "#!/bin/sh\nexec chpst -u app /app/server\n"), elf("/bin/chpst", "arm64")}, server},
		{"s6-svscan /srv", []entry{link("/srv", "/etc/s"), exe("/etc/s/x/run", "#!/bin/sh\nexec 2>&1\nexec s6-setuidgid app /app/server\n"), elf("/bin/s6-setuidgid", "arm64")}, server},
		{"runsvdir /srv", []entry{exe("/srv/x/log/run", "#!/bin/sh\nexec /app/server\n")}, server},
		{"runsvdir /srv", []entry{exe("/srv/x/run", "#!/bin/sh\nexec /app/ok\n"), exe("/srv/x/finish", "#!/bin/sh\n/app/server\n")}, server},
		{"/init", []entry{dir("/etc/s6-overlay/s6-rc.d/x/up"), exe("/etc/services.d/y/run", "#!/bin/sh\nexec /app/ok\n")}, "/etc/services.d/y/run starts /app/ok, which is not in the image"},
		{"scp -- /app/server host:", []entry{elf("/bin/scp", "arm64")}, "verified"},
		{"pg_ctl start", []entry{elf("/bin/pg_ctl", "arm64")}, "pg_ctl starts /bin/postgres, which is not in the image"},
		{"s6-svscan /srv", nil, "what s6-svscan starts was not followed"},
		{"crond -f", []entry{elf("/bin/crond", "arm64")}, "what crond starts was not followed"},
		{"honcho start", []entry{exe("/bin/honcho", "#!/bin/starter\n")}, "what honcho starts was not followed"},
		{"honcho start", []entry{exe("/bin/honcho", "#!/bin/starter\n"), text("/Procfile", "# x: /app/none\nnginx: /app/x\nweb: cd /app; exec ./server\n")}, server},
		{"honcho -f /x/procs start", []entry{exe("/bin/honcho", "#!/bin/starter\n"), text("/x/procs", "a-b_1: /app/server --port $PORT\n")}, server},
		{"foreman start -p 80 x", []entry{exe("/bin/foreman", "#!/bin/starter\n"), text("/Procfile", "web: /app/server\nx: /app/ok\n")}, "/Procfile starts /app/ok, which is not in the image"},
		{"foreman start x web", []entry{exe("/bin/foreman", "#!/bin/starter\n"), text("/Procfile", "web: /app/server\nx: /app/ok\n")}, server},
		{"foreman start -m all=1,web=0", []entry{exe("/bin/foreman", "#!/bin/starter\n"), text("/Procfile", "web: /app/server\nx: /app/ok\n")}, "/Procfile starts /app/ok, which is not in the image"},
		{"foreman start -f /app/procs", []entry{exe("/bin/foreman", "#!/bin/starter\n"), text("/app/procs", "web: ./server\n")}, server},
		{"foreman run -e /x web", []entry{exe("/bin/foreman", "#!/bin/starter\n"), text("/Procfile", "x: /app/ok\nweb: /app/server\n")}, server},
		{"foreman run web x", []entry{exe("/bin/foreman", "#!/bin/starter\n"), elf("/bin/web", "arm64"), text("/Procfile", "web: /app/server\n")}, "verified"},
		{"honcho run /app/server --x", []entry{exe("/bin/honcho", "#!/bin/starter\n"), text("/Procfile", "x: /app/ok\n")}, server},
		{"honcho -d /app start", []entry{exe("/bin/honcho", "#!/bin/starter\n"), text("/app/Procfile", "web: ./server\n")}, server},
		{"overmind start -l x,y", []entry{elf("/bin/overmind", "arm64"), text("/Procfile", "web: /app/server\nx: /app/ok\n")}, "/Procfile starts /app/ok, which is not in the image"},
		{"overmind start -l x,web", []entry{elf("/bin/overmind", "arm64"), text("/Procfile", "web: /app/server\nx: /app/ok\n")}, server},
		{"hivemind /app/procs", []entry{elf("/bin/hivemind", "arm64"), text("/Procfile", "x: /app/ok\n"), text("/app/procs", "web: ./server\n")}, server},
		{"run-parts /srv", []entry{exe("/srv/x", "#!/bin/sh\n/app/server\n")}, server},
	} {
		root := scripts(exe("/init", "#!/bin/sh\n"), exe("/bin/supervisord", "#!/bin/starter\n"), exe("/bin/script.py", "#!/bin/starter\n"), exe("/bin/wait-for-it.sh", "#!/bin/env -S bash -e\n"))
		for _, name := range []string{"starter", "dockerize", "vault-env", "grep", "runsvdir", "s6-svscan", "run-parts", "start-stop-daemon"} {
			root = append(root, elf("/bin/"+name, "arm64"))
		}
		r, err := image.Check(run(strings.Fields(test.command)...).bytes(), rootOf(append(root, test.root...)...), platform(t, "arm64"), image.Options{})
		got := outcome(t, r, err)
		if len(r.Notes) > 0 && err == nil {
			got = strings.Join(r.Notes, "\n")
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.command, got, test.want)
		}
	}
}

// What cannot be followed to its end is said, and the rest is followed.
func TestTextsInPart(t *testing.T) {
	long := strings.Repeat("# padding\n", 7000)
	folders, few := "", "a b c d e f g h i j k l m n o p"
	for i := range 500 {
		folders += "/" + strconv.Itoa(i) + ":"
	}
	const tooMany = "the image's scripts start so many commands that not all were followed"
	several := "A=1; B=1; C=1; [ $X ] && A=2; [ $X ] && B=2; [ $X ] && C=2; [ $X ] && A=3; [ $X ] && B=3\n"
	for _, test := range []struct{ script, want, note string }{
		{"/app/server\n" + long, server, ""},
		{"main() {\n/app/server\n" + long + "}\nmain", server, ""},
		{long + "/app/server\n", "verified", "/run was followed only in part: \"it is longer than 64 KiB\""},
		{"if [ $X ]; then\n/app/server\n" + long + "fi\n", server, ""},
		{"/app/server\nfi\n", server, ""},
		{"/app/server; cat <<X&#0\n0", server, ""},
		{": 'x", "verified", "/run was followed only in part: \"1:3: reached EOF without closing quote `'`\""},
		{"# r\xe9seau\n/app/server\n", server, ""},
		{"uname\nexit 0\n\x1f\x8b\x08'(\n\x02\x00$(`" + long, "verified", ""},
		{"/app/server\nexit 0\nPK\x03\x04\x00'", server, ""},
		{"eval \"X='$X\"", "verified", "/run works out at run time what it evaluates: not all of that was followed"},
		{": " + strings.Repeat("$(", 600), "verified", "/run was followed only in part: \"its brackets are nested too deeply\""},
		{"/app/server; exit\n" + strings.Repeat(":|", 1500) + ":", server, ""},
		{strings.Repeat(":|", 1500) + ":", "verified", "/run was followed only in part: \"a command is nested too deeply\""},
		{"case $X in " + strings.Repeat("a) ;;& ", 40) + "esac", "verified", tooMany},
		{"if [[ aarch64 =~ " + strings.Repeat("(a{1000})", 200) + " ]]; then /app/server; fi", server, ""},
		{"[ " + strings.Repeat("! ", 10000) + "a ]; /app/server", "verified", tooMany},
		{"PATH=" + folders + "/usr/bin\n" + strings.Repeat("uname\n", 400), "verified", tooMany},
		{"export A=" + strings.Repeat("x", 60000) + "\nfor i in " + few + "; do for j in " + few + "; do sh -c \": $i$j\"; done; done", "verified", tooMany},
		{strings.Repeat(":\n", 20001) + "/app/server", "verified", tooMany},
		{". /run; . /run", "verified", tooMany},
		{"f() { g x$1; g y$1; }; g() { f a$1; f b$1; }; f", "verified", tooMany},
		{strings.Repeat("for x in a b; do ", 30) + ": $x" + strings.Repeat("; done", 30), "verified", tooMany},
		{"sh $0 x$1 \"$@\"", "verified", "a script in the image that starts itself was followed only three times"},
		{"sh $0 x \"$@\"", "verified", ""},
		{"[ \"${1#-}\" = \"$1\" ] || set -- x \"$@\"\nif [ \"$(id -u)\" = 0 ]; then exec sh \"$0\" \"$@\"; fi", "verified", ""},
		{strings.Repeat("[ $X ] && A=$A$X || B=$B$Y\n", 8) + strings.Repeat("set -- \"$1$A\" \"$B$2\" \"$3$A$B\"\n: \"$A\" \"$B\" $1 $2 $3\n", 2), "verified", ""},
		{several + "g() { : $1; : $2; : $3; }; f() { g $A \"$@\"; g $B \"$@\"; g $C \"$@\"; }; " + strings.Repeat("f $A $B\n", 60), "verified", ""},
		{"e() { local x=$1; " + strings.Repeat("x=\"${x//a/b}\"; ", 10) + "echo \"$x\"; }; " + strings.Repeat("A=$(e /etc/app/app.conf)\n", 120), "verified", ""},
		{"X=" + strings.Repeat("x", 1000) + "\nexec $(" + strings.Repeat("echo $X;", 131) + ")", "verified", "/run works out at run time what it starts as \"...\": that program was not followed"},
	} {
		root := rootOf(scripts(text("/run", test.script))...)
		r, err := image.Check(run("sh", "/run").bytes(), root, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != test.want || test.want == "verified" && strings.Join(r.Notes, "\n") != test.note {
			t.Errorf("%.40s: %s, want %s; notes %q, want %q", test.script, got, test.want, r.Notes, test.note)
		}
	}
}

// A comment or an empty line at its end changes nothing of what a text does, and whatever it is, following it ends.
func FuzzTexts(f *testing.F) {
	for _, row := range texts {
		f.Add(row[2:])
	}
	for _, test := range idioms {
		f.Add(test.script)
	}
	root := rootOf(scripts()...)
	f.Fuzz(func(t *testing.T, src string) {
		verdict := func(src string) string {
			r, err := image.Check(sh(src).bytes(), root, platform(t, "arm64"), image.Options{})
			return outcome(t, r, err) + strings.Join(r.Notes, "|")
		}
		if strings.HasPrefix(src, "-") || strings.HasPrefix(src, "+") {
			return // an option of sh
		}
		want := verdict(src)
		if strings.HasSuffix(src, "\\") || strings.Contains(want, "only in part") {
			return // the end continues what is open
		}
		for _, end := range []string{"\n# the end", "\n\n#\n"} {
			if got := verdict(src + end); got != want {
				t.Errorf("%q: %s, with %q at its end %s", src, want, end, got)
			}
		}
	})
}

const (
	server  = "foreign:/app/server"
	isGiven = " is given /app/server, which is amd64: if it starts it, it will not run"
)

func TestTexts(t *testing.T) { follow(t, texts) }

// follow checks rows that are written as in texts.
func follow(t *testing.T, rows []string) {
	t.Helper()
	for _, row := range rows {
		sign, src := row[:1], row[2:]
		root := rootOf(scripts(exe("/run", "#!/bin/bash\n"+src+"\n"))...)
		r, err := image.Check(run("/run").bytes(), root, platform(t, "arm64"), image.Options{})
		got := outcome(t, r, err)
		told := strings.Contains(strings.Join(r.Notes, "\n"), "not followed")
		want := map[string]string{"+": server, "-": "verified", "?": "verified"}[sign]
		if strings.Contains(got, "aarch64") {
			got = server
		}
		if got != want || sign == "?" && !told || sign == "-" && strings.Contains(strings.Join(r.Notes, "\n"), "followed") {
			t.Errorf("%s\n%s, want %s; notes %q", src, got, want, r.Notes)
		}
	}
}
