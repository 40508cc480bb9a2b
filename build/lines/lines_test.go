package lines

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitter(t *testing.T) {
	long := strings.Repeat("x", Longest)
	for _, test := range []struct {
		name  string
		given []string
		want  []string
	}{
		{"nothing", nil, nil},
		{"whole lines", []string{"a\nb\n"}, []string{"a", "b"}},
		{"portions", []string{"a", "b\n", "\nc", "d"}, []string{"ab", "", "cd"}},
		{"a line of just the length", []string{long, "\nb"}, []string{long, "b"}},
		{"a longer one", []string{long + "y\n"}, []string{long, "y"}},
		{"one without end", []string{long, long, "z"}, []string{long, long, "z"}},
	} {
		var s Splitter
		var got []string
		for _, p := range test.given {
			got = append(got, s.Add([]byte(p))...)
		}
		if got = append(got, s.End()...); !slices.Equal(got, test.want) || s.End() != nil {
			t.Errorf("%s: got %d lines, want %d", test.name, len(got), len(test.want))
		}
	}
}

// FuzzSplitter: however a text is cut into portions, the lines are the same, none is too long, and nothing is lost.
func FuzzSplitter(f *testing.F) {
	f.Add("a\nb", 1)
	f.Add(strings.Repeat("x", 3*Longest), Longest)
	f.Add(strings.Repeat("x", Longest)+"\n\n", Longest+1)
	f.Fuzz(func(t *testing.T, text string, size int) {
		var whole, cut Splitter
		want := append(whole.Add([]byte(text)), whole.End()...)
		var got []string
		for p := range slices.Chunk([]byte(text), max(size, 1)) {
			got = append(got, cut.Add(p)...)
			if len(cut.rest) > Longest {
				t.Fatalf("holds %d bytes", len(cut.rest))
			}
		}
		got = append(got, cut.End()...)
		tooLong := func(line string) bool { return len(line) > Longest }
		all := strings.ReplaceAll(text, "\n", "")
		if !slices.Equal(got, want) || slices.ContainsFunc(got, tooLong) || strings.Join(got, "") != all {
			t.Errorf("%q in portions of %d", text, size)
		}
	})
}
