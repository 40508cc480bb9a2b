package build

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/manymage/manymage/build/dockerfile"
	"github.com/manymage/manymage/build/engine"
)

// unfound are the lines of Dockerfiles that name a path which a context has not, each once, in the words of the build. Where
// Options.Before is to run first, the path may come of it.
func (p *Pipeline) unfound(jobs []job) []error {
	if p.opts.Before != nil {
		return nil
	}
	var out []error
	told := make(map[string]bool)
	for _, j := range jobs {
		for _, c := range j.copies() {
			why, cure := p.lacks(j, c)
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

// lacks says why a path of a context is not found, and nothing where it is. A named context that is an image has what it has.
func (p *Pipeline) lacks(j job, c dockerfile.Copy) (why, cure string) {
	if c.From == "" {
		return p.context(j.path).Lacks(c.Path)
	}
	for _, n := range p.cfg.Contexts {
		if info, err := os.Stat(n.Value); n.Name != c.From || err != nil || !info.IsDir() {
			continue
		}
		why, cure = engine.Context{Dir: n.Value, Excludes: p.own(n.Value)}.Lacks(c.Path)
		if _, err := os.Lstat(filepath.Join(n.Value, filepath.FromSlash(c.Path))); why != "" && err != nil {
			return c.From + " has no /" + c.Path, "correct the path, which begins in " + n.Value
		}
		return why, cure
	}
	return "", ""
}
