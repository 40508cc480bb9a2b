package image_test

import (
	"testing"

	"github.com/manymage/manymage/build/image"
)

// variableTexts are about what words stand for.
var variableTexts = []string{
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
}

// What the image's own variable says goes on where a script gives it another value only if it is empty.
func TestDefaultsOfImageVariables(t *testing.T) {
	for script, want := range map[string]string{
		`if [ -z "$HOME_DIR" ]; then HOME_DIR=/opt; fi; exec $HOME_DIR/server`:        server,
		`[ -n "$HOME_DIR" ] || HOME_DIR=/opt; exec $HOME_DIR/server`:                  server,
		`[ -z "$HOME_DIR" ] && HOME_DIR=$(pwd -P); exec $HOME_DIR/server`:             server,
		`unset HOME_DIR; exec ${HOME_DIR:-/opt}/server`:                               "verified",
		`unset HOME_DIR; exec ${HOME_DIR-/app}/server`:                                server,
		`if [ "$1" ]; then unset HOME_DIR; fi; exec ${HOME_DIR:-/opt}/server`:         server,
		`unset HOME_DIR; export HOME_DIR; exec sh -c 'exec ${HOME_DIR:-/app}/server'`: server,
	} {
		root := rootOf(scripts(exe("/run", "#!/bin/bash\n"+script+"\n"))...)
		r, err := image.Check(run("/run").and("Env", []string{"HOME_DIR=/app"}).bytes(), root, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != want {
			t.Errorf("%s\n%s, want %s; notes %q", script, got, want, r.Notes)
		}
	}
}
