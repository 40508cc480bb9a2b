package engine

// newClassic is the road of engines without BuildKit.
func newClassic(e *Engine) road { return nil }
