package build

import (
	"time"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/progress"
)

// clock is when something began.
type clock struct{ at time.Time }

func now() clock { return clock{time.Now()} }

func (c clock) took() time.Duration { return time.Since(c.at) }

// watch turns what the engine tells of one platform's build into events for people.
func (p *Pipeline) watch(j job) func(engine.Event) {
	return func(e engine.Event) {
		switch e.Kind {
		case engine.Step:
			if !e.Internal || p.cfg.Verbose {
				p.opts.Show(step(j, e))
			}
		case engine.Log:
			p.opts.Show(progress.Output{Platform: j.name, ID: e.ID, Data: []byte(e.Text)})
		case engine.Progress:
			p.opts.Show(progress.Bytes{Platform: j.name, Name: e.Text, Current: e.Current, Total: e.Total, Done: !e.Completed.IsZero()})
		case engine.Notice:
			p.opts.Show(progress.Notice{Platform: j.name, Text: e.Text})
		}
	}
}

func step(j job, e engine.Event) progress.Step {
	s := progress.Step{Platform: j.name, ID: e.ID, Name: e.Name, File: j.solve.DockerfileName}
	switch {
	case e.Error != "":
		s.State, s.Error = progress.Failed, e.Error
	case e.Cached:
		s.State = progress.Cached
	case !e.Completed.IsZero():
		s.State = progress.Done
	}
	if !e.Started.IsZero() && !e.Completed.IsZero() {
		s.Took = e.Completed.Sub(e.Started)
	}
	return s
}

// Summary is the table of this run and the reference to pull.
func (p *Pipeline) Summary() progress.Summary {
	s := progress.Summary{Took: p.begun.took()}
	for _, r := range p.built {
		row := progress.Row{
			Platform: r.name,
			Verdict:  string(r.report.Verdict),
			Strategy: string(r.choice.Strategy),
			Size:     r.built.Size,
			Digest:   r.built.Config.String(),
			Time:     r.took + r.pushing,
		}
		if r.child.desc.Digest != "" {
			row.Digest, row.Size = r.child.desc.Digest.String(), r.child.size
		}
		if r.child.present {
			row.Note = "already there"
		}
		s.Rows = append(s.Rows, row)
	}
	if p.published != nil {
		s.Reference, s.Digest = p.cfg.ListRefs()[0], p.published.Digest.String()
	}
	return s
}
