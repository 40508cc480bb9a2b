package engine

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	control "github.com/moby/buildkit/api/services/control"
	workers "github.com/moby/buildkit/api/types"
	bkclient "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/manymage/manymage/platforms"
)

// kitDouble is a BuildKit that tells what it has tried, and how often it was asked.
type kitDouble struct {
	control.UnimplementedControlServer
	workers []*workers.WorkerRecord
	asked   int
}

func (k *kitDouble) ListWorkers(context.Context, *control.ListWorkersRequest) (*control.ListWorkersResponse, error) {
	k.asked++
	return &control.ListWorkersResponse{Record: k.workers}, nil
}

// open serves it for the length of a test.
func (k *kitDouble) open(t *testing.T, e *Engine) *buildkit {
	server := grpc.NewServer()
	control.RegisterControlServer(server, k)
	return served(t, e, server)
}

// served is a way to a server that runs for the length of a test.
func served(t *testing.T, e *Engine, server *grpc.Server) *buildkit {
	t.Helper()
	line := bufconn.Listen(1 << 16)
	go func() { _ = server.Serve(line) }()
	t.Cleanup(server.Stop)
	client, err := bkclient.New(t.Context(), "", bkclient.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return line.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return &buildkit{engine: e, client: client}
}

// An old BuildKit does not know the question, and is one; what has never heard of BuildKit is none.
func TestWhatAnswersAsBuildKit(t *testing.T) {
	if err := (&kitDouble{}).open(t, &Engine{}).answers(t.Context()); err != nil {
		t.Errorf("an old one: %v", err)
	}
	if err := served(t, &Engine{}, grpc.NewServer()).answers(t.Context()); err == nil {
		t.Error("a stranger passes for one")
	}
}

// Docker tells an ARM's variant in no other way than through BuildKit, which takes too long over it to be asked elsewhere.
func TestBuildKitTellsTheVariantOfAnARM(t *testing.T) {
	tried := []*workers.WorkerRecord{{Platforms: []*pb.Platform{{OS: "linux", Architecture: "arm", Variant: "v6"}, {OS: "linux", Architecture: "arm64"}}}}
	for _, test := range []struct {
		about, want string
		asked       int
	}{{"linux/arm/v7", "linux/arm/v6", 1}, {"linux/arm64", "linux/arm64", 0}} {
		kit := &kitDouble{workers: tried}
		opened := kit.open(t, &Engine{})
		err := opened.settle(t.Context(), platform(t, test.about))
		if want := platform(t, test.want); err != nil || !platforms.Equal(opened.native, want) || kit.asked != test.asked {
			t.Errorf("%s: %v after %d questions, %v", test.about, opened.native, kit.asked, err)
		}
	}
}

// The kernel here counts for engines here, and BuildKit is asked about what it says nothing of.
func TestRuns(t *testing.T) {
	kernel := t.TempDir()
	for name, rule := range map[string]string{"qemu-aarch64": arm64Rule, "qemu-arm": armRule} {
		if err := os.WriteFile(filepath.Join(kernel, name), []byte(rule), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tried := []*workers.WorkerRecord{{Platforms: []*pb.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "riscv64"}, {OS: "linux", Architecture: "arm", Variant: "v7"}}}}
	for _, test := range []struct {
		platform    string
		local, runs bool
		asked       int
	}{
		{"linux/amd64", false, true, 0},
		{"linux/arm64", true, true, 0},
		{"linux/arm64", false, false, 1},
		{"linux/riscv64", true, true, 1},
		{"linux/riscv64", false, true, 1},
		{"linux/arm/v6", false, true, 1}, // one emulator runs all variants
		{"linux/arm/v6", true, true, 0},
		{"linux/s390x", true, false, 1},
		{"windows/amd64", true, false, 1},
	} {
		kit := &kitDouble{workers: tried}
		e := &Engine{info: Info{Platform: platform(t, "linux/amd64")}}
		if !test.local {
			e.info.Apart = "runs on another machine"
		}
		e.road = kit.open(t, e)
		if runs, err := e.runs(t.Context(), platform(t, test.platform), kernel); err != nil || runs != test.runs || kit.asked != test.asked {
			t.Errorf("%+v: runs %t after %d questions, %v", test, runs, kit.asked, err)
		}
	}
	for apart, want := range map[string]bool{"": false, "runs in a virtual machine": true} {
		classic := &Engine{info: Info{Platform: platform(t, "linux/amd64"), Road: RoadClassic, Apart: apart}}
		classic.road = newClassic(classic)
		if runs, err := classic.runs(t.Context(), platform(t, "linux/riscv64"), kernel); runs != want || err != nil {
			t.Errorf("a classic builder knows no more than the kernel, and of another one nothing: %q runs %t, %v", apart, runs, err)
		}
	}
	none := &Engine{info: Info{Apart: "runs on another machine"}}
	none.road = (&kitDouble{}).open(t, none)
	if _, err := none.Runs(t.Context(), platform(t, "linux/riscv64")); err == nil {
		t.Error("a BuildKit without a worker says nothing, and is believed")
	}
}
