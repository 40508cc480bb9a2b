package image_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/manymage/manymage/build/image"
)

// A program that is not in the image says nothing, and fails. /app/server is amd64.
func TestAnswers(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"A=$(dpkg --print-architecture 2>/dev/null || uname -m); exec /good/$A/x", "verified"},
		{"if A=$(dpkg --print-architecture); then :; else A=$(uname -m); fi; exec /good/$A/x", "verified"},
		{"if command -v dpkg; then A=$(dpkg --print-architecture); else A=$(uname -m); fi; if [ $A = aarch64 ]; then exec /app/x; fi; exec /app/server", "verified"},
		{"A=$(apk --print-arch || echo x); case $A in x) exec /app/server ;; esac; exec /app/x", server},
		{"if [ \"$(getconf LONG_BIT || echo 32)\" = 32 ]; then exec /app/server; fi; exec /app/x", server},
		{"/app/x; A=$(dpkg --print-architecture || uname -m); case $A in arm64) exec /app/server ;; aarch64) exec /app/x ;; esac", "verified"},
		{"ln -s /bin/uname /bin/arch; A=$(arch || echo x); case $A in x) exec /app/server ;; esac; exec /app/x", "verified"},
		{"PATH=$X:$PATH; A=$(dpkg --print-architecture || echo amd64); if [ $A = amd64 ]; then exec /app/server; fi", server},
		{"f() { :; }; if command -v f; then exec /app/server; fi", server},
		{"/app/x; if command -v app; then exec /app/server; fi", server},
		{"if command -v cd; then exec /app/server; fi", server},
		{"if command -v getopts; then exec /app/server; fi", server},

		{"cd /app; exec ./$(readlink /app/current)", "verified"},
		{"cd /app; exec ./$(readlink -n lie)", server},
		{"exec $(readlink -f /app/lie)", server},
		{"exec $(readlink --canonicalize /app/lie)", server},
		{"B=$(readlink /app/x) || B=/app/server; exec $B", server},
		{"B=$(readlink /nowhere/x) || B=/app/server; exec $B", server},
	} {
		root := rootOf(busybox("arm64"), elf("/bin/uname", "arm64"), elf("/bin/readlink", "arm64"), elf("/bin/ln", "arm64"), elf("/good/aarch64/x", "arm64"), elf("/app/x", "arm64"),
			elf("/app/server", "amd64"), link("/app/current", "x"), link("/app/lie", "server"))
		r, err := image.Check(sh(test.text).bytes(), root, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("%s: %s, want %s; notes %q", test.text, got, test.want, r.Notes)
		}
	}
}

// Busybox's shell needs no links to what it can do.
func TestAppletsOfTheShell(t *testing.T) {
	const choose = "if [ $(uname -m | cat) = x86_64 ]; then exec /app/server; fi; exec /app/x"
	for name, test := range map[string]struct {
		shell entry
		want  string
	}{
		"a link to busybox":   {busybox("arm64"), "verified"},
		"busybox by its name": {elf("/bin/sh", "arm64"), "verified"},
		"another shell":       {func(root fstest.MapFS) { elf("/bin/dash", "arm64")(root); link("/bin/sh", "dash")(root) }, server},
	} {
		r, err := image.Check(sh(choose).bytes(), rootOf(test.shell, elf("/app/x", "arm64"), elf("/app/server", "amd64")), platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != test.want {
			t.Errorf("%s: %s, want %s; notes %q", name, got, test.want, r.Notes)
		}
	}
}

// What a text expands is bounded: what is too long is unknown, and behind too much of it nothing is followed, which is told.
func TestExpansionBounds(t *testing.T) {
	const followed = "the image's scripts start so many commands that not all were followed"
	choose := "\nif [ $(uname -m) = x86_64 ]; then exec /app/server; fi\nexec /app/x"
	letters := strings.Repeat("x", 1000)
	var words strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&words, "%x ", i)
	}
	for _, test := range []struct{ name, script, want, note string }{
		{"what nobody reads", strings.Repeat("echo 'a line of help that is about this long'\n", 1000) + choose, "verified", ""},
		{"long work", "X='" + letters + "'\n" + strings.Repeat("echo $X$X$X | sed 's/"+strings.Repeat("a", 100)+"/b/'\n", 60) + choose, "verified", ""},
		{"too much", "X=" + letters + letters + "\n" + strings.Repeat(": $X$X$X$X\n", 2000) + choose, "verified", followed},
		{"too much in a condition", "X=" + letters + letters + "\n" + strings.Repeat(": $X$X$X$X\n", 1048) + "if [ \"$(uname -m) $X$X$X\" = x86_64 ]; then exec /app/server; fi\nexec /app/x", "verified", followed},
		{"words of which one may be any", "A='" + words.String() + "'\n" + strings.Repeat("for x in $A $U; do :; done\n", 350) + choose, "verified", ""},
	} {
		root := rootOf(busybox("arm64"), elf("/bin/uname", "arm64"), elf("/bin/sed", "arm64"), elf("/app/x", "arm64"), elf("/app/server", "amd64"), text("/run", test.script))
		r, err := image.Check(run("sh", "/run").bytes(), root, platform(t, "arm64"), image.Options{})
		if got := outcome(t, r, err); got != test.want || strings.Join(r.Notes, "\n") != test.note {
			t.Errorf("%s: %s, want %s; notes %q, want %q", test.name, got, test.want, r.Notes, test.note)
		}
	}
}
