package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// project is somebody's folder, and what its image says of itself on each target.
type project struct {
	name     string
	files    func(t *testing.T, reg *Registry) Files
	strategy string
	says     func(target) string
	emulates bool // it runs foreign programs while it is built
}

func uname(p target) string { return p.Uname }

func helloFrom(p target) string {
	from := "hello from " + p.GOARCH
	if p.GOARM != "" {
		from += "/" + p.GOARM
	}
	return from + " []"
}

// dockerfile2019 was written when cross-building meant GOARCH and a build-arg.
const dockerfile2019 = `ARG GOARCH=amd64
FROM %s AS build
ARG GOARCH
WORKDIR /src
COPY main.go .
RUN GOARCH=${GOARCH} go build -o /hello .
FROM scratch
COPY --from=build /hello /hello
ENTRYPOINT ["/hello"]
`

func projects() []project {
	return []project{
		{name: "a Dockerfile of 2019", strategy: "cross", says: helloFrom, files: func(t *testing.T, reg *Registry) Files {
			return Files{"Dockerfile": fmt.Sprintf(dockerfile2019, Golang(t, reg)), "main.go": hello}
		}},
		{name: "a Dockerfile for BuildKit", strategy: "target", says: helloFrom, files: func(t *testing.T, reg *Registry) Files {
			return Files{"main.go": hello, "Dockerfile": "FROM --platform=$BUILDPLATFORM " + Golang(t, reg) + ` AS build
ARG TARGETARCH
WORKDIR /src
COPY main.go .
RUN GOARCH=$TARGETARCH go build -o /hello .
FROM scratch
COPY --from=build /hello /bin/hello
CMD ["hello"]
ENV PATH=/bin
`}
		}},
		{name: "busybox with RUN", strategy: "target", says: uname, emulates: true, files: func(t *testing.T, reg *Registry) Files {
			return Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nRUN uname -m > /machine\nCMD cat /machine\n"}
		}},
		{name: "dynamic programs", strategy: "target", says: uname, files: func(t *testing.T, reg *Registry) Files {
			return Files{"Dockerfile": "FROM " + Debian(t, reg) + "\nCOPY greeting /etc/greeting\nENTRYPOINT [\"/bin/busybox\"]\nCMD [\"uname\", \"-m\"]\n",
				"greeting": "hello\n"}
		}},
		{name: "a script behind tini", strategy: "target", says: uname, files: func(t *testing.T, reg *Registry) Files {
			return Files{"Dockerfile": "FROM " + Debian(t, reg) + "\nCOPY entry.sh /usr/local/bin/\n" +
				"ENV PATH=/usr/local/bin:/usr/bin:/bin\nENTRYPOINT [\"/usr/bin/tini\", \"--\", \"entry.sh\"]\nCMD [\"-m\"]\n",
				"entry.sh*": "#!/bin/sh\nexec uname \"$@\"\n"}
		}},
	}
}

// arches is the ARCHES of all targets.
const arches = "amd64 arm64 arm/v7"

// Every project goes from a folder to a published index on every engine, is what it says, and costs nothing the second time.
func TestBuildPush(t *testing.T) {
	EachEngine(t, Dockers(), func(t *testing.T, e *EngineUnderTest) {
		for _, p := range projects() {
			t.Run(p.name, func(t *testing.T) { buildPush(t, e, Plain(t), p) })
		}
	})
}

func buildPush(t *testing.T, e *EngineUnderTest, reg *Registry, p project) {
	if p.emulates {
		Emulation(t)
	}
	dir, repo := Dir(t, p.files(t, reg)), reg.Repo(t)
	words := []string{"build", "push", "IMG=" + repo, "VERSION=1.2", "ARCHES=" + arches}
	Run(t, dir, With(e), words...).Exits(t, 0).Says(t, repo+":1.2", p.strategy)
	isPublished(t, e, reg, repo+":1.2", p.says)
	for _, arch := range []string{"amd64", "arm64", "armv7"} {
		if !reg.Has(t, repo+":"+arch+"-1.2") {
			t.Errorf("there is no tag %s-1.2", arch)
		}
	}
	before, index := reg.Writes(repo), reg.Raw(t, repo+":1.2")
	Run(t, dir, With(e), words...).Exits(t, 0)
	if after := reg.Writes(repo); after != before {
		t.Errorf("the second run wrote %d times to the registry", after-before)
	}
	if again := reg.Raw(t, repo+":1.2"); again != index {
		t.Errorf("the second run published another index:\n%s\n%s", index, again)
	}
	Run(t, dir, With(e), append([]string{"verify"}, words[2:]...)...).Exits(t, 0)
}

// isPublished reads an index with skopeo, and lets the engine pull and run each of its platforms.
func isPublished(t *testing.T, e *EngineUnderTest, reg *Registry, ref string, says func(target) string) {
	t.Helper()
	index := reg.Index(t, ref)
	repo := ref[:strings.LastIndex(ref, ":")]
	var want []string
	for i, p := range Targets() {
		want = append(want, p.Platform)
		if i >= len(index.Manifests) {
			continue
		}
		child := index.Manifests[i]
		config := reg.Config(t, repo+"@"+child.Digest)
		if config.OS != "linux" || config.Architecture != p.Arch || config.Variant != p.Variant {
			t.Errorf("%s: the config says %s/%s/%s", child.Name(), config.OS, config.Architecture, config.Variant)
		}
		if got := e.Says(t, ref, p.Platform); got != says(p) {
			t.Errorf("%s says %q, want %q", p.Platform, got, says(p))
		}
	}
	if got := index.Platforms(); !slices.Equal(got, want) {
		t.Errorf("platforms %v, want %v", got, want)
	}
}

// A private base is pulled and a private repository is written with the user's credentials, and without them the run fails.
func TestBuildPushPrivate(t *testing.T) {
	Emulation(t)
	EachEngine(t, Dockers(), func(t *testing.T, e *EngineUnderTest) {
		reg := Private(t)
		dir := Dir(t, Files{"Dockerfile": "FROM " + Busybox(t, reg) + "\nRUN uname -m > /machine\nCMD [\"cat\", \"/machine\"]\n"})
		repo := reg.Repo(t)
		words := []string{"build", "push", "IMG=" + repo, "VERSION=1", "ARCHES=amd64 arm64"}
		Run(t, dir, With(e), words...).Exits(t, 1)
		login := reg.Login(t)
		r := Run(t, dir, With(e, "DOCKER_CONFIG="+login), words...).Exits(t, 0).Hides(t, Password, basic(User, Password))
		if got := reg.Index(t, repo+":1").Platforms(); !slices.Equal(got, []string{"linux/amd64", "linux/arm64"}) {
			t.Errorf("published %v\n%s", got, r.Stdout)
		}
		record := filepath.Join(dir, "dist/manymage.json")
		if out, err := output(nil, "grep", "-e", Password, "-e", basic(User, Password), record); err == nil {
			t.Errorf("the record holds a secret: %s", out)
		}
	})
}
