package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/manymage/manymage/build/index"
	"github.com/manymage/manymage/build/lists"
	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/registry"
)

// annotationPrefix marks the image labels that also describe the list.
const annotationPrefix = "org.opencontainers.image."

// assemble makes the index over the pushed images, in the order of ARCHES.
func (p *Pipeline) assemble() (index.Index, []string, error) {
	entries := make([]index.Entry, 0, len(p.built))
	for _, r := range p.built {
		desc := r.child.desc
		platform := r.platform
		desc.Platform = &platform
		entries = append(entries, index.Entry{Descriptor: desc, Source: p.cfg.ChildRef(r.platform)})
	}
	return index.New(entries, index.Options{Annotations: p.annotations()})
}

// annotations of the index: the OCI labels that all images agree on, and the user's own.
func (p *Pipeline) annotations() map[string]string {
	common := maps.Clone(p.built[0].labels)
	maps.DeleteFunc(common, func(name, value string) bool {
		for _, r := range p.built {
			if other, ok := r.labels[name]; !ok || other != value {
				return true
			}
		}
		return !strings.HasPrefix(name, annotationPrefix)
	})
	for _, a := range p.cfg.Annotations {
		common[a.Name] = a.Value
	}
	return common
}

// publish puts the index and moves its tags, which is all done by lists.Publish: the guards are the same for everybody.
func (p *Pipeline) publish(ctx context.Context) error {
	ix, _, err := p.assemble() // that images of one engine make an OCI index is nothing to tell
	if err != nil {
		return err
	}
	client, err := p.Registry()
	if err != nil {
		return err
	}
	repo, err := reference.ParseNormalizedNamed(p.cfg.Image)
	if err != nil {
		return err
	}
	if text := p.unreleased(); text != "" {
		p.opts.Show(progress.Notice{Text: text})
	}
	published, err := lists.Publish(ctx, client, repo, p.cfg.Tags, ix, lists.PublishOptions{AllowDrop: p.cfg.AllowDrop, Series: p.cfg.StaysOf()})
	for _, n := range published.Warnings {
		p.opts.Show(progress.Warning{Text: n})
	}
	if err != nil {
		return refusedTag(err)
	}
	p.published = &published
	for _, t := range published.Tags {
		if t.Kept == "" {
			p.opts.Show(progress.Published{Reference: p.cfg.Image + ":" + t.Tag, Digest: published.Digest.String(), Unchanged: published.Unchanged})
		}
	}
	return nil
}

// unreleased tells which of TAGS are left out, as they are for releases alone.
func (p *Pipeline) unreleased() string { return p.cfg.LeftOut("VERSION=") }

// reference is what to pull of what was published: the first tag that names it, or its digest where newer releases keep them all.
func (p *Pipeline) reference() string {
	for _, t := range p.published.Tags {
		if t.Kept == "" {
			return p.cfg.Image + ":" + t.Tag
		}
	}
	return p.cfg.Image + "@" + p.published.Digest.String()
}

// refusedTag says the way out where a registry does not let a tag that is there be moved.
func refusedTag(err error) error {
	var tags *lists.TagsError
	if !errors.As(err, &tags) || !errors.Is(err, registry.ErrDenied) {
		return err
	}
	kept := func(t lists.TagMove) bool { return t.Error != "" && t.Previous != "" }
	if !slices.ContainsFunc(tags.Tags, kept) {
		return err
	}
	return fmt.Errorf("%w; choose another VERSION where tags are immutable", err)
}
