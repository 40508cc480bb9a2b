package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/build/engine"
	truth "github.com/manymage/manymage/build/image"
	"github.com/manymage/manymage/platforms"
)

// mislabelled builds an image of this test's alone, with a program of arm64 and
// the label of the engine, as the docker command does without BuildKit.
func mislabelled(t *testing.T, e *engine.Engine, tag string) engine.Image {
	t.Helper()
	keep := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) { return config, nil }
	j := job{
		Context: engine.Context{Dir: programsDir(t, nil)},
		Solve:   engine.Solve{Dockerfile: []byte("FROM scratch\nCOPY hello-arm64 /hello\n" + ofTest(t) + "ENV A=\"x > y\"\nENTRYPOINT [\"/hello\"]\n"), Tags: []string{tag}},
		hook:    keep,
	}
	if _, _, err := j.build(t, e); err != nil {
		t.Fatal(err)
	}
	return inspected(t, e, tag)
}

func inspected(t *testing.T, e *engine.Engine, ref string) engine.Image {
	t.Helper()
	found, err := e.Inspect(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// ofTest is the line by which an image is known to be of this test. An engine
// may still be at a step that another test has cut off.
func ofTest(t *testing.T) string { return "LABEL test=" + t.Name() + "\n" }

// dangling counts the images of this test that have no name.
func dangling(t *testing.T, under *EngineUnderTest) int {
	t.Helper()
	return len(strings.Fields(under.Docker(t, "images", "-q", "--filter", "dangling=true", "--filter", "label=test="+t.Name())))
}

// theirTag is a tag that the engine spells like this.
func theirTag(t *testing.T) string {
	return "127.0.0.1:1/e2e/setarch:" + strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
}

func TestClassicSetArchRepairsALabel(t *testing.T) {
	arm64 := ocispec.Platform{OS: "linux", Architecture: "arm64"}
	EachEngine(t, Engines(), func(t *testing.T, under *EngineUnderTest) {
		leavesNoContainer(t, under)
		e := under.Open(t, classicOptions)
		tag := theirTag(t)
		before := mislabelled(t, e, tag)
		others := dangling(t, under)

		dry, err := e.SetArch(t.Context(), tag, judges(arm64), true, nil)
		if err != nil || !dry.Changed || dry.ID != before.ID || inspected(t, e, tag).ID != before.ID {
			t.Fatalf("the dry run: %+v, %v", dry, err)
		}
		done, err := e.SetArch(t.Context(), tag, judges(arm64), false, nil)
		if err != nil || !done.Changed || done.Config != dry.Config {
			t.Fatalf("%+v, %v", done, err)
		}
		after := inspected(t, e, tag)
		if after.ID != done.ID || !platforms.Equal(after.Platform, arm64) {
			t.Errorf("the engine has %+v, done was %+v", after, done)
		}
		onlyThePlatformDiffers(t, done.Old, done.New)
		if got := dangling(t, under); got > others {
			t.Errorf("%d images without a name, %d before", got, others)
		}
		if got := under.Docker(t, "run", "--rm", "--network=host", "--platform=linux/arm64", tag); got != "hello from arm64 []" {
			t.Errorf("it says %q", got)
		}
		again, err := e.SetArch(t.Context(), tag, judges(arm64), false, nil)
		if err != nil || again.Changed || again.ID != done.ID {
			t.Errorf("again: %+v, %v", again, err)
		}
	})
}

func onlyThePlatformDiffers(t *testing.T, before, after []byte) {
	t.Helper()
	var a, b map[string]any
	if err := errors.Join(json.Unmarshal(before, &a), json.Unmarshal(after, &b)); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"architecture", "variant", "os"} {
		delete(a, key)
		delete(b, key)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("another field changed:\n%s\n%s", before, after)
	}
}

// Whatever goes wrong, the tag names the image that it named before.
func TestClassicSetArchLeavesTheImageAlone(t *testing.T) {
	arm := ocispec.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	EachEngine(t, Engines(), func(t *testing.T, under *EngineUnderTest) {
		leavesNoContainer(t, under)
		e := under.Open(t, classicOptions)
		tag := theirTag(t)
		before := mislabelled(t, e, tag)
		other := theirTag(t) + "-other"

		_, err := e.SetArch(t.Context(), tag, judges(arm), false, nil)
		var refusal *truth.Refusal
		if !errors.As(err, &refusal) {
			t.Errorf("a lie: %v", err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		interrupt := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) {
			cancel()
			return truth.Relabel(config, arm)
		}
		if _, err := e.SetArch(ctx, tag, interrupt, false, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
		if got := inspected(t, e, tag); got.ID != before.ID {
			t.Errorf("the tag names %s, before it was %s", got.ID, before.ID)
		}

		moved := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) {
			if err := errors.Join(e.Tag(t.Context(), before.ID, other), e.Tag(t.Context(), newImage(t, e), tag)); err != nil {
				return nil, err
			}
			return truth.Relabel(config, arm)
		}
		if _, err := e.SetArch(t.Context(), tag, moved, false, nil); !errors.Is(err, engine.ErrChanged) {
			t.Errorf("moved meanwhile: %v", err)
		}
		if got := inspected(t, e, other); got.ID != before.ID {
			t.Errorf("the image is %s, before it was %s", got.ID, before.ID)
		}
	})
}

// The moments at which nobody looks: on graph drivers between the image's ID and
// BuildKit's look at the tag, on the others between the check and the load. The
// tag stays with whoever took it, the image with its other name, and nothing is left.
func TestClassicSetArchSeesATagThatMoves(t *testing.T) {
	arm64 := ocispec.Platform{OS: "linux", Architecture: "arm64"}
	moments := map[Kind]string{Docker20: "/grpc", Docker26Graph: "/grpc", Docker26Containerd: "/images/load", Podman: "/images/load"}
	EachEngine(t, Engines(), func(t *testing.T, under *EngineUnderTest) {
		leavesNoContainer(t, under)
		e := under.Open(t, classicOptions)
		tag := theirTag(t)
		other := tag + "-other"
		before, taken := mislabelled(t, e, tag), newImage(t, e)
		if err := e.Tag(t.Context(), before.ID, other); err != nil {
			t.Fatal(err)
		}
		nameless := dangling(t, under) - 1 // the one that takes the tag
		seen := under.Interposed(t, moments[under.Kind], func() error { return e.Tag(t.Context(), taken, tag) })

		_, err := seen.Open(t, classicOptions).SetArch(t.Context(), tag, judges(arm64), false, nil)
		if !errors.Is(err, engine.ErrChanged) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
		if now := inspected(t, e, tag); now.ID != taken {
			t.Errorf("the tag names %s, and %s took it", now.ID, taken)
		}
		if now := inspected(t, e, other); now.ID != before.ID || !platforms.Equal(now.Platform, before.Platform) {
			t.Errorf("the image is %+v, before it was %+v", now, before)
		}
		if got := dangling(t, under); got != nameless {
			t.Errorf("%d images without a name, %d before", got, nameless)
		}
	})
}

// Two who repair one image at once both succeed: each finds the old image or
// what it wants itself; of two who want different labels the later one is told.
// The old image goes when nobody looks into it any more. A containerd store has
// a name of its own for what is loaded without one, which only a new tag ends.
func TestClassicSetArchTwiceAtOnce(t *testing.T) {
	relabels := func(arch string) engine.Hook {
		return func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) {
			return truth.Relabel(config, ocispec.Platform{OS: "linux", Architecture: arch})
		}
	}
	EachEngine(t, Stores(), func(t *testing.T, under *EngineUnderTest) {
		leavesNoContainer(t, under)
		e := under.Open(t, classicOptions)
		tag := theirTag(t)
		for arch, want := range map[string]error{"arm64": nil, "riscv64": engine.ErrChanged} {
			before := mislabelled(t, e, tag)
			nameless := dangling(t, under)
			var first engine.Relabelled
			var begin sync.Once
			var other sync.WaitGroup
			relabel := func() {
				var err error
				if first, err = e.SetArch(t.Context(), tag, relabels("arm64"), false, nil); err != nil {
					t.Error(err)
				}
			}
			slow := func(ctx context.Context, config []byte, root fs.FS) ([]byte, error) {
				begin.Do(func() { other.Go(relabel) }) // while this one still looks
				for !t.Failed() {
					if now, err := e.Inspect(ctx, tag); err == nil && now.ID != before.ID {
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
				return relabels(arch)(ctx, config, root)
			}
			second, err := e.SetArch(t.Context(), tag, slow, false, nil)
			other.Wait()
			if !errors.Is(err, want) || want == nil && second.ID != first.ID || inspected(t, e, tag).ID != first.ID {
				t.Errorf("%s: one says %+v, the other %+v: %v", arch, first, second, err)
			}
			if got := dangling(t, under); got > nameless {
				t.Errorf("%s: %d images without a name, %d before", arch, got, nameless)
			}
		}
	})
}

// told runs something and gives what the engine told of it: "image tag".
func (e *EngineUnderTest) told(t *testing.T, do func()) []string {
	t.Helper()
	moment := func() string {
		now := time.Now()
		return fmt.Sprintf("%d.%09d", now.Unix(), now.Nanosecond())
	}
	since := moment()
	do()
	return strings.Split(e.Docker(t, "events", "--since", since, "--until", moment(), "--format", "{{.Type}} {{.Action}}"), "\n")
}

// fromLocal counts the records of BuildKit's cache that keep layers of images.
func (e *EngineUnderTest) fromLocal(t *testing.T) int {
	t.Helper()
	return strings.Count(e.Docker(t, "system", "df", "-v", "--format", "{{range .BuildCache}}<{{.Description}}>{{end}}"), "<from local ")
}

// Where an archive costs a process BuildKit shows an image and stores the new
// one: no container is created. Nothing keeps the layers when the image is
// removed.
func TestClassicSetArchThroughBuildKit(t *testing.T) {
	arm64 := ocispec.Platform{OS: "linux", Architecture: "arm64"}
	EachEngine(t, []Kind{Docker20}, func(t *testing.T, under *EngineUnderTest) {
		tag := theirTag(t)
		tar := filepath.Join(t.TempDir(), "root.tar")
		dir := Dir(t, Files{"hello*": readFile(t, Hello(t, "arm64")), "own": noise(10)}) // a layer that nothing else has: no other image, and no parent of this one
		if _, err := output(nil, "tar", "-C", dir, "-cf", tar, "."); err != nil {
			t.Fatal(err)
		}
		under.Docker(t, "import", "--change", `ENTRYPOINT ["/hello"]`, tar, tag)
		e := under.Open(t, engine.Options{NoBuilds: true, Tag: tag})
		if info := e.Info(); info.Store != engine.StoreGraph || info.Version != "" {
			t.Errorf("more was asked than needed: %+v", info)
		}
		before, records := inspected(t, e, tag), under.fromLocal(t)

		told := under.told(t, func() {
			_, err := e.SetArch(t.Context(), tag, judges(ocispec.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}), false, nil)
			var refusal *truth.Refusal
			if !errors.As(err, &refusal) || inspected(t, e, tag).ID != before.ID {
				t.Errorf("a lie: %v", err)
			}
			if done, err := e.SetArch(t.Context(), tag, judges(arm64), false, nil); err != nil || inspected(t, e, tag).ID != done.Config.String() {
				t.Errorf("%+v, %v", done, err)
			}
		})
		stored := []string{"image tag", "image untag", "image delete"}
		if !slices.Contains(told, "image tag") || slices.ContainsFunc(told, func(event string) bool { return !slices.Contains(stored, event) }) {
			t.Errorf("the engine told of %q", told)
		}
		if _, err := e.Inspect(t.Context(), before.ID); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("the old image is there: %v", err)
		}
		if got := under.fromLocal(t); got > records {
			t.Errorf("%d records keep layers, %d before", got, records)
		}
		if gone := under.Docker(t, "rmi", tag); strings.Count(gone, "Deleted: ") != 2 { // the image and its layer
			t.Errorf("removed:\n%s", gone)
		}
	})
}

// Many programs on PATH are read out of a container, each as truly as one.
func TestClassicSetArchReadsManyPrograms(t *testing.T) {
	arm64 := ocispec.Platform{OS: "linux", Architecture: "arm64"}
	files := Files{}
	for i := range 20 {
		files[fmt.Sprintf("bin/p%02d*", i)] = readFile(t, Hello(t, "arm64"))
	}
	truthful := Dir(t, files)
	files["bin/p13*"] = readFile(t, Hello(t, "armv7"))
	lying := Dir(t, files)
	EachEngine(t, []Kind{Docker20}, func(t *testing.T, under *EngineUnderTest) {
		leavesNoContainer(t, under)
		for dir, lie := range map[string]string{truthful: "", lying: "/bin/p13"} {
			tag := theirTag(t) + "-" + strings.TrimPrefix(lie, "/bin/")
			j := job{Context: engine.Context{Dir: dir}, Solve: engine.Solve{Dockerfile: []byte("FROM scratch\nCOPY bin /bin/\nCMD [\"p01\"]\n"), Tags: []string{tag}}, hook: looks(func(fs.FS) error { return nil })}
			if _, _, err := j.build(t, under.Open(t, classicOptions)); err != nil {
				t.Fatal(err)
			}
			e := under.Open(t, engine.Options{NoBuilds: true, Tag: tag})
			var refusal *truth.Refusal
			told := under.told(t, func() {
				_, err := e.SetArch(t.Context(), tag, judges(arm64), false, nil)
				if errors.As(err, &refusal) != (lie != "") || (err != nil && !strings.Contains(err.Error(), lie)) {
					t.Errorf("%q among the programs: %v", lie, err)
				}
			})
			read := func(event string) bool { return event == "container archive-path" }
			if n := len(slices.DeleteFunc(told, func(event string) bool { return !read(event) })); n != 1 {
				t.Errorf("%d archives were read, and there is one folder: %q", n, told)
			}
		}
	})
}

// An image that was pushed to two repositories has a digest in each, of which the old one lets go when the last tag has moved.
func TestClassicSetArchOfAnImageInTwoRepositories(t *testing.T) {
	reg := Plain(t)
	EachEngine(t, Stores(), func(t *testing.T, under *EngineUnderTest) {
		e := under.Open(t, classicOptions)
		tags := []string{reg.Repo(t) + "-one:1", reg.Repo(t) + "-two:1"}
		others := dangling(t, under)
		before := mislabelled(t, e, tags[0])
		if err := e.Tag(t.Context(), before.ID, tags[1]); err != nil {
			t.Fatal(err)
		}
		for _, tag := range tags {
			if _, err := e.Push(t.Context(), tag, nil); err != nil {
				t.Fatal(err)
			}
		}
		for _, tag := range tags {
			tell := func(e engine.Event) {
				if note, ok := e.(engine.Notice); ok && strings.Contains(note.Text, "stays") {
					t.Error(note.Text)
				}
			}
			if _, err := e.SetArch(t.Context(), tag, judges(ocispec.Platform{OS: "linux", Architecture: "arm64"}), false, tell); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Inspect(t.Context(), before.ID); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("the old image: %v", err)
		}
		if got := dangling(t, under); got > others {
			t.Errorf("%d images without a name, %d before", got, others)
		}
	})
}

// newImage is one that nobody else has.
func newImage(t *testing.T, e *engine.Engine) string {
	t.Helper()
	j := job{Solve: engine.Solve{Dockerfile: []byte("FROM scratch\nCOPY f /\n" + ofTest(t))}, Context: engine.Context{Dir: Dir(t, Files{"f": noise(10)})}, hook: looks(func(fs.FS) error { return nil })}
	built, _, err := j.build(t, e)
	if err != nil {
		t.Fatal(err)
	}
	return built.ID
}

func TestClassicSetArchRefusesWhatIsNoTag(t *testing.T) {
	reg := Plain(t)
	list := Busybox(t, reg)
	EachEngine(t, Engines(), func(t *testing.T, under *EngineUnderTest) {
		e := under.Open(t, classicOptions)
		tag := theirTag(t)
		before := mislabelled(t, e, tag)
		_, hex, _ := strings.Cut(before.ID, ":")
		for ref, want := range map[string]error{
			"127.0.0.1:1/e2e/none:1": engine.ErrNotFound,
			before.ID:                engine.ErrReference,
			hex[:12]:                 engine.ErrReference,
			tag + "@" + before.ID:    engine.ErrReference,
			"Not A Reference":        engine.ErrReference,
		} {
			if _, err := e.SetArch(t.Context(), ref, judges(platforms.Host()), false, nil); !errors.Is(err, want) {
				t.Errorf("%q: %v", ref, err)
			}
		}
		if under.Kind != Docker26Containerd {
			return
		}
		under.Docker(t, "pull", "-q", list)
		if _, err := e.SetArch(t.Context(), list, judges(platforms.Host()), false, nil); !errors.Is(err, engine.ErrIndex) {
			t.Errorf("a manifest list: %v", err)
		}
	})
}

// A config that no registry would take is refused wherever it comes from.
func TestClassicSetArchRefusesLargeConfigs(t *testing.T) {
	EachEngine(t, []Kind{Docker20, Docker26Graph, Docker26Containerd}, func(t *testing.T, under *EngineUnderTest) {
		tag := theirTag(t)
		config := fmt.Sprintf(`{"architecture":"amd64","os":"linux","config":{"Labels":{"large":%q}},"rootfs":{"type":"layers","diff_ids":[]}}`, strings.Repeat("x", 8<<20))
		manifest := fmt.Sprintf(`[{"Config":"config.json","RepoTags":[%q],"Layers":[]}]`, tag)
		saved := filepath.Join(t.TempDir(), "image.tar")
		if _, err := output(nil, "tar", "-C", Dir(t, Files{"config.json": config, "manifest.json": manifest}), "-cf", saved, "."); err != nil {
			t.Fatal(err)
		}
		under.Docker(t, "load", "--input", saved)
		e := under.Open(t, engine.Options{NoBuilds: true, Tag: tag})
		before := inspected(t, e, tag)
		_, err := e.SetArch(t.Context(), tag, judges(platforms.Host()), false, nil)
		if !errors.Is(err, engine.ErrConfig) || !strings.Contains(err.Error(), "at most 8388608 are read") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
		if after := inspected(t, e, tag); after.ID != before.ID {
			t.Errorf("the tag names %s, before it was %s", after.ID, before.ID)
		}
	})
}

// An image that was not built on the classic road: its config comes from
// BuildKit, and where there is none from the save stream.
func TestClassicSetArchOfPulledImages(t *testing.T) {
	reg := Plain(t)
	base := Busybox(t, reg)
	riscv := ocispec.Platform{OS: "linux", Architecture: "riscv64"}
	relabel := func(_ context.Context, config []byte, _ fs.FS) ([]byte, error) { return truth.Relabel(config, riscv) }
	EachEngine(t, []Kind{Docker20, Docker26Graph, Podman}, func(t *testing.T, under *EngineUnderTest) {
		e := under.Open(t, classicOptions)
		under.CLI(t, "pull", "-q", "--platform=linux/arm/v7", base)
		tag := theirTag(t)
		under.Docker(t, "tag", base, tag)
		seen := &events{}
		done, err := e.SetArch(t.Context(), tag, relabel, false, seen.add)
		if err != nil || inspected(t, e, tag).Platform.Architecture != "riscv64" {
			t.Fatalf("%+v, %v", done, err)
		}
		onlyThePlatformDiffers(t, done.Old, done.New)
		if said := strings.Contains(notices(seen.all), "save stream"); said != (under.Kind == Podman) {
			t.Errorf("the save stream was read: %t: %s", said, notices(seen.all))
		}
	})
}
