package build

import (
	"errors"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/dockerfile"
	"github.com/manymage/manymage/build/engine"
)

// A RUN on a platform that the engine cannot run is refused with its line, in the words of the Dockerfile; one that it emulates is not.
func TestEmulation(t *testing.T) {
	file, err := dockerfile.Read([]byte("FROM debian\nRUN apt-get update\nRUN apt-get upgrade\n"), "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	amd64, arm64 := ocispec.Platform{OS: "linux", Architecture: "amd64"}, ocispec.Platform{OS: "linux", Architecture: "arm64"}
	runs, err := file.ForeignRuns(dockerfile.Target, dockerfile.Options{Build: amd64, Platform: arm64})
	if err != nil {
		t.Fatal(err)
	}
	jobs := []job{{runs: runs, solve: engine.Solve{DockerfileName: "Dockerfile"}}}
	if err := emulation(jobs, engine.Info{Platform: amd64}, func(ocispec.Platform) (bool, error) { return true, nil }); err != nil {
		t.Errorf("emulated, and refused: %v", err)
	}
	const want = "the engine at ssh://pi (linux/amd64) cannot run programs of these lines' platforms:\n" +
		"  Dockerfile:2 runs on linux/arm64: RUN apt-get update\n" +
		"  Dockerfile:3 runs on linux/arm64: RUN apt-get upgrade\n" +
		"run the target `emulation` once to let QEMU do it, compile on the engine's own platform with ARG GOARCH or FROM --platform=$BUILDPLATFORM, or give the platform an engine of its own with NODES"
	asked := 0
	none := func(ocispec.Platform) (bool, error) { asked++; return false, nil }
	if err := emulation(jobs, engine.Info{Address: "ssh://pi", Platform: amd64}, none); err == nil || err.Error() != want || !errors.Is(err, config.ErrUsage) {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if asked != 1 {
		t.Errorf("the engine was asked %d times for one platform", asked)
	}
	silent := errors.New("silent")
	if err := emulation(jobs, engine.Info{}, func(ocispec.Platform) (bool, error) { return false, silent }); !errors.Is(err, silent) {
		t.Errorf("an engine that does not answer: %v", err)
	}
}
