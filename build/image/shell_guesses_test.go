package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// A choice by machine that cannot be computed refuses no other machine's program, and says that it was not followed.
func TestChoicesThatAreNotFollowed(t *testing.T) {
	for _, script := range []string{
		"case $(uname -m | cut -c1-3) in x86) exec /app-amd64 ;; *) exec /app-arm64 ;; esac",
		"case $(uname -m | head -n1) in x86_64) exec /app-amd64 ;; *) exec /app-arm64 ;; esac",
		"case $(uname -m | awk '{print $1}' | cut -c1-3) in x86) exec /app-amd64 ;; *) exec /app-arm64 ;; esac",
		"case $(uname -m | tr -d '[:space:]') in x86_64) exec /app-amd64 ;; *) exec /app-arm64 ;; esac",
		"if [ $(uname -m | cut -c1-3) = x86 ]; then exec /app-amd64; fi; exec /app-arm64",
		"[ $(uname -m | grep -c x86) = 1 ] && exec /app-amd64; exec /app-arm64",
		"if lscpu | grep -q x86_64; then exec /app-amd64; fi; exec /app-arm64",
		"read -r A <<<\"$(uname -m)\"; [ $A = x86_64 ] && exec /app-amd64; exec /app-arm64",
		"uname -m | while read A B; do [ $A = x86_64 ] && /app-amd64; done; exec /app-arm64",
		"if expr \"$(uname -m)\" : x86 >/dev/null; then exec /app-amd64; fi; exec /app-arm64",
		"for f in /app-amd64 /app-arm64; do file $f | grep -q aarch64 || continue; exec $f; done",
		"for f in /app-amd64 /app-arm64; do file $f | grep -q aarch64 && break; done; exec $f",
		"for f in /app-amd64 /app-arm64; do if ! file $f | grep -q aarch64; then continue; fi; exec $f; done",
		"case $MACHTYPE in x86*) exec /app-amd64 ;; *) exec /app-arm64 ;; esac",
	} {
		root := fat(script, "arm64")
		for _, name := range []string{"cut", "head", "awk", "lscpu", "expr", "file"} {
			root = append(root, elf("/usr/bin/"+name, "arm64"))
		}
		r, err := image.Check(run("/run").bytes(), rootOf(root...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		notes := strings.Join(r.Notes, "\n")
		if got := outcome(t, r, err); got != "verified" || !strings.HasPrefix(notes, "/app-amd64 is amd64 ") || !strings.HasSuffix(notes, "chooses by machine in a way that was not followed") {
			t.Errorf("%s\n%s, notes %q", script, got, r.Notes)
		}
	}
	choose(t, []string{"case $HOSTTYPE in x86_64) exec /app-amd64 ;; *) exec /app-arm64 ;; esac"})
	follow(t, []string{
		"+ if [ $(ls | cut -c1-3) = x86 ]; then /app/server; fi",
		"+ if [ $(uname -m | cut -c1-3) = x86 ]; then :; fi; /app/server",
		"+ if [ $(uname -m | cut -c1-3) = x86 ]; then /app/server; fi; if ls; then /app/server; fi",
		"+ A=$(uname -m | cut -c1-3); if /app/x $A; then /app/server; fi",
	})
}

// Who tries which of the programs for several machines runs tells no lie, as long as one is for the declared machine.
func TestTrials(t *testing.T) {
	for _, script := range []string{
		"/app-arm64 || /app-amd64",
		"/app-amd64 || /app-arm64",
		"cd /opt; x86_64/app || exec aarch64/app",
		"/app-arm64 2>/dev/null || exec /app-amd64",
		"for a in amd64 arm64; do if /app-$a --version >/dev/null 2>&1; then exec /app-$a; fi; done",
		"for a in amd64 arm64; do /app-$a --version >/dev/null 2>&1 && exec /app-$a; done",
		"if /app-arm64 --version >/dev/null 2>&1; then exec /app-arm64; else exec /app-amd64; fi",
		"if ! /app-arm64 --version; then exec /app-amd64; fi; exec /app-arm64",
		"/app-amd64 --version; if [ $? -eq 0 ]; then exec /app-amd64; fi; exec /app-arm64",
		"/app-amd64 --version\n[ $? = 0 ] && exec /app-amd64\nexec /app-arm64",
		"/app-arm64 --version; if [ $? = 0 ]; then exec /app-arm64; else exec /app-amd64; fi",
		"/app-amd64; case $? in 0) exec /app-amd64 ;; 126) exec /app-arm64 ;; esac",
		"out=$(/app-amd64 --version); if [ $? -ne 0 ]; then exec /app-arm64; fi; exec /app-amd64",
		"for a in amd64 arm64; do /app-$a -v; rc=$?; if [ \"$rc\" -eq 0 ]; then exec /app-$a; fi; done",
		"f() { /app-amd64 -v; local rc=$?; echo; [[ $rc -gt 125 ]] && exec /app-arm64; exec /app-amd64; }; f",
		"/app-amd64; if [ $? -ge 126 ]; then exec /app-arm64; else exec /app-amd64; fi",
		"/app-amd64 -v; if (( $? == 0 )); then exec /app-amd64; fi; exec /app-arm64",
		"/app-amd64 -v; if (( $? )); then exec /app-arm64; fi; exec /app-amd64",
		"/app-amd64 -v; (( !$? )) && exec /app-amd64; exec /app-arm64",
		"/app-amd64 -v; rc=$?; (( rc > 125 && 1 )) && exec /app-arm64; exec /app-amd64",
		"/app-amd64 -v; rc=$?; let rc || exec /app-amd64; exec /app-arm64",
		"if timeout 5 /app-amd64 -v; then exec /app-amd64; fi; exec /app-arm64",
		"nice -n 5 /app-amd64 -v && exec /app-amd64; exec /app-arm64",
		"nohup /app-amd64 -v >/dev/null || exec /app-arm64; exec /app-amd64",
		"for d in /jdk/*; do if $d/bin/java -version >/dev/null 2>&1; then J=$d; break; fi; done; exec ${J:-/jdk/b}/bin/java Main",
		"for d in /jdk/*; do $d/bin/java -version && J=$d; done; exec $J/bin/java Main",
		"/jdk/a/bin/java -version && J=/jdk/a; /jdk/b/bin/java -version && J=/jdk/b; exec $J/bin/java Main",
		"env X=y timeout -k 1 5 /app-amd64 -v; [ $? = 126 ] && exec /app-arm64; exec /app-amd64",
	} {
		for arch, honest := range map[string]bool{"arm64": true, "amd64": false} {
			r, err := image.Check(run("/run").bytes(), rootOf(fat(script, arch)...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
			told := strings.HasSuffix(strings.Join(r.Notes, "\n"), "chooses by machine in a way that was not followed")
			if got := outcome(t, r, err); got == "verified" != honest || honest && !told {
				t.Errorf("%s, beside a program for %s\n%s, notes %q", script, arch, got, r.Notes)
			}
		}
	}
	for _, script := range []string{
		"/srv/only-amd64 || exit 1",
		"if ! /srv/only-amd64; then exit 1; fi",
		"/srv/only-amd64; [ $? = 0 ] || exit 1",
		"exec /app-amd64 || exec /app-arm64",
		"/app-amd64 || exit 1",
		"/app-amd64; if [ $? -ne 0 ]; then exit 1; fi; exec /app-arm64",
		"/app-amd64; exit $?",
		"/app-amd64; (( $? )) && exit 1; exec /app-arm64",
		"timeout 5 /app-amd64 -v; exec /app-arm64",
		"timeout 5 /srv/only-amd64 || exit 1",
		"/app-amd64; rc=$?; exit $rc",
		"/app-amd64; rc=$?; /app-arm64; [ $? = 0 ] || exit $rc",
		"main() { /app-amd64; }; if main; then exit; fi",
		"/srv/amd64/tries || exit 1",
		"/jdk/a/bin/java -version || exit 1; exec /app-arm64",
		"for d in /jdk/a; do $d/bin/java -version && exec $d/bin/java; done; exec /app-arm64",
		"for d in /jdk/*; do $d/bin/java -version; done; exec /app-arm64",
	} {
		root := rootOf(append(fat(script, "arm64"), elf("/srv/only-amd64", "amd64"), exe("/srv/amd64/tries", "#!/bin/sh\n/app-amd64 || exit 1\n"), elf("/srv/arm64/tries", "arm64"))...)
		r, err := image.Check(run("/run").bytes(), root, platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		if got := outcome(t, r, err); !strings.HasPrefix(got, "foreign:") {
			t.Errorf("%s\n%s, notes %q", script, got, r.Notes)
		}
	}
}
