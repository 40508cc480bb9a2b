package engine

import (
	"fmt"
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

// tell passes on what was found in a Dockerfile that was read here.
func (r *kitSolve) tell() {
	for _, e := range r.warnings {
		r.steps.emit(e)
	}
}
