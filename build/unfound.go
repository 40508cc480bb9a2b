package build

import (
	"io/fs"

	"github.com/manymage/manymage/build/engine"
)

// unfound are the lines of Dockerfiles that name a path which the context has not, each once, in the words of the build. Where
// Options.Before is to run first, the path may come of it.
func (p *Pipeline) unfound(jobs []job) []error {
	if p.opts.Before != nil {
		return nil
	}
	var out []error
	told := make(map[string]bool)
	for _, j := range jobs {
		context := p.context(j.path)
		for _, c := range j.copies() {
			why, cure := context.Lacks(c.Path)
			if why == "" {
				continue
			}
			err := &engine.StepError{Dockerfile: j.solve.DockerfileName, Line: c.Line, Step: c.Text, Says: why, Cure: cure, Err: fs.ErrNotExist}
			if text := err.Error(); !told[text] {
				told[text] = true
				out = append(out, err)
			}
		}
	}
	return out
}
