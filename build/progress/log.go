package progress

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// log is the plain screen: it writes lines and never takes one back.
type log struct {
	board
	out      *sink
	github   bool
	folder   string // of the run, from the checkout on
	verbose  bool
	gathered map[string]*tail // on GitHub: what the steps of a platform printed, for its group
	told     map[string]bool  // annotations already made
	pending  []*step          // begun, and not worth a line yet
	repeated map[string]bool  // lines about steps that came already: BuildKit begins and ends some again and again
}

func newLog(out *sink, o Options) *log {
	return &log{out: out, github: o.GitHub, folder: o.Folder, verbose: o.Verbose,
		gathered: map[string]*tail{}, told: map[string]bool{}, repeated: map[string]bool{}}
}

// announceAfter is how long a step runs before a line says that it began: most steps are over by then, and have one line alone.
const announceAfter = time.Second

// tick tells of the steps and transfers that take their time.
func (g *log) tick(now time.Time) {
	g.announce(func(s *step) bool { return now.Sub(s.began) >= announceAfter })
	for _, l := range g.lanes {
		for _, s := range l.running {
			if s.pace.isDue(now) {
				g.goesOn(s, now)
			}
		}
		for _, t := range l.moving {
			if t.Current > 0 && t.pace.isDue(now) {
				g.say(l.platform, t.Name+": "+t.text())
			}
		}
	}
}

// goesOn tells that a step still runs, and what it printed last: nobody can tell a slow one from one that hangs otherwise.
func (g *log) goesOn(s *step, now time.Time) {
	g.say(s.Platform, s.Name+": "+Duration(now.Sub(s.began))+" so far")
	if lines := s.out.lines(); len(lines) > 0 && !g.verbose {
		g.say(s.Platform, mark+lines[len(lines)-1])
	}
}

// announce says of the due ones among the pending steps that they began, and forgets those that are over.
func (g *log) announce(due func(*step) bool) {
	g.pending = slices.DeleteFunc(g.pending, func(s *step) bool {
		if s.State != Running {
			return true
		}
		if !due(s) {
			return false
		}
		g.once(s, "", 0)
		return true
	})
}

func (g *log) clear() {} // a line stays where it is

func (g *log) show(e Event, now time.Time) {
	switch e := e.(type) {
	case Started:
		g.start(e, now)
		g.started(e)
	case Step:
		g.step(e, now)
	case Output:
		g.output(e, now)
	case Bytes:
		g.moved(g.transfer(e, now), now)
	case Finished:
		g.rest(g.lane(e.Platform, now))
		g.finished(g.finish(e, now))
	case Problem:
		g.annotate("error", e.Platform, e.File, e.Line, e.Text)
	case Warning:
		g.say(e.Platform, "warning: "+e.sentence())
		g.annotate("warning", e.Platform, e.File, e.Line, e.Text)
	case Summary:
		_ = e.Write(g.out)
	default:
		g.say(sentence(e))
	}
}

// sentence is what both screens say of an event that changes nothing on the board.
func sentence(e Event) (platform, text string) {
	switch e := e.(type) {
	case Verdict:
		if e.Detail == "" {
			return e.Platform, e.Verdict
		}
		return e.Platform, e.Verdict + ": " + e.Detail
	case Notice:
		return e.Platform, e.Text
	case Published:
		state := "published "
		if e.Unchanged {
			state = "unchanged "
		}
		return "", strings.TrimSpace(state + e.Reference + " " + e.Digest)
	}
	return "", ""
}

func (g *log) started(e Started) {
	if e.Strategy != "" {
		g.say(e.Platform, "build ("+e.Strategy+")")
	}
}

// say writes one line behind its platform.
func (g *log) say(platform, text string) {
	if text == "" {
		return
	}
	prefix := ""
	if platform != "" {
		prefix = pad(platform, g.names()) + gap
	}
	fmt.Fprintf(g.out, "%s\n", Clean(prefix+text))
}

// internal is how BuildKit names the steps that no line of the Dockerfile asks for: noise in a log, unless they fail.
const internal = "[internal]"

func (g *log) step(e Step, now time.Time) {
	s, news := g.apply(e, now)
	if !news || !g.verbose && e.State != Failed && strings.HasPrefix(s.Name, internal) {
		return
	}
	if e.State == Running {
		g.pending = append(g.pending, s)
		return
	}
	g.pipe(s, s.lines.End())
	switch e.State {
	case Cached:
		g.once(s, ": cached", 0)
	case Done:
		g.once(s, ": "+Duration(s.Took), s.Took)
	case Failed:
		g.say(e.Platform, s.Name+": failed after "+Duration(s.Took))
	}
}

// once tells that a step has begun (no state) or is over, and not again if it was told before and it took no time worth a line.
func (g *log) once(s *step, state string, took time.Duration) {
	key := fmt.Sprintf("%s\x00%s\x00%t", s.Platform, s.Name, state == "")
	if g.repeated[key] && took < announceAfter && !g.verbose {
		return
	}
	g.repeated[key] = true
	g.say(s.Platform, s.Name+state)
}

func (g *log) output(e Output, now time.Time) {
	s := g.lane(e.Platform, now).step(e.ID, "", now)
	s.out.write(e.Data)
	if g.github {
		g.gather(e)
	}
	if !g.verbose {
		return
	}
	g.announce(func(p *step) bool { return p == s })
	g.pipe(s, s.lines.Add(e.Data))
}

// rest writes what the steps that are cut off have printed of a line.
func (g *log) rest(l *lane) {
	for _, s := range l.running {
		g.pipe(s, s.lines.End())
	}
}

// moved tells of a transfer that is over. One of a platform that took no time worth a line has none.
func (g *log) moved(t *transfer, now time.Time) {
	took := now.Sub(t.began)
	switch {
	case !t.Done || t.Current == 0:
	case took >= announceAfter:
		g.say(t.Platform, t.Name+": "+Size(t.Current)+" in "+Duration(took))
	case t.Platform == "" || g.verbose:
		g.say(t.Platform, t.Name+": "+Size(t.Current))
	}
}

// pipe writes lines of output, marked as such: no line of foreign text begins a line of the log.
func (g *log) pipe(s *step, lines []string) {
	for _, line := range lines {
		g.say(s.Platform, mark+printed([]byte(line)))
	}
}

// mark stands before every line that a step printed.
const mark = "| "

func (g *log) finished(l *lane) {
	g.group(l.platform)
	switch {
	case l.err == "" && l.outcome != "":
		g.say(l.platform, l.outcome+", "+Duration(l.took))
	case l.err == "":
		g.say(l.platform, "done in "+Duration(l.took))
	case l.err == Cancelled:
		g.say(l.platform, Cancelled+" after "+Duration(l.took))
	default:
		g.say(l.platform, "failed after "+Duration(l.took))
	}
}

// close writes what failed steps printed, so that it stands right before the error that ends the run.
func (g *log) close(time.Time) {
	for _, l := range g.lanes {
		g.rest(l)
		if !l.ended {
			g.group(l.platform)
		}
	}
	for _, s := range g.failures() {
		writeFailure(g.out, s)
	}
}

// writeFailure shows a failed step: its platform, its name, its place, its error, and the end of its output.
func writeFailure(out *sink, s step) {
	head := strings.TrimSpace(s.Platform + gap + strings.TrimPrefix(s.Name, internal+" "))
	if s.File != "" && s.Line > 0 {
		head += fmt.Sprintf(" (%s:%d)", s.File, s.Line)
	}
	fmt.Fprintf(out, "\n%s\n", Clean(head))
	for _, line := range s.out.lines() {
		fmt.Fprintf(out, "%s%s%s\n", gap, mark, line)
	}
	if s.Error != "" {
		fmt.Fprintf(out, "%s%s\n", gap, Clean(s.Error))
	}
}
