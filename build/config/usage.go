package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ErrUsage is what every *UsageError is: wrong usage or configuration, exit code 2.
var ErrUsage = errors.New("wrong usage")

// UsageError is a knob that cannot be meant.
type UsageError struct {
	// Knob is its name, Text its value (empty where it must not be shown), Origin where it came from. That of a whole file is
	// its line: "manymage.yaml:2".
	Knob, Text, Origin string
	// Problem is what is wrong and what to do. With an Origin or a Text it goes on after the knob: "is no valid tag: ...".
	Problem string
	// Err is the cause, or nil.
	Err error
}

// Error is "KNOB=text (origin) problem", and of a whole file "file:line: problem".
func (e *UsageError) Error() string {
	subject := e.Knob
	if e.Text != "" {
		subject += "=" + shorten(withoutLogin(e.Text))
	}
	switch {
	case strings.HasPrefix(e.Origin, e.Knob+":"):
		return e.Origin + ": " + e.Problem
	case e.Origin != "":
		return fmt.Sprintf("%s (%s) %s", subject, e.Origin, e.Problem)
	case e.Text != "":
		return subject + " " + e.Problem
	}
	return subject + ": " + e.Problem
}

// Is makes every UsageError an ErrUsage.
func (e *UsageError) Is(target error) bool { return target == ErrUsage }

func (e *UsageError) Unwrap() error { return e.Err }

// longestText keeps a value readable inside a sentence.
const longestText = 200

// login is USER:PASSWORD@ before a host, where people put it who think of addresses, or what stands there in a web address: a token.
var login = regexp.MustCompile(`(https?://)[^/@\s]+@|[^/@\s=,]+:[^/@\s]+@([^/@\s]+/)`)

func withoutLogin(text string) string { return login.ReplaceAllString(text, "$1***@$2") }

// shorten quotes a value that would break the line, and cuts one that is too long.
func shorten(text string) string {
	if runes := []rune(text); len(runes) > longestText {
		text = string(runes[:longestText-3]) + "..."
	}
	for _, r := range text {
		if r < ' ' {
			return fmt.Sprintf("%q", text)
		}
	}
	return text
}
