package image

import (
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/manymage/manymage/build/image/options"
	"github.com/manymage/manymage/build/image/shell"
)

// wrapper is a program that starts another one, which its command line names.
type wrapper struct {
	names    []string
	valued   []string // options whose value is the next word
	operands int      // words before the command: the user of gosu, the duration of timeout
	assigns  bool     // NAME=value may stand before the command
}

// wrappers are the programs that images put before the real one, by name: inits, user switchers, coreutils and util-linux. Each command
// of a script is looked for among them.
var wrappers = sync.OnceValue(func() map[string]wrapper {
	byName := map[string]wrapper{}
	for _, w := range []wrapper{
		{names: []string{"tini", "tini-static", "docker-init"}, valued: []string{"-p", "-e"}},
		{names: []string{"dumb-init"}, valued: []string{"-r", "--rewrite"}},
		{names: []string{"catatonit", "nohup", "setsid", "with-contenv", "pid1", "catchsegv", "unbuffer", "dbus-run-session", "fakeroot", "fghack", "pgrphack"}},
		{names: []string{"ssh-agent"}, valued: []string{"-a", "-t", "-E", "-O", "-P"}},
		{names: []string{"xvfb-run"}, valued: []string{"-n", "-s", "-e", "-f", "-p", "-w", "--server-num", "--server-args", "--error-file", "--auth-file"}},
		{names: []string{"time"}, valued: []string{"-f", "-o", "--format", "--output"}},
		{names: []string{"su-exec", "gosu", "yasu", "s6-setuidgid", "setuidgid"}, operands: 1},
		{names: []string{"s6-envdir", "envdir", "setlock", "s6-envuidgid", "envuidgid"}, operands: 1},
		{names: []string{"exec"}, valued: []string{"-a"}}, // from here on s6's and execline's
		{names: []string{"emptyenv", "s6-setsid"}},
		{names: []string{"fdclose", "umask", "unexport", "with-retries"}, operands: 1},
		{names: []string{"define", "export", "fdmove", "homeof", "importas", "redirfd"}, operands: 2, valued: []string{"-D", "-d"}},
		{names: []string{"s6-notifyoncheck"}, valued: []string{"-3", "-s", "-T", "-t", "-w", "-n", "-c"}},
		{names: []string{"s6-applyuidgid"}, valued: []string{"-u", "-g", "-G"}},
		{names: []string{"softlimit", "s6-softlimit"}, valued: []string{"-a", "-c", "-d", "-f", "-l", "-m", "-o", "-p", "-r", "-s", "-t"}},
		{names: []string{"prlimit"}, valued: []string{"-p", "--pid", "-o", "--output"}}, // of a running program: it starts none
		{names: []string{"choom"}, valued: []string{"-n", "--adjust", "-p", "--pid"}},
		{names: []string{"chpst"}, valued: []string{"-u", "-U", "-e", "-/", "-C", "-n", "-l", "-L", "-m", "-d", "-o", "-p", "-f", "-c", "-b", "-t"}},
		{names: []string{"setpriv"}, valued: []string{"--reuid", "--regid", "--ruid", "--rgid", "--euid", "--egid", "--groups", "--inh-caps",
			"--ambient-caps", "--bounding-set", "--securebits", "--pdeathsig", "--ptracer", "--selinux-label", "--apparmor-profile"}},
		{names: []string{"nice"}, valued: []string{"-n", "--adjustment"}},
		{names: []string{"ionice"}, valued: []string{"-c", "-n", "--class", "--classdata"}},
		{names: []string{"chrt"}, valued: []string{"-T", "-P", "-D"}, operands: 1},
		{names: []string{"taskset"}, operands: 1},
		{names: []string{"flock"}, valued: []string{"-w", "-E", "--timeout", "--conflict-exit-code"}, operands: 1},
		{names: []string{"numactl"}, valued: []string{"-i", "-N", "-m", "-C", "-p"}},
		{names: []string{"timeout"}, valued: []string{"-k", "-s", "--kill-after", "--signal"}, operands: 1},
		{names: []string{"stdbuf"}, valued: []string{"-i", "-o", "-e", "--input", "--output", "--error"}},
		{names: []string{"sudo", "doas"}, assigns: true, valued: []string{"-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "--user", "--group", "--host", "--prompt", "--chdir"}},
		{names: []string{"xargs"}, valued: []string{"-a", "-d", "-E", "-I", "-L", "-n", "-P", "-s", "--arg-file", "--delimiter", "--max-args", "--max-procs"}},
		{names: []string{"linux32", "linux64", "vault-env", "ddtrace-run", "opentelemetry-instrument"}},
		{names: []string{"dockerize"}, valued: []string{"-wait", "-timeout", "-wait-retry-interval", "-wait-http-header", "-template", "-delims",
			"-stdout", "-stderr", "-env", "-env-section", "-poll-interval"}},
		{names: []string{"authbind"}, valued: []string{"--depth"}},
		{names: []string{"cross-env"}, assigns: true},
		{names: []string{"env-cmd"}, valued: []string{"-f", "--file", "-e", "--environments", "-r", "--rc-file"}},
	} {
		for _, name := range w.names {
			byName[name] = w
		}
	}
	return byName
})

// unwrap returns the command that a wrapper starts; ok is false when words is no wrapper's.
func unwrap(words []string) (rest []string, ok bool) {
	base := path.Base(words[0])
	if w, ok := wrappers()[base]; ok {
		return w.rest(words[1:]), true
	}
	if shell.IsLoader(base) {
		loader := wrapper{valued: []string{"--library-path", "--preload", "--argv0", "--inhibit-rpath", "--audit"}}
		return loader.rest(words[1:]), true
	}
	return nil, false
}

// innermost are the words of what a chain of wrappers starts in the end, here: env A=b nice app. Of a shell it is the text or file, where that is not known.
func innermost(words []string) []string {
	for {
		rest, ok := unwrap(words)
		if isShell(words[0]) {
			_, rest = options.Cut(words[1:], options.OfShells()...)
			ok = len(rest) > 0 && !shell.Known(rest[0])
		}
		if path.Base(words[0]) == "env" {
			var f frame
			rest, f = throughEnv(words[1:], f)
			ok = f.Dir == ""
		}
		if !ok || len(rest) == 0 {
			return words
		}
		words = rest
	}
}

// rest skips the wrapper's options and operands.
func (w wrapper) rest(words []string) []string {
	_, words = options.Cut(words, w.valued...)
	if len(words) <= w.operands {
		return nil
	}
	words = words[w.operands:]
	for len(words) > 0 && (words[0] == "--" || w.assigns && strings.Contains(words[0], "=")) {
		words = words[1:]
	}
	return words
}

// asUser returns the text that su and runuser give to the user's shell, or the command that runuser starts without one.
func asUser(words []string) (text string, rest []string, ok bool) {
	o, _ := options.Permuted(words[1:], "-c", "--command", "--session-command", "-u", "--user", "-s", "--shell", "-g", "--group", "-G", "--supp-group", "-w", "--whitelist-environment")
	for _, o := range o {
		switch o.Name {
		case "-c", "--command", "--session-command":
			if o.Value == "" { // nothing is started
				return "", nil, true
			}
			return o.Value, o.Behind, true
		case "-u", "--user":
			if path.Base(words[0]) == "runuser" {
				rest = wrapper{}.rest(o.Behind)
				return "", rest, len(rest) > 0
			}
		}
	}
	return "", nil, false
}

// asDaemon returns the command that start-stop-daemon starts, Debian's, busybox's or OpenRC's, and from where. It is none where it stops one or only asks.
func asDaemon(words []string, f frame) (rest []string, in frame, ok bool) {
	o, args := options.Permuted(words[1:], "-x", "--exec", "-a", "--startas", "-p", "--pidfile", "-n", "--name", "-u", "--user", "-c", "--chuid", "-g", "--group", "-s", "--signal",
		"-R", "--retry", "-d", "--chdir", "-r", "--chroot", "-k", "--umask", "-N", "--nicelevel", "-P", "--procsched", "-I", "--iosched", "-O", "--output", "--pid", "--ppid",
		"-1", "--stdout", "-2", "--stderr", "-e", "--env", "-w", "--wait")
	for _, dir := range o.Values("-d", "--chdir") {
		f.Dir = shell.Absolute(f.Dir, dir)
	}
	switch program := append(o.Values("-a", "--startas"), o.Values("-x", "--exec")...); {
	case o.Has("-r", "--chroot"):
		return nil, f, false
	case len(program) == 0 || !o.Has("-S", "--start") || o.Has("-t", "--test"):
		return nil, f, true
	default:
		return append(program[:1:1], args...), f, true
	}
}

// perFile returns the commands that find starts for each file.
func perFile(words []string) (commands [][]string) {
	for i, word := range words {
		if slices.Contains([]string{"-exec", "-execdir", "-ok", "-okdir"}, word) {
			rest := words[i+1:]
			if end := slices.IndexFunc(rest, func(w string) bool { return w == ";" || w == "+" }); end >= 0 {
				rest = rest[:end]
			}
			commands = append(commands, rest)
		}
	}
	return commands
}

// isShell tells whether a program of that name takes -c and scripts as sh does.
func isShell(name string) bool {
	return slices.Contains([]string{"sh", "ash", "bash", "dash", "ksh", "mksh", "zsh", "hush", "rbash"}, path.Base(name))
}

// isOpaque tells whether a program starts another one in a way that is not followed here: under another root, in another
// user's shell, by an emulator, from a crontab, or a Procfile that is not there.
func isOpaque(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, "qemu-") ||
		slices.Contains([]string{"su", "runuser", "chroot", "unshare", "nsenter", "proot", "parallel", "script", "watch", "start-stop-daemon", "init", "systemd", "supervisord", "s6-svscan", "runsvdir", "my_init",
			"cron", "crond", "supercronic", "honcho", "foreman", "forego", "goreman", "overmind", "hivemind"}, base)
}

// reads tells whether a program only reads or moves the files that it is given, here or to another machine, by its name.
func reads(name string) bool {
	return shell.Harmless(name) || slices.Contains([]string{"awk", "cp", "diff", "file", "getcap", "grep", "gzip", "head", "install", "kubectl", "ldd", "ln", "md5sum",
		"mv", "objdump", "rclone", "readlink", "realpath", "rsync", "scp", "sed", "setcap", "sha256sum", "stat", "strip", "tail", "tar", "tee", "test", "zip"}, path.Base(name))
}
