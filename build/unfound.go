package build

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/manymage/manymage/build/dockerfile"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/platforms"
)

// unfound are the lines of Dockerfiles that name a path which a context has not, each once, in the words of the build. Where
// Options.Before is to run first, the path may come of it. What the base images have waiting in ONBUILD is looked at where the engine has
// them.
func (p *Pipeline) unfound(ctx context.Context, jobs []job) []error {
	if p.opts.Before != nil {
		return nil
	}
	var out []error
	for _, j := range jobs {
		j.how.OnBuild = p.waiting(ctx, j)
		for _, c := range j.copies() {
			why, cure := p.lacks(j, c)
			if why == "" {
				continue
			}
			err := &engine.StepError{Dockerfile: j.solve.DockerfileName, Line: c.Line, Step: c.Text, Says: why, Cure: cure, Err: fs.ErrNotExist}
			if !told(out, err) {
				out = append(out, err)
			}
		}
	}
	return out
}

// lacks says why a path of a context is not found, and nothing where it is. A named context that is an image has what it has.
func (p *Pipeline) lacks(j job, c dockerfile.Copy) (why, cure string) {
	switch {
	case len(c.Patterns) > 0:
		return p.context([]job{j}).LacksAll(c.Patterns, !j.how.Every)
	case c.From == "":
		return p.context([]job{j}).Lacks(c.Path)
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

// waiting are the ONBUILD instructions of the base images that the engine has for a job. BuildKit on a containerd store asks the registry
// in the first place, which may have others.
func (p *Pipeline) waiting(ctx context.Context, j job) map[string][]string {
	e := p.engines[j.node]
	if e == nil || e.Info().Road == engine.RoadBuildKit && e.Info().Store == engine.StoreContainerd {
		return nil
	}
	all := make(map[string][]string)
	for _, b := range j.bases {
		if kept, err := e.Inspect(ctx, b.Image); err == nil && platforms.Equal(kept.Platform, b.Platform) {
			all[b.Image] = kept.OnBuild
		}
	}
	return all
}
