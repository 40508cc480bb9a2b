package build

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/platforms"
)

// digestOf is what the registry has under a name.
func digestOf(t *testing.T, p *Pipeline, name string) digest.Digest {
	t.Helper()
	client, err := p.Registry()
	if err != nil {
		t.Fatal(err)
	}
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	desc, err := client.Head(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return desc.Digest
}

// What a registry has under a base's name is a list, an image, or nothing.
func TestWhatIsListed(t *testing.T) {
	p, host := patient(t, "FROM HOST/base:1\n", "arm64", "HOST/me/app")
	list, err := p.listed(t.Context(), host+"/base:1")
	if err != nil || list.Digest != digestOf(t, p, host+"/base:1") || len(list.Images.Entries) != 2 {
		t.Errorf("a list: %+v, %v", list, err)
	}
	for _, entry := range list.Images.Entries {
		if entry.Digest != digestOf(t, p, host+"/base:"+entry.Platform.Architecture) {
			t.Errorf("%s is %s", platforms.Format(*entry.Platform), entry.Digest)
		}
	}
	image, err := p.listed(t.Context(), host+"/base:amd64")
	if err != nil || image.Digest != digestOf(t, p, host+"/base:amd64") || len(image.Images.Entries) != 0 {
		t.Errorf("an image: %+v, %v", image, err)
	}
	if _, err := p.listed(t.Context(), host+"/gone:1"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
}

// The engines of a run are told of it, and pull a base by its platform's own digest.
func TestEnginesAreToldWhatIsListed(t *testing.T) {
	p, host := patient(t, "FROM HOST/base:1\n", "arm64", "HOST/me/app")
	pulled := make(chan string, 9)
	machine := fakeMachine(t, "amd64", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/images/create") {
			pulled <- r.URL.Query().Get("tag")
		}
		http.NotFound(w, r)
	})
	patients := p.opts.Getenv
	p = New(Options{Config: p.cfg, Getenv: func(name string) string {
		if name == "DOCKER_HOST" {
			return machine
		}
		return patients(name)
	}})
	defer p.Close()
	if err := p.Build(t.Context()); err == nil || len(pulled) == 0 {
		t.Fatalf("nothing was pulled: %v", err)
	}
	if got, want := <-pulled, digestOf(t, p, host+"/base:arm64"); got != want.String() {
		t.Errorf("pulled %s, want %s", got, want)
	}
}

// A registry that is silent is out of reach, and leaves the time that others need.
func TestSilentRegistriesAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
		if _, err := inTime(t.Context(), silent); !errors.Is(err, registry.ErrUnreachable) || t.Context().Err() != nil {
			t.Errorf("silent: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := inTime(ctx, silent); errors.Is(err, registry.ErrUnreachable) || !errors.Is(err, context.Canceled) {
			t.Errorf("stopped: %v", err)
		}
		if found, err := inTime(t.Context(), func(context.Context) (int, error) { return 1, registry.ErrNotFound }); found != 1 || !errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrUnreachable) {
			t.Errorf("an answer: %d, %v", found, err)
		}
	})
}
