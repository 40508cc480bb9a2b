package engine

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/client"
)

// then stands between the answers that are given one after the other, the last to all that ask later.
const then = "\nthen\n"

// absent is the answer that there is no such thing, as to all that has none.
const absent = "absent"

// inUse is an answer of a conflict.
const inUse = "in use"

// apiDouble is an engine of a few answers, by method and path without the
// version, and what it was asked.
func apiDouble(t *testing.T, answers map[string]string) (*Engine, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := r.Method + " " + regexp.MustCompile(`^/v1\.\d+`).ReplaceAllString(r.URL.Path, "")
		mu.Lock()
		asked = append(asked, request)
		answer, ok := answers[request]
		if first, others, more := strings.Cut(answer, then); more {
			answer, answers[request] = first, others
		}
		mu.Unlock()
		w.Header().Set("Api-Version", minAPI)
		if version := answers[podmanHeader]; version != "" {
			w.Header().Set(podmanHeader, version)
		}
		switch {
		case !ok, answer == absent:
			w.WriteHeader(http.StatusNotFound)
			answer = `{"message":"no such thing"}`
		case answer == inUse:
			w.WriteHeader(http.StatusConflict)
			answer = `{"message":"it is in use"}`
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	api, err := client.NewClientWithOpts(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithVersion(minAPI))
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{api: api, info: Info{Address: "tcp://" + server.Listener.Addr().String()}}, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(asked)
	}
}

// An image of Docker's own graph driver shows what the engine is. Whatever else
// an image tells, or when there is none, the engine itself is asked.
func TestOpenAsksNoMoreThanNeeded(t *testing.T) {
	for name, test := range map[string]struct {
		image   string
		options Options
		asks    bool
		store   string
	}{
		"Docker's graph driver":    {image: `{"GraphDriver":{"Name":"overlay2"}}`, options: Options{NoBuilds: true, Tag: "app:1"}, store: StoreGraph},
		"the tag written in full":  {image: `{"GraphDriver":{"Name":"overlay2"}}`, options: Options{NoBuilds: true, Tag: "docker.io/library/app:1"}, store: StoreGraph},
		"a containerd store":       {image: `{"GraphDriver":{"Name":"overlayfs"}}`, options: Options{NoBuilds: true, Tag: "app:1"}, asks: true, store: StoreContainerd},
		"a driver of many engines": {image: `{"GraphDriver":{"Name":"vfs"}}`, options: Options{NoBuilds: true, Tag: "app:1"}, asks: true, store: StoreContainerd},
		"no image":                 {options: Options{NoBuilds: true, Tag: "gone:1"}, asks: true, store: StoreContainerd},
		"no tag":                   {options: Options{NoBuilds: true}, asks: true, store: StoreContainerd},
		"no reference":             {options: Options{NoBuilds: true, Tag: "Not One"}, asks: true, store: StoreContainerd},
		"builds":                   {image: `{"GraphDriver":{"Name":"overlay2"}}`, options: Options{Classic: true, Tag: "app:1"}, asks: true, store: StoreContainerd},
	} {
		answers := map[string]string{
			"HEAD /_ping": "", "GET /version": `{"Version":"20.10.24","Os":"linux","Arch":"amd64"}`,
			"GET /info": `{"DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}`,
		}
		if test.image != "" {
			answers["GET /images/app:1/json"] = test.image
		}
		double, requests := apiDouble(t, answers)
		test.options.Host = double.info.Address
		e, err := Open(t.Context(), test.options)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		asked := slices.Contains(requests(), "GET /info") || slices.Contains(requests(), "GET /version")
		if info := e.Info(); asked != test.asks || info.Store != test.store || info.Name != "Docker" || info.API != minAPI || info.Road != RoadClassic {
			t.Errorf("%s: %+v after %q", name, info, requests())
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Podman says who it is in each answer, and takes long over what else it is asked: nothing where nothing is to be built, and otherwise once.
func TestPodmanIsAskedOnce(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		asked   []string
	}{
		"no builds": {options: Options{NoBuilds: true, Tag: "app:1"}, asked: []string{"HEAD /_ping"}},
		"builds":    {asked: []string{"HEAD /_ping", "GET /info"}},
	} {
		double, requests := apiDouble(t, map[string]string{podmanHeader: "5.4.2", "HEAD /_ping": "", "GET /info": `{"OSType":"linux","Architecture":"arm64","Name":"another"}`})
		test.options.Host = double.info.Address
		e, err := Open(t.Context(), test.options)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := Info{Address: test.options.Host, Name: podman, Version: "5.4.2", API: minAPI, Store: StoreGraph, Road: RoadClassic, Why: "Podman has no BuildKit"}
		if !test.options.NoBuilds {
			want.Platform, want.Apart = platform(t, "linux/arm64"), "runs on another machine, or this in a container"
		}
		if info := e.Info(); !reflect.DeepEqual(info, want) || !slices.Equal(requests(), test.asked) {
			t.Errorf("%s: %+v after %q", name, info, requests())
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What Docker stores images in, it says in its driver's status.
func TestDockerDescribesItself(t *testing.T) {
	for status, want := range map[[2]string]string{
		{"driver-type", "io.containerd.snapshotter.v1"}: StoreContainerd,
		{"driver-type", "another"}:                      StoreGraph,
		{"Backing Filesystem", "extfs"}:                 StoreGraph,
		{"x", "io.containerd.snapshotter.v1"}:           StoreGraph,
	} {
		e := &Engine{info: Info{Address: "ssh://pi", Store: StoreContainerd}}
		e.describe(types.Version{Version: "26.1.5", Os: "linux", Arch: "arm64"}, system.Info{DriverStatus: [][2]string{{"Supports d_type", "true"}, status}})
		want := Info{Address: "ssh://pi", Name: docker, Version: "26.1.5", Store: want, Platform: platform(t, "linux/arm64"), Apart: "runs on another machine"}
		if !reflect.DeepEqual(e.info, want) {
			t.Errorf("%s: %+v", status, e.info)
		}
	}
}

// Where 127.0.0.1 is not the engine's own, it is said why.
func TestApart(t *testing.T) {
	here, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	const socket = "unix:///run/user/1000/docker.sock"
	for _, test := range []struct {
		info  Info
		about system.Info
		why   string
	}{
		{info: Info{Name: docker, Address: socket}, about: system.Info{Name: here}},
		{info: Info{Name: podman, Address: socket}, about: system.Info{Name: here, SecurityOptions: []string{"name=rootless"}}}, // whose registry traffic is this machine's
		{info: Info{Name: docker, Address: "tcp://localhost:2375"}, about: system.Info{Name: here}},
		{info: Info{Name: docker, Address: socket}, about: system.Info{Name: here, SecurityOptions: []string{"name=seccomp", "name=rootless"}}, why: "is rootless and has a network of its own"},
		{info: Info{Name: docker, Address: socket}, about: system.Info{Name: "docker-desktop", OperatingSystem: "Docker Desktop"}, why: "runs in a virtual machine"},
		{info: Info{Name: docker, Address: "ssh://pi@pi4"}, about: system.Info{Name: here}, why: "runs on another machine"},
		{info: Info{Name: docker, Address: "tcp://10.0.0.7:2375"}, about: system.Info{Name: here}, why: "runs on another machine"},
		{info: Info{Name: docker, Address: socket}, about: system.Info{Name: "another"}, why: "runs on another machine, or this in a container"},
	} {
		if why := apart(test.info, test.about); why != test.why {
			t.Errorf("%+v, %q: %q, want %q", test.info, test.about.Name, why, test.why)
		}
	}
}

// An engine whose BuildKit does not answer: no other builder is taken in silence, and from a Docker whose own builder BuildKit is
// none at all.
func TestNoSilentFallFromBuildKit(t *testing.T) {
	for name, test := range map[string]struct {
		version  string
		options  Options
		refused  bool
		fallback bool
	}{
		"Docker 20.10":             {version: `{"Version":"20.10.24","Os":"linux","Arch":"amd64"}`, fallback: true},
		"Docker 26.1":              {version: `{"Version":"26.1.5","Os":"linux","Arch":"amd64"}`, refused: true},
		"Docker 26.1, as was said": {version: `{"Version":"26.1.5","Os":"linux","Arch":"amd64"}`, options: Options{Classic: true}},
		"Docker 26.1, no builds":   {version: `{"Version":"26.1.5","Os":"linux","Arch":"amd64"}`, options: Options{NoBuilds: true}},
	} {
		double, _ := apiDouble(t, map[string]string{"HEAD /_ping": "", "GET /version": test.version, "GET /info": `{}`})
		test.options.Host = double.info.Address
		e, err := Open(t.Context(), test.options)
		if test.refused {
			if err == nil || !errors.Is(err, errNoKit) || !strings.Contains(err.Error(), "DOCKER_BUILDKIT=0") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if info := e.Info(); info.Road != RoadClassic || info.Why == "" || info.Fallback != test.fallback {
			t.Errorf("%s: %+v", name, info)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Docker 20.10 takes the brackets of an IPv6 address for a fault of the Dockerfile.
func TestInfoRefusesName(t *testing.T) {
	for _, test := range []struct {
		info    Info
		ref     string
		refused bool
	}{
		{docker20, "[::1]:5000/me/app:1", true},
		{docker20, "127.0.0.1:5000/me/app:1", false},
		{docker20, "me/app:1", false},
		{docker26, "[::1]:5000/me/app:1", false},
		{Info{Name: podman, Version: "4.3.1"}, "[::1]:5000/me/app:1", false},
	} {
		if why := test.info.RefusesName(test.ref); (why != "") != test.refused || test.refused && !strings.Contains(why, "give [::1]:5000 a name") {
			t.Errorf("%s, %s: %q", test.info.Version, test.ref, why)
		}
	}
}

// Where an image of another system cannot be made or kept, that is known before it is built.
func TestInfoRefusesSystem(t *testing.T) {
	linux := platform(t, "linux/amd64")
	for _, test := range []struct {
		name, store, road string
		native            bool
		refused           string
	}{
		{"Docker", StoreGraph, RoadBuildKit, false, "containerd image store"},
		{"Docker", StoreGraph, RoadBuildKit, true, "containerd image store"},
		{"Docker", StoreContainerd, RoadBuildKit, false, ""},
		{"Docker", StoreGraph, RoadClassic, false, "STRATEGY=native"},
		{"Docker", StoreContainerd, RoadClassic, false, "STRATEGY=native"},
		{"Docker", StoreGraph, RoadClassic, true, ""},
		{podman, StoreGraph, RoadClassic, false, ""},
	} {
		info := Info{Name: test.name, Store: test.store, Road: test.road, Platform: linux}
		if why := info.RefusesSystem("linux", test.native); why != "" {
			t.Errorf("%+v refuses its own: %s", test, why)
		}
		if why := info.RefusesSystem("windows", test.native); (why == "") != (test.refused == "") || !strings.Contains(why, test.refused) {
			t.Errorf("%+v: %q", test, why)
		}
	}
}
