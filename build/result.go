package build

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/manymage/manymage/build/record"
)

// record writes down how far the run has come.
func (p *Pipeline) record() error {
	r := record.Record{
		Tool:     p.opts.Tool,
		Image:    p.cfg.Image,
		Version:  p.cfg.Version,
		Revision: p.opts.Git.Revision,
		Source:   p.opts.Git.Source,
		Step:     record.Built,
		Started:  p.begun.at.UTC(),
		Finished: time.Now().UTC(),
	}
	for _, b := range p.built {
		r.Platforms = append(r.Platforms, p.recorded(b))
	}
	if !slices.ContainsFunc(p.built, func(b result) bool { return b.child.desc.Digest == "" }) {
		r.Step = record.Pushed
	}
	if p.published != nil {
		r.Step = record.Published
		r.Index = &record.Index{Digest: p.published.Digest.String(), MediaType: p.published.MediaType, Size: p.published.Size}
		for _, t := range p.published.Tags {
			r.Tags = append(r.Tags, record.Tag{Ref: p.cfg.Image + ":" + t.Tag, Previous: t.Previous.String(), Moved: t.Moved, Kept: t.Kept})
		}
	}
	if p.served != nil {
		r.Registry = &record.Registry{Address: p.served.Address, Data: registryDir}
	}
	return record.Write(p.recordPath(), r)
}

func (p *Pipeline) recordPath() string {
	return filepath.Join(p.cfg.Dir, filepath.FromSlash(record.Path))
}

func (p *Pipeline) recorded(b result) record.Platform {
	return record.Platform{
		Platform:   b.name,
		Ref:        p.cfg.ChildRef(b.platform),
		Local:      b.solve.Tags,
		ID:         b.built.ID,
		Config:     b.built.Config.String(),
		Digest:     b.child.desc.Digest.String(),
		Size:       b.child.size,
		Verdict:    string(b.report.Verdict),
		Notes:      b.report.Notes,
		Strategy:   string(b.choice.Strategy),
		Engine:     p.engines[b.node].Info().Address,
		Relabelled: b.was,
		Scanned:    b.scanned,
		Refused:    b.refused,
		Pushed:     b.child.desc.Digest != "" && !b.child.present,
		Seconds:    (b.took + b.pushing).Round(time.Millisecond).Seconds(),

		CheckSeconds: b.judging.Round(time.Microsecond).Seconds(),
	}
}
