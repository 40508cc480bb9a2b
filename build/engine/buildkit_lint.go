package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	bkclient "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// lint gathers what BuildKit's rules find in a Dockerfile while it is read in
// this process. Stages are looked at beside each other.
type lint struct {
	mu    sync.Mutex
	found []Warning
}

// warn is a linter.LintWarnFunc.
func (l *lint) warn(rule, _, _, text string, places []parser.Range) {
	line := 0
	if len(places) > 0 {
		line = places[0].Start.Line
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found = append(l.found, Warning{Text: rule + ": " + text, Line: line})
}

// isViolation tells the error that a Dockerfile asks for with error=true in its
// `# check=` line. BuildKit has words for it and no type.
func isViolation(err error) bool { return strings.Contains(err.Error(), "lint violation found") }

// warningEvent is the same of a frontend that runs in the engine, which puts
// the line behind its words, too.
func warningEvent(w *bkclient.VertexWarning) Warning {
	e := Warning{Text: string(w.Short)}
	if len(w.Range) > 0 && w.Range[0].Start != nil {
		e.Line = int(w.Range[0].Start.Line)
	}
	e.Text = strings.TrimSuffix(e.Text, fmt.Sprintf(" (line %d)", e.Line))
	return e
}

// ofBase is BuildKit's check that finds a base for another machine when it is too late to do anything about it.
const ofBase = "InvalidBaseImagePlatform: "

// take notes an update. What the check of bases says is held back until it is known whether the bases were told of.
func (r *kitSolve) take(update *bkclient.SolveStatus) {
	update.Warnings = slices.DeleteFunc(update.Warnings, func(w *bkclient.VertexWarning) bool {
		e := warningEvent(w)
		if strings.HasPrefix(e.Text, ofBase) {
			r.held = append(r.held, e)
			return true
		}
		return false
	})
	r.steps.take(update)
}

// tell passes on what was found in the Dockerfile, and not told of its bases already.
func (r *kitSolve) tell() {
	for _, e := range slices.Concat(r.warnings, r.held) {
		if !r.other.Load() || !strings.HasPrefix(e.Text, ofBase) {
			r.steps.emit(e)
		}
	}
}
