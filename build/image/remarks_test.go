package image

import (
	"slices"
	"testing"
)

func TestRemarks(t *testing.T) {
	names := []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}
	for _, test := range []struct {
		notes [][]string
		want  []string
	}{
		{[][]string{nil, nil, nil}, nil},
		{[][]string{{"a"}, {"a"}, {"a"}}, []string{"a"}},
		{[][]string{{"b", "a"}, {"a", "c"}, {"a"}}, []string{"linux/amd64: b", "a", "linux/arm64: c"}},
		{[][]string{nil, {"a", "a"}, {"a"}}, []string{"linux/arm64, linux/arm/v7: a"}},
	} {
		if got := Remarks(names, test.notes); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.notes, got, test.want)
		}
	}
	if got := Remarks([]string{"linux/arm64"}, [][]string{{"a"}}); !slices.Equal(got, []string{"a"}) {
		t.Errorf("of one image: %q", got)
	}
}
