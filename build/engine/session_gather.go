package engine

import (
	"net"
	"sync"
)

// gathering is a connection whose small writes leave together: what is written
// while others are on their way waits, and goes next in one piece. The session's
// server writes the entry of each file by itself, and an application with its
// packages has fifty thousand.
type gathering struct {
	net.Conn

	mu      sync.Mutex
	changed sync.Cond // what follows did
	waiting []byte
	ended   error // why nothing is written any more
}

// gatherLimit is how many bytes may wait before whoever writes has to.
const gatherLimit = 256 << 10

func gather(conn net.Conn) *gathering {
	g := &gathering{Conn: conn}
	g.changed.L = &g.mu
	go g.pass()
	return g
}

// Write is done when p waits. What goes wrong on the way is the error of the next one.
func (g *gathering) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) >= gatherLimit && g.ended == nil {
		g.changed.Wait()
	}
	if g.ended != nil {
		return 0, g.ended
	}
	g.waiting = append(g.waiting, p...)
	g.changed.Broadcast()
	return len(p), nil
}

// pass writes what waits until the connection has ended.
func (g *gathering) pass() {
	var spare []byte
	for {
		piece := g.next(spare)
		if piece == nil {
			return
		}
		if _, err := g.Conn.Write(piece); err != nil {
			g.end(err)
		}
		spare = piece[:0]
	}
}

// next takes all that waits, once there is something; nil: the connection has ended.
func (g *gathering) next(spare []byte) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) == 0 && g.ended == nil {
		g.changed.Wait()
	}
	if g.ended != nil {
		return nil
	}
	piece := g.waiting
	g.waiting = spare
	g.changed.Broadcast()
	return piece
}

func (g *gathering) end(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended == nil {
		g.ended = err
	}
	g.changed.Broadcast()
}

// Close drops what still waits: the engine has ended its side by then, or is to be cut off.
func (g *gathering) Close() error {
	g.end(net.ErrClosed)
	return g.Conn.Close()
}
