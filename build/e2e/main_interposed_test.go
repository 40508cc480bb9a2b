package e2e

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Interposed is the same engine behind a socket of its own, where something is done just before the first request with these words
// gets to it. A request's first line comes in one piece.
func (e *EngineUnderTest) Interposed(t *testing.T, words string, do func() error) *EngineUnderTest {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	once := sync.OnceFunc(func() {
		close(done)
		if err := do(); err != nil {
			t.Error(err)
		}
	})
	var open sync.WaitGroup
	open.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { e.pass(t, client, []byte(words), once) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
		select {
		case <-done:
		default:
			t.Errorf("no request has %s in it", words)
		}
	})
	return &EngineUnderTest{Kind: e.Kind, Host: "unix://" + socket}
}

// pass copies both ways; either end may close its half first.
func (e *EngineUnderTest) pass(t *testing.T, client net.Conn, words []byte, do func()) {
	defer client.Close()
	server, err := net.Dial("unix", strings.TrimPrefix(e.Host, "unix://"))
	if err != nil {
		t.Error(err)
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() { forward(watched{server, words, do}, client, server) })
	both.Go(func() { forward(client, server, client) })
	both.Wait()
}

func forward(to io.Writer, from io.Reader, end net.Conn) {
	_, _ = io.Copy(to, from)
	_ = end.(*net.UnixConn).CloseWrite()
}

// watched does something before it writes what has the words in it.
type watched struct {
	io.Writer
	words []byte
	do    func()
}

func (w watched) Write(p []byte) (int, error) {
	if bytes.Contains(p, w.words) {
		w.do()
	}
	return w.Writer.Write(p)
}
