package e2e

import (
	"strings"
	"testing"
)

// A base that has a lesser variant alone is taken on every engine, as doctor says. Its name is then the engine's own platform's there,
// whichever was built first. Where somebody puts another image under it, that is told.
func TestClassicBasesOfLesserVariants(t *testing.T) {
	reg := Plain(t)
	EachEngine(t, []Kind{Docker20, Docker26Graph, Podman}, func(t *testing.T, under *EngineUnderTest) {
		repo := reg.Repo(t)
		base := repo + "/base:1"
		root := func(program string) string { return Dir(t, Files{"hello*": readFile(t, Hello(t, program))}) }
		if err := reg.publish(repo+"/base", "1", image{os: "linux", arch: "amd64", root: root("amd64")}, image{os: "linux", arch: "arm", variant: "v6", root: root("armv6")}); err != nil {
			t.Fatal(err)
		}
		dir := Dir(t, Files{"Dockerfile": "FROM " + base + "\nCOPY Dockerfile /\nCOPY --from=" + base + " /hello /again\nENTRYPOINT [\"/hello\"]\n"})
		build := func(arches string, words ...string) Result {
			return Run(t, dir, With(under, "DOCKER_BUILDKIT=0"), append(words, "IMG="+repo, "VERSION=1", "ARCHES="+arches)...).Exits(t, 0)
		}
		build("arm/v7 amd64/v2", "doctor").Says(t, "has linux/arm/v6 (for linux/arm/v7) linux/amd64 (for linux/amd64/v2)\n")
		build("arm/v7 amd64/v2", "build")
		if got := under.Docker(t, "images", "-q", base); got != "" {
			t.Errorf("%s is %s, and nobody has built for the engine's own platform", base, got)
		}
		build("arm/v7 amd64/v2 amd64", "build", "push").Hides(t, "not the same for all")
		if got := under.Docker(t, "image", "inspect", "-f", "{{.Architecture}}", base); got != "amd64" {
			t.Errorf("%s is the image for %s", base, got)
		}
		for _, child := range reg.Index(t, repo+":1").Manifests {
			if config := reg.Config(t, repo+"@"+child.Digest); config.Architecture != child.Platform.Architecture || config.Variant != child.Platform.Variant {
				t.Errorf("%s is labelled %s/%s", child.Name(), config.Architecture, config.Variant)
			}
		}
		under.Docker(t, "tag", repo+":amd64-1", base)
		build("arm/v7 amd64", "build").Says(t, base+" is not the same for all platforms: the engine's own, for linux/amd64, is not what the registry has, and linux/arm/v7 is built on the registry's; ")
	})
}

// A base for another platform is found again when its registry does not answer: the image is the same as before, and that is said.
func TestClassicBasesWithoutTheirRegistry(t *testing.T) {
	EachEngine(t, []Kind{Docker20, Docker26Graph}, func(t *testing.T, under *EngineUnderTest) {
		reg := OwnRegistry(t, "")
		repo := reg.Repo(t)
		root := func(program string) string { return Dir(t, Files{"hello*": readFile(t, Hello(t, program))}) }
		if err := reg.publish(repo+"/base", "1", image{os: "linux", arch: "amd64", root: root("amd64")}, image{os: "linux", arch: "arm64", root: root("arm64")}); err != nil {
			t.Fatal(err)
		}
		dir := Dir(t, Files{"Dockerfile": "FROM " + repo + "/base:1\nCOPY Dockerfile /\nENTRYPOINT [\"/hello\"]\n"})
		var ids []string
		for range 2 {
			said := Run(t, dir, With(under, "DOCKER_BUILDKIT=0"), "build", "IMG="+repo, "VERSION=1", "ARCHES=arm64 amd64").Exits(t, 0)
			if len(ids) > 0 {
				said.Says(t, "; the engine's for linux/arm64 is taken")
			}
			ids = append(ids, under.Docker(t, "image", "inspect", "-f", "{{.Id}} {{.Architecture}}", repo+":arm64-1", repo+":amd64-1"))
			reg.Stop()
		}
		if ids[0] != ids[1] {
			t.Errorf("built %s, and without the registry %s", ids[0], ids[1])
		}
	})
}

// Podman tells no variant of an image, and builds for linux/amd64 on what has the base's name, be it for amd64/v2. What is published
// says its own platform all the same, and the second run finds it there.
func TestHiddenVariantOfABase(t *testing.T) {
	under, reg := Engine(t, Podman), Plain(t)
	repo := reg.Repo(t)
	base := repo + "/base:1"
	root := Dir(t, Files{"hello*": readFile(t, Hello(t, "amd64"))})
	if err := reg.publish(repo+"/base", "1", image{os: "linux", arch: "amd64", root: root}, image{os: "linux", arch: "amd64", variant: "v2", root: root}); err != nil {
		t.Fatal(err)
	}
	under.CLI(t, "pull", "-q", "--platform=linux/amd64/v2", base)
	dir := Dir(t, Files{"Dockerfile": "FROM " + base + "\nCOPY Dockerfile /\nENTRYPOINT [\"/hello\"]\n"})
	words := []string{"IMG=" + repo, "VERSION=1", "ARCHES=amd64"}
	for _, says := range []string{"Podman has built on a base of another variant", "unchanged " + repo + ":1"} {
		writes := reg.Writes(repo)
		Run(t, dir, With(under), append(words, "build", "push")...).Exits(t, 0).Says(t, says)
		if again := reg.Writes(repo); again != writes && strings.HasPrefix(says, "unchanged") {
			t.Errorf("the second run wrote %d times to the registry", again-writes)
		}
		Run(t, dir, nil, append(words, "verify")...).Exits(t, 0)
		if config := reg.Config(t, repo+":amd64-1"); config.Variant != "" {
			t.Errorf("it is labelled %s/%s", config.Architecture, config.Variant)
		}
	}
}
