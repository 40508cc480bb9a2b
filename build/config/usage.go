package config

import "errors"

// ErrUsage is what every *UsageError is: wrong usage or configuration, exit code 2.
var ErrUsage = errors.New("wrong usage")

// UsageError is a knob that cannot be meant.
type UsageError struct {
	// Knob is its name, Text its value (empty where it must not be shown), Origin where it came from.
	Knob, Text, Origin string
	// Problem is what is wrong and what to do, one sentence.
	Problem string
}

func (e *UsageError) Error() string { return e.Problem }

// Is makes every UsageError an ErrUsage.
func (e *UsageError) Is(target error) bool { return target == ErrUsage }
