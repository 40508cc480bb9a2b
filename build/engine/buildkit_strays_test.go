package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	bkclient "github.com/moby/buildkit/client"
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

// A base that takes of the context by itself, or has a value for an argument that the paths go by, is given all of it.
func TestBasesThatSteer(t *testing.T) {
	for config, want := range map[string]bool{
		`{}`: false,
		`{"config":{"Env":["PATH=/bin","THE_TARGETARCH=x","BUILD=1"],"OnBuild":[]}}`: false,
		`{"config":{"OnBuild":["COPY . /src"]}}`:                                     true,
		`{"config":{"Env":["TARGETARCH=x"]}}`:                                        true,
		`{"config":{"Env":["JAR=x=y"]}}`:                                             true,
		`?`:                                                                          true,
	} {
		if got := configSteers([]byte(config), []string{"JAR", "TARGETARCH"}); got != want {
			t.Errorf("%s: %v", config, got)
		}
	}
	part, all, tool := &pb.Definition{}, &pb.Definition{}, &pb.Definition{}
	b := kitBuilder{inputs: map[string]*pb.Definition{mainContext: part, wholeContext: all, "tool": tool}}
	for whole, want := range map[bool]*pb.Definition{false: part, true: all} {
		if got := b.contextInputs(whole); len(got) != 2 || got[mainContext] != want || got["tool"] != tool {
			t.Errorf("whole %v: %v", whole, got)
		}
	}
	delete(b.inputs, wholeContext)
	if got := b.contextInputs(true); got[mainContext] != part {
		t.Error("a context of which anything may be read is not its own whole")
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

// foreignGateway has a:1 for amd64 alone, old:1 for arm/v7 in its store, and arm:1 for arm64.
type foreignGateway struct{ astrayGateway }

func (g foreignGateway) ResolveImageConfig(ctx context.Context, name string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	switch name {
	case "a:1", "docker.io/library/a:1":
		return name, digest.FromString(name), []byte(`{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["sha256:1"]}}`), nil
	case "old:1":
		return name, "", []byte(`{"os":"linux","architecture":"arm","variant":"v7"}`), nil
	case "gone:1":
		return "", "", nil, errors.New("gone")
	}
	return name, digest.FromString(name), []byte(`{"os":"linux","architecture":"arm64","rootfs":{"diff_ids":["sha256:1"]}}`), nil
}

// A base for another machine is told of once, in our words, whoever reads the Dockerfile; where it was not, BuildKit's check tells.
func TestBasesOfOtherMachinesAreToldOnce(t *testing.T) {
	arm := ocispec.Platform{OS: "linux", Architecture: "arm64"}
	const alone, stray = "one for linux/amd64 alone, and is taken for linux/arm64", "the engine has old:1 for another platform"
	late := &bkclient.VertexWarning{Short: []byte(ofBase + "Base image a:1 was pulled")}
	for name, test := range map[string]struct {
		syntax string
		bases  []Base
		want   []string
	}{
		"read here":                      {"", nil, []string{"the image docker.io/library/a:1 is " + alone}},
		"by a frontend":                  {"docker/dockerfile:1", []Base{{"a:1", arm}, {"arm:1", arm}, {"gone:1", arm}}, []string{"the image a:1 is " + alone}},
		"by a frontend, of the engine's": {"docker/dockerfile:1", []Base{{"old:1", arm}}, []string{stray}},
		"by a frontend, of nobody's":     {"docker/dockerfile:1", []Base{{"arm:1", arm}}, []string{"Base image a:1 was pulled"}},
		"that nobody else can read":      {"x/y", nil, []string{"Base image a:1 was pulled"}},
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			emit := func(e Event) {
				switch e := e.(type) {
				case Notice:
					told = append(told, e.Text)
				case Warning:
					told = append(told, e.Text)
				}
			}
			dockerfile := []byte("FROM a:1\n")
			r := &kitSolve{Solve: Solve{Dockerfile: dockerfile, Platform: arm, SetPlatform: true, Bases: test.bases},
				builder: &kitBuilder{kit: &buildkit{native: arm}, opts: map[string]string{}, inputs: map[string]*pb.Definition{}}, steps: newSteps(emit, dockerfile)}
			var err error
			if test.syntax == "" {
				_, err = r.understand(t.Context(), foreignGateway{})
			} else {
				_, err = r.forward(t.Context(), foreignGateway{}, test.syntax, "")
				r.take(&bkclient.SolveStatus{Warnings: []*bkclient.VertexWarning{late}})
			}
			r.tell()
			if err != nil || len(told) != len(test.want) {
				t.Fatalf("%q, %v, want %q", told, err, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(told[i], want) {
					t.Errorf("%q, want %q", told[i], want)
				}
			}
		})
	}
}
