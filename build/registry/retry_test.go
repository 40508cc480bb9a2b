package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/index"
)

// roundTrip is a network of one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answering(status int, header ...string) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: http.NoBody, Request: r}, nil
	}
}

// first is one network for the first request and another for all others.
func first(once, then roundTrip) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		next := once
		once = then
		return next(r)
	}
}

func TestBackOff(t *testing.T) {
	for count, want := range map[int]time.Duration{1: 200 * time.Millisecond, 2: 400 * time.Millisecond, 3: 800 * time.Millisecond,
		7: 12800 * time.Millisecond, 8: maxWait, 100: maxWait} {
		if got := backoff(count, 0); got != want {
			t.Errorf("backoff(%d) = %s, want %s", count, got, want)
		}
		if got := backoff(count, 0.999999); got < want/2 || got > want/2+want/100 {
			t.Errorf("backoff(%d) with all jitter = %s, want half of %s", count, got, want)
		}
	}
}

// Those who failed together do not come back together.
func TestJitter(t *testing.T) {
	if a, b := New(Options{}).jitter(), New(Options{}).jitter(); a == b || min(a, b) < 0 || max(a, b) >= 1 {
		t.Errorf("%v and %v", a, b)
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "99999999999999": 0, "1.5": 0,
		epoch.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		epoch.Add(-time.Hour).Format(http.TimeFormat):       0,
		epoch.Add(30 * time.Second).Format(time.RFC850):     30 * time.Second,
	} {
		if got := retryAfter(value, epoch); got != want {
			t.Errorf("retryAfter(%q) = %s, want %s", value, got, want)
		}
	}
}

// TestRetryTakesItsTimeAndNoMore runs on synctest's clock with nothing replaced.
func TestRetryTakesItsTimeAndNoMore(t *testing.T) {
	refusing := func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }
	for _, test := range []struct {
		name    string
		network roundTrip
		opts    Options
		want    time.Duration
	}{
		{"by default two minutes", answering(503), Options{}, 2 * time.Minute},
		{"as long as is asked for", answering(503), Options{Retry: 10 * time.Second}, 10 * time.Second},
		{"not at all", answering(503), Options{Retry: -1}, 0},
		{"Retry-After is waited for", answering(429, "Retry-After", "50"), Options{}, 100 * time.Second},
		{"but not for longer than there is", answering(429, "Retry-After", "3600"), Options{}, 0},
		{"a refusal is one", answering(403), Options{}, 0},
		{"a host that never answered gets ten seconds", refusing, Options{}, contactLimit},
		{"one that has answered gets it all", first(answering(503), refusing), Options{}, 2 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test.opts.Transport = test.network
				start := time.Now()
				_, err := New(test.opts).Tags(t.Context(), ref(t, "registry.test/a"))
				if took := time.Since(start); err == nil || took != test.want {
					t.Errorf("%v after %s, want an error after %s", err, took, test.want)
				}
			})
		})
	}
}

// Patience and the number of tries are only spoken of where they are the reason.
func TestWhyItIsGivenUp(t *testing.T) {
	const login = "; run `docker login registry.test` or `podman login registry.test` as somebody who may"
	for _, test := range []struct {
		network roundTrip
		retry   time.Duration
		want    string
	}{
		{answering(429, "Retry-After", "3600"), time.Minute, "answers 429; it asks for 1h0m0s of patience and RETRY allows 1m0s"},
		{answering(429, "Retry-After", "3600"), -1, "answers 429; it asks for 1h0m0s of patience and RETRY allows 0s"},
		{answering(403, "Retry-After", "3600"), time.Minute, "answers 403" + login},
		{answering(500), -1, "answers 500"},
		{answering(503, "Retry-After", "0"), -1, "answers 503"},
		{answering(503), 2 * time.Second, "answers 503 (tried 5 times in 2s)"},
		{first(answering(503), answering(403)), time.Minute, "answers 403" + login},
	} {
		_, err := (&clock{}).run(New(Options{Transport: test.network, Retry: test.retry})).Tags(t.Context(), ref(t, "registry.test/a"))
		if err == nil || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// heard collects notices, which come from timers, too.
type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) notice(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, s)
}

func (h *heard) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.lines)
}

// silent is a network that takes a request and never says anything.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A host that has never answered is given up after about as long as it would be tried again; one that has may be slow.
func TestSilenceIsNotWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		retry time.Duration
		known bool
		want  time.Duration
	}{
		"never again":              {-1, false, shortSilence},
		"less than an answer":      {time.Second, false, shortSilence},
		"some seconds":             {12 * time.Second, false, 12 * time.Second},
		"a minute and a half":      {90 * time.Second, false, 2*defaultIdle + firstWait}, // the second try is past contactLimit
		"it has answered":          {-1, true, slowAnswer},
		"it has answered, seconds": {12 * time.Second, true, 12 * time.Second},
		"it has answered, minutes": {time.Minute, true, 2*defaultIdle + firstWait},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told heard
				c := New(Options{Transport: roundTrip(silent), Retry: test.retry, Notice: told.notice})
				c.jitter = func() float64 { return 0 }
				if test.known {
					c.answered.Store("registry.test", true)
				}
				start := time.Now()
				_, err := c.Tags(t.Context(), ref(t, "registry.test/a"))
				if took := time.Since(start); !errors.Is(err, ErrUnreachable) || took != test.want {
					t.Errorf("%v after %s, want %s", err, took, test.want)
				}
				if lines := told.all(); len(lines) == 0 || lines[0] != "waiting for registry.test to answer" || strings.Contains(strings.Join(lines[1:], ""), "waiting for") {
					t.Errorf("told %q", lines)
				}
			})
		})
	}
}

// Only the first sign of life is hurried: what is sent and what is received may be slow from then on. That something received is slow
// is told.
func TestASlowBodyIsWaitedFor(t *testing.T) {
	const slow = defaultIdle - time.Second
	synctest.Test(t, func(t *testing.T) {
		network := roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				_, _ = io.Copy(io.Discard, r.Body)
				time.Sleep(slow)
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: &slowBody{after: slow, text: strings.NewReader("late")}, Request: r}, nil
		})
		for name, body := range map[string]Open{"received": nil, "sent": Bytes([]byte("content"))} {
			var told heard
			c := New(Options{Transport: network, Retry: -1, Notice: told.notice})
			resp, err := c.send(t.Context(), &call{method: http.MethodGet, host: "registry.test", body: body, size: 7})
			if err != nil {
				t.Fatal(name, err)
			}
			if lines := told.all(); len(lines) > 0 {
				t.Errorf("%s: told %q before the answer", name, lines)
			}
			if got, err := io.ReadAll(resp.Body); string(got) != "late" || err != nil {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			resp.Body.Close()
			if lines := told.all(); !slices.Equal(lines, []string{"waiting for registry.test to answer"}) {
				t.Errorf("%s: told %q", name, lines)
			}
		}
	})
}

// How long a registry may take with what it has all of goes by how much that is: a manifest is no blob of gigabytes.
func TestTheVerdictOnASmallUploadIsNotWaitedForAsThatOnALargeOne(t *testing.T) {
	network := roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		return silent(r)
	})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := New(Options{Transport: network, Retry: -1}).PutManifest(t.Context(), ref(t, "registry.test/a"), index.OCIManifest, []byte("{}"))
		if took := time.Since(start); !errors.Is(err, ErrUnreachable) || took != defaultIdle+shortSilence { // of the look at what became of it
			t.Errorf("%v after %s", err, took)
		}
	})
	c := New(Options{})
	for size, want := range map[int64]time.Duration{0: defaultIdle, 60 << 20: defaultIdle + time.Minute, 4 << 30: defaultVerdict, 1 << 62: defaultVerdict} {
		if got := c.verdictOn(size); got != want {
			t.Errorf("%d bytes: %s, want %s", size, got, want)
		}
	}
}

// A helper that takes long may be waiting for its user.
func TestSlowCredentialsAreTold(t *testing.T) {
	for took, want := range map[time.Duration][]string{time.Second: nil, 10 * time.Second: {"waiting for docker's credential helper to tell the login of registry.test"}} {
		synctest.Test(t, func(t *testing.T) {
			var told heard
			c := New(Options{Notice: told.notice, Credentials: func(context.Context, string) (Credential, error) {
				time.Sleep(took)
				return Credential{Username: "me"}, nil
			}})
			if cred, err := c.opts.Credentials.of(t.Context(), "registry.test"); err != nil || cred.Username != "me" {
				t.Error(cred, err)
			}
			if !slices.Equal(told.all(), want) {
				t.Errorf("after %s: told %q", took, told.all())
			}
		})
	}
}

// RETRY bounds the wait, not the work: an upload that takes longer than that each time is tried again as often as a short one, and
// a source that takes its time is not taken for a target that has fallen silent.
func TestASlowUploadIsTriedAgain(t *testing.T) {
	const size = 8
	for name, test := range map[string]struct {
		perByte time.Duration
		fails   int
		want    error
	}{
		"slow":                             {2 * time.Minute / size, 5, nil},
		"in vain":                          {2 * time.Minute / size, 11, ErrUnreachable}, // with the tenth pause a minute of waiting is over
		"with a source that stops to wait": {4 * defaultIdle, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				network := roundTrip(func(r *http.Request) (*http.Response, error) {
					answer := &http.Response{StatusCode: 404, Header: http.Header{}, Body: http.NoBody, Request: r}
					switch r.Method {
					case http.MethodPost:
						answer.StatusCode, answer.Header = 202, http.Header{"Location": {"/upload"}}
					case http.MethodPut:
						if r.ContentLength != size || r.Header.Get("Content-Type") != "application/octet-stream" {
							t.Errorf("%d bytes of %s", r.ContentLength, r.Header.Get("Content-Type"))
						}
						if tries++; tries <= test.fails {
							_, _ = io.CopyN(io.Discard, r.Body, size-1)
							return nil, syscall.ECONNRESET
						}
						if _, err := io.Copy(io.Discard, r.Body); err != nil || r.Context().Err() != nil {
							return nil, errors.Join(err, r.Context().Err())
						}
						answer.StatusCode = 201
					}
					return answer, nil
				})
				content := []byte("contents")
				open := func() (io.ReadCloser, error) {
					return &slowBody{after: test.perByte, text: iotest.OneByteReader(bytes.NewReader(content))}, nil
				}
				c := New(Options{Transport: network, Retry: time.Minute})
				c.jitter = func() float64 { return 0 }
				err := c.PutBlob(t.Context(), ref(t, "registry.test/a"), descOf("", content), open)
				if failed := min(tries, test.fails); !errors.Is(err, test.want) || failed != test.fails || (tries == failed) != (test.want != nil) {
					t.Errorf("%d tries: %v", tries, err)
				}
			})
		})
	}
}

// slowBody takes its time before each read.
type slowBody struct {
	after time.Duration
	text  io.Reader
}

func (b *slowBody) Read(p []byte) (int, error) {
	time.Sleep(b.after)
	return b.text.Read(p)
}

func (*slowBody) Close() error { return nil }

func TestCancellationEndsTheWait(t *testing.T) {
	for name, network := range map[string]roundTrip{
		"for the next try": answering(503),
		"for an answer":    silent,
		"for a token": func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/token" {
				return silent(r)
			}
			return answering(401, "WWW-Authenticate", `Bearer realm="https://registry.test/token"`)(r)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			stopped := errors.New("interrupted")
			time.AfterFunc(time.Second, func() { cancel(stopped) })
			start := time.Now()
			_, err := New(Options{Transport: network}).Tags(ctx, ref(t, "registry.test/a"))
			if !errors.Is(err, stopped) || !strings.HasSuffix(err.Error(), ": interrupted") || time.Since(start) != time.Second {
				t.Errorf("%s: %v after %s", name, err, time.Since(start))
			}
			time.Sleep(fetchLimit) // others might have wanted the token: nobody waits for it longer
		})
	}
}

func TestNoticeOnlyOfALongWait(t *testing.T) {
	for name, test := range map[string]struct {
		retry    time.Duration
		min, max int
	}{"short": {2 * time.Second, 0, 0}, "long": {2 * time.Minute, 2, 5}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lines []string
				c := New(Options{Transport: answering(503), Retry: test.retry, Notice: func(s string) { lines = append(lines, s) }})
				_, _ = c.Tags(t.Context(), ref(t, "registry.test/a"))
				if len(lines) < test.min || len(lines) > test.max || slices.ContainsFunc(lines, func(s string) bool {
					return strings.ContainsAny(s, "\r\n") || !strings.Contains(s, "registry.test/a") || !strings.Contains(s, "503")
				}) {
					t.Errorf("%d lines: %q", len(lines), lines)
				}
			})
		})
	}
}

func TestAWrongHostNameIsFoundOutSoon(t *testing.T) {
	waits := &clock{}
	c := waits.run(New(Options{}))
	defer c.Close()
	_, err := c.Head(t.Context(), ref(t, "127.0.0.1:1/a"))
	if !errors.Is(err, ErrUnreachable) || waits.passed > contactLimit {
		t.Errorf("%v after %s", err, waits.passed)
	}
}

// A host that misses our certificate is not asked for ten seconds; other alerts may be accidents.
func TestAClientCertificateIsAskedFor(t *testing.T) {
	for alert, want := range map[tls.AlertError]persistence{116: never, 42: never, 40: never, 80: contact} {
		err := New(Options{}).unanswered("registry.test", &url.Error{Op: "Get", Err: &net.OpError{Op: "remote error", Err: alert}})
		if f := asFailure(err); f.again != want || !errors.Is(err, ErrUnreachable) || (want == never) != strings.Contains(err.Error(), "certs.d/registry.test/*.cert") {
			t.Errorf("%v: %v, tried again %d", alert, err, f.again)
		}
	}
}

func TestErrorsAreOneSentence(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		status int
		want   string
	}{
		"the registry's own words": {`{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}`, 404,
			"look at HOST/team/app:1: not found: HOST answers 404"},
		"no words":       {"", 403, "docker login HOST"},
		"quota":          {`{"errors":[{"code":"DENIED","message":"storage quota exceeded"}]}`, 403, "registry refuses: HOST answers 403: DENIED storage quota exceeded"},
		"not built":      {"", 501, "unexpected answer: HOST answers 501; check that this is a registry's address, or ask who runs it"},
		"lines of words": {`{"errors":[{"code":"X","message":"red\r\n\tline"}]}`, 418, "unexpected answer: HOST answers 418: X red line; check that this is a registry's address, or ask who runs it"},
		"long words":     {`{"errors":[{"code":"X","message":"` + strings.Repeat("é", 300) + `"}]}`, 418, "é..."},
	} {
		s := newScene(t, Options{Retry: -1})
		s.Add(faults.Rule{Fault: faults.Answer(test.status, "application/json", test.answer)})
		op := s.client.Manifest
		_, err := op(t.Context(), s.at)
		if name == "the registry's own words" {
			_, err = s.client.Head(t.Context(), s.at)
		}
		want := strings.ReplaceAll(test.want, "HOST", s.host)
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 400 {
			t.Errorf("%s: %v\nwant %s", name, err, want)
		}
	}
}
