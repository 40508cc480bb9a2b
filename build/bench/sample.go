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
	to, from int64         // bytes to and from the engine
	peak     int64         // bytes of memory of the biggest client process
	check    time.Duration // ours: how much of it the truth check and the relabelling took
}

// side does the work once. It tells the memory of each process that it runs.
type side func(ctx context.Context, peak func(int64)) error

// measure runs a side once.
func (b *bench) measure(ctx context.Context, do side) (sample, error) {
	var s sample
	b.meter.take()
	start := time.Now()
	err := do(ctx, func(n int64) { s.peak = max(s.peak, n) })
	s.took = time.Since(start)
	s.to, s.from = b.meter.take()
	return s, err
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

// median is taken of each quantity by itself.
func median(samples []sample) sample {
	return sample{
		took:  middle(samples, func(s sample) time.Duration { return s.took }),
		to:    middle(samples, func(s sample) int64 { return s.to }),
		from:  middle(samples, func(s sample) int64 { return s.from }),
		peak:  middle(samples, func(s sample) int64 { return s.peak }),
		check: middle(samples, func(s sample) time.Duration { return s.check }),
	}
}

func middle[T cmp.Ordered](samples []sample, of func(sample) T) T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
