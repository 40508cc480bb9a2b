package engine

import (
	"fmt"
	"strconv"
	"strings"
)

// namedContexts is the first Docker whose own frontend knows additional build
// contexts; older ones ignore them in silence.
const namedContexts = 23

// supports refuses what this engine would ignore in silence.
func (k *buildkit) supports(s Solve, opts map[string]string) error {
	own := s.Builtin || syntaxLine(s.Dockerfile) == ""
	if !own || !k.engine.olderThan(namedContexts) {
		return nil
	}
	for name := range opts {
		if strings.HasPrefix(name, "context:") {
			return fmt.Errorf("%w: Docker %s has no named build contexts; update to Docker 23, or begin the Dockerfile with `# syntax=docker/dockerfile:1`", ErrUnsupported, k.engine.info.Version)
		}
	}
	return nil
}

// epochs is the first Docker that knows SOURCE_DATE_EPOCH; older ones take it
// for a build argument that nobody uses.
const epochs = 23

// withoutEpoch takes the epoch away where the engine would ignore it, and says so.
func (k *buildkit) withoutEpoch(s Solve, emit func(Event)) Solve {
	if s.Epoch != nil && k.engine.olderThan(epochs) {
		emit(Event{Kind: Notice, Text: fmt.Sprintf("SOURCE_DATE_EPOCH is ignored: Docker %s does not know it; update to Docker 23 for images without build times", k.engine.info.Version)})
		s.Epoch = nil
	}
	return s
}

// olderThan compares the first number of the engine's version. A development
// build has none and counts as new.
func (e *Engine) olderThan(major int) bool {
	first, _, _ := strings.Cut(e.info.Version, ".")
	n, err := strconv.Atoi(first)
	return err == nil && n < major
}
