package image_test

import (
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image"
)

// Nobody is told of what whoever runs the image may give. Of what the image works out everybody is, also where on another way it is known what is
// started.
func TestUntold(t *testing.T) {
	for text, told := range map[string]bool{
		"[ \"$HOOK\" ] && $HOOK; exec \"$@\"":                                              false,
		"if [ \"$HOOK\" ]; then eval \"$HOOK\"; fi; exec \"$@\"":                           false,
		"[ -f \"$EXTRA\" ] && . $EXTRA; exec \"$@\"":                                       false,
		"if [ \"$HOOK\" ]; then nice $HOOK; fi; exec \"$@\"":                               false,
		"args=(); while [ $# -gt 0 ]; do args+=(\"$1\"); shift; done; exec \"${args[@]}\"": false,
		"old=$(umask -p); umask 077; $old; exec \"$@\"":                                    false,
		"old=$(shopt -p nullglob); shopt -s nullglob; eval \"$old\"; exec \"$@\"":          false,
		"[ \"$HOOK\" ] && bash -c \"$HOOK\"; exec \"$@\"":                                  false,
		"if [ \"$HOOK\" ]; then nice sh \"$HOOK\" a b; fi; exec \"$@\"":                    false,
		"if ls; then sh -c \"$(ls)\"; fi":                                                  true,
		"sh -c \"$HOOK\"":                                                                  true,
		"if ls; then $HOOK/bin/x; fi; exec \"$@\"":                                         false,
		"if ls; then . $EXTRA/x.sh; fi; exec \"$@\"":                                       false,
		"[ \"$A\" ] || A=$(ls); [ \"$B\" ] || B=$(ls); [ \"$C\" ] && set -- \"$@\" -c; [ \"$D\" ] && set -- \"$@\" -d; [ \"$E\" ] && set -- \"$@\" -e; [ \"$F\" ] && set -- \"$@\" -f; set -- nice -$A -$B \"$@\"; exec \"$@\"": false,
		"[ \"$Y\" ] && PATH=$HOOK/bin:$PATH; exec ls":                                  false,
		"[ \"$Y\" ] && PATH=$PATH:$(ls)/bin; exec ls":                                  false,
		"[ \"$Y\" ] && PATH=$(ls)/bin:$PATH; exec /usr/bin/ls":                         false,
		"[ \"$Y\" ] && PATH=$(ls)/bin:$PATH; exec ls":                                  true,
		"[ \"$Y\" ] && PATH=$HOOK:$HOOK/$(ls):$PATH; exec ls":                          true,
		"[ \"$A\" ] || A=/nowhere/a; [ \"$B\" ] || B=$A/b; . $B; exec ls":              false,
		"args=(/proc/$$/fd/1); [ \"$Y\" ] && args=(ls \"${args[@]}\"); \"${args[@]}\"": false,
		"exec /proc/$$/exe":                                                       true,
		"exec $HOOK":                                                              true,
		"nice $HOOK":                                                              true,
		"if ls; then $(ls); fi":                                                   true,
		"if ls; then nice $(ls); fi":                                              true,
		"if ls; then $(ls)/bin/x; fi":                                             true,
		". $EXTRA":                                                                true,
		"if ls; then . $(ls)/x.sh; fi":                                            true,
		"if ls; then . /nowhere/x.sh; $HOOK/bin/x; fi":                            true,
		"[ \"$1\" = x ] && set -- $(ls); exec \"$@\"":                             true,
		"[ \"$1\" = x ] && set -- $(ls); exec nice \"$@\"":                        true,
		"X=/app/a; [ \"$Y\" ] && X=$(ls); exec \"$X\"":                            true,
		"X=/app/a; [ \"$Y\" ] && X=$(ls); exec nice \"$X\"":                       true,
		"X=/app/a; [ \"$Y\" ] && X=$(ls); exec /app/\"$X\"":                       true,
		"case $1 in a) X=/app/a;; *) X=$(ls);; esac; exec $X":                     true,
		"X=/app/a; [ \"$Y\" ] && read X </etc/x; exec $X":                         true,
		"[ \"$Y\" ] && X=/app/a; X=${X:-$(ls)}; exec $X":                          true,
		"exec ${X:-$(ls)}":                                                        true,
		"X=/app/a; f() { X=$(ls); }; [ \"$Y\" ] && f; exec $X":                    true,
		"for x in $(ls /app); do $x; done":                                        true,
		"for x in /app/a $(ls /app); do $x; done":                                 true,
		"for x in /app/a $(ls /app); do X=$x; done; exec $X":                      true,
		"ls | while read x; do X=$x; $X; done":                                    true,
		"X=(/app/a /app/b); exec ${X[$Y]}":                                        true,
		"X=/app/a; [ \"$Y\" ] && X=$(ls); eval \"exec $X\"":                       true,
		"X=/app/a; [ \"$Y\" ] && X=$(ls); sh -c \"$X\"":                           true,
		"X=/app/a; [ \"$Y\" ] && X=$(ls); sh $X":                                  true,
		"X=/app/a; [ \"$Y\" ] && X=$(ls); . $X":                                   true,
		"case $1 in " + arms("a b c d e f g h i j k l m n o p q r") + " esac; $X": true,
	} {
		root := scripts(elf("/usr/bin/ls", "arm64"), elf("/usr/bin/nice", "arm64"), exe("/run", "#!/bin/bash\n"+text+"\n"))
		r, err := image.Check(run("/run").and("Cmd", []string{"/app/server", "a", "b"}).bytes(), rootOf(root...), platform(t, "arm64"), image.Options{AllowForeign: []string{"/app/"}})
		if got := outcome(t, r, err); got != "verified" || strings.Contains(strings.Join(r.Notes, " "), "works out at run time") != told {
			t.Errorf("%s: %s, notes %q", text, got, r.Notes)
		}
	}
}

// arms are those of a case that give a variable one value each.
func arms(names string) (text string) {
	for _, name := range strings.Fields(names) {
		text += name + ") X=/app/" + name + ";; "
	}
	return text
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
