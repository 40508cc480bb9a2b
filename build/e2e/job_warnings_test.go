package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// What BuildKit finds wrong with a Dockerfile is told when all is built, once for all platforms, with its place, and fails nothing
// unless the file asks for it.
func TestWarningsAboutTheDockerfile(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir := Dir(t, Files{"sub/Dockerfile": "FROM scratch as one\nCOPY Dockerfile /$nothing\nMAINTAINER me\n"})
	words := []string{"build", "IMG=" + reg.Repo(t), "VERSION=1", "ARCHES=" + arches, "CONTEXT=sub"}
	const first, second, third = "sub/Dockerfile:1: FromAsCasing: ", "sub/Dockerfile:2: UndefinedVar: ", "sub/Dockerfile:3: MaintainerDeprecated: "
	_, after, _ := strings.Cut(Run(t, dir, With(e), words...).Exits(t, 0).Stderr, "\nwarning: ")
	for _, text := range []string{first, second, third} {
		if strings.Count(after, text) != 1 {
			t.Errorf("%q is not told once: %s", text, after)
		}
	}
	if n := strings.Count(after, "\n"); n != 3 || !strings.HasPrefix(after, first) {
		t.Errorf("%d lines, want 3, by line, behind all others: %s", n, after)
	}
	Run(t, dir, With(e, "GITHUB_ACTIONS=true"), words...).Exits(t, 0).Says(t, "\n::warning file=sub/Dockerfile,line=2::UndefinedVar: ")
	strict := Dir(t, Files{"sub/Dockerfile": "# check=error=true\nFROM scratch as one\nCOPY Dockerfile /\n"})
	Run(t, strict, With(e), words...).Exits(t, 1).Says(t, "warning: sub/Dockerfile:2: FromAsCasing: ", "take error=true out of the `# check=` line")
	Run(t, dir, With(e), append(words, "BUILD_ARGS=BUILDKIT_DOCKERFILE_CHECK=skip=all")...).Exits(t, 0).Hides(t, "warning: ")
}

// A base for another machine is told of once: before anything is built on it, and not by BuildKit's check afterwards.
func TestNoWarningAboutABaseThatWasToldOf(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	repo := reg.Repo(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n", "on/Dockerfile": "FROM " + repo + ":amd64-1\nCOPY Dockerfile /\n"})
	Run(t, dir, With(e), "build", "push", "IMG="+repo, "VERSION=1", "ARCHES=amd64").Exits(t, 0)
	Run(t, dir, With(e), "build", "IMG="+repo, "VERSION=2", "ARCHES=arm64", "CONTEXT=on").Exits(t, 0).
		Says(t, repo+":amd64-1 is one for linux/amd64 alone, and is taken for linux/arm64").Hides(t, "InvalidBaseImagePlatform")
}

// A tag on loopback may lose a platform, and says so in a way that is seen.
func TestWarningAboutALostPlatform(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	repo := reg.Repo(t)
	words := []string{"build", "push", "IMG=" + repo, "VERSION=1"}
	Run(t, dir, With(e), append(words, "ARCHES=amd64 arm64")...).Exits(t, 0).Hides(t, "warning: ")
	lost := "warning: " + repo + ":1 loses linux/arm64, which the new list has not"
	Run(t, dir, With(e), "manifest:copy", repo+":1", repo+":both").Exits(t, 0).Hides(t, "warning: ")
	Run(t, dir, With(e), append(words, "ARCHES=amd64")...).Exits(t, 0).Says(t, lost)
	for _, words := range [][]string{{"manifest:copy", repo + ":amd64-1", repo + ":1"}, {"manifest:create", repo + ":1", repo + ":amd64-1"}} {
		Run(t, dir, With(e), "manifest:copy", repo+":both", repo+":1").Exits(t, 0).Hides(t, "warning: ")
		Run(t, dir, With(e), words...).Exits(t, 0).Says(t, lost)
	}
}

// The copy that cross-builds is made of the user's file and adds nothing to warn of.
func TestNoWarningAboutACrossBuild(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir := Dir(t, Files{"Dockerfile": fmt.Sprintf(dockerfile2019, Golang(t, reg)), "main.go": hello})
	Run(t, dir, With(e), "build", "IMG="+reg.Repo(t), "VERSION=1", "ARCHES=amd64 arm64").Exits(t, 0).Says(t, "cross").Hides(t, "warning: ")
}
