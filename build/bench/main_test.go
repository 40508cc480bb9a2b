package main

import (
	"slices"
	"testing"
)

// Whoever mistypes what is to be measured is told before anything is.
func TestParseRefusesWhatIsNotKnown(t *testing.T) {
	for _, args := range [][]string{
		{"-only", "nothing"}, {"-only", "job,"}, {"-recipes", "kaniko"}, {"-blobs", "mine"}, {"-rounds", "0"}, {"-sizes", "0"}, {"-sizes", "3,big"},
	} {
		if p, err := parse(args); err == nil {
			t.Errorf("%q: %+v", args, p)
		}
	}
	p, err := parse([]string{"-only", "setarch,job", "-blobs", "own", "-sizes", "30"})
	if err != nil || !slices.Equal(p.only, []string{"setarch", "job"}) || !slices.Equal(p.blobs, []string{ownBlob}) || !slices.Equal(p.sizes, []int{30}) {
		t.Errorf("%+v, %v", p, err)
	}
}
