package engine

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// counting is a connection that tells of each write before it passes it on.
type counting struct {
	net.Conn
	writes chan int
}

func (c counting) Write(p []byte) (int, error) {
	c.writes <- len(p)
	return c.Conn.Write(p)
}

func TestSmallWritesLeaveTogether(t *testing.T) {
	ours, theirs := net.Pipe()
	g := gather(counting{ours, make(chan int)})
	defer g.Close()
	writes := g.Conn.(counting).writes
	var want bytes.Buffer
	write := func(n int) {
		t.Helper()
		piece := bytes.Repeat([]byte{byte('a' + want.Len()%26)}, n)
		want.Write(piece)
		if took, err := g.Write(piece); took != n || err != nil {
			t.Fatal(took, err)
		}
	}
	write(3)
	if first := <-writes; first != 3 {
		t.Errorf("the first write took %d bytes to wait", first)
	}
	for range 100 { // nobody reads the first yet
		write(5)
	}
	got := make([]byte, want.Len())
	read := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(theirs, got)
		read <- err
	}()
	if second := <-writes; second != 500 {
		t.Errorf("the second write has %d bytes", second)
	}
	if err := <-read; err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWritersWaitForTheirTurnAndNoLonger(t *testing.T) {
	ours, theirs := net.Pipe()
	g := gather(ours)
	piece := make([]byte, gatherLimit)
	written := make(chan error, 1)
	go func() {
		for { // one is on its way, one waits, and the third has to
			if _, err := g.Write(piece); err != nil {
				written <- err
				return
			}
		}
	}()
	if _, err := io.ReadFull(theirs, make([]byte, 5*gatherLimit)); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if err := <-written; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestABrokenConnectionIsToldToTheNextWriter(t *testing.T) {
	ours, theirs := net.Pipe()
	g := gather(ours)
	theirs.Close()
	for {
		if _, err := g.Write([]byte("a")); err != nil {
			if !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("got %v", err)
			}
			return
		}
	}
}
