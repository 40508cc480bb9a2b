package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/manymage/manymage/build/engine"
	truth "github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms"
)

// classicOptions open an engine as DOCKER_BUILDKIT=0 does.
var classicOptions = engine.Options{Classic: true}

// judges is the pipeline's hook: checked, then labelled.
func judges(p ocispec.Platform) engine.Hook {
	return func(_ context.Context, config []byte, root fs.FS) ([]byte, error) {
		if _, err := truth.Check(config, root, p, truth.Options{}); err != nil {
			return nil, err
		}
		return truth.Relabel(config, p)
	}
}

// classicTags are a test's own tags, by platform.
func classicTags(repo string) func(ocispec.Platform) string {
	return func(p ocispec.Platform) string { return repo + ":" + platforms.Short(p) }
}

// leavesNoContainer runs at the end of a test.
func leavesNoContainer(t *testing.T, under *EngineUnderTest) {
	t.Cleanup(func() {
		if left := under.Docker(t, "ps", "-aq", "--filter", "label=com.github.manymage"); left != "" {
			t.Errorf("containers are left: %s", left)
		}
	})
}

// programsDir is a context with the hello program of every target.
func programsDir(t *testing.T, more Files) string {
	t.Helper()
	files := Files{"hello-amd64*": "", "hello-arm64*": "", "hello-arm*": ""}
	for name, program := range map[string]string{"hello-amd64*": "amd64", "hello-arm64*": "arm64", "hello-arm*": "armv7"} {
		files[name] = readFile(t, Hello(t, program))
	}
	for name, content := range more {
		files[name] = content
	}
	return Dir(t, files)
}

// Without BuildKit, too, every platform's image is the platform's own: its
// label, its programs, its settings. The second time everything is cached.
func TestClassicBuildsEveryPlatform(t *testing.T) {
	reg := Plain(t)
	golang := Golang(t, reg)
	dockerfiles := map[string]string{
		"scratch": "FROM scratch\nARG TARGETARCH\nLABEL a=b\nCOPY hello-${TARGETARCH} /hello\nENTRYPOINT [\"/hello\"]\n",
		"cross": "ARG BUILDPLATFORM\nFROM --platform=$BUILDPLATFORM " + golang + " AS build\nARG TARGETARCH TARGETVARIANT\nARG GOARCH=wrong\n" +
			"RUN GOARCH=$TARGETARCH go build -o /hello . && echo $GOARCH > /arg\nFROM scratch\nCOPY --from=build /hello /arg /\nENTRYPOINT [\"/hello\"]\n",
	}
	EachEngine(t, Engines(), func(t *testing.T, under *EngineUnderTest) {
		for name, dockerfile := range dockerfiles {
			if name == "cross" && under.Kind == Docker26Containerd {
				continue // its base is a manifest list: see TestClassicRefusesListsOnContainerdStores
			}
			t.Run(name, func(t *testing.T) {
				leavesNoContainer(t, under)
				e := under.Open(t, classicOptions)
				tag := classicTags(reg.Repo(t))
				dir := programsDir(t, nil)
				build := func() []engine.Built {
					built, err := solveAll(t.Context(), starts(t, e, engine.Context{Dir: dir}), func(p ocispec.Platform) (engine.Solve, engine.Hook) {
						args := map[string]string{"GOARCH": p.Architecture}
						return engine.Solve{SetPlatform: true, Dockerfile: []byte(dockerfile), Tags: []string{tag(p)}, BuildArgs: args}, judges(p)
					})
					if err != nil {
						t.Fatal(err)
					}
					return built
				}
				built := build()
				for i, again := range build() {
					if again.Config != built[i].Config {
						t.Errorf("%s: the second build gave %s, the first %s", Targets()[i].Platform, again.Config, built[i].Config)
					}
				}
				for i, target := range Targets() {
					p, _ := platforms.Parse(target.Platform)
					checkClassicPush(t, e, reg, tag(p), built[i], target)
					if got := under.Says(t, tag(p), target.Platform); got != helloFrom(target) {
						t.Errorf("%s says %q", tag(p), got)
					}
				}
			})
		}
	})
}

// checkClassicPush pushes and compares the registry with what was said to be
// built. Podman does not tell what it uploaded.
func checkClassicPush(t *testing.T, e *engine.Engine, reg *Registry, ref string, built engine.Built, target target) {
	t.Helper()
	if e.Info().Name != "Podman" {
		checkPushed(t, e, reg, ref, built, target)
		return
	}
	if _, err := e.Push(t.Context(), ref, nil); err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Config struct{ Digest string } }
	decode(t, reg.Raw(t, ref), &manifest)
	config := reg.Config(t, ref)
	if manifest.Config.Digest != built.Config.String() || config.Architecture != target.Arch || config.Variant != target.Variant {
		t.Errorf("%s: the registry has %s for %s/%s, built was %s", ref, manifest.Config.Digest, config.Architecture, config.Variant, built.Config)
	}
}

func TestClassicRunsStepsOnTheirOwnPlatform(t *testing.T) {
	Emulation(t)
	reg := Plain(t)
	dockerfile := []byte("FROM " + Busybox(t, reg) + "\nARG TARGETPLATFORM TARGETVARIANT\nRUN uname -m > /seen; echo $TARGETPLATFORM >> /seen\nCMD [\"/bin/cat\", \"/seen\"]\n")
	EachEngine(t, []Kind{Docker20, Docker26Graph, Podman}, func(t *testing.T, under *EngineUnderTest) {
		leavesNoContainer(t, under)
		e := under.Open(t, classicOptions)
		tag := classicTags(reg.Repo(t))
		built, err := solveAll(t.Context(), starts(t, e, engine.Context{}), func(p ocispec.Platform) (engine.Solve, engine.Hook) {
			return engine.Solve{SetPlatform: true, Dockerfile: dockerfile, Tags: []string{tag(p)}}, judges(p)
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, target := range Targets() {
			p, _ := platforms.Parse(target.Platform)
			checkClassicPush(t, e, reg, tag(p), built[i], target)
			if got := under.Says(t, tag(p), target.Platform); got != target.Uname+"\n"+target.Platform {
				t.Errorf("%s says %q", tag(p), got)
			}
		}
	})
}

// The caches of Docker 20.10 and of Podman do not look at the platform, and
// Podman's not at the arguments either.
func TestClassicCacheIsNeverAnotherPlatforms(t *testing.T) {
	dockerfile := []byte("FROM scratch\nARG TARGETARCH\nCOPY same /same\nENV ARCH=$TARGETARCH\nLABEL arch=$TARGETARCH\nWORKDIR /in/$TARGETARCH\nCOPY same /lib/$TARGETARCH/\n")
	EachEngine(t, []Kind{Docker20, Podman}, func(t *testing.T, under *EngineUnderTest) {
		e := under.Open(t, classicOptions)
		dir := Dir(t, Files{"same": noise(100)})
		for _, target := range Targets() {
			p, _ := platforms.Parse(target.Platform)
			look := func(_ context.Context, config []byte, root fs.FS) ([]byte, error) {
				facts, err := truth.FactsOf(config)
				if err != nil {
					return nil, err
				}
				if env := strings.Join(facts.Env, " "); !strings.HasSuffix(env, "ARCH="+target.Arch) || facts.Labels["arch"] != target.Arch || facts.WorkingDir != "/in/"+target.Arch {
					return nil, fmt.Errorf("settings of another platform: %+v", facts)
				}
				if _, err := fs.Stat(root, "lib/"+target.Arch+"/same"); err != nil {
					return nil, err
				}
				return config, nil
			}
			j := job{Context: engine.Context{Dir: dir}, Solve: engine.Solve{Platform: p, SetPlatform: true, Dockerfile: dockerfile}, hook: look}
			if _, _, err := j.build(t, e); err != nil {
				t.Errorf("%s: %v", target.Platform, err)
			}
		}
	})
}

// Nor is it another argument's: Podman's history has the names of arguments alone.
func TestClassicCacheIsNeverAnotherArguments(t *testing.T) {
	dockerfile := []byte("FROM scratch AS b\nARG V\nWORKDIR /out/$V\nCOPY same .\nENV E=$V\nCOPY same $E/\n" +
		"FROM scratch\nARG W=w$V\nCOPY --from=b /out /out\nCOPY same /$W/\n")
	EachEngine(t, []Kind{Docker20, Podman}, func(t *testing.T, under *EngineUnderTest) {
		e := under.Open(t, classicOptions)
		dir := Dir(t, Files{"same": noise(100)})
		for _, v := range []string{"1", "2"} {
			look := looks(func(root fs.FS) error {
				found, err := fs.Glob(root, "out/*/same")
				deep, again := fs.Glob(root, "out/*/*/same")
				_, last := fs.Stat(root, "w"+v+"/same")
				if !slices.Equal(found, []string{"out/" + v + "/same"}) || !slices.Equal(deep, []string{"out/" + v + "/" + v + "/same"}) {
					err = fmt.Errorf("files of another argument: %v %v", found, deep)
				}
				return errors.Join(err, again, last)
			})
			j := job{Context: engine.Context{Dir: dir}, hook: look, Solve: engine.Solve{Platform: platforms.Host(), SetPlatform: true, Dockerfile: dockerfile,
				BuildArgs: map[string]string{"V": v, "W": "w" + v}}}
			if _, _, err := j.build(t, e); err != nil {
				t.Errorf("V=%s: %v", v, err)
			}
		}
	})
}

func TestClassicRefusesListsOnContainerdStores(t *testing.T) {
	base := Busybox(t, Plain(t))
	e := Engine(t, Docker26Containerd).Open(t, classicOptions)
	for _, target := range Targets() {
		p, _ := platforms.Parse(target.Platform)
		_, _, err := job{Solve: engine.Solve{Dockerfile: []byte("FROM " + base + "\n"), Platform: p, SetPlatform: true}}.build(t, e)
		if !errors.Is(err, engine.ErrUnsupported) || !matches("Dockerfile:1: .*"+base+" is a manifest list.*use BuildKit", err.Error()) {
			t.Errorf("%s: got %v", target.Platform, err)
		}
	}
}

func TestClassicBuildsFromPrivateBases(t *testing.T) {
	reg := Private(t)
	base := Busybox(t, reg)
	dockerfile := []byte("FROM " + base + "\nRUN echo private > /seen\n")
	EachEngine(t, []Kind{Docker20, Docker26Graph, Podman}, func(t *testing.T, under *EngineUnderTest) {
		for _, one := range []struct {
			name  string
			found engine.Credential
			want  string
		}{{"none", engine.Credential{}, "docker login"}, {"right", engine.Credential{Username: User, Password: Password}, ""}} {
			options := classicOptions
			options.Credentials = func(context.Context, string) (engine.Credential, error) { return one.found, nil }
			e := under.Open(t, options)
			if err := e.Remove(t.Context(), base); err != nil { // what another test has pulled needs no credentials any more
				t.Fatal(err)
			}
			_, _, err := job{Solve: engine.Solve{Dockerfile: dockerfile, SetPlatform: true, Pull: true}, hook: looks(func(fs.FS) error { return nil })}.build(t, e)
			if (err == nil) != (one.want == "") || (err != nil && !strings.Contains(err.Error(), one.want)) {
				t.Errorf("%s: got %v, want %q", one.name, err, one.want)
			}
			if err != nil && strings.Contains(err.Error(), Password) {
				t.Errorf("the password is told: %v", err)
			}
		}
	})
}

// A lie is refused with the hook's own error; the tag is not given, and no
// container and no image is left.
func TestClassicRefusesLies(t *testing.T) {
	EachEngine(t, Engines(), func(t *testing.T, under *EngineUnderTest) {
		leavesNoContainer(t, under)
		dockerfile := []byte("FROM scratch\nCOPY hello-amd64 /hello\n" + ofTest(t) + "COPY other /\nENTRYPOINT [\"/hello\"]\n")
		e := under.Open(t, classicOptions)
		p := ocispec.Platform{OS: "linux", Architecture: "arm64"}
		tag := "127.0.0.1:1/e2e/classic-lie:" + platforms.Short(p)
		before := dangling(t, under)
		dir := programsDir(t, Files{"other": noise(10)}) // built anew, not found in the cache
		j := job{Context: engine.Context{Dir: dir}, Solve: engine.Solve{Platform: p, SetPlatform: true, Dockerfile: dockerfile, Tags: []string{tag}}, hook: judges(p)}
		_, _, err := j.build(t, e)
		var refusal *truth.Refusal
		if !errors.As(err, &refusal) || len(refusal.Faults) != 1 || refusal.Faults[0].Path != "/hello" {
			t.Errorf("got %v", err)
		}
		if left := dangling(t, under); left != before {
			t.Errorf("%d images without a name, %d before", left, before)
		}
		if _, err := e.Inspect(t.Context(), tag); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("the refused image is in the engine: %v", err)
		}
	})
}

func TestClassicExplainsAFailedStep(t *testing.T) {
	base := Busybox(t, Plain(t))
	dockerfile := []byte("FROM " + base + " AS one\n\n# why\nRUN echo why; \\\n  exit 7\nFROM scratch\nCOPY --from=one /bin/sh /\n")
	EachEngine(t, []Kind{Docker20, Docker26Graph, Podman}, func(t *testing.T, under *EngineUnderTest) {
		e := under.Open(t, classicOptions)
		_, _, err := job{Solve: engine.Solve{Dockerfile: dockerfile, SetPlatform: true}}.build(t, e)
		var step *engine.StepError
		if !errors.As(err, &step) {
			t.Fatalf("got %v", err)
		}
		if step.Line != 4 || step.ExitCode != 7 || step.Output != "why" || !strings.HasPrefix(step.Step, "[one 2/2] RUN echo why;") {
			t.Errorf("got %+v", step)
		}
		if left := under.Docker(t, "ps", "-aq"); left != "" {
			t.Errorf("containers are left: %s", left)
		}
	})
}

func TestClassicRefusesWhatOnlyBuildKitCan(t *testing.T) {
	e := Engine(t, Docker20).Open(t, classicOptions)
	_, _, err := job{Solve: engine.Solve{Dockerfile: []byte("FROM scratch\nRUN <<EOF\necho\nEOF\n")}}.build(t, e)
	if !errors.Is(err, engine.ErrUnsupported) || !matches("Dockerfile: .*line 2: .*here-documents.*use BuildKit", err.Error()) {
		t.Errorf("a here-document: %v", err)
	}
	if _, err := e.Start(t.Context(), engine.Context{Dir: t.TempDir(), Secrets: []engine.Secret{{ID: "x", Env: "X"}}}); !errors.Is(err, engine.ErrUnsupported) {
		t.Errorf("a secret: %v", err)
	}
}

// The rewritten Dockerfile is in no image; everything else that is not
// ignored is, byte for byte. That it lies in a volume of the image makes none.
func TestClassicContextIsTheUsersOwn(t *testing.T) {
	files := Files{"Dockerfile": "the user's own", ".dockerignore": "secret*\n", "secret.key": "planted", "kept": "kept", "deep/secret": "kept, the pattern is anchored"}
	want := map[string]bool{"Dockerfile": true, ".dockerignore": true, "secret.key": false, "kept": true, "deep/secret": true}
	EachEngine(t, Stores(), func(t *testing.T, under *EngineUnderTest) {
		volumes := under.Docker(t, "volume", "ls", "-q")
		look := func(root fs.FS) error {
			if now := under.Docker(t, "volume", "ls", "-q"); now != volumes {
				t.Errorf("the volumes were %q, and are %q while the image is looked at", volumes, now)
			}
			for name, there := range want {
				if _, err := fs.Stat(root, "all/"+name); (err == nil) != there {
					t.Errorf("%s: %v", name, err)
				}
				if content, err := fs.ReadFile(root, "all/"+name); there && string(content) != files[name] {
					t.Errorf("%s holds %q, %v", name, content, err)
				}
			}
			if all, err := fs.ReadDir(root, "all"); len(all) != 4 {
				t.Errorf("%v, %v", all, err)
			}
			return nil
		}
		j := job{Context: engine.Context{Dir: Dir(t, files)}, Solve: engine.Solve{Dockerfile: []byte("FROM scratch\nCOPY . /all/\nVOLUME /all /more\n")}, hook: looks(look)}
		if _, _, err := j.build(t, under.Open(t, classicOptions)); err != nil {
			t.Error(err)
		}
	})
}

// Two runs over one Dockerfile at once, each with its own arguments: nobody
// gets the other's image.
func TestClassicBuildsDoNotDisturbEachOther(t *testing.T) {
	dockerfile := []byte("FROM scratch\nARG WHO\nCOPY f /\nENV WHO=$WHO\n")
	EachEngine(t, Stores(), func(t *testing.T, under *EngineUnderTest) {
		e := under.Open(t, classicOptions)
		dir := Dir(t, Files{"f": "f"})
		var group errgroup.Group
		for _, who := range []string{"ada", "bob", "cyd"} {
			b := starts(t, e, engine.Context{Dir: dir})
			group.Go(func() error {
				tag := "127.0.0.1:1/e2e/classic-" + who + ":1"
				s := engine.Solve{Platform: platforms.Host(), SetPlatform: true, Dockerfile: dockerfile, BuildArgs: map[string]string{"WHO": who}, Tags: []string{tag}}
				look := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) {
					facts, err := truth.FactsOf(config)
					if err == nil && facts.Env[len(facts.Env)-1] != "WHO="+who {
						err = fmt.Errorf("%s got %v", who, facts.Env)
					}
					return config, err
				}
				built, err := b.Solve(t.Context(), s, look, nil)
				if err != nil {
					return err
				}
				if found, err := e.Inspect(t.Context(), tag); err != nil || found.ID != built.ID {
					return fmt.Errorf("%s is %s, built was %s: %w", tag, found.ID, built.ID, err)
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestClassicInterruptedLeavesNothing(t *testing.T) {
	EachEngine(t, Stores(), func(t *testing.T, under *EngineUnderTest) {
		leavesNoContainer(t, under)
		e := under.Open(t, classicOptions)
		tag := "127.0.0.1:1/e2e/classic-interrupted:1"
		before := dangling(t, under)
		ctx, cancel := context.WithCancel(t.Context())
		interrupted := func(ctx context.Context, config []byte, _ fs.FS) ([]byte, error) {
			cancel()
			return nil, ctx.Err()
		}
		s := engine.Solve{Platform: ocispec.Platform{OS: "linux", Architecture: "riscv64"}, SetPlatform: true, Dockerfile: []byte("FROM scratch\nCOPY f /\n" + ofTest(t)), Tags: []string{tag}}
		_, err := starts(t, e, engine.Context{Dir: Dir(t, Files{"f": noise(10)})}).Solve(ctx, s, interrupted, nil)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if left := dangling(t, under); left != before {
			t.Errorf("%d images without a name, %d before", left, before)
		}
		if _, err := e.Inspect(t.Context(), tag); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("the tag is there: %v", err)
		}
	})
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// A build that is cut off between its steps ends, and the engine lives on.
// Podman 4.3's service falls over when its client hangs up there.
func TestClassicCutOffBuildsLeaveTheEngineAlive(t *testing.T) {
	base := Busybox(t, Plain(t))
	dockerfile := []byte("FROM " + base + " AS one\nARG NOISE\nRUN echo $NOISE > /a\nCOPY f /b\nRUN echo 2 > /c\nFROM " + base + "\nCOPY --from=one /a /b /c /\nRUN echo 3 > /d\n")
	EachEngine(t, []Kind{Docker20, Podman}, func(t *testing.T, under *EngineUnderTest) {
		e := under.Open(t, classicOptions)
		b := starts(t, e, engine.Context{Dir: Dir(t, Files{"f": "f"})})
		for _, at := range []string{"RUN echo 2", "COPY --from"} {
			ctx, cancel := context.WithCancel(t.Context())
			cut := func(event engine.Event) {
				if step, ok := event.(engine.Step); ok && strings.Contains(step.Name, at) {
					cancel()
				}
			}
			s := engine.Solve{Platform: platforms.Host(), SetPlatform: true, Dockerfile: dockerfile, BuildArgs: map[string]string{"NOISE": at + t.Name()}}
			if _, err := b.Solve(ctx, s, looks(func(fs.FS) error { return nil }), cut); !errors.Is(err, context.Canceled) {
				t.Errorf("cut off at %s: %v", at, err)
			}
			cancel()
		}
		if !await(func() bool { return under.Docker(t, "ps", "-aq") == "" }) {
			t.Errorf("containers are left: %s", under.Docker(t, "ps", "-a"))
		}
	})
}
