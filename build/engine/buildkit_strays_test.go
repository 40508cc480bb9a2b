package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An engine's own image of another platform is a stray; a registry's is told of when its programs will not run.
func TestStrays(t *testing.T) {
	const named = digest.Digest("sha256:1")
	for _, test := range []struct {
		found      digest.Digest
		arch, want string
		stray      bool
		other      string
	}{
		{"", "amd64", "amd64", false, ""},
		{"", "arm", "arm64", true, ""},
		{named, "arm64", "arm64", false, ""},
		{named, "arm", "arm64", false, ""},
		{named, "", "arm64", false, ""},
		{named, "amd64", "arm64", false, "the image a:1 is one for linux/amd64 alone, and is taken for linux/arm64"},
	} {
		var s strays
		config := fmt.Appendf(nil, `{"os":"linux","architecture":%q}`, test.arch)
		other := s.note("a:1", test.found, config, &ocispec.Platform{OS: "linux", Architecture: test.want})
		if other != test.other || len(s.names) > 0 != test.stray {
			t.Errorf("%+v: %q, strays %q", test, other, s.names)
		}
	}
}

// astrayGateway has a:1 for arm/v7 in its store, and for arm64 in a registry.
type astrayGateway struct {
	gateway.Client
	pull error // what the registry says
}

func (g astrayGateway) BuildOpts() gateway.BuildOpts {
	return gateway.BuildOpts{Caps: gwpb.Caps.CapSet(gwpb.Caps.All()), LLBCaps: pb.Caps.CapSet(pb.Caps.All())}
}

// Solve gives a context without an ignore file.
func (g astrayGateway) Solve(context.Context, gateway.SolveRequest) (*gateway.Result, error) {
	return &gateway.Result{Ref: noFiles{}}, nil
}

type noFiles struct{ gateway.Reference }

func (noFiles) ReadFile(context.Context, gateway.ReadRequest) ([]byte, error) {
	return nil, os.ErrNotExist
}

func (g astrayGateway) ResolveImageConfig(_ context.Context, name string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	if opt.ImageOpt.ResolveMode == "pull" {
		return name, digest.FromString(name), []byte(`{"os":"linux","architecture":"arm64","rootfs":{"diff_ids":["sha256:1"]}}`), g.pull
	}
	return name, "", []byte(`{"os":"linux","architecture":"arm","variant":"v7","rootfs":{"diff_ids":["sha256:1"]}}`), nil
}

// What is wrong with a base of the engine's own is told if the base is taken.
func TestWarningsOfStrays(t *testing.T) {
	gone := errors.New("gone")
	for name, test := range map[string]struct {
		dockerfile string
		pull, want error
		warnings   int
	}{
		"the registry has the right one":     {"FROM a:1\n", nil, nil, 0},
		"the registry has it no more":        {"FROM a:1\n", gone, nil, 1},
		"the wrong one is a violation":       {"# check=error=true\nFROM a:1\n", nil, nil, 0},
		"and the right one cannot be pulled": {"# check=error=true\nFROM a:1\n", gone, gone, 0},
	} {
		r := &kitSolve{Solve: Solve{Dockerfile: []byte(test.dockerfile), Platform: ocispec.Platform{OS: "linux", Architecture: "arm64"}, SetPlatform: true},
			builder: &kitBuilder{opts: map[string]string{}}, steps: newSteps(func(Event) {}, []byte(test.dockerfile))}
		_, err := r.understand(t.Context(), astrayGateway{pull: test.pull})
		if !errors.Is(err, test.want) || len(r.warnings) != test.warnings {
			t.Errorf("%s: %v, %+v", name, err, r.warnings)
		}
	}
}
