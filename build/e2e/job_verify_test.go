package e2e

import "testing"

// The configured image must have what ARCHES says; what is there beside it, and what is missing of an ARCHES that nobody wrote, is
// only told. An image that is named with -ref is compared with nothing.
func TestVerifyMissesAPlatform(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	repo := reg.Repo(t)
	image := []string{"IMG=" + repo, "VERSION=1"}
	Run(t, dir, nil, append(image, "verify")...).Exits(t, 1).Says(t, repo+":1: not found", "`build push` publishes it")
	Run(t, dir, With(e), append(image, "build", "push", "ARCHES=amd64 arm64")...).Exits(t, 0)
	r := Run(t, dir, nil, append(image, "verify", "ARCHES=amd64 arm64 arm/v7 riscv64")...).Exits(t, 3).Says(t, repo+":1 is not what it should be",
		"\n  linux/arm/v7: is missing, and ARCHES (command line) has it", "\n  linux/riscv64: is missing").Hides(t, "linux/arm64: ", "linux/amd64: ")
	if r.Stdout != "" {
		t.Errorf("a table of something that is wrong: %s", r.Stdout)
	}
	Run(t, dir, nil, append(image, "verify", "ARCHES=arm64")...).Exits(t, 0).Says(t, "linux/amd64 is there beside ARCHES", "is all there, but nothing in it tells its platform: linux/amd64, linux/arm64")
	Run(t, dir, nil, append(image, "verify", "ARCHES=arm64 riscv64", "-ref="+repo+":1")...).Exits(t, 0)
	Run(t, dir, With(e), append(image, "build", "push", "ARCHES=amd64", "ALLOW_DROP=arm64")...).Exits(t, 0)
	Run(t, dir, nil, append(image, "verify")...).Exits(t, 0).Says(t, "linux/arm64 of ARCHES (default) is not there\n").Hides(t, "beside ARCHES", "linux/amd64 of ARCHES")
	Run(t, dir, nil, append(image, "verify", "-ref="+repo+":1")...).Exits(t, 0).Hides(t, "ARCHES")
}

// Every tag of TAGS must be there and name the same: a publish that moved half of them is a fault, whichever half it was.
func TestVerifyLooksAtEveryTag(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	repo := reg.Repo(t)
	image := []string{"IMG=" + repo, "VERSION=1", "ARCHES=amd64"}
	push := func(words ...string) {
		Run(t, dir, With(e), append(append(image, "build", "push"), words...)...).Exits(t, 0)
	}
	verify := func(tags string) Result { return Run(t, dir, nil, append(image, "verify", "TAGS="+tags)...) }
	push("TAGS=1 latest old")
	verify("1 latest old").Exits(t, 0).Says(t, repo+":1@sha256:")
	for _, tags := range []string{"1 nope", "nope 1"} {
		verify(tags).Exits(t, 3).Says(t, " is not what it should be", "\n  tag nope is not there, and TAGS has it").Hides(t, "tag 1 ")
	}
	verify("nope never").Exits(t, 1).Says(t, repo+":nope: not found", "`build push` publishes it")
	push("TAGS=1 latest", "LABELS=other=1")
	verify("1 latest").Exits(t, 0)
	verify("1 old nope").Exits(t, 3).Says(t, "\n  tag old names sha256:", "\n  tag nope is not there").Hides(t, "tag 1 ")
}

// A tag of a series follows its releases and never goes back, which everybody who is asked about it knows.
func TestTagsOfASeries(t *testing.T) {
	e, reg := Engine(t, Docker20), Plain(t)
	dir := Dir(t, Files{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	repo := reg.Repo(t)
	at := func(version string, targets ...string) Result {
		words := []string{"IMG=" + repo, "ARCHES=amd64", "TAGS={major} {version} {major}.{minor}", "VERSION=" + version}
		return Run(t, dir, With(e), append(words, targets...)...)
	}
	at("1.5.0", "build", "push").Exits(t, 0).Says(t, "published "+repo+":1.5.0 ", "published "+repo+":1.5 ", "published "+repo+":1 ")
	at("1.4.3", "plan").Exits(t, 0).Says(t, "stays on 1.5.0, which is newer", repo+":1.4 is not there yet")
	at("1.4.3", "plan", "ANNOTATIONS=org.opencontainers.image.version=1.6.0").Exits(t, 0).Hides(t, "stays on")                     // which the list would say
	at("amd64-1.5.0", "plan", "TAGS={version}", "CHILD={version}-{arch}", "ARCHES=arm64").Exits(t, 0).Says(t, "loses linux/amd64") // of an image
	at("1.4.3", "doctor").Exits(t, 0).Says(t, repo+":1 stays on 1.5.0, which is newer")
	at("1.4.3", "build", "push").Exits(t, 0).Says(t, repo+":1 stays on 1.5.0, which is newer than 1.4.3", "published "+repo+":1.4 ", "\n"+repo+":1.4.3\n").
		Hides(t, "published "+repo+":1 ")
	at("1.4.3", "verify").Exits(t, 0)
	at("1.4.3", "verify", "TAGS={major} {major}.{minor}").Exits(t, 0).Says(t, repo+":1.4@sha256:")
	at("1.4.2", "verify", "TAGS={major} {major}.{minor}").Exits(t, 0)
	at("1.5.0", "verify").Exits(t, 0)
	at("1.4.3", "build", "push").Exits(t, 0).Says(t, "unchanged "+repo+":1.4.3 ", repo+":1 stays on 1.5.0")
	at("1.5.1-rc.1", "plan").Exits(t, 0).Says(t, "no tag {major}, {major}.{minor}: VERSION=1.5.1-rc.1 is no release such as 1.4.2").Hides(t, repo+":1.5 ")
	at("1.5.1-rc.1", "build", "push").Exits(t, 0).Says(t, "no tag {major}, {major}.{minor}: VERSION=1.5.1-rc.1 is no release")
	at("1.5.1", "build", "push").Exits(t, 0).Says(t, "published "+repo+":1 ", "published "+repo+":1.5 ").Hides(t, "stays")
	at("1.5.0", "verify").Exits(t, 0)
}
