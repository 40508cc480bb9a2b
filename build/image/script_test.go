package image_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// Each row is a shell text whose program /app/server is for amd64 in an image for arm64. "+" stands before the texts that
// lead to it, "-" before those that do not, and "?" before those of which a note says that they were not followed.
var texts = []string{
	// The shell's grammar.
	"+ exec /app/server",
	"+ /app/server &\nwait -n",
	"+ (cd /app && exec ./server)",
	"+ { /app/server; }",
	"+ if /app/server; then :; fi",
	"+ if [ -f /x ]; then :; elif [ -f /y ]; then :; else /app/server; fi",
	"+ while ! nc -z db 5432; do sleep 1; done; exec /app/server",
	"+ until /app/server; do :; done",
	"+ for x in a server; do /app/$x; done",
	"+ for x in $Y /app/server; do $x; done",
	"+ for x in a b; do :; done; /app/server",
	"+ for ((i = 0; i < 3; i++)); do /app/server; done",
	"+ select x in a b; do /app/server; done",
	"+ case $X in a | b) : ;; (c) /app/server ;; esac",
	"- case $(uname -m) in x86_64) exec /app/server ;; aarch64 | arm64) : ;; esac",
	"- A=`dpkg --print-architecture`; case $A in amd*) exec /app/server ;; esac",
	"+ case $(uname -m) in aarch64) exec /app/server ;; esac",
	"- case $(uname -m) in \"x86_64\") exec /app/server ;; 'aarch64') : ;; esac",
	"- case $(/usr/bin/uname -m) in [Xx]86*) exec /app/server ;; *) : ;; esac",
	"+ case $(uname -m) in \"aarch*\" | [!a]*) : ;; *) exec /app/server ;; esac",
	"- case $(apk --print-arch) in aarch64) : ;; *) exec /app/server ;; esac",
	"+ case $(uname -m) in $X) : ;; *) exec /app/server ;; esac",
	"- if [ \"$(uname -m)\" = x86_64 ]; then /app/server; else :; fi",
	"- if [ x86_64 == `arch` ]; then /app/server; fi",
	"- if test $(dpkg --print-architecture) != arm64; then /app/server; fi",
	"- if [[ $(uname -m) == \"x86_64\" ]]; then /app/server; fi",
	"- A=$(uname -m); if [[ ! ($A = aarch64 && $A != x86*) ]]; then /app/server; fi",
	"- [ $(arch) = x86_64 ] && /app/server",
	"- [ $(arch) = aarch64 ] || /app/server",
	"- [ $(arch) = x86_64 -o x ] || exit; if [ $(arch) = aarch64 ] || [ $X ]; then :; else /app/server; fi",
	"- X=amd64; if [ $X = arm64 ]; then /app/server; fi",
	"- export X=amd64; if [ $X = arm64 ]; then /app/server; fi",
	"- case $(arch) in aarch64) A=x ;; x86_64) A=server ;; esac; exec /app/$A",
	"- A=server; [ $(arch) = aarch64 ] && A=x; exec /app/$A",
	"+ if [ $(uname -m) = aarch64 ]; then /app/server; fi",
	"+ if [[ $(uname -m) != x86_64 ]]; then /app/server; fi",
	"+ if [[ $(uname -m) == aarch* ]]; then /app/server; fi",
	"+ if [[ $(uname -m) == \"aarch*\" ]]; then :; else /app/server; fi",
	"+ if [ $X = x86_64 ]; then /app/server; fi",
	"+ if [ $(uname -m) = $X ]; then :; else /app/server; fi",
	"+ if [ $(uname -m) -eq x86_64 ]; then /app/server; fi",
	"+ if [ $(arch) = x86_64 ] || [ $X ]; then /app/server; fi",
	"+ if [ $X ]; then A=arm64; else A=x; fi; if [ $A = x ]; then /app/server; fi",
	"+ if [ $X ]; then A=arm64; else A=x; fi; if [ $A = arm64 ]; then /app/server; fi",
	"+ set -- start; if [ $1 = stop ]; then /app/server; fi",
	"+ case $(uname -m) in x86_64) : ;; *) exec /app/server ;; esac",
	"+ case $X in *) exec /app/server ;& b) : ;; esac",
	"+ ! /app/server",
	"+ case $(uname -m) in aarch64) : ;& *) /app/server ;; esac",
	"- case $(uname -m) in aarch64) : ;; *) /app/server ;& esac",

	// In which order words and assignments count.
	"+ A=/app/server; A=/app/x $A",
	"- A=/app/x; A=/app/server $A",
	"+ if [ $X ]; then V=P=/app/server; else V=P=/app/x; fi; export \"$V\"; exec $P",

	"+ cat /app/server >/tmp/x; chmod +x /tmp/x; /tmp/x",
	"+ cat \"$0\" /app/x >/tmp/x; /app/server",

	// Where it ends.
	"- exec /app/x; /app/server",
	"- exec -a x /app/x\n/app/server",
	"- command exec /app/x; /app/server",
	"- exit; /app/server",
	"- eval exit 0; /app/server",
	"- [ -f /x ]; exit $?; /app/server",
	"- f() { exit 1; }; f; /app/server",
	"- f() { return; /app/server; }; f",
	"- f() { while ls; do return; /app/server; done; }; f",
	"- if [ $X ]; then exit; /app/server; fi",
	"- if [ $X ]; then exit; else exec /app/x; fi; /app/server",
	"- case $X in a) exit ;; *) exec /app/x ;; esac; /app/server",
	"- X=/app/x; [ $Y ] && { X=/app/server; exit; }; exec $X",
	"+ . /app/ends; /app/server",
	"- X=; . /app/exits; /app/server",
	"- : | :; sh",
	"+ for x in a; do :; done; break; /app/server",
	"+ false\nexport X && /app/server",
	"+ if false & then /app/server; fi",
	"- case $(arch) in x86_64) : ;; esac || /app/server",
	"+ exec >log; /app/server",
	"+ exec $X; /app/server",
	"+ exec \"$@\"; /app/server",
	"+ (exit); /app/server",
	"+ x=$(exit); /app/server",
	"+ exit & /app/server",
	"+ : | exec /app/x; /app/server",
	"+ cd /app && exit; /app/server",
	"+ cd /app || exit; ./server",
	"+ if [ $X ]; then exit; fi; /app/server",
	"+ while ls; do exit; done; /app/server",
	"+ for x in $Y; do exec /app/x; done; /app/server",
	"+ case $X in a) exit ;; esac; /app/server",
	"+ f() { return; }; f; /app/server",
	"+ f() { [ $Y ] && { X=/app/server; return; }; X=/app/x; }; f; exec $X",
	"+ f() (exit); f; /app/server",
	"+ f() { exit; }; : f; /app/server",
	"+ return; /app/server",
	"+ trap /app/server EXIT; exit",
	"+ . /app/left; /app/server",

	// What is never or always so.
	"- if false; then /app/server; fi",
	"- f() { return 2; }; f; if [ $? = 1 ]; then /app/server; fi",
	"+ f() { return 2; }; f; if [ $? = 2 ]; then /app/server; fi",
	"- f() { false; return; }; f && /app/server",
	"- f() { return 2; }; f; if (( $? == 1 )); then /app/server; fi",
	"+ f() { return 2; }; f; if (( $? >= 2 && $? != 3 )); then /app/server; fi",
	"- (exit 0); if (( $? )); then /app/server; fi",
	"- N=3; (( N < 2 || !N )) && /app/server",
	"+ N=3; (( (N <= 3) )) && /app/server",
	"+ N=3; (( N - 3 )) && /app/server",
	"+ N=3; (( N-- )); (( N > 2 )) || /app/server",
	"+ (( N > 2 )) && /app/server",
	"+ (( N )) || /app/server",
	"+ N=M; (( N == 1 )) && /app/server",
	"- false; let 0 && /app/server",
	"+ let N=1 0 2 && /app/server",
	"- (exit 256); if [ $? -gt 0 ]; then /app/server; fi",
	"+ (exit 3) || (exit 4); if [ $? -ge 4 ]; then /app/server; fi",
	"+ if [ $X ]; then (exit 3); else (exit 4); fi; if [ $? = 3 ]; then /app/server; fi",
	"- if [ $X ]; then (exit 3); else (exit 4); fi || exit; /app/server",
	"+ (exit X); if [ $? = 1 ]; then /app/server; fi",
	"- /app/x && false; if [ $? = 0 ]; then /app/server; fi",
	"- if true; then :; else /app/server; fi",
	"- while false; do /app/server; done",
	"- until :; do /app/server; done",
	"- false && /app/server",
	"- true || /app/server",
	"- if ! true || [ $X ] && false; then /app/server; fi",
	"- if true; then exit; fi; /app/server",
	"+ if ! false; then /app/server; fi",
	"+ if false; then :; else /app/server; fi",
	"+ while true; do /app/server; done",
	"+ until false; do /app/server; done",
	"+ true && /app/server",
	"+ false || /app/server",
	"+ false() { :; }; if false; then /app/server; fi",
	"+ if false || [ $X ]; then /app/server; fi",
	"+ /x || /app/server",
	"+ [ -f /app/server ] && /app/server",
	"+ cat /x | /app/server",
	"+ cat /x |& /app/server",
	"+ time /app/server",
	"+ time -p /app/server",
	"+ coproc /app/server",
	"+ coproc S { /app/server; }",
	"+ f() { /app/server; }; f",
	"+ function f { /app/server; }\nf",
	"+ function f() (exec \"$@\"); f /app/server",
	"+ f() { g \"$@\"; }; g() { shift; \"$@\"; }; f x /app/server",
	"- f() { /app/server; }; : f",
	"+ if :; then f() { /app/server; }; fi; f",
	"+ f() { :; }; [ $X ] && f() { /app/server; }; f",
	"+ x=$(/app/server)",
	"+ x=`/app/server`",
	"+ echo \"$(/app/server --version)\"",
	"+ exec > >(/app/server) 2>&1",
	"+ while read -r x; do :; done < <(/app/server)",
	"+ cat <<EOF\n$(/app/server)\nEOF",
	"- cat <<'EOF'\n$(/app/server)\nEOF",
	"- cat <<EOF\n/app/server\nEOF",
	"+ sh <<EOF\n/app/server\nEOF",
	"+ bash -s -- x <<'EOF'\nexec /app/server\nEOF",
	"+ sh <<<'exec /app/server'",
	"+ echo 'exec /app/server' | sh",
	"+ cat <<EOF | sh\nexec /app/server\nEOF",
	"+ echo ${X:-$(/app/server)}",
	"+ [[ -n $(/app/server) ]]",
	"+ (( x = $(/app/server) ))",
	"- # /app/server",
	"- echo /app/server",
	"- '/app /server'",
	"+ '/app'/\"server\"",
	"+ /app\\\n/server",
	"+ \\/app/server",
	"+ /app/serv*",
	"+ for x in /app/[!a]erve?; do $x; done",
	"+ cd /app; exec ./s*r",
	"+ X=/a*/server; exec $X",
	"+ X=/app; for x in \"$X/\"*; do [ -x \"$x\" ] && \"$x\"; done",
	"+ for x in /nowhere/*; do . \"$x\"; done; exec /app/server",
	"- for x in /nowhere/*; do case $x in *.sh) . \"$x\" ;; *) \"$x\" ;; esac; done",
	"- X=/a*/server; exec \"$X\"",
	"- exec '/app/serv*'",
	"- exec /app/serv\\*",
	"? for x in /$X/*; do . \"$x\"; done",
	"? /app/{server,x}",
	"? ~/server",

	// What a dollar sign is not.
	"+ IFS=$'\\n\\t'; exec /app/server",
	"+ exec $'/app/\\x73erver'",
	"+ grep -q \"^foo$\" f; exec /app/server",
	"+ [[ $1 =~ ^(a|b)$ ]]; exec /app/server",
	"+ if [[ x =~ y$ ]]; then :; fi; exec /app/server",
	"+ echo $ ; exec /app/server",
	"+ exec > >(tee log) 2>&1\nexec /app/server",
	"+ exec 3>&1 {fd}>/dev/null; exec /app/server",

	// Variables.
	"+ X=/app/server; exec $X",
	"+ X='/app/server --x'; exec $X",
	"- X='/app/server --x'; exec \"$X\"",
	"+ IFS=,; X=/app/server,--x; $X",
	"+ X=/app; Y=${X}/server; exec \"$Y\"",
	"+ X=/app; X+=/server; exec \"$X\"",
	"+ exec ${X:-/app/server}",
	"+ exec ${X-/app/server}",
	"+ : ${X:=/app/server}; exec $X",
	"+ : \"${X=/app/server}\"; \"$X\"",
	"- X=/x; exec ${X:-/app/server}",
	"+ X=; exec ${X:-/app/server}",
	"+ X=1; ${X:+/app/server}",
	"+ X=/app/server; ${X:?must be set}",
	"+ X=$(cat /x); exec ${X:-/app/server}",
	"+ if [ $1 ]; then X=/x; else X=/app/server; fi; exec $X",
	"+ X=/app/server; [ $1 ] && X=/x; exec $X",
	"+ case $1 in a) X=/x ;; *) X=/app/server ;; esac; exec $X",
	"+ X=/app/server; (X=/x); exec $X",
	"+ X=/app/server; f() { local X=/x; }; f; exec $X",
	"+ f() { X=/app/server; }; f; exec $X",
	"- X=/app/server; unset X; exec ${X:-/x}",
	"? X=/x; read X; exec $X",
	"? X=1; (( X++ )); exec /app/$X",
	"? X=1; (( X += 1 )); exec /app/$X",
	"? X=2; (( X-- )); exec /app/$X",
	"+ command export X=/app/server; exec $X",
	"+ X=1; : ${X:=$(/app/server)}",
	"- X=/app/server /app/x; exec ${X:-/x}",
	"+ A=x; while ls; do $A; A=/app/server; done",
	"+ case ${X:=/app/server} in a) : ;; esac; exec $X",
	"? printf -v X /app/server; $X",
	"? declare -n X=Y; $X",
	"+ a=(/app/server --port 80); exec \"${a[@]}\"",
	"+ a=(--x); a+=(y); exec /app/server \"${a[@]}\"",
	"+ a=(/x /app/server); ${a[1]}",
	"+ a=(/x /app/server --y); \"${a[@]:1}\"",
	"+ a=(); [ $X ] && a=(/app/server); \"${a[@]}\"",
	"+ readonly X=/app/server; $X",
	"+ declare -r X=/app/server; $X",
	"+ export \"X=/app/server\"; $X",
	"+ export X=/app/server; sh -c 'exec $X'",
	"- X=/app/server; sh -c 'exec ${X:-/x}'",
	"- export X=/app/server; export -n X; sh -c 'exec ${X:-/x}'",
	"- export X=/app/server; declare +x X; sh -c 'exec ${X:-/x}'",
	"- export X; export -n X=/app/server; sh -c 'exec ${X:-/x}'",
	"+ export X=/app/server; [ $Y ] && export -n X; sh -c 'exec ${X:-/x}'",
	"+ export -n X=/app/server; export X; sh -c 'exec ${X:-/x}'",
	"+ export X=/app/server; declare -gn Y=Z; sh -c 'exec ${X:-/x}'",
	"- X=/app/server; (export X); sh -c 'exec ${X:-/x}'",
	"- X=/app/server; echo $(export X); sh -c 'exec ${X:-/x}'",
	"+ X=/app/server; [ $Y ] && export X; sh -c 'exec ${X:-/x}'",
	"+ X=/x; [ $Y ] && export X; sh -c 'exec ${X:-/app/server}'",
	"- X=/x; if [ $Y ]; then export X; else export X; fi; sh -c 'exec ${X:-/app/server}'",
	"+ export \"X=/app/server\"; sh -c 'exec $X'",
	"+ command export X=/app/server; sh -c 'exec $X'",
	"+ set -a; X=/app/server; sh -c 'exec $X'",
	"+ set -eao pipefail; X=/app/server; sh -c 'exec $X'",
	"+ set -o allexport; echo X=/app/server >/tmp/e; . /tmp/e; set +o allexport; sh -c 'exec $X'",
	"+ set -a; for X in /app/server; do sh -c 'exec $X'; done",
	"+ set -a; f() { /app/server; }; bash -c f",
	"+ [ $Y ] && set -a; X=/app/server; sh -c 'exec ${X:-/x}'",
	"+ [ $Y ] && set -a; X=/x; sh -c 'exec ${X:-/app/server}'",
	"+ export X=/app/server; [ $Y ] && set -a; X=/app/server; sh -c 'exec $X'",
	"- X=/app/server; set -a; sh -c 'exec ${X:-/x}'",
	"- set -a +a; X=/app/server; sh -c 'exec ${X:-/x}'",
	"- (set -a); X=/app/server; sh -c 'exec ${X:-/x}'",
	"+ X=/app/server sh -c 'exec $X'",
	"+ env X=/app/server sh -c 'exec $X'",
	"+ X=/app/server/x; exec ${X%/*}",
	"+ X=--/app/server; exec ${X#--}",
	"+ X=/a/b/server; exec /app/${X##*/}",
	"? exec $X",
	"? exec ${X:?must be set}",
	"? exec \"$@\" $(cat /which)",
	"? exec ${!X}",
	"? exec /app/$((1 + 1))",

	// Positional parameters.
	"+ set -- /app/server \"$@\"; exec \"$@\"",
	"+ [ $X ] && set -- /app/server; exec \"$@\"",
	"+ set -- /app/server; [ $X ] && set -- /x; exec \"$@\"",
	"+ set -- /app/server; [ $X ] && set -- /x; for o in a b c d e; do [ $X ] && set -- \"$@\" $o; done; exec \"$@\"",
	"+ set -eu -o pipefail -- /app/server; \"$1\"",
	"+ set -- x /app/server; shift; exec \"$@\"",
	"+ set -- x y /app/server; shift 2; exec \"$@\"",
	"+ set -- --a --b /app/server; while [ $# -gt 1 ]; do shift; done; exec \"$@\"",
	"+ set -- a b /app/server c; \"${@:3}\"",
	"+ set -- a b /app/server c; exec \"${@:3:1}\"",
	"+ while getopts a: o; do :; done; set -- -a b /app/server; shift $((OPTIND - 1)); exec \"$@\"",
	"+ set -- /app/server a; exec $*",
	"+ set -- /app/server; exec \"${@:1}\"",
	"+ set -- /app/server; f() { :; }; f x; exec $1",
	"+ set /app/server x; exec $1",
	"- set -- /app/server a; exec \"$*\"",
	"- set -- /app/server; set --; exec \"$@\"",
	"+ set -e; set -- /app/server; set -x; exec $1",
	"+ set -- /app/server; set -o pipefail; exec $1",
	"+ set -- /app/server; for x; do $x; done",
	"? set -- $(cat /x) /app/server; exec $2",

	// Where a name leads.
	"+ cd /app; ./server",
	"+ cd -P -- /app && ./server",
	"+ PATH=/app:$PATH; server",
	"+ export PATH=\"$PATH:/app\"; exec server",
	"+ PATH=/app server",
	"+ [ -d /app ] && PATH=/app:$PATH; server",
	"+ PATH=$X:/app:$PATH; server",
	"? PATH=$X:$PATH; server",
	"? cd $X; ./server",
	"? [ $X ] && cd /app; ./server",
	"+ cd \"$(dirname /app/x)\" && ./server",
	"+ D=$(cd /app/../app && pwd -P); exec $D/server",
	"+ D=\"$(dirname \"$(readlink -f /app/x)\")\"; exec $D/server",
	"+ S=$(command -v /app/server); exec $S",
	"+ exec /app/$(basename /x/server)",
	"+ exec /app/$(uname -m)/server",
	"+ $(echo /app/server)",

	// What starts something else.
	"+ exec -a name /app/server",
	"+ command /app/server",
	"- command -v /app/server",
	"+ command -p exec /app/server",
	"+ nohup /app/server >log 2>&1 &",
	"+ /usr/bin/time -f %e /app/server",
	"+ time -f %e -o /log /app/server",
	"+ sudo -E A=b /app/server",
	"+ sudo -Eu node /app/server",
	"+ sudo -unode -E /app/server",
	"- sudo -u /app/server /app/x",
	"+ gosu app:app /app/server",
	"+ su-exec app /app/server",
	"+ setpriv --reuid=1 /app/server",
	"? chroot /x /app/server",
	"+ env A=b /app/server",
	"+ env -i -u X -C /app ./server",
	"+ env --chdir=/app ./server",
	"+ env -S '/app/server --x'",
	"+ env -vS \"/app/server 'a b'\"",
	"+ env --split-string='A=b /app/server'",
	"+ bash -O extglob -c /app/server",
	"+ bash -oe pipefail -c 'exec /app/server'",
	"+ bash -eo pipefail +O nullglob -c 'exec /app/server'",
	"+ bash --rcfile /x -c /app/server",
	"+ sh -c 'exec \"$0\" \"$@\"' /app/server x",
	"+ sh -c 'cd /app; exec ./\"$1\"' x server",
	"+ find /x -name y -exec /app/server {} \\;",
	"+ ls | xargs -r -n 1 /app/server",
	"+ su app -c 'exec /app/server'",
	"+ su -s /bin/sh -c \"/app/server\" - app",
	"+ runuser -u app -- /app/server",
	"+ flock /x -c /app/server",
	"+ xvfb-run -a -s x /app/server",
	"? watch /app/server",
	"+ trap /app/server EXIT",
	"+ trap -- /app/server EXIT",
	"+ alias s=/app/server; s",
	"+ $SUDO /app/server",
	"+ exec $WRAP /app/server",
	"+ trap 'f' EXIT; f() { /app/server; }; f",
	"+ eval exec /app/server",
	"+ eval \"X=/app/server\"; $X",
	"? eval \"$X\"",
	"? curl http://x | sh",
	"? sh /x/$X",
	"? . /x/$X",
	"? if [ $X ]; then A=/app/server; else A=/app/x; fi; sh <<E\nexec $A\nE",
	"- if [ $X ]; then A=/app/x; else A=/app/x; fi; sh <<E\nexec $A\nE",

	// What was put where it is started.
	"+ cp /app/server /srv; exec /srv",
	"+ cp -a /app /srv; exec /srv/server",
	"+ mkdir -p /srv; cp /app/x /app/server /srv/; /srv/server",
	"+ cp -r /app/. /usr/bin; exec server",
	"+ mv /app/server /usr/bin; server",
	"+ cd /app && mv server /srv && /srv",
	"+ install -m 755 -o root /app/server /srv; exec /srv",
	"+ install --mode=755 -- /app/server /srv; exec /srv",
	"+ cp -t /app/x /app/server; exec /app/server",
	"+ ln -sf /app/server /usr/bin/s; s",
	"+ ln -s ../app/server /srv/s; exec /srv/s",
	"+ ln -s server /app/s; exec /app/s",
	"+ ln -s ../../app /usr/bin/s; exec /usr/bin/s/server",
	"+ cd /app; ln server s; exec ./s",
	"+ (cp /app/server /srv); cp /srv /mnt; exec /mnt",
	"+ f() { cp \"$1\" /srv; }; f /app/server; chmod +x /srv; sh -c 'exec /srv'",
	"+ if [ $X ]; then cp /app/x /srv; else cp /app/server /srv; fi; exec /srv",
	"+ [ $X ] && cp /app/x /app/server; exec /app/server",
	"- cp /app/x /app/server; exec /app/server",
	"- cp /app/server /srv; cp -f /app/x /srv; exec /srv",
	"+ cp -n /app/x /app/server; exec /app/server",
	"+ ln -s /app/x /app/server; exec /app/server",
	"- ln -sf /app/x /app/server; exec /app/server",
	"- ln -s /app/x /app/server -f; exec /app/server",
	"- ln --symbolic --force /app/x /app/server; exec /app/server",
	"+ ln -s -f -- /app/x /app/server -f; exec /app/server",
	"+ install -m755 /app/server /srv; exec /srv",
	"+ ln -sfn /app/aarch64 /app; exec /app/server",
	"+ ln -sfn /opt /app; exec /app/server",
	"+ ln -sf /opt /app; exec /app/server",
	"+ chmod 755 /app/server /app/lib.sh; exec /app/lib.sh",
	"- install -d /app/server /srv; exec /app/x /srv",

	// Scripts.
	"+ . /app/lib.sh",
	"+ . /app/aarch64/env; exec $DIR/server",
	"+ source /app/lib.sh",
	"+ . /app/lib.sh; serve",
	"+ . /app/left; exec ${BASH_SOURCE%/*}/app/server",
	"+ set -- /app/server; . /app/left x; exec $1",
	"+ PATH=/app; . lib.sh",
	"+ cd /app && . ./lib.sh",
	"- . /nowhere.sh",
	"+ /app/text",
	"+ /app/args /app/server",
	"+ sh /app/args /app/server",
	"+ /app/again",
}

// idioms are those of images that many use, with what they do there.
var idioms = []struct{ name, script, cmd string }{
	{"postgres", `#!/usr/bin/env bash
set -Eeo pipefail
docker_setup_env() {
	declare -g DATABASE_ALREADY_EXISTS
	: "${DATABASE_ALREADY_EXISTS:=}"
}
_is_sourced() { [ "${#FUNCNAME[@]}" -ge 2 ] && [ "${FUNCNAME[0]}" = '_is_sourced' ] && [ "${FUNCNAME[1]}" = 'source' ]; }
_main() {
	if [ "${1:0:1}" = '-' ]; then
		set -- postgres "$@"
	fi
	if [ "$1" = 'postgres' ] && ! _pg_want_help "$@"; then
		docker_setup_env
		if [ "$(id -u)" = '0' ]; then
			exec gosu postgres "$BASH_SOURCE" "$@"
		fi
	fi
	exec "$@"
}
if ! _is_sourced; then
	_main "$@"
fi`, "/app/server"},
	{"mysql", `#!/bin/bash
set -eo pipefail
shopt -s nullglob
if [ "${1:0:1}" = '-' ]; then
	set -- mysqld "$@"
fi
wantHelp=
for arg; do
	case "$arg" in
		-'?'|--help|--print-defaults|-V|--version) wantHelp=1; break ;;
	esac
done
if [ -z "$wantHelp" -a "$(id -u)" = '0' ]; then
	find /var/lib/mysql \! -user mysql -exec chown mysql '{}' +
	exec gosu mysql "$BASH_SOURCE" "$@"
fi
exec "$@"`, "/app/server --user=x"},
	{"redis", `#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
	set -- /app/server "$@"
fi
if [ "$1" = '/app/server' -a "$(id -u)" = '0' ]; then
	find . \! -user redis -exec chown redis '{}' +
	exec setpriv --reuid=redis --regid=redis --clear-groups -- "$0" "$@"
fi
um="$(umask)"
if [ "$um" = '0022' ]; then umask 0077; fi
exec "$@"`, "--save 60"},
	{"nginx", `#!/bin/sh
# vim:sw=4:ts=4:et
set -e
entrypoint_log() {
    if [ -z "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ]; then
        echo "$@"
    fi
}
if [ "$1" = "nginx" ] || [ "$1" = "nginx-debug" ]; then
    if /usr/bin/find "/docker-entrypoint.d/" -mindepth 1 -maxdepth 1 -type f -print -quit 2>/dev/null | read v; then
        find "/docker-entrypoint.d/" -follow -type f -print | sort -V | while read -r f; do
            case "$f" in
                *.envsh) if [ -x "$f" ]; then . "$f"; else entrypoint_log "$0: Ignoring $f"; fi ;;
                *.sh) if [ -x "$f" ]; then "$f"; fi ;;
                *) entrypoint_log "$0: Ignoring $f" ;;
            esac
        done
    fi
fi
exec "$@"`, "/app/server -g x"},
	{"wordpress", `#!/usr/bin/env bash
set -Eeuo pipefail
if [[ "$1" == apache2* ]] || [ "$1" = 'php-fpm' ]; then
	uid="$(id -u)"
	if [ "$uid" = '0' ]; then
		case "$1" in
			apache2*)
				user="${APACHE_RUN_USER:-www-data}"
				pound='#'
				user="${user#$pound}"
				;;
			*) user='www-data' ;;
		esac
	fi
	sourceTarArgs=(
		--create
		--file -
	)
	for contentPath in /usr/src/wordpress/.htaccess /usr/src/wordpress/wp-content/*/*/; do
		contentPath="${contentPath%/}"
		[ -e "$contentPath" ] || continue
		sourceTarArgs+=( --exclude "./$contentPath" )
	done
	tar "${sourceTarArgs[@]}" . | tar --extract --file -
fi
exec "$@"`, "/app/server"},
	{"rabbitmq", `#!/usr/bin/env bash
set -euo pipefail
if [[ "$1" == rabbitmq* ]] && [ "$(id -u)" = '0' ]; then
	exec gosu rabbitmq "$BASH_SOURCE" "$@"
fi
deprecatedEnvVars=(
	RABBITMQ_DEFAULT_PASS_FILE
)
hasOldEnv=
for old in "${deprecatedEnvVars[@]}"; do
	if [ -n "${!old:-}" ]; then
		echo >&2 "error: $old is set but deprecated"
		hasOldEnv=1
	fi
done
[ -z "$hasOldEnv" ] || exit 1
exec "$@"`, "/app/server"},
	{"jenkins", `#! /bin/bash -e
: "${JENKINS_WAR:="/usr/share/jenkins/jenkins.war"}"
touch "${COPY_REFERENCE_FILE_LOG}" || { echo "Can not write"; exit 1; }
find "${REF:-/usr/share/jenkins/ref}" \( -type f -o -type l \) -exec bash -c '. /usr/local/bin/jenkins-support; for arg; do copy_reference_file "$arg"; done' _ {} +
if [[ $# -lt 1 ]] || [[ "$1" == "--"* ]]; then
  java_opts_array=()
  while IFS= read -r -d '' item; do
    java_opts_array+=( "$item" )
  done < <([[ $JENKINS_JAVA_OPTS ]] && xargs printf '%s\0' <<<"$JENKINS_JAVA_OPTS")
  exec /app/server -Duser.home="$JENKINS_HOME" "${java_opts_array[@]}" -jar "${JENKINS_WAR}" "$@"
fi
exec "$@"`, ""},
	{"s6", "#!/bin/sh -e\nPATH=/command:$PATH\nexec s6-overlay-suexec \"$@\"", "/app/server"},
	{"execs behind a switch", "#!/bin/sh\ncase \"$1\" in\n  start) shift; exec /app/server \"$@\" ;;\n  sh|bash) exec \"$@\" ;;\n  *) exec /app/x ;;\nesac", "start"},
	{"a user made at start", "#!/bin/sh\nset -e\nif ! getent passwd app >/dev/null; then\n  adduser -D -u \"${PUID:-1000}\" app\nfi\nchown -R app /data\nexec su-exec app:app \"$@\"", "/app/server"},
	{"waits for a database", "#!/bin/sh\nuntil pg_isready -h \"$DB_HOST\" >/dev/null 2>&1; do\n  echo waiting; sleep 1\ndone\npython manage.py migrate --noinput\nexec \"$@\"", "/app/server"},
	{"secrets from files", "#!/bin/bash\nfile_env() {\n\tlocal var=\"$1\"\n\tlocal fileVar=\"${var}_FILE\"\n\tlocal val=\"${2:-}\"\n\tif [ \"${!var:-}\" ]; then val=\"${!var}\"; elif [ \"${!fileVar:-}\" ]; then val=\"$(< \"${!fileVar}\")\"; fi\n\texport \"$var\"=\"$val\"\n\tunset \"$fileVar\"\n}\nfile_env DB_PASSWORD\nexec \"$@\"", "/app/server"},
	{"signals", "#!/bin/bash\nterm() { kill -TERM \"$pid\" 2>/dev/null; }\ntrap term SIGTERM SIGINT\n/app/server &\npid=$!\nwait \"$pid\"", ""},
	{"the first that ends", "#!/bin/bash\n/app/x &\n/app/server &\nwait -n\nexit $?", ""},
	{"a launcher beside its programs", "#!/bin/sh\nSCRIPT=$(readlink -f \"$0\")\nDIR=$(cd \"$(dirname \"$SCRIPT\")\" >/dev/null 2>&1 && pwd -P)\nexec \"$DIR/app/server\" \"$@\"", ""},
	{"its own folder by a suffix", "#!/bin/sh\nexec \"${0%/*}/app/server\"", ""},
	{"java home", "#!/bin/sh\nif [ -n \"$JAVA_HOME\" ]; then JAVACMD=\"$JAVA_HOME/bin/java\"; else JAVACMD=/app/server; fi\nset -- -jar /x.jar \"$@\"\nexec \"$JAVACMD\" \"$@\"", ""},
	{"options in a string", "#!/bin/sh\nOPTS=\"-a\"\n[ -n \"$B\" ] && OPTS=\"$OPTS -b\"\n[ -n \"$C\" ] && OPTS=\"$OPTS -c\"\n[ -n \"$D\" ] && OPTS=\"$OPTS -d\"\n[ -n \"$E\" ] && OPTS=\"$OPTS -e\"\n[ -n \"$F\" ] && OPTS=\"$OPTS -f\"\n[ -n \"$G\" ] && OPTS=\"$OPTS -g\"\nexec /app/server $OPTS", ""},
	{"options in an array", "#!/bin/bash\ncmd=(/app/server)\n[[ $A ]] && cmd+=(-a)\n[[ $B ]] && cmd+=(-b)\n[[ $C ]] && cmd+=(-c)\n[[ $D ]] && cmd+=(-d)\n[[ $E ]] && cmd+=(-e)\n[[ $F ]] && cmd+=(-f)\nexec \"${cmd[@]}\"", ""},
	{"a configuration from a here-document", "#!/bin/sh\ncat > /etc/app.conf <<EOF\nlisten ${PORT:-80};\nquote ' and \" and $(hostname)\nEOF\nexec /app/server -c /etc/app.conf", ""},
	{"strict mode", "#!/bin/bash\nset -euo pipefail\nIFS=$'\\n\\t'\n[[ \"${TRACE-}\" =~ ^(1|t|true)$ ]] && set -o xtrace\nmain() {\n  exec \"$@\"\n}\nmain \"$@\"", "/app/server"},
	{"logs to a file as well", "#!/bin/bash\nexec > >(tee -a /var/log/app.log) 2>&1\nexec /app/server", ""},
	{"a profile", "#!/bin/bash\n. /app/lib.sh >/dev/null\nserve \"$@\"", ""},
	{"no line that names the shell", "set -e\nexec \"$@\"\n", "/app/server"},
	{"one command for many", "#!/bin/sh\nif [ \"${1:-}\" = \"web\" ]; then\n  set -- /app/server app.wsgi:application --bind 0.0.0.0:${PORT:-8000}\nelif [ \"${1:-}\" = \"worker\" ]; then\n  set -- celery -A app worker\nfi\nexec \"$@\"", "web"},
	{"itself in the background", "#!/bin/bash\nif [ \"$1\" != --inner ]; then setsid \"$0\" --inner \"$@\" & wait; exit; fi\nshift\nexec \"$@\"", "/app/server"},
}

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
	for _, name := range []string{"time", "sudo", "gosu", "su-exec", "setpriv", "find", "xargs", "runuser", "su", "chroot", "nohup", "setsid", "flock", "watch", "xvfb-run",
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
		{"f() { /x; }; f", "verified"},
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
		{"cp $X /x; exec /x", "verified", "a shell text in the image starts /x, which is not in the image"},
		{"cp $X /x && sh -c /x", "verified", "a shell text in the image starts /x, which is not in the image"},
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
		{"sh /script '. /app/left; /x'", "verified", ""},
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
		{"with-contenv /app/server", []entry{exe("/bin/with-contenv", "#!/bin/starter\n")}, server},

		{"supervisord -n", []entry{text("/etc/supervisord.conf", ini)}, server},
		{"supervisord -c /x.conf", []entry{text("/x.conf", ini)}, server},
		{"supervisord --configuration /x.conf", []entry{text("/x.conf", ini)}, server},
		{"supervisord --configuration=/x.conf", []entry{text("/x.conf", ini), text("/etc/supervisord.conf", "")}, server},
		{"supervisord", []entry{text("/etc/supervisor/supervisord.conf", "[include]\nfiles = conf.d/*.conf /x/*.ini\n"), text("/etc/supervisor/conf.d/app.conf", ini)}, server},
		{"supervisord", []entry{text("/etc/supervisor/supervisord.conf", "[include]\nfiles = conf.d/*.conf /x/*.ini\n"), text("/x/app.ini", ini)}, server},
		{"supervisord", []entry{text("/etc/supervisor/supervisord.conf", "[include]\nfiles = conf.d/*.conf\n"), text("/etc/supervisor/conf.d/app.ini", ini)}, "what supervisord starts was not followed"},
		{"supervisord", []entry{text("/etc/supervisord.conf", "command=/app/%(ENV_X)s\n")}, "a shell text in the image works out at run time what it starts as \"/app/...\": that program was not followed"},
		{"supervisord", []entry{text("/etc/supervisord.conf", "command=/nowhere\n")}, "verified"},
		{"supervisord", nil, "what supervisord starts was not followed"},
		{"supervisord", []entry{dir("/etc/supervisord.conf")}, "what supervisord starts was not followed"},
		{"supervisord", []entry{text("/etc/supervisord.conf", "files=*.conf\n")}, "what supervisord starts was not followed"},

		{"/init", []entry{exe("/etc/services.d/x/run", "#!/bin/sh\nexec /app/server\n")}, server},
		{"/init", []entry{exe("/etc/s6-overlay/s6-rc.d/x/run", "#!/bin/with-contenv sh\nexec /app/server\n"), elf("/bin/with-contenv", "arm64")}, server},
		{"/init", []entry{exe("/etc/cont-init.d/10-x", "#!/bin/sh\n/app/server\n")}, server},
		{"/init", []entry{exe("/etc/services.d/x/run", "#!/bin/sh\nexec /nowhere\n")}, "verified"},
		{"/init", nil, "what init starts was not followed"},
		{"/sbin/my_init", []entry{exe("/sbin/my_init", "#!/bin/starter\n"), exe("/etc/service/x/run", "#!/bin/sh\nexec /app/server\n")}, server},
		{"/sbin/my_init", []entry{exe("/sbin/my_init", "#!/bin/starter\n"), exe("/etc/rc.local", "#!/bin/sh\n/app/server\n")}, server},
		{"runsvdir -P /srv", []entry{exe("/srv/x/run", "#!/bin/sh\nexec chpst -u app /app/server\n"), elf("/bin/chpst", "arm64")}, server},
		{"s6-svscan /srv", []entry{link("/srv", "/etc/s"), exe("/etc/s/x/run", "#!/bin/sh\nexec 2>&1\nexec s6-setuidgid app /app/server\n"), elf("/bin/s6-setuidgid", "arm64")}, server},
		{"runsvdir /srv", []entry{exe("/srv/x/log/run", "#!/bin/sh\nexec /app/server\n")}, server},
		{"runsvdir /srv", []entry{exe("/srv/x/run", "#!/bin/sh\nexec /app/ok\n"), exe("/srv/x/finish", "#!/bin/sh\n/app/server\n")}, server},
		{"/init", []entry{exe("/etc/s6-overlay/s6-rc.d/x/run", "#!/command/execlineb -P\n# /app/none\ns6-setuidgid app\n/app/server --all\n"), elf("/command/execlineb", "arm64")}, "run" + isGiven},
		{"/init", []entry{text("/etc/s6-overlay/s6-rc.d/x/up", "foreground { /app/ok }\n/app/server --all\n"), exe("/etc/services.d/y/run", "#!/bin/sh\nexec /app/ok\n")}, "up" + isGiven},
		{"/init", []entry{dir("/etc/s6-overlay/s6-rc.d/x/up"), exe("/etc/services.d/y/run", "#!/bin/sh\nexec /app/ok\n")}, "verified"},
		{"scp -- /app/server host:", []entry{elf("/bin/scp", "arm64")}, "verified"},
		{"s6-svscan /srv", nil, "what s6-svscan starts was not followed"},
		{"run-parts /srv", []entry{exe("/srv/x", "#!/bin/sh\n/app/server\n")}, server},
	} {
		root := scripts(exe("/init", "#!/bin/sh\n"), exe("/bin/supervisord", "#!/bin/starter\n"), exe("/bin/script.py", "#!/bin/starter\n"), exe("/bin/wait-for-it.sh", "#!/bin/env -S bash -e\n"))
		for _, name := range []string{"starter", "dockerize", "vault-env", "grep", "runsvdir", "s6-svscan", "run-parts"} {
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
		{strings.Repeat("for x in a b; do ", 30) + "/x $x" + strings.Repeat("; done", 30), "verified", tooMany},
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
		for _, end := range []string{"\n", "\n# the end", "\n\n#\n"} {
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

func TestIdioms(t *testing.T) {
	for _, test := range idioms {
		for _, before := range []string{"", "tini -g -- ", "dumb-init -- "} {
			root := rootOf(scripts(exe("/init", test.script+"\n"), elf("/bin/tini", "arm64"), elf("/bin/dumb-init", "arm64"))...)
			entrypoint := strings.Fields(before + "/init")
			if !strings.HasPrefix(test.script, "#!") {
				entrypoint = strings.Fields(before + "sh /init")
			}
			r, err := image.Check(run(entrypoint...).and("Cmd", strings.Fields(test.cmd)).bytes(), root, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != server {
				t.Errorf("%s: %s\n%s; notes %q", test.name, got, test.script, r.Notes)
			}
		}
	}
}
