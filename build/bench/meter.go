package main

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
)

// meter is a proxy in front of the engine that counts bytes.
type meter struct {
	address  string
	listener net.Listener
	engine   *url.URL
	to, from atomic.Int64
	open     sync.WaitGroup
}

func newMeter(engine *url.URL, socket string) (*meter, error) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	m := &meter{address: "unix://" + socket, listener: l, engine: engine}
	m.open.Go(m.serve)
	return m, nil
}

func (m *meter) serve() {
	for {
		c, err := m.listener.Accept()
		if err != nil {
			return
		}
		m.open.Go(func() { m.pass(c) })
	}
}

// pass copies both ways; either end may close its half first, as hijacked connections do.
func (m *meter) pass(client net.Conn) {
	defer client.Close()
	engine, err := dial(m.engine)
	if err != nil {
		return
	}
	defer engine.Close()
	var both sync.WaitGroup
	both.Go(func() { halfClose(engine, client, &m.to) })
	both.Go(func() { halfClose(client, engine, &m.from) })
	both.Wait()
}

func halfClose(to, from net.Conn, count *atomic.Int64) {
	_, _ = io.Copy(&counted{to, count}, from)
	if c, ok := to.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

type counted struct {
	io.Writer
	n *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// take gives the bytes to and from the engine since the last time.
func (m *meter) take() (to, from int64) { return m.to.Swap(0), m.from.Swap(0) }

func (m *meter) close() error {
	err := m.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	m.open.Wait()
	return err
}
