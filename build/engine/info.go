package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/system"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/platforms"
)

// Info describes an engine.
type Info struct {
	Address  string           // unix:///var/run/docker.sock
	Name     string           // "Docker", or of an engine that says so in each answer "Podman"
	Version  string           // 20.10.24
	API      string           // negotiated: 1.41
	Store    string           // StoreGraph or StoreContainerd
	Road     string           // RoadBuildKit or RoadClassic
	Why      string           // why the classic road: "DOCKER_BUILDKIT=0"; empty for BuildKit
	Fallback bool             // the classic road is nobody's choice: Why is a fault
	Platform ocispec.Platform // its own
	Apart    string           // why its loopback is not ours: "runs on another machine"; empty where it is
}

// The image stores that change how an image is named, loaded and pushed.
const (
	StoreGraph      = "graph"
	StoreContainerd = "containerd"
)

// docker is Info.Name of an engine that is not Podman.
const docker = "Docker"

// The roads.
const (
	RoadBuildKit = "buildkit"
	RoadClassic  = "classic"
)

// snapshotter is what /info says of an engine whose images are containerd's.
const snapshotter = "io.containerd.snapshotter.v1"

// learn asks the engine what it is and chooses the road.
func (e *Engine) learn(ctx context.Context, o Options) error {
	if e.info.Name == podman {
		return e.learnPodman(ctx)
	}
	var (
		version types.Version
		about   system.Info
		kit     *buildkit
		noKit   error
	)
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { version, err = e.api.ServerVersion(gctx); return err })
	group.Go(func() (err error) { about, err = e.api.Info(gctx); return err })
	group.Go(func() error { kit, noKit = openBuildKit(ctx, e, o); return nil })
	err := group.Wait()
	e.kit = kit
	if err != nil {
		return e.silent(err)
	}
	e.describe(version, about)
	if ctx.Err() != nil { // and not a BuildKit that does not answer
		return ctx.Err()
	}
	if kit != nil {
		if err := kit.settle(ctx, e.info.Platform); err != nil {
			return err
		}
	}
	return e.choose(kit, noKit)
}

// learnPodman asks Podman once: for /info and for /version it asks the distribution's package manager about all that it is made of,
// which takes a second each.
func (e *Engine) learnPodman(ctx context.Context) error {
	about, err := e.api.Info(ctx)
	if err != nil {
		return e.silent(err)
	}
	e.info.Platform = platforms.Normalize(ocispec.Platform{OS: about.OSType, Architecture: about.Architecture})
	e.info.Apart = apart(e.info, about)
	return e.choose(nil, nil)
}

// silent is the error of an engine that answers and tells nothing.
func (e *Engine) silent(err error) error {
	return fmt.Errorf("%w: %s does not describe itself: %w; look into its log", ErrUnreachable, e.info.Address, err)
}

// dockersOwn is a store that only Docker's graph drivers have: containerd calls its own overlayfs.
const dockersOwn = "overlay2"

// evident tells what the engine is from its first answer, or takes it from one image, where that can be seen.
// /info and /version take twenty times as long: they start processes to answer.
func (e *Engine) evident(ctx context.Context, tag string) bool {
	if e.info.Name == podman {
		return e.choose(nil, errNoBuilds) == nil
	}
	names, err := e.spellings(tag)
	if err != nil {
		return false
	}
	found, err := e.api.ImageInspect(ctx, names[0])
	if err != nil || found.GraphDriver.Name != dockersOwn {
		return false
	}
	e.info.Name, e.info.Store = docker, StoreGraph
	return e.choose(nil, errNoBuilds) == nil
}

func (e *Engine) describe(version types.Version, about system.Info) {
	e.info.Name, e.info.Version, e.info.Platform = docker, version.Version, enginePlatform(version)
	e.info.Store = StoreGraph
	for _, pair := range about.DriverStatus {
		if pair[0] == "driver-type" && pair[1] == snapshotter {
			e.info.Store = StoreContainerd
		}
	}
	e.info.Apart = apart(e.info, about)
}

// enginePlatform is the engine's own; its /version has no variant.
func enginePlatform(version types.Version) ocispec.Platform {
	return platforms.Normalize(ocispec.Platform{OS: version.Os, Architecture: version.Arch})
}

// choose picks the road. DOCKER_BUILDKIT=0 is the user's word and outranks all.
// Another builder than the engine's own is not taken without that word: it
// builds other things.
func (e *Engine) choose(kit *buildkit, noKit error) error {
	switch {
	case e.info.Name == podman:
		e.info.Why = "Podman has no BuildKit"
	case errors.Is(noKit, errNoKit) && !e.olderThan(kitDefault):
		return fmt.Errorf("the engine at %s is Docker %s and does not let its BuildKit be used: %w; look into its log, let /grpc and /session pass where a proxy stands before it, or set DOCKER_BUILDKIT=0 for the classic builder",
			e.info.Address, e.info.Version, noKit)
	case noKit != nil:
		e.info.Why, e.info.Fallback = noKit.Error(), errors.Is(noKit, errNoKit)
	}
	if e.info.Why != "" {
		e.info.Road, e.road = RoadClassic, newClassic(e)
		return nil
	}
	e.info.Road, e.road, e.info.Platform = RoadBuildKit, kit, kit.native
	return nil
}

// Runs tells whether programs of a platform run in a build: the engine's own, and those of architectures that an emulator stands in
// for, which runs all their variants. A local kernel says at once what it has one for. BuildKit is asked where it says nothing, and not
// before: it tries all of them to answer, and a busy one takes a working emulator for a missing one (ETXTBSY). Of another kernel a
// classic builder does not tell: what it does not run, the step itself will say.
func (e *Engine) Runs(ctx context.Context, p ocispec.Platform) (bool, error) {
	return e.runs(ctx, p, binfmtDir)
}

func (e *Engine) runs(ctx context.Context, p ocispec.Platform, kernel string) (bool, error) {
	same := func(q ocispec.Platform) bool { return q.OS == p.OS && q.Architecture == p.Architecture }
	if same(e.info.Platform) {
		return true, nil
	}
	switch {
	case e.info.Apart == "":
		registered, err := registeredPlatforms(kernel)
		if err != nil || slices.ContainsFunc(registered, same) {
			return err == nil, err
		}
	case e.info.Road == RoadClassic:
		return true, nil
	}
	tried, err := e.road.runnable(ctx)
	return slices.ContainsFunc(tried, same), err
}

// apart says why 127.0.0.1 is not the same to the engine and to us; "" where it is.
func apart(info Info, about system.Info) string {
	here, err := os.Hostname()
	switch {
	case info.Name == docker && slices.Contains(about.SecurityOptions, "name=rootless"):
		return "is rootless and has a network of its own"
	case about.OperatingSystem == "Docker Desktop", runtime.GOOS != "linux" && isLoopback(info.Address):
		return "runs in a virtual machine"
	case !isLoopback(info.Address):
		return "runs on another machine"
	case err != nil, here != about.Name:
		return "runs on another machine, or this in a container"
	}
	return ""
}

func isLoopback(address string) bool {
	scheme, rest, _ := strings.Cut(address, "://")
	if scheme != "tcp" {
		return scheme == "unix"
	}
	_, _, err := net.SplitHostPort(rest)
	return err == nil && isLoopbackHost(rest)
}

// isLoopbackHost takes a host with or without a port.
func isLoopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(host, "localhost") || net.ParseIP(strings.Trim(host, "[]")).IsLoopback()
}

// RefusesSystem says why the engine cannot build images for another operating system, in the strategy that leaves the platform to it
// or not; "" where it can.
func (i Info) RefusesSystem(os string, native bool) string {
	switch {
	case i.Name == podman || os == i.system():
		return ""
	case i.Road == RoadClassic && !native:
		return fmt.Sprintf("the classic builder builds for %s alone, not for %s: use BuildKit or STRATEGY=native", i.system(), os)
	case i.Road == RoadBuildKit && !i.keeps(os):
		return fmt.Sprintf("Docker %s with the image store %s keeps images for %s alone, not for %s: turn on the containerd image store, the default of new installations from Docker 29 on",
			i.Version, i.Store, i.system(), os)
	}
	return ""
}

// RefusesName says why the engine cannot name an image; "" where it can. Docker 20.10 does not know registries by their IPv6 addresses.
func (i Info) RefusesName(ref string) string {
	host, _, _ := strings.Cut(ref, "/")
	if !strings.HasPrefix(host, "[") || i.Name == podman || !i.olderThan(23) {
		return ""
	}
	return fmt.Sprintf("Docker %s knows no registry by its IPv6 address: give %s a name, such as one in /etc/hosts, or update to Docker 23", i.Version, host)
}

// HidesVariants tells whether the engine does not say of which variant an image is, so that only the pushed config shows on which
// one it was built.
func (i Info) HidesVariants() bool { return i.Name == podman }

// HidesOnBuild tells whether the engine does not say what an image has waiting in ONBUILD.
func (i Info) HidesOnBuild() bool { return i.Name == podman }

// system is the engine's own. Where that was not asked for its store was evident, which is Linux's.
func (i Info) system() string { return cmp.Or(i.Platform.OS, "linux") }

// keeps tells whether the engine stores images for an operating system: Docker's graph drivers do for their own alone.
func (i Info) keeps(os string) bool {
	return i.Name == podman || i.Store != StoreGraph || os == i.system()
}
