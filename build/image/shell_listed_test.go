package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// What an entrypoint runs of a folder is followed: find asks the image, and a loop reads what it says. /hooks/b.sh starts a program of
// another machine, the others do not.
func TestFound(t *testing.T) {
	const loop = " | while read -r f; do case \"$f\" in *.envsh) . \"$f\" ;; *.sh) if [ -x \"$f\" ]; then \"$f\"; fi ;; *) echo \"$f\" ;; esac; done"
	for line, want := range map[string]string{
		"find /hooks -type f -print" + loop:                                                     "foreign:/opt/tool",
		"find /hooks/ -follow -type f -print | sort -V" + loop:                                  "foreign:/opt/tool",
		"cd /hooks; find ." + loop:                                                              "foreign:/opt/tool",
		"find /etc /hooks -maxdepth 1 -name '*.sh'" + loop:                                      "foreign:/opt/tool",
		"find /hooks -mindepth 1 -maxdepth 1 -name '[b]*'" + loop:                               "foreign:/opt/tool",
		"find /linked/ -type f" + loop:                                                          "foreign:/opt/tool",
		"find -L /links -type f" + loop:                                                         "foreign:/opt/tool",
		"find /links -type f" + loop:                                                            "verified", // links are none
		"find /hooks -name a.sh" + loop:                                                         "verified",
		"find /hooks -mindepth 2 -type f" + loop:                                                "verified",
		"find /up -maxdepth 1" + loop:                                                           "verified",
		"find /up" + loop:                                                                       "foreign:/opt/tool",
		"find /nowhere -type f" + loop:                                                          "verified",
		"find /hooks -type f" + loop + "; exec /opt/tool":                                       "foreign:/opt/tool",
		"find /hooks -newer /x" + loop:                                                          "verified", // with a note
		"find /nowhere/* | while read -r f; do su app -s /bin/sh -c \"$f\"; done":               "verified",
		"find /nowhere/*" + loop:                                                                "verified",
		"for f in $(find /nowhere/* | sort -n); do \"$f\"; done":                                "verified",
		"find /empty -maxdepth 1 -iname '*.sh' '(' -type f -o -type l ')' -print | sort" + loop: "verified",
		"uname -m | while read m; do [ $m = x86_64 ] && /opt/tool; done":                        "verified",
		"uname -m | while read m; do [ $m = aarch64 ] && /opt/tool; done":                       "foreign:/opt/tool",
		"printf '/opt/tool x\\n' | while read f x; do $f; done":                                 "verified", // with a note
	} {
		root := rootOf(scripts(
			elf("/usr/bin/sort", "arm64"), dir("/empty"), elf("/opt/tool", "amd64"), elf("/opt/own", "arm64"),
			exe("/hooks/a.sh", "#!/bin/sh\n/opt/own\n"), exe("/hooks/b.sh", "#!/bin/sh\n/opt/tool\n"), text("/hooks/c.envsh", "A=1\n"), text("/hooks/readme", "/opt/tool\n"),
			exe("/up/hooks/b.sh", "#!/bin/sh\n/opt/tool\n"), link("/links/b.sh", "/hooks/b.sh"), link("/linked", "/hooks"),
		)...)
		r, err := image.Check(sh(line).bytes(), root, platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		noted := strings.Contains(line, "/empty") || strings.Contains(line, "/nowhere")
		if got := outcome(t, r, err); got != want || noted && len(r.Notes) > 0 {
			t.Errorf("%s: %s, want %s; notes %q", line, got, want, r.Notes)
		}
	}
}
