package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manymage/manymage/build/record"
)

// One command, one list, an engine for each architecture: those of NODES build theirs at the same time as the run's own, each without an
// emulator, whatever image store they have.
func TestNodes(t *testing.T) {
	Emulation(t)
	own, reg := Engine(t, Docker20), Plain(t)
	for name, node := range map[string]struct {
		engine  *EngineUnderTest
		address string
		env     []string
	}{
		"containerd": {Engine(t, Docker26Containerd), Engine(t, Docker26Containerd).Host, nil},
		"podman":     {Engine(t, Podman), Engine(t, Podman).Host, nil},
		"ssh":        {Engine(t, Docker26Graph), "ssh://pi@pi4", []string{"PATH=" + sshTo(t, Engine(t, Docker26Graph)) + ":" + os.Getenv("PATH")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, repo := Dir(t, Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nRUN uname -m > /machine\nCMD [\"cat\", \"/machine\"]\n"}), reg.Repo(t)
			run := []string{"IMG=" + repo, "VERSION=1", "ARCHES=amd64 arm64", "NODES=amd64=" + node.address, "SCAN=skopeo inspect --raw --tls-verify=false docker://{image}"}
			Run(t, dir, With(own, node.env...), append(run, "plan")...).Exits(t, 0).Says(t, "at "+own.Host, "builds linux/arm64", "at "+node.address, "builds linux/amd64")
			Run(t, dir, With(own, node.env...), append(run, "build", "push")...).Exits(t, 0).Says(t, "linux/amd64  built on "+node.address, "linux/arm64  built on "+own.Host,
				"linux/amd64  scanned", "linux/arm64  scanned")

			for platform, machine := range map[string]string{"linux/amd64": "x86_64", "linux/arm64": "aarch64"} {
				if got := own.Says(t, repo+":1", platform, "cat", "/machine"); got != machine {
					t.Errorf("%s was built on %q", platform, got)
				}
			}
			Run(t, dir, nil, "verify", "-ref="+repo+":1").Exits(t, 0)
			for _, there := range []struct {
				engine  *EngineUnderTest
				has, no string
			}{{own, "arm64", "amd64"}, {node.engine, "amd64", "arm64"}} {
				there.engine.Docker(t, "image", "inspect", repo+":"+there.has+"-1")
				if out, err := there.engine.Try("image", "inspect", repo+":"+there.no+"-1"); err == nil {
					t.Errorf("%s has an image that it did not build: %s", there.engine.Kind, out)
				}
			}

			writes := reg.Writes(repo)
			Run(t, dir, With(own, node.env...), append(run, "build", "push")...).Exits(t, 0).Says(t, "unchanged "+repo+":1")
			if reg.Writes(repo) != writes {
				t.Error("the second run published something")
			}
			left, err := record.Read(filepath.Join(dir, record.Path))
			if err != nil || left.Platforms[0].Engine != node.address || left.Platforms[1].Engine != own.Host {
				t.Errorf("recorded %+v, %v", left.Platforms, err)
			}
			Run(t, dir, With(own, node.env...), append(run, "clean")...).Exits(t, 0)
			for _, e := range []*EngineUnderTest{own, node.engine} {
				if out := e.Docker(t, "image", "ls", "--format={{.Tag}}", repo); strings.Contains(out, "64-") {
					t.Errorf("clean left %s on %s", out, e.Kind)
				}
			}
		})
	}
}

// sshTo is a folder with an ssh that leads to the engine whatever host it is given: what it runs there is docker's own.
func sshTo(t *testing.T, e *EngineUnderTest) string {
	t.Helper()
	dir := Dir(t, Files{"ssh": "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift 2\nDOCKER_HOST=" + e.Host + " exec sh -c \"$*\"\n"})
	if err := os.Chmod(filepath.Join(dir, "ssh"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A node is known by the name of a docker context, too; one that is away, or no machine of the platform, ends the run before anything
// is built.
func TestNodesThatDoNotBuild(t *testing.T) {
	own, node, reg := Engine(t, Docker20), Engine(t, Docker26Graph), Plain(t)
	dir, repo := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}), reg.Repo(t)
	config := t.TempDir()
	if _, err := output([]string{"DOCKER_CONFIG=" + config}, "docker", "context", "create", "pi", "--docker", "host="+node.Host); err != nil {
		t.Fatal(err)
	}
	env := With(own, "DOCKER_CONFIG="+config)
	build := []string{"IMG=" + repo, "VERSION=1", "ARCHES=amd64 arm64", "build"}
	Run(t, dir, env, append(build, "NODES=arm64=pi")...).Exits(t, 2).Says(t, "NODES has linux/arm64 built on pi, which is linux/amd64")
	Run(t, dir, env, append(build, "NODES=arm64=unix:///nowhere.sock")...).Exits(t, 5).Says(t, "unix:///nowhere.sock (NODES)")
	Run(t, dir, env, append(build, "NODES=arm64=pie")...).Exits(t, 5).Says(t, `NODES is "pie"`, "docker context ls")
	if _, err := os.Stat(filepath.Join(dir, record.Path)); err == nil || own.Docker(t, "image", "ls", "-q", repo) != "" {
		t.Error("something was built")
	}
	Run(t, dir, env, append(build, "NODES=amd64=pi")...).Exits(t, 0)
	var images []struct{ Architecture string }
	if err := json.Unmarshal([]byte(node.Docker(t, "image", "inspect", repo+":amd64-1")), &images); err != nil || images[0].Architecture != "amd64" {
		t.Errorf("%+v, %v", images, err)
	}
}
