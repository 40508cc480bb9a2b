package tree

import (
	"errors"
	"fmt"
	"io"
)

// Text reads the begin of a script, most bytes at most, once: other scripts may start or read it again and again.
func (t *Tree) Text(real string, size, most int64) (string, error) {
	return once(t, &t.scripts, real, func() (string, error) { return t.Begin(real, size, most) })
}

// Begin reads a file, or no more than most bytes of it.
func (t *Tree) Begin(real string, size, most int64) (string, error) {
	defer t.ask()()
	s, err := open(t.root, real, size, nil)
	if err != nil {
		return "", err
	}
	defer s.close()
	b := make([]byte, min(size, most))
	n, err := s.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading %s in the image: %w", real, err)
	}
	return string(b[:n]), nil
}
