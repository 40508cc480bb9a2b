package build

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/build/registry/registrytest"
)

// foreseen is what a build and the push behind it would be told of a registry.
func foreseen(t *testing.T, proxy *faults.Proxy) error {
	t.Helper()
	server := httptest.NewServer(proxy)
	defer server.Close()
	p := New(Options{Config: config.Config{Image: strings.TrimPrefix(server.URL, "http://") + "/me/app", Tags: []string{"1"}}})
	defer p.Close()
	for range 2 { // build, push
		if err := p.Foresee(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	err := p.foresight.wait(t.Context())
	p.foresight.end()
	return err
}

// A build ends for a registry that is not there or takes nothing from us; what its other answers mean, the push will see.
func TestForesee(t *testing.T) {
	uploads := func(f faults.Fault) faults.Rule { return faults.Rule{Match: faults.On("POST", "/uploads/"), Fault: f} }
	for name, test := range map[string]struct {
		rules []faults.Rule
		want  error
	}{
		"takes pushes":     {nil, nil},
		"lets nobody push": {[]faults.Rule{uploads(faults.Status(403))}, registry.ErrUnauthorized},
		"is read-only":     {[]faults.Rule{uploads(faults.Status(405))}, registry.ErrDenied},
		"fails uploads":    {[]faults.Rule{uploads(faults.Status(500))}, nil},
		"fails":            {[]faults.Rule{{Fault: faults.Status(503)}}, registry.ErrUnreachable},
		"lets nobody read": {[]faults.Rule{{Match: faults.On("HEAD", "/manifests/"), Fault: faults.Status(403)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := faults.Around(registrytest.InMemory())
			for _, r := range test.rules {
				proxy.Add(r)
			}
			if err := foreseen(t, proxy); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// Both questions are asked at once, and the upload is given up again, however many targets look.
func TestForeseeCostsOneRound(t *testing.T) {
	proxy, steps := faults.Around(registrytest.InMemory()), faults.NewLockstep(t, 2, 1)
	proxy.Hold = steps.Hold
	if err := foreseen(t, proxy); err != nil {
		t.Error(err)
	}
	steps.Done()
	if seen := proxy.Requests(); seen[len(seen)-1].Method != http.MethodDelete {
		t.Errorf("%+v", seen)
	}
}

// An embedded registry is this process's own, and a run that foresees nothing has nothing to wait for.
func TestForeseeNothing(t *testing.T) {
	p := New(Options{Config: config.Config{Image: "app", Embedded: true, Tags: []string{"1"}}})
	if err := p.Foresee(t.Context()); err != nil || p.foresight != nil {
		t.Errorf("%v, %v", err, p.foresight)
	}
	if err := p.foresight.wait(t.Context()); err != nil {
		t.Error(err)
	}
	p = New(Options{Config: config.Config{Image: "127.0.0.1:1/app", Tags: []string{"1"}}})
	p.built = []result{} // and nobody would end the look
	if err := p.Foresee(t.Context()); err != nil || p.foresight != nil {
		t.Errorf("behind the build: %v, %v", err, p.foresight)
	}
	p.foresight.end()
}
