package progress

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// terminal understands what live writes, and shows what a user would see.
type terminal struct {
	mu      sync.Mutex
	columns int
	lines   [][]rune
	row     int
	writes  int
}

func (v *terminal) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.writes++
	for rest := string(p); rest != ""; {
		rest = v.take(rest)
	}
	return len(p), nil
}

func (v *terminal) take(s string) string {
	switch {
	case strings.HasPrefix(s, "\x1b["):
		end := strings.IndexAny(s, "AJm")
		n, _ := strconv.Atoi(s[2:end])
		switch s[end] {
		case 'A':
			v.row -= n
		case 'J':
			v.lines = v.lines[:v.row]
		}
		return s[end+1:]
	case s[0] == '\n':
		v.at()
		v.row++
		return s[1:]
	case s[0] == '\r':
		return s[1:]
	}
	end := strings.IndexAny(s, "\x1b\n\r")
	if end < 0 {
		end = len(s)
	}
	for _, r := range s[:end] {
		if len(v.lines) > v.row && len(v.lines[v.row]) >= v.columns {
			v.row++
		}
		v.at()
		v.lines[v.row] = append(v.lines[v.row], r)
	}
	return s[end:]
}

func (v *terminal) at() {
	for len(v.lines) <= v.row {
		v.lines = append(v.lines, nil)
	}
}

func (v *terminal) String() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var b strings.Builder
	for _, line := range v.lines {
		b.WriteString(strings.TrimRight(string(line), " ") + "\n")
	}
	return b.String()
}

func (v *terminal) size() (int, int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.columns, 24
}

func (v *terminal) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.writes
}

// onTerminal runs f with a display on a terminal, inside a bubble where time is fake.
func onTerminal(t *testing.T, columns int, f func(d *Display, v *terminal)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := &terminal{columns: columns}
		d := New(v, Options{TTY: true, Size: v.size})
		f(d, v)
		_ = d.Close()
	})
}

func send(d *Display, events ...Event) {
	for _, e := range events {
		d.Send(e)
	}
}

// settle lets the time of one drawing pass.
func settle() { time.Sleep(redrawEvery); synctest.Wait() }

func TestLiveLines(t *testing.T) {
	onTerminal(t, 60, func(d *Display, v *terminal) {
		send(d,
			Started{"linux/amd64", "target"},
			Started{"linux/arm64", "cross"},
			Started{"linux/arm/v7", "cross"},
			Step{Platform: "linux/amd64", ID: "1", Name: "[build 2/2] RUN go build -o /a/very/long/name ./cmd/app"},
			Bytes{Platform: "linux/arm64", Name: "push", Current: 31_000_000, Total: 107_000_000},
			Bytes{Name: "context", Current: 53_000_000})
		time.Sleep(3 * time.Second)
		settle()
		equal(t, v.String(), `
linux/amd64   [build 2/2] RUN go build -o /a/very/l…  3.1 s
linux/arm64   push                    31 MB / 107 MB  3.1 s
linux/arm/v7  waiting (cross)                         3.1 s
              context                          53 MB  3.1 s
`)
		send(d,
			Bytes{Name: "context", Done: true},
			Step{Platform: "linux/amd64", ID: "1", State: Done},
			Verdict{"linux/amd64", "verified", ""},
			Notice{"linux/arm64", "layer is mounted"},
			Finished{Platform: "linux/amd64", Error: ""}, Finished{Platform: "linux/arm64", Error: "refused"})
		settle()
		equal(t, v.String(), `
linux/arm64   layer is mounted
linux/amd64   verified                                3.1 s
linux/arm64   failed                                  3.1 s
linux/arm/v7  waiting (cross)                         3.2 s
`)
		send(d, aSummary)
		_ = d.Close()
		if got := v.String(); !strings.HasPrefix(got, "linux/arm64   layer is mounted\nPLATFORM") || !strings.HasSuffix(got, "\n127.0.0.1:5000/me/app:1.2\n") {
			t.Error(got)
		}
	})
}

func TestAFailureLeavesItsOutputAndNoLiveLine(t *testing.T) {
	onTerminal(t, 80, func(d *Display, v *terminal) {
		for _, e := range aFailure {
			d.Send(e)
			settle()
		}
		_ = d.Close()
		equal(t, v.String(), `

linux/arm64  RUN make (sub/Dockerfile:7)
  | main.c:3: oops
  | \::error::mine
  | end
  exit code: 2
`)
	})
}

func TestClosingInTheMiddleLeavesTheTerminalInOrder(t *testing.T) {
	onTerminal(t, 80, func(d *Display, v *terminal) {
		send(d, aRun[:8]...)
		settle()
		_ = d.Close()
		equal(t, v.String(), "")
	})
}

func TestDrawingIsBounded(t *testing.T) {
	onTerminal(t, 80, func(d *Display, v *terminal) {
		for range 1000 {
			send(d, aRun[:12]...)
		}
		settle()
		if n := v.count(); n > 1 {
			t.Errorf("%d writes in one period", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := v.count(); n > 12 {
			t.Errorf("%d writes in a second", n)
		}
	})
}

func TestNothingIsDrawnWhereNothingHappens(t *testing.T) {
	onTerminal(t, 80, func(d *Display, v *terminal) {
		time.Sleep(time.Second)
		synctest.Wait()
		if n := v.count(); n != 0 {
			t.Errorf("%d writes", n)
		}
	})
}

func TestANarrowedTerminalIsErasedWhole(t *testing.T) {
	onTerminal(t, 60, func(d *Display, v *terminal) {
		send(d, Notice{"", "stays"}, aRun[0], aRun[1], Step{Platform: "linux/amd64", ID: "1", Name: strings.Repeat("long ", 20)})
		settle()
		v.narrow(35)
		settle()
		equal(t, v.String(), `
stays
linux/amd64   long long lo…  0.2 s
linux/arm/v7  waiting (cro…  0.2 s
`)
	})
}

// narrow makes the terminal narrower and wraps its lines again, as terminals do.
func (v *terminal) narrow(columns int) {
	v.mu.Lock()
	old := v.lines
	v.columns, v.lines, v.row = columns, nil, 0
	v.mu.Unlock()
	for _, line := range old {
		_, _ = v.Write([]byte(string(line) + "\n"))
	}
}

func TestMorePlatformsThanRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &terminal{columns: 80}
		d := New(v, Options{TTY: true, Size: func() (int, int) { return 60, 5 }})
		send(d, Started{"linux/a", ""}, Started{"linux/b", ""}, Started{"linux/c", ""}, Started{"linux/d", ""}, Finished{Platform: "linux/a", Error: ""})
		settle()
		equal(t, v.String(), `
linux/b  waiting                                      0.1 s
linux/c  waiting                                      0.1 s
linux/d  waiting                                      0.1 s
         and 1 more
`)
		_ = d.Close()
	})
}

func TestColoursOnlyWhenWanted(t *testing.T) {
	for _, plain := range []bool{true, false} {
		var b bytes.Buffer
		synctest.Test(t, func(t *testing.T) {
			d := New(&b, Options{TTY: true, NoColor: plain})
			send(d, Started{"linux/amd64", ""}, Finished{Platform: "linux/amd64", Error: ""})
			settle()
			_ = d.Close()
		})
		if strings.Contains(b.String(), green) == plain {
			t.Errorf("NoColor %v: %q", plain, b.String())
		}
	}
}

func TestVerboseTerminalKeepsTheOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &terminal{columns: 80}
		d := New(v, Options{TTY: true, Size: v.size, Verbose: true})
		send(d, aRun[6:12]...)
		_ = d.Close()
		equal(t, v.String(), "linux/arm/v7  | go: downloading x\nlinux/arm/v7  | go: done\n")
	})
}

// What is flushed leaves the terminal to others until there is news, which Close does not end.
func TestAFlushedTerminalIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &terminal{columns: 80}
		d := New(v, Options{TTY: true})
		d.Send(Started{Platform: "linux/amd64"})
		time.Sleep(2 * redrawEvery)
		if err := d.Flush(); err != nil || len(v.lines) != 0 {
			t.Errorf("%q is left: %v", v.lines, err)
		}
		before := v.writes
		time.Sleep(5 * redrawEvery)
		if v.writes != before {
			t.Error("it is drawn again without news")
		}
		d.Send(Notice{Text: "news"})
		if err := d.Close(); err != nil || len(v.lines) != 1 || string(v.lines[0]) != "news" {
			t.Errorf("%q: %v", v.lines, err)
		}
	})
}
