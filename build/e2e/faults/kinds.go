package faults

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// Status answers with a status and header pairs, and does not ask the registry.
func Status(code int, header ...string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// Answer answers with a status, a type and a body of its own.
func Answer(code int, contentType, body string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// Immutable answers for the registry where a manifest is put under a tag that is there, as registries with immutable tags do,
// whatever the manifest; {tag} and {repository} in the body are filled in. Everything else is let through.
func Immutable(code int, body string) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		repository, tag, isManifest := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
		if !isManifest || r.Method != http.MethodPut || strings.Contains(tag, ":") || !isThere(r, next) {
			next.ServeHTTP(w, r)
			return
		}
		Answer(code, "application/json", strings.NewReplacer("{tag}", tag, "{repository}", repository).Replace(body))(w, r, next)
	}
}

// isThere asks the registry whether it has what a request is about, in any form.
func isThere(r *http.Request, next http.Handler) bool {
	look := r.Clone(r.Context())
	look.Method, look.Body, look.ContentLength = http.MethodHead, http.NoBody, 0
	look.Header.Del("Content-Length")
	for _, form := range []string{"vnd.oci.image.index.v1", "vnd.oci.image.manifest.v1", "vnd.docker.distribution.manifest.v2", "vnd.docker.distribution.manifest.list.v2"} {
		look.Header.Add("Accept", "application/"+form+"+json")
	}
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, look)
	return answer.Code == http.StatusOK
}

// Reset breaks the connection off before the registry has seen the request.
func Reset() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { breakOff(w) }
}

// LoseAnswer lets the registry do what it was asked for and breaks off before its answer.
func LoseAnswer() Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(httptest.NewRecorder(), r)
		breakOff(w)
	}
}

// ResetInBody breaks off by a TCP reset after half of the answer's body.
func ResetInBody() Fault { return half(breakOff) }

// CloseInBody closes the connection in good order after half of the body, as a crashing proxy does.
func CloseInBody() Fault {
	return half(func(http.ResponseWriter) { panic(http.ErrAbortHandler) })
}

// StallInBody sends half of the body and then nothing until the client goes away.
func StallInBody() Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		half(func(http.ResponseWriter) { <-r.Context().Done() })(w, r, next)
	}
}

// Stall says nothing until the client goes away.
func Stall() Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
}

// FlipBit changes one bit in the middle of the body.
func FlipBit() Fault {
	return changed(func(body []byte) []byte {
		if len(body) > 0 {
			body[len(body)/2] ^= 1
		}
		return body
	})
}

// Truncate sends half of the body as if it were all of it.
func Truncate() Fault {
	return changed(func(body []byte) []byte { return body[:len(body)/2] })
}

// Empty sends no body, as if that were all.
func Empty() Fault {
	return changed(func([]byte) []byte { return nil })
}

// Substitute sends another body in the place of the true one.
func Substitute(other string) Fault {
	return changed(func([]byte) []byte { return []byte(other) })
}

// WithHeader sets a header of the registry's answer; an empty value removes it.
func WithHeader(name, value string) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := record(r, next)
		if answer.Header().Del(name); value != "" {
			answer.Header().Set(name, value)
		}
		replay(w, answer, answer.Body.Bytes())
	}
}

// Redirect sends the client elsewhere.
func Redirect(code int, to string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) { http.Redirect(w, r, to, code) }
}

func record(r *http.Request, next http.Handler) *httptest.ResponseRecorder {
	body, _ := io.ReadAll(r.Body) // all of it: only behind its end does net/http notice a client that goes
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	if r.Method == http.MethodHead {
		answer.Body.Reset() // net/http would have dropped what a handler wrote
	}
	return answer
}

// replay sends a recorded answer with a body. HEAD keeps the length that the registry gave.
func replay(w http.ResponseWriter, answer *httptest.ResponseRecorder, body []byte) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	if answer.Body.Len() > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
}

func changed(change func([]byte) []byte) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := record(r, next)
		body := answer.Body.Bytes()
		if len(body) > 0 {
			body = change(append([]byte(nil), body...))
		}
		replay(w, answer, body)
	}
}

// half sends the headers and half of the body, and then what end does. An answer without a body ends before its headers.
func half(end func(http.ResponseWriter)) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := record(r, next)
		body := answer.Body.Bytes()
		if len(body) > 0 {
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.WriteHeader(answer.Code)
			_, _ = w.Write(body[:len(body)/2])
			_ = http.NewResponseController(w).Flush()
		}
		end(w)
	}
}

// breakOff resets the TCP connection.
func breakOff(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, or half a body is out: the nearest that there is
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
