package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/manymage/manymage/build/progress"
)

// sample is one measured run of one side.
type sample struct {
	took     time.Duration
	metered  bool          // the bytes were counted, which takes time
	to, from int64         // bytes to and from the engine
	peak     int64         // bytes of memory of the biggest client process
	check    time.Duration // ours: how much of it the truth check and the relabelling took
}

// side does the work once. It tells the memory of each process that it runs.
type side func(ctx context.Context, peak func(int64)) error

// measure runs a side once.
func (b *bench) measure(ctx context.Context, do side) (sample, error) {
	s := sample{metered: b.metered}
	b.settle(ctx)
	b.meter.take()
	start := time.Now()
	err := do(ctx, func(n int64) { s.peak = max(s.peak, n) })
	s.took = time.Since(start)
	s.to, s.from = b.meter.take()
	return s, err
}

// settle has the disk take what was written before, so that nobody's time holds what the other side or the making of the images
// left to be written: after the macro at 900 MB that is seconds.
func (b *bench) settle(ctx context.Context) {
	_ = b.command(ctx, "sync").run() // where there is none the pair is as fair as it was
}

// pairs has both sides do the same in turn, straight to the engine, and once more through the meter: a process more on the way of all
// that they send is a tenth of what is over soon.
func (b *bench) pairs(ctx context.Context, do func(round int) error) error {
	defer func() { b.metered = false }()
	for round := range b.rounds + 1 {
		b.metered = round == b.rounds
		if err := do(round); err != nil {
			return err
		}
		b.forget(ctx)
	}
	return nil
}

// contest collects pairs of samples under a name.
type contest struct {
	table progress.Table
	title string
}

func newContest(title string) *contest {
	return &contest{title: title, table: progress.Table{
		Header: []string{"", "THEIRS", "OURS", "RATIO", "SENT", "SENT", "READ", "READ", "MEMORY", "MEMORY"},
		Right:  []int{1, 2, 3, 4, 5, 6, 7, 8, 9},
	}}
}

// add reports the medians of both sides, and the ratio of the times: below 1 ours is quicker.
func (c *contest) add(name string, theirs, ours []sample) {
	t, o := median(theirs), median(ours)
	c.table.Add(name, progress.Duration(t.took), progress.Duration(o.took), fmt.Sprintf("%.2f", o.took.Seconds()/t.took.Seconds()),
		progress.Size(t.to), progress.Size(o.to), progress.Size(t.from), progress.Size(o.from), progress.Size(t.peak), progress.Size(o.peak))
}

func (c *contest) print() error {
	if len(c.table.Rows) == 0 {
		return nil
	}
	fmt.Printf("\n%s (theirs, ours; ratio of ours to theirs)\n", c.title)
	return c.table.Write(os.Stdout)
}

// median is taken of each quantity by itself: of times where nothing was counted, and of bytes where it was.
func median(samples []sample) sample {
	counted := slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return !s.metered })
	timed := slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return s.metered })
	return sample{
		took:  middle(timed, func(s sample) time.Duration { return s.took }),
		check: middle(timed, func(s sample) time.Duration { return s.check }),
		to:    middle(counted, func(s sample) int64 { return s.to }),
		from:  middle(counted, func(s sample) int64 { return s.from }),
		peak:  middle(samples, func(s sample) int64 { return s.peak }),
	}
}

// middle is the median; of nothing it is zero.
func middle[T cmp.Ordered](samples []sample, of func(sample) T) (none T) {
	if len(samples) == 0 {
		return none
	}
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
