package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/record"
)

// Clean removes the per-platform tags of the last run from its engines, and the record of it. The registries, the embedded one
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
	engines, err := p.stores(ctx, refs[0])
	if err != nil {
		return nil, err
	}
	if err := elsewhere(last, engines); err != nil {
		return nil, err
	}
	var removed []string
	for _, e := range engines {
		for _, ref := range refs {
			gone, failed := remove(ctx, e, ref)
			if gone {
				removed = append(removed, ref)
			}
			err = errors.Join(err, failed)
		}
	}
	if err != nil {
		return removed, err // the record stays, so that the rest can be cleaned later
	}
	return removed, record.Remove(path)
}

// stores are the engines that images of this configuration are in.
func (p *Pipeline) stores(ctx context.Context, tag string) ([]*engine.Engine, error) {
	nodes := p.nodesOf(p.cfg.Platforms)
	if err := errors.Join(p.openNodes(ctx, named(nodes))...); err != nil {
		return nil, err
	}
	var all []*engine.Engine
	for _, node := range named(nodes) {
		all = append(all, p.engines[node])
	}
	if !slices.Contains(nodes, "") {
		return all, nil
	}
	own, err := p.imageStore(ctx, tag)
	return append(all, own), err
}

// remove takes a tag away, and tells whether it was there.
func remove(ctx context.Context, e *engine.Engine, ref string) (bool, error) {
	_, err := e.Inspect(ctx, ref)
	if err == nil {
		err = e.Remove(ctx, ref)
	}
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// elsewhere refuses to forget images that are in another engine.
func elsewhere(last record.Record, engines []*engine.Engine) error {
	for _, r := range last.Platforms {
		there := func(e *engine.Engine) bool { return e.Info().Address == r.Engine }
		if r.Engine != "" && !slices.ContainsFunc(engines, there) {
			return fmt.Errorf("%s was built on the engine at %s, which is none of this run: set %s, or remove %s to forget it",
				r.Platform, r.Engine, whereabouts(last), record.Path)
		}
	}
	return nil
}

// whereabouts is the knob that leads to the engines of a run.
func whereabouts(last record.Record) string {
	one := true
	var nodes []string
	for _, r := range last.Platforms {
		one = one && r.Engine == last.Platforms[0].Engine
		nodes = append(nodes, r.Platform+"="+r.Engine)
	}
	if one {
		return "DOCKER_HOST=" + last.Platforms[0].Engine
	}
	return fmt.Sprintf("NODES=%q", strings.Join(nodes, " "))
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
