package git

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ErrEpoch is a SOURCE_DATE_EPOCH that is no count of seconds.
var ErrEpoch = errors.New("not a count of seconds since 1970")

// lastSecond is the end of the year 9999, after which RFC 3339 has no form for a time.
const lastSecond = 253402300799

// Epoch is SOURCE_DATE_EPOCH in UTC, nil where it is not set, https://reproducible-builds.org/specs/source-date-epoch/.
// The error is an ErrEpoch.
func Epoch(getenv func(string) string) (*time.Time, error) {
	text := getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > lastSecond {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH=%s is %w: set it to what `git log -1 --format=%%ct` prints, or unset it", text, ErrEpoch)
	}
	t := time.Unix(n, 0).UTC()
	return &t, nil
}
