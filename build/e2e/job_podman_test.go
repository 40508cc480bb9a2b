package e2e

import (
	"slices"
	"testing"

	"github.com/manymage/manymage/build/engine"
)

// The whole way on Podman 5, whose builder, cache and service are not 4.3's: a private base with a step that is emulated, an argument
// before the first COPY of an empty stage, and the same again, which uploads nothing. A lie is refused, and a label is repaired.
func TestBuildPushOnPodman5(t *testing.T) {
	Emulation(t)
	under, reg := Engine(t, Podman5), Private(t)
	t.Parallel()
	leavesNoContainer(t, under)
	dir := programsDir(t, Files{"Dockerfile": "FROM scratch AS files\nARG TARGETARCH\nCOPY hello-${TARGETARCH} /hello\n" +
		"FROM " + Busybox(t, reg) + "\nARG TARGETPLATFORM\nCOPY --from=files /hello /hello\n" +
		"RUN case $TARGETPLATFORM:$(uname -m) in linux/arm64:aarch64|linux/arm/v7:armv7l) ;; *) exit 1 ;; esac\nENTRYPOINT [\"/hello\"]\n"})
	repo, env := reg.Repo(t), With(under, "DOCKER_CONFIG="+reg.Login(t))
	words := []string{"build", "push", "IMG=" + repo, "VERSION=1", "ARCHES=arm64 arm/v7"}
	Run(t, dir, With(under), words...).Exits(t, 1).Says(t, "docker login "+reg.Host)
	Run(t, dir, env, words...).Exits(t, 0).Hides(t, Password)
	index := reg.Index(t, repo+":1")
	if got := index.Platforms(); !slices.Equal(got, []string{"linux/arm64", "linux/arm/v7"}) {
		t.Errorf("published %v", got)
	}
	writes := reg.Writes(repo)
	Run(t, dir, env, words...).Exits(t, 0).Says(t, "unchanged "+repo+":1")
	if again := reg.Writes(repo); again != writes {
		t.Errorf("the second run wrote %d times to the registry", again-writes)
	}
	Run(t, dir, env, append(words[2:], "verify")...).Exits(t, 0)

	tag := repo + ":wrong"
	mislabelled(t, under.Open(t, engine.Options{}), tag)
	Run(t, dir, env, "setarch", tag, "arm").Exits(t, 3).Says(t, "/hello", "arm64")
	Run(t, dir, env, "setarch", tag, "arm64").Exits(t, 0).Says(t, "label linux/arm64")
	if label := under.Docker(t, "image", "inspect", "-f", "{{.Architecture}}", tag); label != "arm64" {
		t.Errorf("the label is %s", label)
	}
	lie := Dir(t, Files{"Dockerfile": "FROM --platform=linux/arm64 " + tag + "\n"})
	Run(t, lie, env, "build", "IMG="+repo, "VERSION=2", "ARCHES=arm/v7").Exits(t, 3).Says(t, "/hello", "arm64")
}
