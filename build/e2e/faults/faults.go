// Package faults is a proxy in front of a registry, for tests, that does to requests what networks and registries do.
//
//	client -> Proxy -> rules, first match wins -> Fault -> registry
//	             \-> Requests: what was asked, when, with whose credentials
//
// It speaks plain HTTP/1.1 and keeps the Host header, so that the registry's Location headers lead back to the proxy:
//
//	p := faults.New("http://127.0.0.1:5000")
//	p.Add(faults.Rule{Match: faults.Put("/manifests/"), Times: 1, Fault: faults.LoseAnswer()})
//	server := httptest.NewServer(p)
package faults

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Fault answers a request in place of the registry, which is next.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Rule is a fault for some requests.
type Rule struct {
	Match func(*http.Request) bool // nil is every request
	Times int                      // how many requests suffer; 0 is all of them
	Fault Fault
}

// Request is what the proxy saw of one request.
type Request struct {
	Method, Path, Query, Authorization string
	Status                             int // of the answer; 0 when the connection was broken off before one
	Start, End                         time.Time
}

// keptOpen are more connections to the registry than anybody's round has requests: none waits for one to be opened.
const keptOpen = 128

// Proxy is an http.Handler.
type Proxy struct {
	// Delay is slept before each request is passed on: a line's latency.
	Delay time.Duration
	// Hold, when set, returns when a request may be passed on; see Lockstep.
	Hold func(*http.Request)

	next http.Handler

	mu       sync.Mutex
	rules    []*Rule
	requests []*Request
}

// Transport reaches a registry beside this process.
func Transport() *http.Transport { return &http.Transport{MaxIdleConnsPerHost: keptOpen} }

// New makes a proxy to a registry's URL.
func New(upstream string) *Proxy { return Over(Transport(), upstream) }

// Over makes a proxy that reaches a registry's URL over a transport.
func Over(transport http.RoundTripper, upstream string) *Proxy {
	target, err := url.Parse(upstream)
	if err != nil {
		panic(err) // a test's own constant
	}
	return Around(&httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { panic(http.ErrAbortHandler) },
	})
}

// Around makes a proxy to a registry inside this process.
func Around(registry http.Handler) *Proxy { return &Proxy{next: registry} }

// Add appends a rule.
func (p *Proxy) Add(r Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = append(p.rules, &r)
}

// Reset forgets rules and requests.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules, p.requests = nil, nil
}

// Requests are those seen so far, in the order in which they came.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Request, len(p.requests))
	for i, r := range p.requests {
		out[i] = *r
	}
	return out
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen, fault := p.arrive(r)
	noted := &noting{ResponseWriter: w}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		seen.Status, seen.End = noted.status, time.Now()
	}()
	time.Sleep(p.Delay)
	if p.Hold != nil {
		p.Hold(r)
	}
	if fault == nil {
		p.next.ServeHTTP(noted, r)
		return
	}
	fault(noted, r, p.next)
}

func (p *Proxy) arrive(r *http.Request) (*Request, Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := &Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Authorization: r.Header.Get("Authorization"), Start: time.Now()}
	p.requests = append(p.requests, seen)
	for i, rule := range p.rules {
		if rule.Match != nil && !rule.Match(r) {
			continue
		}
		if rule.Times > 0 {
			if rule.Times--; rule.Times == 0 {
				p.rules = append(p.rules[:i:i], p.rules[i+1:]...)
			}
		}
		return seen, rule.Fault
	}
	return seen, nil
}

// Rounds counts how many of the requests had to wait for another's end: the sequential round trips of a run.
func Rounds(requests []Request) int {
	rounds := 0
	var end time.Time
	for _, r := range requests { // in order of their start
		if rounds == 0 || !r.Start.Before(end) {
			rounds++
			end = r.End
		} else if r.End.Before(end) {
			end = r.End
		}
	}
	return rounds
}

// On matches requests by method, all when it is empty, and a part of the path.
func On(method, part string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return (method == "" || r.Method == method) && strings.Contains(r.URL.Path, part)
	}
}

// OncePerRequest matches the first of each kind of request: same method and path, upload sessions taken as one.
func OncePerRequest() func(*http.Request) bool {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		key := r.Method + " " + r.URL.Path
		if before, _, isUpload := strings.Cut(key, "/uploads/"); isUpload {
			key = before
		}
		first := !seen[key]
		seen[key] = true
		return first
	}
}

// noting remembers the status that was sent, and lets through what reverse proxies and faults need of the connection.
type noting struct {
	http.ResponseWriter
	status int
}

func (n *noting) WriteHeader(status int) {
	if n.status == 0 && status >= http.StatusOK {
		n.status = status
	}
	n.ResponseWriter.WriteHeader(status)
}

func (n *noting) Write(p []byte) (int, error) {
	if n.status == 0 {
		n.status = http.StatusOK
	}
	return n.ResponseWriter.Write(p)
}

func (n *noting) Unwrap() http.ResponseWriter { return n.ResponseWriter }
