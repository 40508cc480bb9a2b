package engine

import (
	"context"
	"errors"
	"testing"

	bkclient "github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// Of two runs that store one name at once the later one is told that it is there: it stores it again, and nobody hears of a failed step.
func TestANameThatAnotherRunTookIsTakenAgain(t *testing.T) {
	taken := errors.New(`failed to solve: exporting to image: image "reg.example/a:amd64-1": already exists`)
	for _, test := range []struct {
		name         string
		err          error
		tries, want  int
		fails, shown bool
	}{
		{"taken twice", taken, 2, 3, false, false},
		{"taken for ever", taken, 100, nameTries, true, false},
		{"another failure", errors.New("no space left on device"), 1, 1, true, true},
		{"a file of the same words", errors.New("mkdir /image: already exists"), 1, 1, true, true},
	} {
		var shown bool
		r := &kitSolve{steps: newSteps(func(e Event) {
			if step, ok := e.(Step); ok && step.State == Failed {
				shown = true
			}
		}, nil)}
		tries := 0
		_, err := r.again(t.Context(), func(context.Context) (map[string]string, error) {
			if tries++; tries > test.tries {
				return nil, nil
			}
			r.steps.take(&bkclient.SolveStatus{Vertexes: []*bkclient.Vertex{{Digest: digest.FromString("export"), Name: "exporting to image", Error: test.err.Error()}}})
			return nil, test.err
		})
		if tries != test.want || (err != nil) != test.fails || shown != test.shown {
			t.Errorf("%s: %d tries, error %v, failed step shown: %t", test.name, tries, err, shown)
		}
	}
}
