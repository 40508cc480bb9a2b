package build

import (
	"strings"
	"time"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/progress"
)

// clock is when something began.
type clock struct{ at time.Time }

func now() clock { return clock{time.Now()} }

func (c clock) took() time.Duration { return time.Since(c.at) }

// watch turns what the engine tells of one platform into events for people.
func (p *Pipeline) watch(j job) func(engine.Event) {
	return func(e engine.Event) {
		if shown := shown(j, e); shown != nil {
			p.opts.Show(shown)
		}
	}
}

// shown is what people see of an engine's event; nil: nothing, or not now.
func shown(j job, e engine.Event) progress.Event {
	switch e := e.(type) {
	case engine.Step:
		return progress.Step{Platform: j.name, ID: e.ID, Name: e.Name, State: states[e.State], Error: e.Error, File: j.solve.DockerfileName, Line: e.Line, Took: e.Took}
	case engine.Output:
		return progress.Output{Platform: j.name, ID: e.Step, Data: []byte(e.Text)}
	case engine.Bytes:
		return progress.Bytes{Platform: j.name, Name: e.Name, Current: e.Current, Total: e.Total, Done: e.Done}
	case engine.Notice:
		return progress.Notice{Platform: j.name, Text: e.Text}
	}
	return nil
}

// states are the engine's in the words of the display.
var states = [...]progress.State{
	engine.Running:  progress.Running,
	engine.Done:     progress.Done,
	engine.Cached:   progress.Cached,
	engine.Failed:   progress.Failed,
	engine.Canceled: progress.Canceled,
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
		row.Note = r.note()
		s.Rows = append(s.Rows, row)
	}
	if p.published != nil {
		s.Reference, s.Digest = p.reference(), p.published.Digest.String()
	}
	return s
}

// note is what else is to say of an image.
func (r result) note() string {
	var notes []string
	if r.child.present {
		notes = append(notes, "already there")
	}
	if r.scanned {
		notes = append(notes, "scanned")
	}
	return strings.Join(notes, ", ")
}
