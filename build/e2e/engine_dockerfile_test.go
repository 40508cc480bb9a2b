package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/engine"
	"github.com/manymage/manymage/platforms"
)

// says is a hook that wants a file to hold a word.
func says(name, want string) engine.Hook {
	return looks(func(root fs.FS) error {
		got, err := fs.ReadFile(root, name)
		if err == nil && strings.TrimSpace(string(got)) != want {
			err = fmt.Errorf("/%s says %q, want %q", name, got, want)
		}
		return err
	})
}

func TestEngineBuildsWhereTheDockerfileSays(t *testing.T) {
	Emulation(t)
	base := Busybox(t, Plain(t))
	arm64, _ := platforms.Parse("arm64")
	cross := "FROM --platform=$BUILDPLATFORM " + base + " AS build\nARG TARGETARCH\nRUN echo $(uname -m) for $TARGETARCH > /m\nFROM " + base + "\nCOPY --from=build /m /m\n"
	plain := "FROM " + base + "\nRUN uname -m > /m\n"
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		for _, one := range []struct {
			name string
			engine.Solve
			want, arch string
		}{
			{"on the target, emulated", engine.Solve{Dockerfile: []byte(plain), SetPlatform: true}, "aarch64", "arm64"},
			{"on the engine's own", engine.Solve{Dockerfile: []byte(plain)}, "x86_64", "amd64"},
			{"both", engine.Solve{Dockerfile: []byte(cross), SetPlatform: true}, "x86_64 for arm64", "arm64"},
			{"a stage", engine.Solve{Dockerfile: []byte(cross), SetPlatform: true, Target: "build"}, "x86_64 for arm64", "arm64"},
		} {
			one.Platform = arm64
			built, _, err := job{Solve: one.Solve, hook: says("m", one.want)}.build(t, e)
			if err != nil {
				t.Errorf("%s: %v", one.name, err)
				continue
			}
			if image, err := e.Inspect(t.Context(), built.ID); err != nil || image.Platform.Architecture != one.arch {
				t.Errorf("%s: labelled %+v %v", one.name, image.Platform, err)
			}
		}
	})
}

func TestEngineReadsHeredocsEverywhere(t *testing.T) {
	dockerfile := "FROM " + Busybox(t, Plain(t)) + `
ARG WORD=default
COPY <<FILE /copied
from a heredoc
FILE
RUN <<SCRIPT
echo $WORD > /word
cat /copied >> /word
SCRIPT
`
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		s := engine.Solve{Dockerfile: []byte(dockerfile), BuildArgs: map[string]string{"WORD": "given"}}
		if _, _, err := (job{Solve: s, hook: says("word", "given\nfrom a heredoc")}).build(t, e); err != nil {
			t.Error(err)
		}
	})
}

func TestEngineBuildsOnWhatOnlyItHas(t *testing.T) {
	base := Busybox(t, Plain(t))
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		const local = "e2e/only-here:1"
		first := engine.Solve{Dockerfile: []byte("FROM " + base + "\nRUN echo here > /m\n"), SetPlatform: true, Tags: []string{local}}
		if _, _, err := (job{Solve: first}).build(t, e); err != nil {
			t.Fatal(err)
		}
		for _, set := range []bool{true, false} {
			second := engine.Solve{Dockerfile: []byte("FROM " + local + "\nRUN cat /m\n"), SetPlatform: set}
			if _, _, err := (job{Solve: second, hook: says("m", "here")}).build(t, e); err != nil {
				t.Errorf("platform set %v: %v", set, err)
			}
		}
	})
}

func TestEngineForwardsSSH(t *testing.T) {
	dockerfile := "FROM " + Busybox(t, Plain(t)) + "\nRUN --mount=type=ssh test -S \"$SSH_AUTH_SOCK\"\n"
	socket := filepath.Join(t.TempDir(), "agent")
	agent, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Close() })
	EachEngine(t, Dockers(), func(t *testing.T, under *EngineUnderTest) {
		e := under.Open(t, engine.Options{Getenv: func(name string) string { return map[string]string{"SSH_AUTH_SOCK": socket}[name] }})
		s := engine.Solve{Dockerfile: []byte(dockerfile), NoCache: true}
		if _, _, err := (job{Context: engine.Context{SSH: []engine.SSH{{}}}, Solve: s}).build(t, e); err != nil {
			t.Error(err)
		}
		if _, _, err := (job{Solve: s}).build(t, e); err == nil {
			t.Error("the agent was there without being asked for")
		}
	})
}

func TestEngineNamesImages(t *testing.T) {
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		const repo = "e2e/names"
		s := engine.Solve{Dockerfile: []byte("FROM scratch\nLABEL e2e.names=yes\n"), Tags: []string{repo + ":1", repo + ":2"}}
		built, _, err := job{Solve: s}.build(t, e)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(e.Tag(t.Context(), repo+":1", repo+":3"), e.Remove(t.Context(), repo+":2"), e.Remove(t.Context(), repo+":none")); err != nil {
			t.Fatal(err)
		}
		if found := inspected(t, e, repo+":3"); found.ID != built.ID || !slices.Equal(found.Tags, []string{repo + ":1", repo + ":3"}) {
			t.Errorf("got %+v", found)
		}
		if err := errors.Join(e.Remove(t.Context(), repo+":1"), e.Remove(t.Context(), repo+":3")); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Inspect(t.Context(), built.ID); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("the image is still there without a name: %v", err)
		}
		if err := e.Tag(t.Context(), repo+":1", repo+":4"); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("tagged what is gone: %v", err)
		}
	})
}

func TestEngineTakesTwoContextsAtOnce(t *testing.T) {
	EachOpen(t, func(t *testing.T, e *engine.Engine) {
		dirs := [2]string{Dir(t, Files{"m": "one"}), Dir(t, Files{"m": "two"})}
		done := make(chan error)
		for i, want := range []string{"one", "two"} {
			b := starts(t, e, engine.Context{Dir: dirs[i]})
			go func() {
				_, err := b.Solve(t.Context(), engine.Solve{Dockerfile: []byte("FROM scratch\nCOPY m /\n")}, says("m", want), nil)
				done <- err
			}()
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
	})
}

// An engine with the image store of old takes a base that was pulled for arm/v7 for an arm64 one; the registry has the right one.
func TestEngineTakesNoBaseOfAnotherPlatform(t *testing.T) {
	Emulation(t)
	reg := Plain(t)
	base := reg.Repo(t) + ":1"
	reg.skopeo(t, "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", "docker://"+Busybox(t, reg), "docker://"+base)
	arm64, _ := platforms.Parse("arm64")
	dockerfile := []byte("FROM " + base + "\nRUN uname -m > /m\n")
	EachEngine(t, Dockers(), func(t *testing.T, under *EngineUnderTest) {
		under.Docker(t, "pull", "--quiet", "--platform=linux/arm/v7", base)
		solve := engine.Solve{Dockerfile: dockerfile, Platform: arm64, SetPlatform: true}
		if _, _, err := (job{Solve: solve, hook: says("m", "aarch64")}).build(t, under.Open(t, engine.Options{})); err != nil {
			t.Error(err)
		}
		under.Docker(t, "rmi", base)
	})
}
