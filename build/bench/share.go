package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/manymage/manymage/build/progress"
	"github.com/manymage/manymage/build/record"
)

// checked is how long the truth check and the relabelling took in the run that left its record in a folder: platforms are looked
// at at once, so the longest counts.
func checked(dir string) (time.Duration, error) {
	r, err := record.Read(filepath.Join(dir, record.Path))
	if err != nil {
		return 0, err
	}
	var longest float64
	for _, p := range r.Platforms {
		longest = max(longest, p.CheckSeconds)
	}
	return time.Duration(longest * float64(time.Second)), nil
}

// shares collects what a part takes of the whole.
type shares struct{ table progress.Table }

func (s *shares) add(name string, samples []sample) {
	m := median(samples)
	s.table.Add(name, progress.Duration(m.check), progress.Duration(m.took), fmt.Sprintf("%.1f %%", 100*m.check.Seconds()/m.took.Seconds()))
}

func (s *shares) print(title string) error {
	s.table.Header, s.table.Right = []string{"", "CHECK", "JOB", "SHARE"}, []int{1, 2, 3}
	fmt.Printf("\n%s\n", title)
	return s.table.Write(os.Stdout)
}
