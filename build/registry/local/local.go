// Package local is the embedded registry: distribution/distribution inside this process, on loopback, on disk.
//
// It lets "mage build push" end with a pullable image where nobody has named a registry yet. It is imported by the root
// magefile alone, so that those who import the targets do not pay for it.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // the only driver in use
)

// Options for Serve.
type Options struct {
	Dir    string // where the content lives; made if missing
	Port   int    // serve on this port or not at all; 0: any, in the order Prefer, FirstPort, FirstPort+1 ...
	Prefer int    // tried first when Port is 0: the port that references made by an earlier run carry; 0: none
}

// Server is a running registry.
type Server struct {
	address string
	http    *http.Server // nil where another process has been joined
	app     *handlers.App
	leave   context.CancelFunc // of who has joined
	done    chan struct{}
	err     error // why serving ended; set before done is closed
}

// Serve starts a registry on 127.0.0.1, which accepts connections when Serve returns, and ends when ctx does or on Close. Where
// another process serves Dir already, that one is joined, so that the content keeps its one address, and followed when it ends;
// with a Port that it has not, both serve the same content.
func Serve(ctx context.Context, o Options) (*Server, error) {
	dir, err := prepare(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("embedded registry: %w", err)
	}
	listener, joined, err := listen(ctx, o, dir)
	if err != nil {
		return nil, err
	}
	if joined != nil {
		joined.follow(ctx, dir)
		return joined, nil
	}
	return begin(ctx, listener, dir), nil
}

// begin serves a folder.
func begin(ctx context.Context, listener net.Listener, dir string) *Server {
	discard(dir, time.Now().Add(-abandoned))
	// Requests under way outlive ctx for the grace of Close: the registry has its own end.
	quiet := silence(context.WithoutCancel(ctx))
	app := handlers.NewApp(quiet, configure(dir))
	s := &Server{
		address: listener.Addr().String(),
		app:     app,
		done:    make(chan struct{}),
		http: &http.Server{
			Handler:           identified(dir, loopbackOnly(app)),
			BaseContext:       func(net.Listener) context.Context { return quiet },
			ErrorLog:          log.New(io.Discard, "", 0),
			ReadHeaderTimeout: time.Minute,
		},
	}
	go s.serve(ctx, listener)
	return s
}

// configure is the registry's configuration: as its own example file has it, less what needs a network or a goroutine.
func configure(dir string) *configuration.Configuration {
	c := &configuration.Configuration{
		Version: configuration.CurrentVersion,
		HTTP:    configuration.HTTP{Secret: fingerprint(dir)}, // an upload goes on with who follows
		Storage: configuration.Storage{
			"filesystem":  {"rootdirectory": dir},
			"delete":      {"enabled": true},
			"redirect":    {"disable": true},
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}}, // see discard
		},
	}
	c.Catalog.MaxEntries = 1000 // the default of a configuration that is read from a file
	return c
}

// prepare makes the folder and proves that it can be written, so that a push does not end in a bare 500.
func prepare(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("%w: choose a folder that you may write to", err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return "", fmt.Errorf("%w: choose a folder that you may write to", err)
	}
	return dir, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// FirstPort is where the search for a free port begins: the port that everybody's localhost registry has.
const FirstPort = 5000

// tries is how many ports are looked at: more than registries that anybody runs at once.
const tries = 100

// ErrPort is returned when a port that was asked for is taken, or none of those tried is free.
var ErrPort = errors.New("no port for the embedded registry")

// loopback is the only address that is ever listened on. 127.0.0.0/8 is an insecure registry to every engine by default;
// "localhost" may mean ::1, where another program may listen.
const loopback = "127.0.0.1"

// listen takes the first port that is free, or finds who serves dir on one that is not.
func listen(ctx context.Context, o Options, dir string) (net.Listener, *Server, error) {
	if o.Port != 0 {
		l, err := listenOn(ctx, o.Port)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w: stop what listens on port %d or choose another one", ErrPort, err, o.Port)
		}
		return l, nil, nil
	}
	var last error
	for _, port := range candidates(o.Prefer) {
		l, err := listenOn(ctx, port)
		if err == nil {
			return l, nil, nil
		}
		if s, ok := join(ctx, dir, port); ok {
			return nil, s, nil
		}
		last = err
	}
	return nil, nil, fmt.Errorf("%w: ports %d to %d are taken: %w: name a registry with IMG", ErrPort, FirstPort, FirstPort+tries-1, last)
}

// candidates are the ports to try, the preferred one first.
func candidates(prefer int) []int {
	ports := make([]int, 0, tries+1)
	if prefer > 0 {
		ports = append(ports, prefer)
	}
	for i := range tries {
		ports = append(ports, FirstPort+i)
	}
	return ports
}

func listenOn(ctx context.Context, port int) (net.Listener, error) {
	var c net.ListenConfig
	return c.Listen(ctx, "tcp4", net.JoinHostPort(loopback, strconv.Itoa(port)))
}

// serve answers until ctx ends or Close is called, then lets what is under way end.
func (s *Server) serve(ctx context.Context, l net.Listener) {
	defer close(s.done)
	ended := make(chan error, 1)
	go func() { ended <- s.http.Serve(l) }()
	var err error
	select {
	case <-ctx.Done():
		s.shutdown()
		err = <-ended
	case err = <-ended:
	}
	if !errors.Is(err, http.ErrServerClosed) {
		s.err = err
	}
	s.err = errors.Join(s.err, s.app.Shutdown())
}

// grace is how long requests under way may take to end: less than the five seconds that Mage gives after Ctrl-C.
const grace = 3 * time.Second

func (s *Server) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
}

// Address is host and port, such as "127.0.0.1:5000": the registry part of a reference.
func (s *Server) Address() string { return s.address }

// Close lets requests under way end (for three seconds at most), then frees the port. The error is the one that ended serving,
// if any. Closing twice is harmless, and who has been joined serves on.
func (s *Server) Close() error {
	if s.Joined() {
		s.leave()
	} else {
		s.shutdown()
	}
	<-s.done
	return s.err
}

// loopbackOnly refuses requests that do not name this machine: a web page whose name has been made to mean 127.0.0.1 could
// otherwise write to the registry from inside a browser.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			http.Error(w, "this registry serves 127.0.0.1 and localhost alone", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback is registry.IsLoopback, which stands on the same floor: what a reference may name has to be served.
func isLoopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
