package progress

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// draw writes a line per platform. A terminal with too few rows shows those at work first, then says how many are left out.
func (v *live) draw(b *strings.Builder, columns, rows int, now time.Time) {
	lanes := v.visible(rows - 2) // one row for "and more", one for the cursor
	for _, l := range lanes {
		v.line(b, l.platform, l.doing(), l.numbers(now), l.color(), columns)
	}
	if left := len(v.shown()) - len(lanes); left > 0 {
		v.line(b, "", fmt.Sprintf("and %d more", left), "", dim, columns)
	}
}

// visible chooses at most n lanes, in their order: those at work before those that have ended.
func (v *live) visible(n int) []*lane {
	lanes := v.shown()
	if len(lanes) <= n {
		return lanes
	}
	var out []*lane
	for _, ended := range []bool{false, true} {
		for _, l := range lanes {
			if l.ended == ended && len(out) < max(n, 1) {
				out = append(out, l)
			}
		}
	}
	return out
}

// shown are the lanes worth a line: that of the run as a whole is one only while something is under way.
func (v *live) shown() []*lane {
	return slices.DeleteFunc(slices.Clone(v.lanes), func(l *lane) bool {
		return l.platform == "" && len(l.running) == 0 && len(l.moving) == 0
	})
}

// line writes "PLATFORM  DOING ...  NUMBERS" on less than the width of the terminal, so that nothing is ever wrapped.
func (v *live) line(b *strings.Builder, platform, doing, numbers, color string, width int) {
	room := width - 1
	left := cut(Clean(pad(platform, v.names()))+gap, room)
	numbers = cut(numbers, room-columns(left))
	middle := cut(Clean(doing), room-columns(left)-columns(numbers)-len(gap))
	fill := spaces(room - columns(left) - columns(middle) - columns(numbers))
	if numbers == "" {
		fill = ""
	}
	v.drawn = append(v.drawn, columns(left)+columns(middle)+columns(fill)+columns(numbers))
	if color != "" {
		middle = v.paint(color, middle)
	}
	b.WriteString(left + middle + fill + numbers + "\n")
}

// doing says in words what a platform is at.
func (l *lane) doing() string {
	switch {
	case l.err == Cancelled:
		return Cancelled
	case l.err != "":
		return "failed"
	case l.outcome != "":
		return l.outcome
	case l.ended && l.verdict != "":
		return l.verdict
	case l.ended:
		return "done"
	case len(l.running) > 0:
		return strings.TrimPrefix(l.running[len(l.running)-1].Name, internal+" ")
	case len(l.moving) > 0:
		return l.moving[len(l.moving)-1].Name
	case l.verdict != "":
		return l.verdict
	case len(l.steps) > 0:
		return "working"
	case l.strategy != "":
		return "waiting (" + l.strategy + ")"
	}
	return "waiting"
}

// numbers are the bytes under way and the seconds of the step, or of the whole platform when it has ended.
func (l *lane) numbers(now time.Time) string {
	if l.ended {
		return Duration(l.took)
	}
	var parts []string
	for _, m := range l.moving {
		if m.Current > 0 {
			parts = append(parts, m.text())
		}
	}
	began := l.began
	if len(l.running) > 0 {
		began = l.running[len(l.running)-1].began
	}
	return strings.Join(append(parts, seconds(now.Sub(began))), gap)
}

// text is how far a transfer is.
func (m Bytes) text() string {
	if m.Total > 0 {
		return Size(m.Current) + " / " + Size(m.Total)
	}
	return Size(m.Current)
}

// seconds is a running time: the same form throughout, or the line would twitch.
func seconds(d time.Duration) string {
	if d < time.Second {
		return "0." + string(rune('0'+d/(100*time.Millisecond))) + " s"
	}
	return Duration(d)
}

func (l *lane) color() string {
	switch {
	case l.err != "":
		return red
	case l.ended:
		return green
	case len(l.running) == 0 && len(l.moving) == 0:
		return dim
	}
	return ""
}
