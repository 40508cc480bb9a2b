package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/config"
	"github.com/manymage/manymage/build/e2e/faults"
	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/build/registry"
	"github.com/manymage/manymage/build/registry/registrytest"
	"github.com/manymage/manymage/platforms"
)

// marshalled is JSON of what can be nothing else.
func marshalled(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// based publishes an image without layers for each platform, and a list over them where there is a tag for one.
func based(t *testing.T, client *registry.Client, repo, list string, arches ...string) {
	t.Helper()
	ix := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	put := func(tag, mediaType string, v any) ocispec.Descriptor {
		ref, err := reference.ParseNormalizedNamed(repo + ":" + tag)
		if err != nil {
			t.Fatal(err)
		}
		desc, err := client.PutManifest(t.Context(), ref, mediaType, marshalled(t, v))
		if err != nil {
			t.Fatal(err)
		}
		return desc
	}
	named, err := reference.ParseNormalizedNamed(repo)
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range arches {
		config := stored(t, client, named, ocispec.MediaTypeImageConfig, []byte(`{"architecture":"`+arch+`","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`))
		image := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: []ocispec.Descriptor{}}
		desc := put(arch, ocispec.MediaTypeImageManifest, image)
		desc.Platform = &ocispec.Platform{OS: "linux", Architecture: arch}
		ix.Manifests = append(ix.Manifests, desc)
	}
	if list != "" {
		put(list, ocispec.MediaTypeImageIndex, ix)
	}
}

// patient is a run whose registry has base:1 for amd64 and arm64, base:ARCH for each of them, and old:1 for 32-bit ARM. HOST in the Dockerfile is that
// registry, which the rules are for.
func patient(t *testing.T, dockerfile, arches, image string, rules ...faults.Rule) (p *Pipeline, host string) {
	t.Helper()
	proxy := faults.Around(registrytest.InMemory())
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	host = strings.TrimPrefix(server.URL, "http://")
	based(t, registry.New(registry.Options{}), host+"/base", "1", "amd64", "arm64")
	based(t, registry.New(registry.Options{}), host+"/old", "1", "arm")
	for _, r := range rules {
		proxy.Add(r)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if dockerfile != "" {
		text := strings.ReplaceAll(dockerfile, "HOST", host)
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	own := fakeMachine(t, "amd64", func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/images/"+host+"/mine:1/json") {
			_, _ = fmt.Fprint(w, `{"Id":"sha256:x","Os":"linux","Architecture":"amd64","Config":{"OnBuild":["COPY later /"]}}`)
			return
		}
		if strings.Contains(r.URL.Path, "/images/localhost/manymage/base:e1e052aa26ca-linux-arm64/json") { // 127.0.0.1:1/kept:1
			_, _ = fmt.Fprint(w, `{"Id":"sha256:y","Os":"linux","Architecture":"arm64","Config":{}}`)
			return
		}
		if _, repo, asked := strings.Cut(r.URL.Path, "/distribution/127.0.0.1:1/"); asked {
			answer := map[string]string{
				"mirrored:1": `{"Descriptor":{"mediaType":"` + ocispec.MediaTypeImageIndex + `"},"Platforms":[{"os":"linux","architecture":"amd64"}]}`,
				"busy:1":     `{"message":"received unexpected HTTP status: 503 Service Unavailable"}`,
				"base:1":     `{"message":"dial tcp 127.0.0.1:1: connect: connection refused"}`,
				"kept:1":     `{"message":"dial tcp 127.0.0.1:1: connect: connection refused"}`,
			}[strings.TrimSuffix(repo, "/json")]
			w.Header().Set("Content-Type", "application/json")
			if !strings.Contains(answer, "Platforms") {
				w.WriteHeader(http.StatusInternalServerError)
			}
			_, _ = fmt.Fprint(w, answer)
			return
		}
		http.NotFound(w, r)
	})
	env := map[string]string{"IMG": strings.ReplaceAll(image, "HOST", host), "VERSION": "1", "ARCHES": arches, "DOCKER_HOST": own, "DOCKER_BUILDKIT": "0", "RETRY": "0"}
	getenv := func(name string) string { return env[name] }
	cfg, err := config.Load(config.Input{Dir: dir, Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	p = New(Options{Config: cfg, Getenv: getenv})
	t.Cleanup(func() { p.Close() })
	return p, host
}

func TestDoctor(t *testing.T) {
	const plain = "FROM HOST/base:1\nCOPY a /\n"
	uploads := func(status int) faults.Rule {
		return faults.Rule{Match: faults.On("POST", "/uploads/"), Fault: faults.Status(status)}
	}
	for name, test := range map[string]struct {
		dockerfile, arches, image string
		rules                     []faults.Rule
		code                      int
		says                      string // a line that begins with this
	}{
		"all is well":                   {plain, "amd64 arm64", "HOST/me/app", nil, 0, "ok     base      HOST/base:1 (Dockerfile:1) has linux/amd64 linux/arm64"},
		"how it is built":               {plain, "arm64", "HOST/me/app", nil, 0, "ok     build     linux/arm64 from Dockerfile, strategy target"},
		"who may push":                  {plain, "arm64", "HOST/me/app", nil, 0, "ok     registry  http://HOST answers, and nothing speaks against pushes to HOST/me/app by anybody"},
		"nothing is asked for twice":    {plain, "arm64", "HOST/me/app", []faults.Rule{{Match: faults.On("HEAD", "/manifests/"), Fault: faults.Status(503)}}, 0, "ok     registry  http://HOST answers"},
		"a tag that nobody tells":       {plain, "arm64", "HOST/me/app", []faults.Rule{{Match: faults.On("GET", "/me/app/manifests/"), Fault: faults.Status(503)}}, ExitUnreachable, "wrong  tag       HOST/me/app:1 cannot be read: "},
		"a base whose registry is down": {"FROM 127.0.0.1:1/busy:1\nCOPY a /\n", "amd64", "HOST/me/app", nil, ExitUnreachable, "wrong  base      127.0.0.1:1/busy:1 (Dockerfile:1): 127.0.0.1:1 answers 503, and not with the image; run this again later, or ask who runs it"},
		"a new tag":                     {plain, "arm64", "HOST/me/app", nil, 0, "ok     tag       HOST/me/app:1 is not there yet"},
		"a tag that is there":           {plain, "amd64 arm64", "HOST/base", nil, 0, "ok     tag       HOST/base:1 is sha256:"},
		"a tag that loses a child":      {plain, "arm64", "HOST/base", nil, 0, "note   tag       HOST/base:1 will lose linux/amd64"},
		"a base without a platform":     {plain, "arm64 s390x", "HOST/me/app", nil, ExitUsage, "wrong  base      HOST/base:1 (Dockerfile:1) has no linux/s390x, but linux/amd64, linux/arm64; take another base, or leave the platform out of ARCHES"},
		"a base of a lesser variant":    {plain, "amd64/v2 arm64", "HOST/me/app", nil, 0, "ok     base      HOST/base:1 (Dockerfile:1) has linux/amd64 (for linux/amd64/v2) linux/arm64"},
		"a base that runs there":        {"FROM HOST/old:1\nCOPY a /\n", "arm64", "HOST/me/app", nil, 0, "note   base      HOST/old:1 (Dockerfile:1) has linux/arm/v7 (for linux/arm64), another machine's programs, which are refused in the image"},
		"a base that is nowhere":        {"FROM HOST/gone:1\nCOPY a /\n", "arm64", "HOST/me/app", nil, ExitFailed, "wrong  base      HOST/gone:1 (Dockerfile:1): HOST has no such image; correct its name, or push it there first"},
		"a base in the engine":          {"FROM HOST/mine:1\nCOPY a /\n", "amd64", "HOST/me/app", nil, ExitFailed, "note   base      HOST/mine:1 (Dockerfile:1) is in the engine, and nowhere else: "},
		"... for another platform":      {"FROM HOST/mine:1\nCOPY a /\n", "amd64 arm64", "HOST/me/app", nil, ExitFailed, "wrong  base      HOST/mine:1 (Dockerfile:1) is the image for linux/amd64 in the engine, and its registry has to have it for linux/arm64: "},
		"a base that is out of reach": {"FROM 127.0.0.1:1/base:1\nCOPY a /\n", "amd64", "HOST/me/app", nil, ExitUnreachable,
			"wrong  base      127.0.0.1:1/base:1 (Dockerfile:1): the engine does not reach 127.0.0.1:1 (connection refused); check its name, and that 127.0.0.1:1 answers the engine"},
		"... and was pulled before":         {"FROM 127.0.0.1:1/kept:1\nCOPY a /\n", "arm64", "HOST/me/app", nil, 0, "note   base      127.0.0.1:1/kept:1 (Dockerfile:1) is in the engine, and nowhere else: the engine does not reach 127.0.0.1:1"},
		"... for one of its platforms":      {"FROM 127.0.0.1:1/kept:1\nCOPY a /\n", "arm64 s390x", "HOST/me/app", nil, ExitUnreachable, "wrong  base      127.0.0.1:1/kept:1 (Dockerfile:1): the engine does not reach 127.0.0.1:1"},
		"... of ours, not of the engine":    {"FROM 127.0.0.1:1/mirrored:1\nCOPY a /\n", "amd64", "HOST/me/app", nil, 0, "ok     base      127.0.0.1:1/mirrored:1 (Dockerfile:1) has linux/amd64"},
		"... of ours, the engine is dumb":   {"FROM 127.0.0.1:1/odd:1\nCOPY a /\n", "amd64", "HOST/me/app", nil, 0, "note   base      127.0.0.1:1/odd:1 (Dockerfile:1): "},
		"a base of one platform":            {"FROM HOST/base:arm64\nCOPY a /\n", "arm64", "HOST/me/app", nil, 0, "ok     base      HOST/base:arm64 (Dockerfile:1) is an image for linux/arm64"},
		"a base of another platform":        {"FROM HOST/base:amd64\nCOPY a /\n", "arm64", "HOST/me/app", nil, ExitUsage, "wrong  base      HOST/base:amd64 (Dockerfile:1) has no linux/arm64, but linux/amd64; take"},
		"... among its own":                 {"FROM HOST/base:amd64\nCOPY a /\n", "amd64 arm64", "HOST/me/app", nil, ExitUsage, "wrong  base      HOST/base:amd64 (Dockerfile:1) has no linux/arm64, but linux/amd64; take"},
		"a line for another architecture":   {plain + "ADD https://x/app-x64.tgz /\n", "arm64 amd64 arm/v7", "HOST/me/app", nil, ExitUsage, "note   build     linux/arm64 linux/arm/v7: look at Dockerfile:3: app-x64.tgz is for linux/amd64: "},
		"... that cannot be built":          {"FROM HOST/base:1\nRUN --mount=type=bind wget https://x/app-x64.tgz\n", "arm64", "HOST/me/app", nil, ExitUsage, "note   build     linux/arm64: look at Dockerfile:2: app-x64.tgz is for linux/amd64: "},
		"a file that is not there":          {plain + "COPY a nothere/x /\n", "amd64 arm64", "HOST/me/app", nil, ExitFailed, "wrong  context   Dockerfile:3: COPY a nothere/x /: the context DIR has no nothere/x; correct the path, which begins in the context, or CONTEXT"},
		"... for a stage that nobody needs": {"FROM scratch AS dev\nCOPY nothere /\n" + plain, "amd64", "HOST/me/app", nil, ExitFailed, "wrong  context   Dockerfile:2: COPY nothere /: the context DIR has no nothere; "},
		"... for what waits in a base":      {"FROM HOST/mine:1\nCOPY a /\n", "amd64", "HOST/me/app", nil, ExitFailed, "wrong  context   Dockerfile:1: ONBUILD COPY later /: the context DIR has no later; "},
		"... that a pattern fits":           {plain + "COPY z* /\n", "amd64 arm64", "HOST/me/app", nil, ExitFailed, "wrong  context   Dockerfile:3: COPY z* /: nothing that is sent of the context DIR fits; "},
		"stages of one name":                {"FROM scratch AS x\nCOPY a /\nFROM scratch AS x\nCOPY a /\n", "amd64", "HOST/me/app", nil, ExitUsage, "wrong  build     Dockerfile:3: there is a stage x above (line 1), "},
		"a variable in --from":              {"FROM scratch AS x\nFROM scratch\nCOPY --from=$S / /\n", "amd64 arm64", "HOST/me/app", nil, ExitUsage, "wrong  build     Dockerfile:3: --from=$S holds a variable, which COPY does not fill in: "},
		"another machine's emulators":       {"FROM HOST/base:1\nRUN true\n", "arm64", "HOST/me/app", nil, 0, "ok     build     linux/arm64 from Dockerfile, strategy target, 1 RUN line emulated"},
		"lines that want BuildKit":          {"FROM HOST/base:1\nRUN --mount=type=cache,target=/c true\n", "amd64", "HOST/me/app", nil, ExitUsage, "                   Dockerfile:2: RUN --mount"},
		"another system":                    {plain, "windows/amd64", "HOST/me/app", nil, ExitUsage, "wrong  build     not possible on this engine: the classic builder builds for linux alone, not for windows"},
		"no Dockerfile":                     {"", "arm64", "HOST/me/app", nil, ExitUsage, "wrong  build     "},
		"no right to push":                  {plain, "arm64", "HOST/me/app", []faults.Rule{uploads(403)}, ExitFailed, "wrong  registry  "},
		"a read-only registry":              {plain, "arm64", "HOST/me/app", []faults.Rule{uploads(405)}, ExitPublish, "wrong  registry  "},
		"no registry":                       {plain, "arm64", "127.0.0.1:1/me/app", nil, ExitUnreachable, "wrong  registry  "},
	} {
		t.Run(name, func(t *testing.T) {
			p, host := patient(t, test.dockerfile, test.arches, test.image, test.rules...)
			h, text := examined(t, p)
			if want := strings.NewReplacer("HOST", host, "DIR", p.cfg.Dir).Replace(test.says); !strings.Contains("\n"+text, "\n"+want) {
				t.Errorf("says\n%s\nwant %s", text, want)
			}
			if code := ExitCode(h.Err()); code != test.code {
				t.Errorf("exit %d for %v, want %d", code, h.Err(), test.code)
			}
			for line := range strings.Lines(text) {
				if strings.Count(text, line) > 1 {
					t.Errorf("says twice: %s", line)
				}
			}
		})
	}
}

// examined is what a doctor finds, and says.
func examined(t *testing.T, p *Pipeline) (Health, string) {
	t.Helper()
	h, err := p.Doctor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := h.Write(&text); err != nil {
		t.Fatal(err)
	}
	return h, text.String()
}

// What is sent lies here, and where the run is recorded; a file in the place of a folder stands for one that nobody may write to.
func TestDoctorLooksAtTheFolder(t *testing.T) {
	p, _ := patient(t, "FROM scratch\nCOPY . /\n", "amd64 arm64", "HOST/me/app")
	dist := filepath.Join(p.cfg.Dir, "dist")
	h, text := examined(t, p)
	if want := "ok     context   " + p.cfg.Dir + ": 4 files, "; !strings.Contains(text, want) || h.Err() != nil {
		t.Errorf("%q is not in\n%s", want, text)
	}
	if _, err := os.Stat(dist); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
	if err := os.WriteFile(dist, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	h, text = examined(t, p)
	if want := "wrong  record    the record of the run cannot be written: "; !strings.Contains(text, want) || ExitCode(h.Err()) != ExitFailed {
		t.Errorf("%q is not in\n%s", want, text)
	}
}

// A classic builder has one context, and no secrets.
func TestDoctorKnowsWhatTheBuilderIsGiven(t *testing.T) {
	p, _ := patient(t, "FROM scratch\nCOPY a /\n", "amd64 arm64", "HOST/me/app")
	p.cfg.Contexts = []config.Pair{{Name: "lib", Value: t.TempDir()}}
	h, text := examined(t, p)
	if want := "wrong  build     not possible on this engine: the classic builder has one context directory, not lib="; strings.Count(text, want) != 1 || ExitCode(h.Err()) != ExitUsage {
		t.Errorf("%q is not in\n%s", want, text)
	}
}

// An image that stands for a name in the Dockerfile is a base, too.
func TestDoctorAsksForNamedImages(t *testing.T) {
	p, host := patient(t, "FROM base\n", "arm64", "HOST/me/app")
	p.cfg.Contexts = []config.Pair{{Name: "base", Value: "docker-image://" + host + "/gone:1"}, {Name: "files", Value: t.TempDir()}}
	_, text := examined(t, p)
	if want := "wrong  base      " + host + "/gone:1 (CONTEXTS): "; strings.Count(text, "  base  ") != 1 || !strings.Contains(text, want) {
		t.Errorf("says\n%s\nwant %s", text, want)
	}
}

// It is asked for what the build wants of it: the engine's own platform where it is pinned to that, nothing where nothing takes it.
func TestDoctorAsksOfNamedImagesWhatTheBuildDoes(t *testing.T) {
	p, host := patient(t, "FROM --platform=$BUILDPLATFORM base AS build\nFROM scratch\nCOPY --from=build a /\n", "riscv64", "HOST/me/app")
	p.cfg.Contexts = []config.Pair{{Name: "base", Value: "docker-image://" + host + "/gone:1"}, {Name: "other", Value: "docker-image://" + host + "/other:1"}}
	jobs, err := p.jobs()
	if err != nil {
		t.Fatal(err)
	}
	all := p.basesOf(jobs)
	if len(all) != 1 || !strings.HasSuffix(all[0].image, "/gone:1") || !slices.Equal(formatted(all[0].wanted), []string{platforms.Format(platforms.Host())}) {
		t.Errorf("%+v", all)
	}
}

// A named folder has what is in it, and not what its ignore file leaves out; what a named image has only the engine can tell.
func TestUnfoundOfNamedContexts(t *testing.T) {
	p, host := patient(t, "FROM scratch\nCOPY --from=files a gone /\nCOPY --from=base b /\nRUN --mount=from=files,source=left,target=/x true\n", "amd64 arm64", "HOST/me/app")
	dir := t.TempDir()
	for name, text := range map[string]string{"a": "", "left": "", ".dockerignore": "left\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.cfg.Contexts = []config.Pair{{Name: "base", Value: "docker-image://" + host + "/base:1"}, {Name: "files", Value: dir}}
	jobs, err := p.jobs()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, err := range p.unfound(t.Context(), jobs) {
		got = append(got, err.Error())
	}
	want := []string{
		"Dockerfile:2: COPY --from=files a gone /: files has no /gone; correct the path, which begins in " + dir,
		"Dockerfile:4: RUN --mount=from=files,source=left,target=/x true: left is left out of the context by the line left of .dockerignore; take the line out, or write !left below it",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A word that was meant for a stage is told as the build tells it.
func TestDoctorKnowsTheStages(t *testing.T) {
	p, _ := patient(t, "FROM scratch\n", "arm64", "HOST/me/app")
	b := &wantedBase{image: "reg.example/biuld:latest", where: "Dockerfile:3", wanted: []ocispec.Platform{{OS: "linux", Architecture: "arm64"}}, hint: "no stage is called biuld (did you mean build?)"}
	got := p.hiddenHealth(t.Context(), b, "", registry.ErrNotFound).Text
	if want := "Dockerfile:3: no stage is called biuld (did you mean build?), and the image reg.example/biuld:latest: reg.example has no such image; correct its name, or push it there first"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Of several engines each is told with what it builds.
func TestDoctorOfNodes(t *testing.T) {
	intel, arm := fakeMachine(t, "amd64", http.NotFound), fakeMachine(t, "arm64", http.NotFound)
	p := onNodes(t, intel, "arm64,arm/v7="+arm, nil)
	p.cfg.Image, p.cfg.Retry = "127.0.0.1:1/me/app", 0
	_, text := examined(t, p)
	for _, want := range []string{" at " + intel + ", ", ", builds linux/amd64\n", " at " + arm + ", ", ", builds linux/arm64 linux/arm/v7\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// Whoever stops it is told nothing that was cut off.
// What is in the way of one question is not what is said of another.
func TestDoctorWithATornDockerConfiguration(t *testing.T) {
	p, _ := patient(t, "FROM scratch\nCOPY . /\n", "amd64 arm64", "HOST/me/app")
	config := t.TempDir()
	if err := os.WriteFile(filepath.Join(config, "config.json"), []byte(`{"auths": {`), 0o644); err != nil {
		t.Fatal(err)
	}
	p.registry, p.opts.Getenv = nil, func(name string) string { return map[string]string{"DOCKER_CONFIG": config}[name] }
	h, err := p.Doctor(t.Context())
	if err == nil || !strings.Contains(err.Error(), "it is no JSON from byte") {
		t.Errorf("got %v", err)
	}
	for _, c := range h.Checks {
		if c.Of == "context" && c.State != Fine {
			t.Errorf("the context is %+v", c)
		}
	}
}

func TestDoctorIsStopped(t *testing.T) {
	p, _ := patient(t, "FROM HOST/base:1\n", "arm64", "HOST/me/app")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if h, err := p.Doctor(ctx); !errors.Is(err, context.Canceled) || len(h.Checks) > 0 {
		t.Errorf("%+v, %v", h, err)
	}
}

// An engine that is not there is in the way, but not where somebody gets one going.
func TestDoctorWithoutEngine(t *testing.T) {
	none := fmt.Errorf("%w: nothing answers", engine.ErrNone)
	ensure := func(context.Context) error { return nil }
	for _, test := range []struct {
		err    error
		ensure func(context.Context) error
		want   State
	}{{none, nil, Wrong}, {none, ensure, Noted}, {engine.ErrUnreachable, ensure, Wrong}} {
		got := New(Options{Ensure: test.ensure}).engineHealth("", test.err)
		if len(got) != 1 || got[0].State != test.want {
			t.Errorf("%v: %+v, want %s", test.err, got, test.want)
		}
	}
}

// What a push would be refused for is in the way of it, and the first thing decides the exit code.
func TestDoctorCountsWhatIsWrong(t *testing.T) {
	drop := PlannedTag{Ref: "reg.example/app:1", Dropped: []string{"linux/arm/v7"}}.health()
	lost := wrong("engine", engine.ErrUnreachable)
	for _, test := range []struct {
		checks []Checked
		says   string
		code   int
	}{
		{[]Checked{fine("tag", "fine")}, "", 0},
		{[]Checked{fine("tag", "fine"), drop}, "one thing is in the way", ExitPublish},
		{[]Checked{lost, drop}, "2 things are in the way", ExitUnreachable},
	} {
		err := Health{test.checks}.Err()
		if ExitCode(err) != test.code || err != nil && !strings.HasPrefix(err.Error(), test.says) {
			t.Errorf("%+v: %v, exit %d", test.checks, err, ExitCode(err))
		}
	}
	if !strings.Contains(drop.Text, "ALLOW_DROP=linux/arm/v7") {
		t.Errorf("no way out in %q", drop.Text)
	}
}
