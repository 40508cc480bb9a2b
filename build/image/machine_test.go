package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// Each text chooses among the programs that fat holds by asking for the machine.
var byMachine = []string{
	"exec /app-$(dpkg --print-architecture)",
	"exec /opt/$(uname -m)/app",
	"exec /opt/`arch`/app",
	"exec /opt/$(uname -m 2>/dev/null)/app",
	"exec /app-$(uname -m | grep -q aarch64 && echo arm64 || echo amd64)",
	"exec /app-$(echo asking >&2; echo asking 1>&2; dpkg --print-architecture)",
	"exec /opt/$(apk --print-arch)/app",
	"ARCH=$(uname -m); exec /opt/$ARCH/app",
	"ARCH=${ARCH:-$(uname -m)}; exec /opt/$ARCH/app",
	"case \"$(uname -s)-$(uname -m)\" in Linux-x86_64) exec /app-amd64 ;; Linux-aarch64 | Linux-arm64) exec /app-arm64 ;; esac",
	"case $(uname -sm) in 'Linux x86_64') exec /app-amd64 ;; Linux\\ aarch64) exec /app-arm64 ;; esac",
	"case $(uname) in Linux) OS=linux ;; Darwin) OS=darwin ;; esac; case $OS-$(uname -m) in linux-x86_64) exec /app-amd64 ;; linux-aarch64) exec /app-arm64 ;; esac",
	"case $(uname -m) in x86_64) A=amd64 ;; aarch64 | arm64) A=arm64 ;; armv7* | armhf) A=arm ;; *) echo unsupported >&2; exit 1 ;; esac; exec /app-$A",
	"case $(uname -m) in *64) case $(uname -m) in x86*) A=amd64 ;; a*) A=arm64 ;; esac ;; *) A=arm ;; esac; exec /app-$A",
	"case \"$(uname -m)\" in amd64|x86_64) exec /app-amd64 \"$@\" ;& esac; exec /app-arm64 \"$@\"",
	"uname -m | grep -q aarch64 && exec /app-arm64; exec /app-amd64",
	"if uname -m | grep -qE '^(aarch64|arm64)$'; then exec /app-arm64; fi; exec /app-amd64",
	"if uname -a | grep -q x86_64; then exec /app-amd64; else exec /app-arm64; fi",
	"if uname -m | grep -q '\\(x86_64\\|amd64\\)'; then exec /app-amd64; else exec /app-arm64; fi",
	"if arch | grep -i -q X86; then exec /app-amd64; else exec /app-arm64; fi",
	"uname -m | egrep -q '^(x86_64|amd64)$' && exec /app-amd64; exec /app-arm64",
	"uname -m | fgrep -q x86_64 && exec /app-amd64; exec /app-arm64",
	"uname -m | grep -vq x86_64 && exec /app-arm64; exec /app-amd64",
	"uname -m | grep -w -e arch -q && exec /app-amd64; exec /app-arm64",
	"uname -m | grep -qex86_64 && exec /app-amd64; exec /app-arm64",
	"uname -m | grep x86_64 -q && exec /app-amd64; exec /app-arm64",
	"uname -m | grep -xqF arch64 && exec /app-amd64; exec /app-arm64",
	"if echo \"$(uname -m)\" | grep x86 >/dev/null 2>&1; then exec /app-amd64; else exec /app-arm64; fi",
	"if grep -q x86 <<<\"$(uname -m)\"; then exec /app-amd64; else exec /app-arm64; fi",
	"exec /app-$(uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/')",
	"exec /app-$(uname -m | sed -e 's/x86_64/amd64/' -e 's/aarch64/arm64/')",
	"exec /app-$(uname -m | sed s/x86_64/amd64/ | sed s/aarch64/arm64/)",
	"exec /app-$(arch | sed -E 's/^(aarch64|armv8.*)$/arm64/g; s|x86_64|amd64|g')",
	"exec /app-$(uname -m | sed -e s/x86_64/amd64/g -e 's/aarch\\(64\\)/arm\\1/')",
	"A=$(uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/'); case $A in amd64) exec /app-amd64 ;; arm64) exec /app-arm64 ;; esac",
	"A=$(uname -m); A=${A/x86_64/amd64}; A=${A/aarch64/arm64}; exec /app-$A",
	"A=$(uname -m); [[ $A == x86_64 ]] && A=amd64 || A=arm64; exec /app-$A",
	"A=$(uname -m); [ $A = aarch64 ] && A=arm64; [ $A = x86_64 ] && A=amd64; exec /app-$A",
	"A=$(uname -m); [ \"x$A\" = \"xx86_64\" ] && A=amd64 || A=arm64; exec /app-$A",
	"A=$(uname -m); [ \"x$A\" = xaarch64 ] && A=arm64 || A=amd64; exec /app-$A",
	"if [ \"$(uname -m)\" = aarch64 -o \"$(uname -m)\" = arm64 ]; then exec /app-arm64; fi; exec /app-amd64",
	"if [ \"$(uname -s)\" = Linux -a \"$(uname -m)\" = x86_64 ]; then exec /app-amd64; fi; exec /app-arm64",
	"if [ ! \"$(uname -m)\" = aarch64 ]; then exec /app-amd64; fi; exec /app-arm64",
	"if [[ $(uname -m) =~ ^(x86_64|amd64)$ ]]; then exec /app-amd64; fi; exec /app-arm64",
	"if [[ $(uname -m) = *arm* || $(uname -m) = *aarch* ]]; then exec /app-arm64; fi; exec /app-amd64",
	"if [[ $(uname -m) == @(x86_64|amd64) ]]; then exec /app-amd64; fi; exec /app-arm64",
	"if [ $(getconf LONG_BIT) = 32 ]; then exec /app-arm; fi; exec /app-arm64",
	"if [ $(getconf LONG_BIT) -eq 64 ]; then exec /app-arm64; else exec /app-arm; fi",
	"machine() { uname -m; }; exec /opt/$(machine)/app",
	"detect() { case \"$(uname -m)\" in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) echo unknown; exit 1 ;; esac; }; exec /app-$(detect)",
	"detect() { local m; m=$(uname -m); case $m in x86_64) A=amd64 ;; aarch64) A=arm64 ;; esac; }; detect; exec /app-$A",
	"detect() { local m=$(uname -m); if [ $m = x86_64 ]; then printf amd64; else printf '%s\\n' arm64; fi; }; A=\"$(detect)\"; case $A in amd64) /app-amd64 ;; *) /app-arm64 ;; esac",
	"is_arm() { [ \"$(uname -m)\" = aarch64 ]; }; if is_arm; then exec /app-arm64; else exec /app-amd64; fi",
	"is_arm() { test $(uname -m) = aarch64 && return 0; return 1; }; if is_arm; then exec /app-arm64; else exec /app-amd64; fi",
	"is_arm() { uname -m | grep -q aarch64; }; is_arm || exec /app-amd64; exec /app-arm64",
	"is_arm() { case $(uname -m) in aarch64) return 0 ;; esac; return 1; }; is_arm && exec /app-arm64; exec /app-amd64",
	"for a in amd64 arm64; do if [ $a = $(dpkg --print-architecture) ]; then exec /app-$a; fi; done",
	"for a in amd64 arm64; do [ $a = $(dpkg --print-architecture) ] && exec /app-$a; done",
	"for a in amd64 arm64; do [ $a = $(dpkg --print-architecture) ] || continue; exec /app-$a; done",
	"for a in amd64 arm64; do if [ $a = $(dpkg --print-architecture) ]; then break; fi; done; exec /app-$a",
	"for a in amd64 arm64; do case $(dpkg --print-architecture) in $a) A=$a ;; esac; done; exec /app-$A",
	"for a in x86_64 aarch64; do test -x /opt/$a/app -a $a = $(arch) && exec /opt/$a/app; done",
	"[ -z \"$A\" ] && A=$(uname -m); case $A in x86_64) exec /app-amd64 ;; aarch64) exec /app-arm64 ;; esac",
	"if [ -z \"$A\" ]; then A=$(uname -m); fi; if [ $A = x86_64 ]; then exec /app-amd64; else exec /app-arm64; fi",
	"[[ $A ]] || A=$(dpkg --print-architecture); [[ $A == arm64 ]] && exec /app-arm64; exec /app-amd64",
	"uname -m | grep -q x86_64; if [ $? -eq 0 ]; then exec /app-amd64; fi; exec /app-arm64",
	"uname -m | grep -q aarch64; [ $? != 0 ] && exec /app-amd64; exec /app-arm64",
	"if [ -e /lib/ld-musl-x86_64.so.1 ]; then exec /app-amd64; else exec /app-arm64; fi",
	"[[ -f /lib64/ld-linux-x86-64.so.2 ]] && exec /app-amd64; exec /app-arm64",
	"if [ -e /lib/ld-linux-aarch64.so.1 ]; then exec /app-arm64; else exec /app-amd64; fi",

	"cd /opt/$(uname -m) && exec ./app",
	"PATH=/opt/$(uname -m):$PATH; exec app",
	"export PATH=\"/opt/$(uname -m):$PATH\"\nexec app",
	"ln -sf /app-$(dpkg --print-architecture) /usr/local/bin/app; exec app",
	"ln -s /opt/$(uname -m) /opt/current; exec /opt/current/app",
	"cp /app-$(dpkg --print-architecture) /tmp/app && chmod +x /tmp/app && exec /tmp/app",
	"install -m 755 -D /app-$(dpkg --print-architecture) /usr/local/bin/app; exec /usr/local/bin/app",
	"mkdir -p /run/x; mv /app-$(dpkg --print-architecture) /run/x; exec /run/x/app-arm64",
	"exec /app-$TARGETARCH",
	"exec /app-${TARGETARCH:-amd64}",
	"case $TARGETPLATFORM in linux/amd64) exec /app-amd64 ;; linux/arm64) exec /app-arm64 ;; esac",
	"m=$(uname -m | tr -d '\\n'); exec /opt/$m/app",
	"m=$(uname -m | tr '[:upper:]' '[:lower:]'); exec /opt/$m/app",
	"o=$(uname -s | tr A-Z a-z); exec /$o/app",
	"o=$(uname | tr '[:upper:]' '[:lower:]'); exec /$o/app",
	"uname -m > /tmp/m; read m < /tmp/m; exec /app-arm64",
	"eval exec /opt/$(uname -m)/app",
	"eval \"case $(uname -m) in x86_64) exec /app-amd64 ;; *) exec /app-arm64 ;; esac\"",
	"exec \"$(dirname \"$0\")/opt/$(uname -m)/app\" \"$@\"",
	"[ \"$(uname -m)\" != x86_64 ] && set -- arm64 || set -- amd64; exec /app-$1",
	"while :; do case $(uname -m) in x86_64) /app-amd64 ;; *) /app-arm64 ;; esac; sleep 1; done",
	"if [ -x /app-arm64 ] && [ \"$(uname -m)\" = aarch64 ]; then exec /app-arm64; elif [ \"$(uname -m)\" = x86_64 ]; then exec /app-amd64; fi",
	"(uname -m | grep -q x86_64) && exec /app-amd64 || exec /app-arm64",
	"A=arm64; uname -m | grep -q x86_64 && A=amd64; exec /app-$A",
	"A=arm64; if test \"$(uname -m)\" = x86_64; then A=amd64; fi; exec /app-$A",
	"BIN=/app-amd64; [ \"$(uname -m)\" = aarch64 ] && BIN=/app-arm64; exec $BIN",
}

// fat is an image for two machines, told apart by all that they are called; a lie where what is called after arm64 is not for it.
func fat(script, arm64 string) []entry {
	all := scripts(exe("/run", "#!/bin/bash\n"+script+"\n"), elf("/linux/app", arm64), elf("/lib/ld-linux-aarch64.so.1", "arm64"), elf("/app-arm", "armhf"), elf("/app-amd64", "amd64"), elf("/app-arm64", arm64),
		elf("/jdk/a/bin/java", "amd64"), elf("/jdk/b/bin/java", arm64))
	for _, n := range []struct{ name, arch string }{{"amd64", "amd64"}, {"x86_64", "amd64"}, {"arm64", arm64}, {"aarch64", arm64}} {
		all = append(all, elf("/opt/"+n.name+"/app", n.arch))
	}
	for _, name := range []string{"ln", "cp", "mv", "install", "mkdir", "chmod", "sleep", "timeout", "nice"} {
		all = append(all, elf("/usr/bin/"+name, "arm64"))
	}
	return all
}

func TestByMachine(t *testing.T) { choose(t, byMachine) }

// choose checks scripts that start the right program of an image for two machines.
func choose(t *testing.T, scripts []string) {
	t.Helper()
	env := []string{"TARGETARCH=arm64", "TARGETPLATFORM=linux/arm64"}
	for _, script := range scripts {
		r, err := image.Check(run("/run").and("Env", env).bytes(), rootOf(fat(script, "arm64")...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		if got := outcome(t, r, err); got != "verified" || len(r.Notes) > 0 {
			t.Errorf("%s\n%s, notes %q", script, got, r.Notes)
		}
		r, err = image.Check(run("/run").and("Env", env).bytes(), rootOf(fat(script, "amd64")...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		if got := outcome(t, r, err); strings.Contains(got, "verified") {
			t.Errorf("%s\n%s where it lies, notes %q", script, got, r.Notes)
		}
	}
}
