package shell_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image/shell"
)

// What a text starts, a question mark behind what may not happen, and dots for what only the running shell knows.
func TestFollow(t *testing.T) {
	image := files{"/etc/hooks/a.sh": "A=sourced\n", "/etc/hooks/b.sh": "", "/etc/hooks/.c.sh": ""}
	for text, want := range map[string]string{
		"app":                                   "app",
		"exec app \"$@\"; other":                "app x y z",
		"app $1 '$1' \"$2\"":                    "app x $1 y z",
		"$0 $HOME":                              "/run /root",
		"app $SET_LATER":                        "app ...",
		"A=a; A+=b; app $A":                     "app ab",
		"A='a b'; app \"$A\"":                   "app a b",
		"L=(a 'b c'); app \"${L[1]}\" ${#L[@]}": "app b c 2",
		"app ${NONE:-default} ${1:+set} ${HOME#/} ${HOME%oo*}":  "app default set root /r",
		"A=$(echo word); app $A":                                "app word",
		"app $(date)":                                           "app ...",
		"app <(other)":                                          "other ?; app ...",
		"A=a; app ${A@#}":                                       "app ...",
		"A=a; app ${A@Q$A} ${A@Q} ${A@U}":                       "app ... a A",
		"app $((1 + 1))":                                        "app ...",
		"[ $1 = x ] && app":                                     "app ?",
		"if other; then app; else last; fi":                     "other ?; app ?; last ?",
		"A=a; if [ $A = b ]; then app; else last; fi":           "last",
		"if [ $(uname -m) = aarch64 ]; then app; else last; fi": "app",
		"case $(uname -m) in x86_64) app ;; aarch64 | arm64) last ;; esac": "last",
		"if [[ $(uname -m) =~ ^aarch ]]; then app; fi":                     "app",
		"for i in a b; do app $i; done":                                    "app a ?; app b ?",
		"for i; do app \"$i\"; done":                                       "app x ?; app y z ?",
		"while other; do app; break; done; last":                           "other ?; app ?; last",
		"f() { app $1; return; other; }; f a":                              "app a",
		"f() { f; app; }; f":                                               "app",
		"set -- a b; shift; app $1":                                        "app b",
		"app & other":                                                      "app; other",
		"(exec app); other":                                                "app; other",
		"exit; app":                                                        "",
		"command app; exec -a name other":                                  "app; other",
		"eval 'app a'":                                                     "app a",
		"eval \"app $SET_LATER\"":                                          "app ... ?",
		"trap 'app' EXIT; other":                                           "app ?; other",
		"trap f EXIT; f() { app a; }; other":                               "app a ?; other",
		"f() { app; }; trap f EXIT; f() { last; }; other":                  "app ?; other",
		"true || app; false && other":                                      "",
		"cd /srv; app *":                                                   "app *",
		"app /etc/hooks/*.sh":                                              "app /etc/hooks/a.sh /etc/hooks/b.sh",
		". /etc/hooks/a.sh; app $A":                                        "app sourced",
		". /etc/none; app":                                                 "app ?",
		"[ \"$1\" = x ] && exit; app":                                      "app ?",
		"[ \"$1\" = y ] && exit; app":                                      "app",
		"[ \"$1\" = x ] || exit; app":                                      "app",
		"if [[ -n $HOME ]]; then other; exit; fi; app":                     "other ?; app ?",
		"case $1 in x) other; exit ;; esac; app":                           "other ?; app ?",
		"case $1 in a) other; exit ;; x) ;; *) exit ;; esac; app":          "other ?; app",
		"for f in $(find /etc/hooks -name 'a*'); do app $f; done":          "app /etc/hooks/a.sh ?",
		"A=$(uname -m | grep -o x); app $A":                                "app ...",
		"app-amd64 || app-arm64":                                           "app-amd64; app-arm64 ?",
		"./app-amd64 || ./app-arm64":                                       "./app-amd64 or /app/app-arm64; ./app-arm64",
		"dpkg --print-architecture && app":                                 "dpkg --print-architecture",
		"printf '%s\\n' a":                                                 "",
		"if ":                                                              "",
	} {
		h, err := followed(text, image)
		if got := h.only(); err != nil || got != want {
			t.Errorf("%s: %s, want %s; error %v, notes %q", text, got, want, err, h.notes)
		}
	}
}

// What a command may be given.
func folder(f shell.Frame) string { return f.Dir }
func search(f shell.Frame) string { return strings.Join(f.Path, ":") }
func input(f shell.Frame) string  { return f.Input }
func doubt(f shell.Frame) string  { return fmt.Sprint(f.Doubt) }
func chosen(f shell.Frame) string { return fmt.Sprint(f.Chosen) }

// What the last command of a text is given.
func TestFrames(t *testing.T) {
	for text, test := range map[string]struct {
		what func(f shell.Frame) string
		want string
	}{
		"cd /srv; app":                           {folder, "/srv"},
		"cd x/..; app":                           {folder, "//app/x/.."},
		"cd $X; app":                             {folder, shell.Unknown},
		"PATH=/a:$PATH; app":                     {search, "/a:/bin"},
		"PATH=/a app":                            {search, "/a"},
		"app <<< word":                           {input, "word"},
		"app <<E\na $1\nE":                       {input, "a x\n"},
		"echo a | app":                           {input, "a\n"},
		"A=1; export A; app":                     {variable("A"), "1"},
		"A=1; app":                               {variable("A"), "as the image says"},
		"A=1 app":                                {variable("A"), "1"},
		"set -a; A=1; app":                       {variable("A"), "1"},
		"HOME=/srv; app":                         {variable("HOME"), "/srv"},
		"app":                                    {variable("HOME"), "as the image says"},
		"[ $X ] && HOME=/srv; app":               {variable("HOME"), "/root or /srv"},
		"cp /opt/x /bin/y; app":                  {origin("/bin/y"), "/opt/x"},
		"ln -s ../opt/x /bin/y; app":             {origin("/bin/y"), "/opt/x"},
		"mv /opt /srv; app":                      {origin("/srv/x"), "/opt/x"},
		"cp /opt/x .; app":                       {origin("/app/x"), "/opt/x"},
		"app || exit; last":                      {doubt, "true"},
		"exec app":                               {doubt, "false"},
		"case $(uname -r) in 6*) exec app; esac": {chosen, "false"},
		"case $(uname -m | cut -c1) in a) exec app; esac": {chosen, "true"},
	} {
		h, err := followed(text, files{"/opt/x": ""})
		if err != nil || len(h.frames) == 0 {
			t.Fatalf("%s starts %q: %v", text, h.started, err)
		}
		if got := test.what(h.frames[len(h.frames)-1]); got != test.want {
			t.Errorf("%s: %s, want %s", text, got, test.want)
		}
	}
}

// variable is all that one may hold, in an image that sets HOME.
func variable(name string) func(shell.Frame) string {
	return func(f shell.Frame) string {
		list, set := f.Variable(name, map[string]string{"HOME": "/root"}[name])
		if !set {
			return "as the image says"
		}
		slices.Sort(list)
		return strings.Join(list, " or ")
	}
}

func origin(name string) func(shell.Frame) string {
	return func(f shell.Frame) string {
		from, put := shell.New(files{}, nil, arm64).Origin(f.Put, name)
		if !put {
			return "not put"
		}
		return from
	}
}

func TestNotes(t *testing.T) {
	for text, want := range map[string]string{
		"if":                       `a shell text in the image was followed only in part: "1:1: ` + "`if` must be followed by a statement list\"",
		"eval \"if $X\"":           "a shell text in the image works out at run time what it evaluates: not all of that was followed",
		". /etc/none":              "a shell text in the image reads /etc/none, which is not in the image",
		"if ls; then . $X/lib; fi": "",
		". /etc/$(date)":           `a shell works out at run time that it reads the script "/etc/...": that was not followed`,
		"echo $(date) > /a; . /a":  "a shell text in the image reads /a, which is written at run time: it was not followed",
		"while a; do b; done":      "",
	} {
		h, err := followed(text, nil)
		if got := strings.Join(h.notes, "\n"); err != nil || got != want {
			t.Errorf("%s: notes %q, want %q; error %v", text, got, want, err)
		}
	}
	if h, _ := followed(strings.Repeat("for i in a b; do ", 30)+"app"+strings.Repeat("; done", 30), nil); !slices.Equal(slices.Compact(h.notes), []string{shell.TooMany}) {
		t.Errorf("notes %q", slices.Compact(h.notes))
	}
}

// A failure of whoever is asked ends the walk.
func TestFailures(t *testing.T) {
	failure := errors.New("no more")
	h := &host{err: failure}
	err := shell.New(files{}, nil, arm64).Follow("app\nother\n", nil, shell.Frame{}, h)
	if !errors.Is(err, failure) || len(h.started) != 1 {
		t.Errorf("%v, behind %q", err, h.started)
	}
	if h, err := followed(". /etc/broken; app", files{}); err == nil || len(h.started) > 0 {
		t.Errorf("%v, behind %q", err, h.started)
	}
}

// What one text writes another one finds.
func TestWritten(t *testing.T) {
	h, texts := &host{}, shell.New(files{}, nil, arm64)
	if err := texts.Follow("echo app > /run.sh; date > /later.sh; start", nil, shell.Frame{Dir: "/"}, h); err != nil {
		t.Fatal(err)
	}
	last := h.frames[len(h.frames)-1]
	for name, want := range map[string]string{"/run.sh": "app\n", "/later.sh": shell.Unknown, "/none.sh": ""} {
		place, _ := texts.Origin(last.Put, name)
		if text, ok := texts.Written(place); text != want || ok != (want != "") {
			t.Errorf("%s has %q, want %q", name, text, want)
		}
	}
}

// FuzzFollow: whatever a text is, following it ends, and the same way each time.
func FuzzFollow(f *testing.F) {
	for _, text := range []string{
		"exec \"$@\"", "for i in a b; do app $i; done", "case $1 in -*) set -- app \"$@\" ;; esac; exec \"$@\"", "f() { f; }; f", "A=$A$A; app ${A:-$B}",
		"cp /a /b; . /b", "while read -r l; do $l; done < /etc/x", "if [ $(uname -m) = x86_64 ]; then app; fi", "<<x", "${a[@]}", "((a++))", "${a@#}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		one, err := followed(text, files{"/a": "app\n", "/etc/x": "a\nb\n"})
		if err != nil {
			t.Fatal(err)
		}
		other, _ := followed(text, files{"/a": "app\n", "/etc/x": "a\nb\n"})
		if !slices.Equal(one.started, other.started) || !slices.Equal(one.notes, other.notes) {
			t.Errorf("%q starts %q, and then %q", text, one.started, other.started)
		}
	})
}
