package options_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/image/options"
)

// shownAs writes options as name=value, and behind / what is none of them.
func shownAs(list options.List, rest []string) string {
	var out []string
	for _, o := range list {
		if o.Value != "" {
			o.Name += "=" + o.Value
		}
		out = append(out, o.Name)
	}
	return strings.Join(append(append(out, "/"), rest...), " ")
}

func TestCut(t *testing.T) {
	valued := []string{"-u", "--user", "-wait"}
	for _, test := range []struct {
		words  string
		valued []string
		want   string
	}{
		{"app", valued, "/ app"},
		{"-E app -x", valued, "-E / app -x"},
		{"-Eu app server", valued, "-E -u=app / server"},
		{"-uapp server", valued, "-u=app / server"},
		{"-Euapp server", valued, "-E -u=app / server"},
		{"--user app server", valued, "--user=app / server"},
		{"--user=app server", valued, "--user=app / server"},
		{"--other=x server", valued, "--other=x / server"},
		{"-wait tcp://db server", valued, "-wait=tcp://db / server"},
		{"-u", valued, "-u /"},
		{"-x -- -y z", valued, "-x -- / -y z"},
		{"- x", valued, "/ - x"},
		{"-eo pipefail +x a", options.OfShells(), "-e -o=pipefail +x / a"},
		{"-opipefail a", options.OfShells(), "-o=a -p -i -p -e -f -a -i -l /"}, // of shells the value is always the next word
		{"+x a", valued, "/ +x a"},
		{"", valued, "/"},
	} {
		if got := shownAs(options.Cut(strings.Fields(test.words), test.valued...)); got != test.want {
			t.Errorf("%q: %s, want %s", test.words, got, test.want)
		}
	}
}

func TestPermuted(t *testing.T) {
	for words, want := range map[string]string{
		"a -f b -t c d": "-f -t=c / a b d",
		"a -- -f b":     "-- / a -f b",
		"a b":           "/ a b",
		"-r":            "-r /",
	} {
		if got := shownAs(options.Permuted(strings.Fields(words), "-t")); got != want {
			t.Errorf("%q: %s, want %s", words, got, want)
		}
	}
}

func TestList(t *testing.T) {
	list, _ := options.Cut([]string{"-a", "-e", "x", "-e", "y", "--long", "--", "z"}, "-e")
	if !list.Has("-b", "-a") || list.Has("-b", "x") {
		t.Error("it has other options than it was given")
	}
	if got := fmt.Sprint(list.Values("-e", "-a")); got != "[ x y]" {
		t.Errorf("its values are %s", got)
	}
	if short, _ := options.Cut([]string{"-ae", "x", "--"}, "-e"); list.Only("ae") || !short.Only("ae") || short.Only("a") {
		t.Error("it has other letters than it was given")
	}
	if list[0].Name != "-a" || !slices.Equal(list[0].Behind, []string{"-e", "x", "-e", "y", "--long", "--", "z"}) {
		t.Errorf("behind %s are %q", list[0].Name, list[0].Behind)
	}
}

// FuzzCut: what stands behind the options are the last of the words, and none of those before gets lost.
func FuzzCut(f *testing.F) {
	for _, words := range []string{"-Eu app server", "--user=app x", "-x -- -y", "+o a -o b c", "-"} {
		f.Add(words)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Fields(text)
		for _, valued := range [][]string{{"-u", "--user"}, options.OfShells()} {
			list, rest := options.Cut(words, valued...)
			if len(rest) > len(words) || !slices.Equal(rest, words[len(words)-len(rest):]) {
				t.Fatalf("%q leaves %q", words, rest)
			}
			if len(list) == 0 && len(rest) < len(words) {
				t.Fatalf("%q has no options, and leaves %q", words, rest)
			}
		}
	})
}
