package build

import (
	"cmp"
	"slices"
	"sync"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/progress"
)

// warnings are what the builds found to be possible mistakes in Dockerfiles: each is told once, however many platforms have it,
// and when all is built, where it is seen.
type warnings struct {
	mu    sync.Mutex
	found []progress.Warning
}

// from keeps the warnings of a job's events, and hands the others on.
func (w *warnings) from(j job, next func(engine.Event)) func(engine.Event) {
	return func(e engine.Event) {
		one, ok := e.(engine.Warning)
		if !ok {
			next(e)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.found = append(w.found, progress.Warning{Text: one.Text, File: j.solve.DockerfileName, Line: one.Line})
	}
}

// show tells them in the order of the files.
func (w *warnings) show(show func(progress.Event)) {
	slices.SortFunc(w.found, func(a, b progress.Warning) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	for _, one := range slices.Compact(w.found) {
		show(one)
	}
}
