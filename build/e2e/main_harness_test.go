package e2e

import (
	"fmt"
	"testing"
)

// The harness is proven before it proves anything: every base runs for every target. One engine is enough, on the others the tests
// build on them.
func TestFixturesRun(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	for _, p := range Targets() {
		if got := e.Says(t, Busybox(t, reg), p.Platform, "uname", "-m"); got != p.Uname {
			t.Errorf("busybox for %s says %q, want %q", p.Platform, got, p.Uname)
		}
		if got := e.Says(t, Debian(t, reg), p.Platform, "/usr/bin/tini", "--", "/bin/sh", "-c", "uname -m"); got != p.Uname {
			t.Errorf("debian for %s says %q, want %q", p.Platform, got, p.Uname)
		}
		if got := e.Says(t, Golang(t, reg), p.Platform, "sh", "-c", "go build -o /tmp/hello . && /tmp/hello"); got != helloFrom(p) {
			t.Errorf("golang for %s says %q, want %q", p.Platform, got, helloFrom(p))
		}
	}
}

func TestThePrivateRegistryIsPrivate(t *testing.T) {
	reg := Private(t)
	ref := Busybox(t, reg)
	e := Engine(t, Docker20)
	if out, err := e.Try("pull", "-q", ref); err == nil {
		t.Errorf("pulled without credentials: %s", out)
	}
	config := reg.Login(t)
	out, err := output([]string{"DOCKER_HOST=" + e.Host, "DOCKER_CONFIG=" + config}, "docker", "pull", "-q", ref)
	if err != nil {
		t.Errorf("not pulled with credentials: %v %s", err, out)
	}
}

func TestPublishedFixturesAreReadBySkopeo(t *testing.T) {
	reg := Plain(t)
	ref := Busybox(t, reg)
	var want []string
	for _, p := range Targets() {
		want = append(want, p.Platform)
	}
	index := reg.Index(t, ref)
	if got := index.Platforms(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("platforms %v, want %v", got, want)
	}
	for i, child := range index.Manifests {
		if config := reg.Config(t, reg.Host+"/base/busybox@"+child.Digest); config.Architecture != Targets()[i].Arch {
			t.Errorf("%s: config says %s", child.Name(), config.Architecture)
		}
	}
}
