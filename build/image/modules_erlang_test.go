package image_test

import (
	"testing"

	"github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms/elftest"
)

// mixScript begins as that of a release by mix does, and relxScript as rebar3's.
const (
	mixScript  = "#!/bin/sh\nset -e\nSELF=$(readlink \"$0\" || true)\nRELEASE_VSN=\"$(cut -d' ' -f2 \"$RELEASE_ROOT/releases/start_erl.data\")\"\nexec \"$RELEASE_ROOT/releases/$RELEASE_VSN/elixir\" \"$@\"\n"
	relxScript = "#!/bin/sh\nset -e\nSCRIPT=$(readlink -f \"$0\" || true)\nROOT=\"$(cd \"$(dirname \"$SCRIPT\")/..\" && pwd -P)\"\nexec \"$ROOT/erts-13.1/bin/erlexec\" -noshell\n"
	erts       = "/app/erts-13.1/bin/"
	nif        = "/app/lib/bcrypt-1.0/priv/bcrypt_nif.so"
)

// released is a release in /app with its runtime.
func released(arch string) []entry {
	return []entry{busybox("arm64"), musl("arm64"), exe("/app/bin/app", mixScript), text("/app/releases/start_erl.data", "13.1 0.1.0"), elf(erts+"beam.smp", arch), elf(erts+"erlexec", arch)}
}

// systems is one without, and the system's runtime.
func systems() []entry {
	return []entry{busybox("arm64"), musl("arm64"), exe("/app/bin/app", mixScript), text("/app/releases/start_erl.data", "13.1 0.1.0"),
		exe("/usr/bin/erl", "#!/bin/sh\nexec /usr/lib/erlang/erts-13.1/bin/erlexec \"$@\"\n"), elf("/usr/lib/erlang/erts-13.1/bin/erlexec", "arm64")}
}

// Each row declares linux/arm64.
var erlangChecks = []struct {
	name   string
	config config
	root   []entry
	want   string
}{
	{"a release", run("/app/bin/app", "start"), append(released("arm64"), lib(nif, "arm64")), "verified"},
	{"... for another machine", run("/app/bin/app", "start"), released("amd64"), "foreign:" + erts + "beam.smp foreign:" + erts + "erlexec"},
	{"... that another script starts", sh("cd /app/bin && exec ./server"), append(released("amd64"), exe("/app/bin/server", "#!/bin/sh\nset -eu\ncd -P -- \"$(dirname -- \"$0\")\"\nPHX_SERVER=true exec ./app start\n")), "foreign:" + erts + "beam.smp foreign:" + erts + "erlexec"},
	{"... of rebar3", run("/app/bin/app", "foreground"), append(released("amd64"), exe("/app/bin/app", relxScript)), "foreign:" + erts + "beam.smp foreign:" + erts + "erlexec"},
	{"... for another C library", run("/app/bin/app", "start"), append(released("arm64"), elf(erts+"beam.smp", "arm64", elftest.Interp("/lib/ld-linux-aarch64.so.1"))), "missing-loader:" + erts + "beam.smp"},
	{"... whose former runtime is another machine's", run("/app/bin/app", "start"), append(released("arm64"), elf("/app/erts-12.0/bin/beam.smp", "amd64")), "verified"},
	{"... that nobody starts", run("/app/ok"), append(released("amd64"), elf("/app/ok", "arm64")), "verified"},
	{"a foreign part of an application", run("/app/bin/app", "start"), append(released("arm64"), lib(nif, "amd64")), "foreign-module:" + nif},
	{"... in a folder", run("/app/bin/app", "start"), append(released("arm64"), lib("/app/lib/x-1/priv/native/libx-v1-x86_64-unknown-linux-gnu.so", "amd64")), "foreign-module:/app/lib/x-1/priv/native/libx-v1-x86_64-unknown-linux-gnu.so"},
	{"... beside a right one", run("/app/bin/app", "start"), append(released("arm64"), lib(nif, "amd64"), lib("/app/lib/bcrypt-1.0/priv/arm64/bcrypt_nif.so", "arm64")), "verified"},
	{"... of another rebar3", run("/app/bin/app", "foreground"), append(released("arm64"), exe("/app/bin/app", relxScript), lib(nif, "amd64")), "foreign-module:" + nif},
	{"... in a release without runtime", run("/app/bin/app", "start"), append(systems(), lib(nif, "amd64")), "foreign-module:" + nif},
	{"a release without runtime", run("/app/bin/app", "start"), append(systems(), lib(nif, "arm64")), "verified"},
	{"... on a system without", run("/app/bin/app", "start"), systems()[:4], "verified"},
	{"ERL_LIBS", run("erl").and("Env", []string{"ERL_LIBS=/libs"}), append(systems(), lib("/libs/x/priv/x.so", "amd64")), "foreign-module:/libs/x/priv/x.so"},
}

// A script that its own text starts again and again has its versions read once.
func TestErlangVersionsReadOnce(t *testing.T) {
	opened := 0
	root := rootOf(append(released("arm64"), exe("/start", "#!/bin/sh\n/app/bin/app eval a\n/app/bin/app eval b\nexec /app/bin/app start\n"))...)
	r, err := image.Check(run("/start").bytes(), watched{MapFS: root, t: t, opened: func(name string) {
		if name == "app/releases/start_erl.data" {
			opened++
		}
	}}, platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != "verified" || opened != 1 {
		t.Errorf("%s, %d times", got, opened)
	}
}

func TestErlangReleases(t *testing.T) {
	for _, check := range erlangChecks {
		t.Run(check.name, func(t *testing.T) {
			r, err := image.Check(check.config.bytes(), watched{MapFS: rootOf(check.root...), t: t}, platform(t, "arm64"), image.Options{})
			if got := outcome(t, r, err); got != check.want {
				t.Errorf("%s, want %s\n%v\nnotes: %q", got, check.want, err, r.Notes)
			}
			for _, note := range r.Notes {
				if check.name == "a release" {
					t.Errorf("a note that helps nobody: %s", note)
				}
			}
		})
	}
}
