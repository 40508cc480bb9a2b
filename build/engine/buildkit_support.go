package engine

import (
	"fmt"
)

// epochs is the first Docker that knows SOURCE_DATE_EPOCH; older ones take it
// for a build argument that nobody uses.
const epochs = 23

// withoutEpoch takes the epoch away where the engine would ignore it, and says so.
func (k *buildkit) withoutEpoch(s Solve, emit func(Event)) Solve {
	if s.Epoch != nil && k.engine.olderThan(epochs) {
		emit(Notice{fmt.Sprintf("SOURCE_DATE_EPOCH is ignored: Docker %s does not know it; update to Docker 23 for images without build times", k.engine.info.Version)})
		s.Epoch = nil
	}
	return s
}

func (e *Engine) olderThan(major int) bool { return e.info.olderThan(major) }

// olderThan compares the first number of the engine's version. A development
// build has none and counts as new.
func (i Info) olderThan(major int) bool {
	return i.before(major, 0)
}
