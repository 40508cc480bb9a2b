package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/record"
)

// Clean removes the per-platform tags of the last run from the engine, and the record of it. The registries, the embedded one
// included, keep what they have. It returns the references that were removed.
func (p *Pipeline) Clean(ctx context.Context) ([]string, error) {
	path := p.recordPath()
	last, err := record.Read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, record.ErrSchema) && !errors.Is(err, record.ErrDamaged) {
		return nil, err
	}
	refs := p.localRefs(last)
	if len(refs) == 0 {
		return nil, record.Remove(path)
	}
	e, err := p.imageStore(ctx, refs[0])
	if err != nil {
		return nil, err
	}
	if err := elsewhere(last, e.Info().Address); err != nil {
		return nil, err
	}
	var removed []string
	for _, ref := range refs {
		_, failed := e.Inspect(ctx, ref)
		if errors.Is(failed, engine.ErrNotFound) {
			continue
		}
		if failed == nil {
			failed = e.Remove(ctx, ref)
		}
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		removed = append(removed, ref)
	}
	if err != nil {
		return removed, err // the record stays, so that the rest can be cleaned later
	}
	return removed, record.Remove(path)
}

// elsewhere refuses to forget images that are in another engine.
func elsewhere(last record.Record, address string) error {
	for _, r := range last.Platforms {
		if r.Engine != "" && r.Engine != address {
			return fmt.Errorf("%s was built on the engine at %s, and this one is %s: set DOCKER_HOST=%s, or remove %s to forget it",
				r.Platform, r.Engine, address, r.Engine, record.Path)
		}
	}
	return nil
}

// localRefs are the names in the engine that the last run gave, and those that this configuration would give.
func (p *Pipeline) localRefs(last record.Record) []string {
	var refs []string
	for _, r := range last.Platforms {
		refs = append(refs, r.Local...)
	}
	if !p.cfg.Embedded {
		for _, platform := range p.cfg.Platforms {
			refs = append(refs, p.cfg.ChildRef(platform), p.cfg.Image+":"+p.cfg.LatestTag(platform))
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}
