// Package lines cuts what a program prints, which comes in portions of any size, into lines of bounded length.
//
//	portion, portion, ... --> Splitter --> line, line, ...
package lines

import "bytes"

// Longest bounds a line: what is longer is cut, so that a program which never ends one is seen at work and held in little memory.
const Longest = 8 << 10

// Splitter cuts portions into lines. The zero value is ready.
type Splitter struct{ rest []byte }

// Add gives the lines that p completes, without their line feeds. Each byte is looked at once.
func (s *Splitter) Add(p []byte) []string {
	var out []string
	for len(p) > 0 {
		part := p[:min(len(p), Longest+1-len(s.rest))] // with the line feed of a line that is just as long
		end := bytes.IndexByte(part, '\n')
		if end < 0 {
			s.rest, p = append(s.rest, part...), p[len(part):]
			if len(s.rest) > Longest {
				out = append(out, string(s.rest[:Longest]))
				s.rest = append(s.rest[:0], s.rest[Longest:]...)
			}
			continue
		}
		out = append(out, string(s.rest)+string(part[:end]))
		s.rest, p = s.rest[:0], p[end+1:]
	}
	return out
}

// End gives the last line, which nothing has completed, if there is one.
func (s *Splitter) End() []string {
	if len(s.rest) == 0 {
		return nil
	}
	line := string(s.rest)
	s.rest = nil
	return []string{line}
}
