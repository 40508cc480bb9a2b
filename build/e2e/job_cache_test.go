package e2e

import (
	"slices"
	"testing"
)

// What one engine has built an engine that has built nothing takes from the cache: from a registry, a folder or an image, with the
// same credentials as all else. Its layers are the same, though the step makes another file each time that it runs.
func TestCacheOfAnotherEngine(t *testing.T) {
	reg := Private(t)
	repo, login, kept := reg.Repo(t), "DOCKER_CONFIG="+reg.Login(t), t.TempDir()
	dir := Dir(t, Files{"Dockerfile": "FROM --platform=$BUILDPLATFORM " + Busybox(t, reg) + " AS made\nARG TARGETPLATFORM\n" +
		"RUN echo $TARGETPLATFORM >/made && head -c 64 /dev/urandom >>/made\n" +
		"FROM scratch\nCOPY --from=made /made /\nCOPY . /all/\n"})
	run := []string{"build", "push", "IMG=" + repo, "ARCHES=amd64 arm64 arm/v7", "V=1"}
	Run(t, dir, With(Engine(t, Docker26Containerd), login), append(run, "VERSION=1",
		"CACHE_TO=type=inline type=registry,mode=max,ref="+repo+":cache-{arch} type=local,mode=max,dest="+kept+"/{arch}")...).Exits(t, 0)

	Run(t, dir, With(Engine(t, Docker26Graph), login), append(run, "VERSION=2",
		"CACHE_FROM="+repo+":cache-amd64 type=local,src="+kept+"/arm64 "+repo+":armv7-1 "+repo+":gone type=local,src=gone")...).Exits(t, 0).
		Says(t, "the build cache "+repo+":gone is not there (yet)", "the build cache "+dir+"/gone is not there (yet)")
	for _, arch := range []string{"amd64", "arm64", "armv7"} {
		first, second := reg.Config(t, repo+":"+arch+"-1").RootFS.DiffIDs, reg.Config(t, repo+":"+arch+"-2").RootFS.DiffIDs
		if len(first) != 2 || !slices.Equal(first, second) {
			t.Errorf("%s: %v was built as %v", arch, first, second)
		}
	}
}

// The cache in an image is part of its identity: the same run again uploads nothing. What an engine cannot write is refused at once.
func TestCacheInTheImage(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir, repo := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}), reg.Repo(t)
	run := []string{"build", "push", "IMG=" + repo, "VERSION=1", "CACHE_FROM=" + repo + ":1"}
	Run(t, dir, With(e), append(run, "CACHE_TO="+repo+":cache-{arch}")...).Exits(t, 2).Says(t, "set CACHE_TO=type=inline")
	if writes := reg.Writes(repo); writes > 0 {
		t.Errorf("%d writes of a run that was refused", writes)
	}
	Run(t, dir, With(e), append(run, "CACHE_TO=type=inline")...).Exits(t, 0).Says(t, "the build cache "+repo+":1 is not there (yet)")
	writes := reg.Writes(repo)
	Run(t, dir, With(e), append(run, "CACHE_TO=type=inline")...).Exits(t, 0).Says(t, "unchanged "+repo+":1", "already there")
	if reg.Writes(repo) != writes {
		t.Errorf("the second run published something: %d writes before it, %d after", writes, reg.Writes(repo))
	}
}
