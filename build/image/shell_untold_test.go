package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// Of what only the running shell knows nobody is told where it is known what else it may be, or where it is whoever runs the image that
// may give it.
func TestUntold(t *testing.T) {
	for text, told := range map[string]bool{
		"[ \"$HOOK\" ] && $HOOK; exec \"$@\"":                                              false,
		"if [ \"$HOOK\" ]; then eval \"$HOOK\"; fi; exec \"$@\"":                           false,
		"[ -f \"$EXTRA\" ] && . $EXTRA; exec \"$@\"":                                       false,
		"if [ \"$HOOK\" ]; then nice $HOOK; fi; exec \"$@\"":                               false,
		"[ \"$1\" = x ] && set -- $(ls); exec \"$@\"":                                      false,
		"[ \"$1\" = x ] && set -- $(ls); exec nice \"$@\"":                                 false,
		"args=(); while [ $# -gt 0 ]; do args+=(\"$1\"); shift; done; exec \"${args[@]}\"": false,
		"old=$(umask -p); umask 077; $old; exec \"$@\"":                                    false,
		"old=$(shopt -p nullglob); shopt -s nullglob; eval \"$old\"; exec \"$@\"":          false,
		"if ls; then $HOOK/bin/x; fi; exec \"$@\"":                                         false,
		"if ls; then . $EXTRA/x.sh; fi; exec \"$@\"":                                       false,
		"exec $HOOK":                                   true,
		"nice $HOOK":                                   true,
		"if ls; then $(ls); fi":                        true,
		"if ls; then nice $(ls); fi":                   true,
		"if ls; then $(ls)/bin/x; fi":                  true,
		". $EXTRA":                                     true,
		"if ls; then . $(ls)/x.sh; fi":                 true,
		"if ls; then . /nowhere/x.sh; $HOOK/bin/x; fi": true,
	} {
		root := scripts(elf("/usr/bin/ls", "arm64"), elf("/usr/bin/nice", "arm64"), exe("/run", "#!/bin/bash\n"+text+"\n"))
		r, err := image.Check(run("/run").and("Cmd", []string{"/app/server", "a", "b"}).bytes(), rootOf(root...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		if got := outcome(t, r, err); got != "verified" || strings.Contains(strings.Join(r.Notes, " "), "works out at run time") != told {
			t.Errorf("%s: %s, notes %q", text, got, r.Notes)
		}
	}
}

// Of too many values so many words are kept as tell them apart: what stands behind an init is still found.
func TestManyValues(t *testing.T) {
	var script strings.Builder
	script.WriteString("#!/bin/sh\n[ $# = 0 ] && set -- /app/server\nset -- tini -- \"$@\"\n")
	for _, name := range []string{"A", "B", "C", "D", "E", "F"} {
		script.WriteString("[ \"$" + name + "\" ] && set -- \"$@\" --" + name + "\n")
	}
	root := scripts(elf("/usr/bin/tini", "arm64"), exe("/run", script.String()+"exec \"$@\"\n"))
	r, err := image.Check(run("/run").bytes(), rootOf(root...), platform(t, "arm64"), image.Options{})
	if got := outcome(t, r, err); got != server {
		t.Errorf("%s, notes %q", got, r.Notes)
	}
}

// A file that may be any of many is one that only comes at run time, of which nothing is said until it is started.
func TestManyFiles(t *testing.T) {
	for line, note := range map[string]string{
		"exec /app/x": "",
		"/config":     "/config is written at run time by what starts it: it was not followed",
	} {
		root := scripts(elf("/usr/bin/cp", "arm64"))
		for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
			root = append(root, exe("/defaults/"+name, "#!/bin/sh\n"))
		}
		r, err := image.Check(sh("cp -n /defaults/* /config; "+line).bytes(), rootOf(root...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		notes := strings.Join(r.Notes, "\n")
		if got := outcome(t, r, err); got != "verified" || strings.Contains(notes, "so many") || !strings.Contains(notes, note) {
			t.Errorf("%s: %s, notes %q", line, got, r.Notes)
		}
	}
}
