package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"
)

// identity is the header by which a registry of this kind says which folder it serves, as a digest: another process over the
// same folder joins it instead of giving the same content a second address.
const identity = "Manymage-Registry"

// greeting is how long a program on loopback may take to say who it is.
const greeting = time.Second

func fingerprint(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:])
}

// identified adds the identity to every answer.
func identified(dir string, next http.Handler) http.Handler {
	mark := fingerprint(dir)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(identity, mark)
		next.ServeHTTP(w, r)
	})
}

// join finds the process that serves dir on a port which is taken.
func join(ctx context.Context, dir string, port int) (*Server, bool) {
	address := net.JoinHostPort(loopback, strconv.Itoa(port))
	ctx, cancel := context.WithTimeout(ctx, greeting)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v2/", nil)
	if err != nil {
		return nil, false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy stands before loopback
	resp, err := client.Do(req)
	if err != nil {
		return nil, false
	}
	resp.Body.Close()
	if resp.Header.Get(identity) != fingerprint(dir) {
		return nil, false
	}
	return &Server{address: address, done: make(chan struct{})}, true
}

// Joined tells that another process serves the folder, or did when Serve returned.
func (s *Server) Joined() bool { return s.http == nil }

// vacancy is how often who has joined looks whether the other process still serves.
const vacancy = 50 * time.Millisecond

// follow serves the folder on the same address from when the other process does no more, so that a run goes on that has joined a shorter
// one. Where several wait, the others have joined whoever is first.
func (s *Server) follow(ctx context.Context, dir string) {
	ctx, s.leave = context.WithCancel(ctx)
	go func() {
		defer close(s.done)
		tick := time.NewTicker(vacancy)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if l, err := new(net.ListenConfig).Listen(ctx, "tcp4", s.address); err == nil {
				heir := begin(ctx, l, dir)
				<-heir.done
				s.err = heir.err
				return
			}
		}
	}()
}
