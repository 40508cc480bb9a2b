package progress

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A log tells of a transfer that goes on for long, ever more rarely, and when one is over that took its time.
func TestALogTellsOfLongTransfers(t *testing.T) {
	var b strings.Builder
	synctest.Test(t, func(t *testing.T) {
		d := New(&b, Options{})
		time.Sleep(redrawEvery / 2)
		for second := range int64(75) {
			d.Send(Bytes{Platform: "linux/arm64", Name: "push", Current: second * 1_000_000, Total: 80_000_000})
			time.Sleep(time.Second)
		}
		d.Send(Bytes{Platform: "linux/arm64", Name: "push", Current: 80_000_000, Total: 80_000_000, Done: true})
		d.Send(Bytes{Platform: "linux/amd64", Name: "push", Current: 1_000, Total: 1_000, Done: true})
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	equal(t, b.String(), `
linux/arm64  push: 10 MB / 80 MB
linux/arm64  push: 30 MB / 80 MB
linux/arm64  push: 70 MB / 80 MB
linux/arm64  push: 80 MB in 1 m 15 s
`)
}

// A lane that was done with a build is at work again when the push begins: it shows neither the verdict nor the build's time.
func TestALaneBeginsAgain(t *testing.T) {
	onTerminal(t, 60, func(d *Display, v *terminal) {
		send(d, Started{"linux/arm64", "target"}, Verdict{"linux/arm64", "verified", ""})
		time.Sleep(time.Minute)
		send(d, Finished{Platform: "linux/arm64"}, Started{Platform: "linux/arm64"})
		settle()
		equal(t, v.String(), "linux/arm64  waiting                                  0.1 s\n")
		send(d, Bytes{Platform: "linux/arm64", Name: "push", Current: 30_000_000, Total: 90_000_000})
		settle()
		equal(t, v.String(), "linux/arm64  push                      30 MB / 90 MB  0.2 s\n")
		send(d, Bytes{Platform: "linux/arm64", Name: "push", Current: 90_000_000, Total: 90_000_000, Done: true}, Finished{Platform: "linux/arm64", Outcome: "pushed"})
		settle()
		equal(t, v.String(), "linux/arm64  pushed                                  200 ms\n")
	})
}

// The clock of a step that begins again begins again.
func TestAStepThatBeginsAgain(t *testing.T) {
	onTerminal(t, 60, func(d *Display, v *terminal) {
		step := Step{Platform: "linux/arm64", ID: "1", Name: "[internal] load build context"}
		over := step
		over.State = Done
		send(d, step, over)
		time.Sleep(time.Minute)
		send(d, step)
		settle()
		equal(t, v.String(), "linux/arm64  load build context                       0.1 s\n")
	})
}
