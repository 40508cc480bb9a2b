package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/progress"
)

// childCounts are how many children the measured lists have.
var childCounts = []int{2, 6, 10, 30}

// latency is what the proxy adds to every request: a registry across an ocean.
const latency = 50 * time.Millisecond

// lists measures making a list of images that are in a registry far away.
func (b *bench) lists(ctx context.Context) error {
	if !b.has("manifest:create") {
		fmt.Println("\nlists: these targets have no manifest:create, not measured")
		return nil
	}
	proxy := faults.Over(newEdge(), "http://"+b.registry.address)
	proxy.Delay = latency
	address, stop, err := serve(ctx, proxy)
	if err != nil {
		return err
	}
	defer stop()
	t := progress.Table{Header: []string{"CHILDREN", "TOKEN", "TOOL", "TIME", "RATIO", "REQUESTS", "ROUNDS", "MEMORY"}, Right: []int{0, 3, 4, 5, 6, 7}}
	for _, n := range childCounts {
		for _, token := range []string{"no", "yes"} {
			if err := b.logIn(address, token); err != nil {
				return err
			}
			if err := b.contestOfMakers(ctx, &t, far{proxy, address, token}, n); err != nil {
				return err
			}
		}
	}
	fmt.Printf("\nmaking a list, every request delayed by %s (ratio of ours to theirs)\n", progress.Duration(latency))
	return t.Write(os.Stdout)
}

// far is a registry that is far away.
type far struct {
	proxy   *faults.Proxy
	address string
	token   string // whether it wants one: "yes" or "no"
}

// reset forgets what was asked, and asks for tokens again.
func (f far) reset() {
	f.proxy.Reset()
	if f.token == "no" {
		return
	}
	f.proxy.Add(faults.Rule{Match: faults.On("", "/token"), Fault: faults.Answer(http.StatusOK, "application/json", `{"token":"t","access_token":"t","expires_in":300}`)})
	f.proxy.Add(faults.Rule{
		Match: func(r *http.Request) bool { return !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") },
		Fault: faults.Status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer realm="http://`+f.address+`/token",service="bench"`),
	})
}

// logIn gives the tools an account where one is wanted.
func (b *bench) logIn(address, token string) error {
	auths := map[string]any{}
	if token == "yes" {
		auths[address] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte("bench:bench"))}
	}
	config, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "docker")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600)
}

func serve(ctx context.Context, h http.Handler) (address string, stop func(), err error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }()
	return l.Addr().String(), func() { _ = s.Close() }, nil
}

// contestOfMakers lets every tool make the same list, in alternation.
func (b *bench) contestOfMakers(ctx context.Context, t *progress.Table, at far, n int) error {
	near := b.name("lists")
	children, err := b.children(ctx, near, at, n)
	if err != nil {
		return err
	}
	image, makers := at.address+strings.TrimPrefix(near, b.registry.address), b.makers()
	if err := b.fillEdge(ctx, at, image, children); err != nil {
		return err
	}
	samples, seen := make([][]sample, len(makers)), make([][]faults.Request, len(makers))
	for round := range b.rounds {
		for i, m := range makers {
			at.reset()
			tag := fmt.Sprintf("%s-%s-%d", m.name, at.token, round)
			s, err := b.measure(ctx, func(ctx context.Context, peak func(int64)) error {
				return m.do(ctx, image+":"+tag, children, peak)
			})
			if err == nil {
				err = wasMade(ctx, near, tag, children)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			samples[i], seen[i] = append(samples[i], s), at.proxy.Requests()
		}
	}
	ours := median(samples[0])
	for i, m := range makers {
		s := median(samples[i])
		t.Add(fmt.Sprint(n), at.token, m.name, progress.Duration(s.took), fmt.Sprintf("%.2f", ours.took.Seconds()/s.took.Seconds()),
			fmt.Sprint(len(seen[i])), fmt.Sprint(faults.Rounds(seen[i])), progress.Size(s.peak))
	}
	return nil
}

// fillEdge makes a list that is not measured: what every tool has to read is in the edge's memory then.
func (b *bench) fillEdge(ctx context.Context, at far, image string, children []child) error {
	at.reset()
	return b.ourList(ctx, image+":edge-"+at.token, children, func(int64) {})
}
