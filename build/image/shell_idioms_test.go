package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

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
