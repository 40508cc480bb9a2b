package dockerfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// flag is what the rewrite inserts. BuildKit fills the variable in; it stands for the engine's platform.
const flag = " --platform=$BUILDPLATFORM"

// Cross is the copy of the file in which exactly the compiling roots got --platform=$BUILDPLATFORM; every other byte is as it was.
// A root that is needed for both platforms is an *Error that says why.
func (f *File) Cross(o Options) (Rewrite, error) {
	g, err := f.graph(f.complete(o))
	if err != nil {
		return Rewrite{}, err
	}
	pins, err := g.crossPins()
	if err != nil {
		return Rewrite{}, err
	}
	return f.pin(pins)
}

// pin inserts the flags from the last to the first, so that the places above stay where they are.
func (f *File) pin(pins map[int]bool) (Rewrite, error) {
	out := Rewrite{Source: bytes.Clone(f.src)}
	for _, s := range slices.Backward(f.stages) {
		if !pins[s.index] {
			continue
		}
		at, err := f.afterFrom(s.line)
		if err != nil {
			return Rewrite{}, err
		}
		out.Source = slices.Insert(out.Source, at, []byte(flag)...)
		out.Pins = append(out.Pins, Pin{Line: s.line, Image: s.base, Stage: s.label()})
	}
	slices.Reverse(out.Pins)
	return out, f.sameBut(out.Source, pins)
}

// afterFrom is the offset behind the FROM token of the line, counted from 1.
func (f *File) afterFrom(line int) (int, error) {
	start := 0
	for range line - 1 {
		start += bytes.IndexByte(f.src[start:], '\n') + 1
	}
	if line == 1 {
		start = len(f.src) - len(bytes.TrimPrefix(f.src, []byte("\xEF\xBB\xBF")))
	}
	text := bytes.TrimLeftFunc(f.src[start:], unicode.IsSpace)
	end := len(f.src) - len(text) + len("FROM")
	if len(text) < len("FROM") || !strings.EqualFold(string(text[:len("FROM")]), "FROM") {
		return 0, f.fault(line, "the word FROM is split over lines: write it in one, or use STRATEGY=target")
	}
	return end, nil
}

// sameBut reads the rewritten file again: the same stages must come out, and the flag where it was meant to be.
func (f *File) sameBut(rewritten []byte, pins map[int]bool) error {
	again, err := Read(rewritten, f.name)
	if err != nil {
		return fmt.Errorf("the cross-building copy cannot be read, use STRATEGY=target: %w", err)
	}
	same := slices.EqualFunc(f.stages, again.stages, func(a, b stage) bool {
		if pins[a.index] {
			a.platform = strings.TrimPrefix(flag, " --platform=")
		}
		return a.name == b.name && a.base == b.base && a.platform == b.platform && a.line == b.line && len(a.body) == len(b.body)
	})
	if !same {
		return f.fault(0, "the cross-building copy would mean something else: use STRATEGY=target")
	}
	return nil
}
