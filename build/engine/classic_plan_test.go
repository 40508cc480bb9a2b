package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/manymage/manymage/platforms"
)

// planOn makes a plan on an engine whose base images are all known: the ID of
// NAME for PLATFORM is "id(NAME PLATFORM)".
func planOn(t *testing.T, info Info, s Solve, bases map[string]string) *classicPlan {
	t.Helper()
	info.Platform, info.Road = ocispec.Platform{OS: "linux", Architecture: "amd64"}, RoadClassic
	e := &Engine{info: info}
	b := &classicBuilder{engine: e, bases: newBases(e), images: map[string]string{"tools": "registry.example/tools:2"}}
	for key, id := range bases {
		b.bases.known[key] = Image{ID: id, Platform: platform(t, key[strings.LastIndex(key, " ")+1:])}
	}
	file := classicOf(t, cmp.Or(string(s.Dockerfile), "FROM scratch\n"))
	return b.plan(s, file, func(Event) {})
}

func platform(t *testing.T, s string) ocispec.Platform {
	t.Helper()
	p, err := platforms.ParseAny(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var docker20 = Info{Name: "Docker", Version: "20.10.24", API: "1.41", Store: StoreGraph}
var podman5 = Info{Name: podman, Version: "5.8.6", Store: StoreGraph}
var docker26 = Info{Name: "Docker", Version: "26.1.5", API: "1.45", Store: StoreGraph}

// rewriteTest is a Dockerfile before and after, for a platform.
type rewriteTest struct {
	name     string
	on       Info
	platform string
	native   bool
	args     map[string]string

	from, want string
}

// rewritten gives what the builder gets, with these base images known.
func (r rewriteTest) rewritten(t *testing.T) string {
	t.Helper()
	p := planOn(t, r.on, Solve{Platform: platform(t, r.platform), SetPlatform: !r.native, Dockerfile: []byte(r.from), BuildArgs: r.args}, map[string]string{
		"scratch linux/arm64":                  "S-arm64",
		"scratch linux/arm/v7":                 "S-armv7",
		"scratch linux/amd64":                  "S-amd64",
		"busybox:1 linux/arm64":                "B-arm64",
		"busybox:1 linux/amd64":                "B-amd64",
		"registry.example/tools:2 linux/arm64": "T-arm64",
		"alias B-amd64 linux/arm64":            "B-amd64-as-arm64",
	})
	got, err := p.rewrite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func checkRewrites(t *testing.T, tests []rewriteTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.rewritten(t); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestClassicBuildsForItsOwnSystem(t *testing.T) {
	for _, test := range []struct {
		on     Info
		native bool
		want   error
	}{{docker20, false, ErrUnsupported}, {docker26, false, ErrUnsupported}, {docker20, true, nil}, {podman5, false, nil}} {
		test.on.Road = RoadClassic
		p := planOn(t, test.on, Solve{Platform: platform(t, "windows/amd64"), SetPlatform: !test.native}, nil)
		if err := p.refuse(); !errors.Is(err, test.want) {
			t.Errorf("%s %s, natively %t: %v", test.on.Name, test.on.Version, test.native, err)
		}
	}
}

func TestClassicRewritesBases(t *testing.T) {
	checkRewrites(t, []rewriteTest{
		{name: "scratch is labelled", on: docker20, platform: "linux/arm/v7",
			from: "FROM scratch\nCOPY a /\n",
			want: "FROM S-armv7\nCOPY a /\n"},
		{name: "a base is pinned, and the rest of the line kept", on: docker20, platform: "linux/arm64",
			from: "# syntax=x\nfrom  busybox:1   as  b # \nRUN x\n",
			want: "# syntax=x\nFROM B-arm64\nRUN x\n"},
		{name: "stages, numbers and images in COPY --from", on: docker20, platform: "linux/arm64",
			from: "FROM busybox:1 AS b\nFROM b\nCOPY --from=b /x /\nCOPY --from=0 /x /\nCOPY --chown=1 --from=busybox:1 /bin \\\n /\n",
			want: "FROM B-arm64 AS b\nFROM b\nCOPY --from=b /x /\nCOPY --from=0 /x /\nCOPY --chown=1 --from=B-arm64 /bin \\\n /\n"},
		{name: "a named context", on: docker20, platform: "linux/arm64",
			from: "FROM Tools\nCOPY --from=tools /x /\n",
			want: "FROM T-arm64\nCOPY --from=T-arm64 /x /\n"},
		{name: "natively", on: docker20, platform: "linux/arm64", native: true,
			from: "FROM busybox:1\nARG TARGETARCH\nFROM scratch\n",
			want: "FROM B-amd64\nARG TARGETARCH=amd64\nFROM S-arm64\n"},
		{name: "one label on everything where the cache looks at it", on: docker26, platform: "linux/arm64",
			from: "FROM --platform=linux/amd64 busybox:1 AS b\nFROM scratch\nCOPY --from=b / /\n",
			want: "FROM B-amd64-as-arm64 AS b\nFROM S-arm64\nCOPY --from=b / /\n"},
		{name: "a platform for each stage where stages have one", on: podman5, platform: "linux/arm64",
			from: "FROM --platform=$BUILDPLATFORM busybox:1 AS b\nFROM --platform=$BUILDPLATFORM b AS c\nFROM scratch\nCOPY --from=c / /\n",
			want: "FROM --platform=linux/amd64 B-amd64 AS b\nFROM b AS c\nFROM S-arm64\nCOPY --from=c / /\n"},
		{name: "no other label where it is right", on: docker26, platform: "linux/arm64",
			from: "FROM busybox:1\n",
			want: "FROM B-arm64\n"},
		{name: "an empty stage of a platform of its own", on: podman5, platform: "linux/arm64",
			from: "FROM --platform=$BUILDPLATFORM scratch\n",
			want: "FROM --platform=linux/amd64 S-arm64\n"},
		{name: "continued lines", on: docker20, platform: "linux/arm64",
			from: "FROM busybox:1\\\n    AS b\nFROM \\\n  # why\n  scratch\n",
			want: "FROM B-arm64 AS b\nFROM S-arm64\n"},
		{name: "natively where the cache looks at the label", on: docker26, platform: "linux/arm64", native: true,
			from: "FROM scratch\n",
			want: "FROM S-amd64\n"},
		{name: "natively for another system", on: docker20, platform: "windows/arm64", native: true,
			from: "FROM scratch\n",
			want: "FROM S-amd64\n"},
	})
}

// Of a stage that the builder leaves out nothing is looked for, and nothing is sent; its FROM is one that every builder reads.
func TestClassicPinsWhatIsBuilt(t *testing.T) {
	const lines = "ARG S=x-u\nFROM --platform=$NONE ${S#x-}/none AS u\nARG TARGETARCH=x\nCOPY --from=nowhere / /\nFROM busybox:1\nFROM nowhere\nFROM $NONE\nFROM ${A:-it's}\n"
	const want = "ARG S=x-u\nFROM u/none AS u\nARG TARGETARCH=x\nCOPY --from=nowhere / /\nFROM B\nFROM nowhere\nFROM $NONE\nFROM ${A:-it's}\n"
	for _, on := range []Info{podman5, docker20} {
		p := planOn(t, on, Solve{Platform: platform(t, "linux/arm64"), SetPlatform: true, Dockerfile: []byte(lines), Unneeded: []int{0, 2, 3, 4}},
			map[string]string{"busybox:1 linux/arm64": "B"})
		if got, err := p.rewrite(t.Context()); err != nil || string(got) != want || len(p.sent) > 0 {
			t.Errorf("%s: %v, sent %v\n%s", on.Name, err, p.sent, got)
		}
	}
}

func TestClassicRewritesArguments(t *testing.T) {
	checkRewrites(t, []rewriteTest{
		{name: "arguments in FROM", on: docker20, platform: "linux/arm64",
			from: "ARG TAG=1\nARG BASE=busybox:${TAG}\nFROM --platform=$BUILDPLATFORM ${BASE} AS b\nFROM ${EMPTY:-scratch}\n",
			want: "ARG TAG=1\nARG BASE=busybox:1\nFROM B-amd64 AS b\nFROM S-arm64\n"},
		{name: "a given argument outranks a default", on: docker20, platform: "linux/arm64", args: map[string]string{"TAG": "1"},
			from: "ARG TAG=9\nFROM busybox:$TAG\n",
			want: "ARG TAG=1\nFROM B-arm64\n"},
		{name: "... and needs none", on: docker20, platform: "linux/arm64", args: map[string]string{"BASE": "busybox:1"},
			from: "ARG BASE\nFROM $BASE\n",
			want: "ARG BASE=busybox:1\nFROM B-arm64\n"},
		{name: "an argument without a value is none", on: docker20, platform: "linux/arm64",
			from: "ARG TAG\nFROM busybox:${TAG-1}\n",
			want: "ARG TAG\nFROM B-arm64\n"},
		{name: "a stage's own argument counts in no FROM", on: docker20, platform: "linux/arm64",
			from: "ARG TAG=1\nFROM scratch\nARG TAG=9\nFROM busybox:$TAG\nARG TAG=9\nFROM busybox:$TAG\n",
			want: "ARG TAG=1\nFROM S-arm64\nARG TAG=9\nFROM B-arm64\nARG TAG=9\nFROM B-arm64\n"},
		{name: "automatic arguments where they are declared", on: docker20, platform: "linux/arm/v7",
			from: "FROM scratch\nARG TARGETPLATFORM TARGETARCH\nARG TARGETVARIANT\nARG BUILDARCH\nARG OTHER\nARG TARGETOS=plan9\n",
			want: "FROM S-armv7\nARG TARGETPLATFORM=linux/arm/v7 TARGETARCH=arm\nARG TARGETVARIANT=v7\nARG BUILDARCH=amd64\nARG OTHER\nARG TARGETOS=plan9\n"},
		{name: "defaults beside a value", on: docker20, platform: "linux/arm64",
			from: "FROM scratch\nARG TARGETOS V='a b' W=1 X\n",
			want: "FROM S-arm64\nARG TARGETOS=linux V='a b' W=1 X\n"},
		{name: "continued lines", on: docker20, platform: "linux/arm64",
			from: "ARG V=9 \\\n    TAG=1\\\n  BASE=busybox\nFROM $BASE:$TAG\\\n    AS b\nARG A=1\\\n  TARGETARCH\n",
			want: "ARG V=9 \\\n    TAG=1\\\n  BASE=busybox\nFROM B-arm64 AS b\nARG A=1 TARGETARCH=arm64\n"},
		{name: "what only BuildKit's words can say in FROM", on: docker20, platform: "linux/arm64",
			from: "ARG NAME=xbusybox-alpine\nARG TAG=v1\nARG BOTH=\"${NAME#x}:${TAG/v/}\"\nFROM ${BOTH/-alpine/}\n",
			want: "ARG NAME=xbusybox-alpine\nARG TAG=v1\nARG BOTH=busybox-alpine:1\nFROM B-arm64\n"},
		{name: "names in quotes", on: docker20, platform: "linux/arm64",
			from: "ARG BASE=\"busybox:1\"\nFROM $BASE\nFROM 'busybox:1'\n",
			want: "ARG BASE=\"busybox:1\"\nFROM B-arm64\nFROM B-arm64\n"},
		{name: "values with blanks, quotes and line ends", on: docker20, platform: "linux/arm64",
			args: map[string]string{"A": "x y", "B": "it's", "C": "$HOME", "D": "it's $5"},
			from: "FROM scratch\nARG A\nARG B=\"d e\"\nARG C\nARG D\n",
			want: "FROM S-arm64\nARG A='x y'\nARG B=\"it's\"\nARG C='$HOME'\nARG D=sha256-9c1c7ef759ec5f3eafece2942a65c2451d560ceb1597345c6a081160484aec93\n"},
		{name: "the platform's arguments in global defaults", on: docker20, platform: "linux/arm64",
			from: "ARG LIB=lib-$TARGETARCH HOST='$BUILDARCH x' Q='a  b'\nARG SO=\"${LIB/lib-/so }.$TARGETOS\"\nFROM scratch\nARG LIB\nARG SO=$LIB\n",
			want: "ARG LIB=lib-arm64 HOST='$BUILDARCH x' Q='a  b'\nARG SO='so arm64.linux'\nFROM S-arm64\nARG LIB\nARG SO=$LIB\n"},
	})
}

// Podman takes the platform's arguments from the request alone, whatever stands in the Dockerfile.
func TestClassicSendsPodmanThePlatformsArguments(t *testing.T) {
	for _, test := range []struct {
		from, text, sent string
		refused          bool
	}{
		{from: "ARG BUILDPLATFORM\nFROM --platform=$BUILDPLATFORM busybox:1\nARG TARGETPLATFORM TARGETVARIANT A\n",
			text: "ARG BUILDPLATFORM\nFROM --platform=linux/amd64 B\nARG TARGETPLATFORM TARGETVARIANT A", sent: "TARGETPLATFORM=linux/arm64 TARGETVARIANT="},
		{from: "ARG BUILDPLATFORM=linux/amd64\nFROM --platform=$BUILDPLATFORM busybox:1\nARG BUILDPLATFORM\n",
			text: "ARG BUILDPLATFORM\nFROM --platform=linux/amd64 B\nARG BUILDPLATFORM", sent: "BUILDPLATFORM=linux/amd64"},
		{from: "FROM scratch\nARG TARGETARCH=\"riscv$NONE\" TARGETOS\n", text: "FROM S\nARG TARGETARCH TARGETOS", sent: "TARGETARCH=riscv TARGETOS=linux"},
		{from: "FROM scratch\nARG TARGETOS\nRUN TARGETOS=x make\n", text: "FROM S\nARG TARGETOS", sent: "TARGETOS=linux"},
		{from: "FROM scratch\nARG TARGETARCH=riscv\nFROM scratch\nARG TARGETARCH\nCOPY --from=0 / /\n", refused: true},
		{from: "FROM scratch\nARG TARGETARCH=${\n", refused: true},
	} {
		p := planOn(t, podman5, Solve{Platform: platform(t, "linux/arm64"), SetPlatform: true, Dockerfile: []byte(test.from)},
			map[string]string{"scratch linux/arm64": "S", "busybox:1 linux/amd64": "B"})
		got, err := p.rewrite(t.Context())
		if text, _, _ := strings.Cut(string(got), " MANYMAGE_"); (err != nil) != test.refused || err == nil && text != test.text {
			t.Errorf("%q: %q, %v", test.from, text, err)
		}
		var sent []string
		for name, value := range p.buildArgs() {
			sent = append(sent, name+"="+*value)
		}
		if slices.Sort(sent); strings.Join(sent, " ") != test.sent {
			t.Errorf("%q: sent %q", test.from, sent)
		}
	}
}

// What Podman's history tells of an ARG is its name: the mark's tells the values, wherever they come from.
func TestClassicMarksArguments(t *testing.T) {
	marks := map[string]string{}
	for _, dockerfile := range []string{
		"FROM scratch\nARG TARGETARCH\n", "FROM scratch\nARG TARGETOS\n", "FROM scratch\nARG V=1\n", "FROM scratch\nARG V=2\n",
		"ARG V=3\nFROM scratch\nARG V\n", "ARG V=4\nFROM scratch\nARG V\n", "FROM scratch\nARG GIVEN\n", "FROM scratch\nARG GIVEN=z\n",
	} {
		for _, given := range []string{"x", "y"} {
			text := rewriteTest{on: podman5, platform: "linux/arm64", args: map[string]string{"GIVEN": given}, from: dockerfile}.rewritten(t)
			_, mark, marked := strings.Cut(text, " MANYMAGE_")
			if before := marks[mark]; !marked || strings.Count(text, "MANYMAGE_") != 1 || before != "" && before != text {
				t.Errorf("%q is marked %q, as is %q", text, mark, before)
			}
			marks[mark] = text
		}
	}
	if len(marks) != 8 {
		t.Errorf("%d marks of 8 statements: %v", len(marks), marks)
	}
}

func TestClassicRewriteRefuses(t *testing.T) {
	for from, want := range map[string]string{
		"FROM scratch\nFROM $NONE\n":                  "Dockerfile:2: unusable build context: FROM $NONE names no image; give its ARG a default, or a build argument",
		"FROM scratch\n\nFROM --platform=$NONE/x y\n": "Dockerfile:3: unusable build context: --platform=$NONE/x: ",
		"FROM scratch\nCOPY --from='a:1' / /\n":       "Dockerfile:2: unusable build context: write --from=a:1 in one piece and without quotes",
		"ARG A=${\nFROM $A\n":                         "Dockerfile:1: unusable build context: ARG A: ",
		"FROM ${A:?no A}\n":                           "Dockerfile:1: unusable build context: FROM ${A:?no: ",
	} {
		p := planOn(t, docker20, Solve{Platform: platform(t, "linux/arm64"), SetPlatform: true, Dockerfile: []byte(from)}, map[string]string{"scratch linux/arm64": "S"})
		_, err := p.rewrite(t.Context())
		if !errors.Is(err, ErrContext) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", from, err)
		}
	}
}

func TestClassicTellsThePlatformWhereItHelps(t *testing.T) {
	containerd := docker26
	containerd.Store = StoreContainerd
	for _, test := range []struct {
		on    Info
		mixed bool
		want  string
	}{
		{on: docker20, want: ""},
		{on: podman5, want: "linux/arm/v7"},
		{on: podman5, mixed: true, want: "linux/arm/v7"},
		{on: docker26, want: "linux/arm/v7"},
		{on: docker26, mixed: true, want: "linux/arm/v7"},
		{on: containerd, want: "linux/arm/v7"},
		{on: containerd, mixed: true, want: ""},
	} {
		p := planOn(t, test.on, Solve{Platform: platform(t, "linux/arm/v7"), SetPlatform: true}, nil)
		p.mixed = test.mixed
		if got := p.toldPlatform(); got != test.want {
			t.Errorf("%s %s, mixed %t: %q, want %q", test.on.Name, test.on.Version, test.mixed, got, test.want)
		}
	}
}

// On a containerd store no base gets another label, so that the platform is not told.
func TestClassicLeavesBasesAloneOnContainerdStores(t *testing.T) {
	on := docker26
	on.Store = StoreContainerd
	p := planOn(t, on, Solve{Platform: platform(t, "linux/arm64"), SetPlatform: true, Dockerfile: []byte("FROM --platform=linux/amd64 busybox:1 AS b\nFROM scratch\n")},
		map[string]string{"busybox:1 linux/amd64": "B-amd64", "scratch linux/arm64": "S-arm64"})
	if p.toldPlatform() == "" {
		t.Error("nothing is mixed yet")
	}
	got, err := p.rewrite(t.Context())
	if string(got) != "FROM B-amd64 AS b\nFROM S-arm64\n" || err != nil || p.toldPlatform() != "" {
		t.Errorf("%s, %v, told %q", got, err, p.toldPlatform())
	}
}

// A base of a lesser variant gets the label of the build where the builder looks at it, and on Podman the build gets the base's.
func TestClassicBuildsOnALesserVariant(t *testing.T) {
	for _, test := range []struct {
		on               Info
		from, want, told string
	}{
		{docker20, "FROM busybox:1\n", "FROM B\n", ""},
		{docker26, "FROM busybox:1\n", "FROM B-as-v2\n", "linux/amd64/v2"},
		{podman5, "FROM busybox:1\n", "FROM B\n", "linux/amd64"},
		{podman5, "FROM --platform=$TARGETPLATFORM busybox:1\n", "FROM --platform=linux/amd64 B\n", "linux/amd64"},
		{podman5, "FROM --platform=linux/amd64 busybox:1\n", "FROM --platform=linux/amd64 N\n", "linux/amd64/v2"}, // of a stage for the engine
	} {
		p := planOn(t, test.on, Solve{Platform: platform(t, "linux/amd64/v2"), SetPlatform: true, Dockerfile: []byte(test.from)},
			map[string]string{"busybox:1 linux/amd64": "N", "busybox:1 linux/amd64/v2": "", "alias B linux/amd64/v2": "B-as-v2"})
		p.bases.known["busybox:1 linux/amd64/v2"] = Image{ID: "B", Platform: platform(t, "linux/amd64")}
		got, err := p.rewrite(t.Context())
		if err != nil || string(got) != test.want || p.toldPlatform() != test.told {
			t.Errorf("%s %s: %q, %v, told %q", test.on.Name, test.on.Version, got, err, p.toldPlatform())
		}
	}
}

// The builder gets the credentials of all registries that the Dockerfile names, and of no other.
func TestClassicCredentials(t *testing.T) {
	p := planOn(t, docker20, Solve{Platform: platform(t, "linux/arm64"), SetPlatform: true, Dockerfile: []byte("FROM busybox:1\nFROM tools\nFROM open.example/a\nCOPY --from=busybox:1 / /\n")},
		map[string]string{"busybox:1 linux/arm64": "B", "registry.example/tools:2 linux/arm64": "T", "open.example/a linux/arm64": "A"})
	var asked []string
	p.engine.auth = func(_ context.Context, host string) (Credential, error) {
		asked = append(asked, host)
		switch host {
		case "docker.io":
			return Credential{Username: "ada", Password: "secret"}, nil
		case "registry.example":
			return Credential{IdentityToken: "refresh"}, nil
		}
		return Credential{}, nil
	}
	if _, err := p.rewrite(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := p.authConfigs(t.Context())
	if strings.Join(asked, " ") != "docker.io registry.example open.example" || err != nil {
		t.Errorf("asked for %v, %v", asked, err)
	}
	if hub := got["https://index.docker.io/v1/"]; len(got) != 2 || hub.Username != "ada" || hub.Password != "secret" || got["registry.example"].IdentityToken != "refresh" {
		t.Errorf("given %v", got)
	}
	p.engine.auth = func(context.Context, string) (Credential, error) { return Credential{}, errors.New("no helper") }
	if _, err := p.authConfigs(t.Context()); err == nil || err.Error() != "the credentials of docker.io: no helper" {
		t.Errorf("%v", err)
	}
}

func TestClassicBuildArgs(t *testing.T) {
	var told []string
	p := planOn(t, docker20, Solve{
		Dockerfile: []byte("# syntax=docker/dockerfile:1\nFROM scratch\nARG USED\n"),
		BuildArgs:  map[string]string{"USED": "1", "UNUSED": "2", "https_proxy": "3"},
	}, nil)
	p.emit = func(e Event) { told = append(told, e.(Notice).Text) }
	p.notices()
	p.unused()
	args := p.buildArgs()
	if len(args) != 2 || *args["USED"] != "1" || *args["https_proxy"] != "3" {
		t.Errorf("sent %v", args)
	}
	want := "the classic builder does not read the syntax line (docker/dockerfile:1)\nthe build argument UNUSED is not used: no ARG in Dockerfile declares it"
	if got := strings.Join(told, "\n"); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

// waits gives the base busybox:1 statements that wait for who builds on it.
func waits(p *classicPlan, statements ...string) {
	const key = "busybox:1 linux/arm64"
	base := p.bases.known[key]
	base.OnBuild = statements
	p.bases.known[key] = base
}

// A base's ONBUILD statements ask for arguments, too, and so do those of a stage.
func TestClassicArgumentsOfOnBuild(t *testing.T) {
	for _, on := range []Info{docker20, podman5} {
		var told []Event
		p := planOn(t, on, Solve{
			Platform: platform(t, "linux/arm64"), SetPlatform: true, BuildArgs: map[string]string{"FOO": "1", "STAGE": "2", "UNUSED": "3"},
			Dockerfile: []byte("FROM busybox:1 AS a\nONBUILD ARG STAGE\nFROM a\n"),
		}, map[string]string{"busybox:1 linux/arm64": "B"})
		waits(p, "ARG TARGETARCH", "RUN x", "ARG FOO=0 BAR")
		p.emit = func(e Event) { told = append(told, e) }
		if p.cacheless() {
			t.Error("no cache before there is a reason")
		}
		if _, err := p.rewrite(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.unused()
		args := p.buildArgs()
		if len(args) != 3 || *args["TARGETARCH"] != "arm64" || *args["FOO"] != "1" || *args["STAGE"] != "2" {
			t.Errorf("%s is sent %v", on.Name, args)
		}
		if want := (Notice{"the build argument UNUSED is not used: no ARG in Dockerfile declares it"}); len(told) != 1 || told[0] != want {
			t.Errorf("told %v", told)
		}
		if p.cacheless() != (on.Name == podman) {
			t.Errorf("%s builds without the cache: %t", on.Name, p.cacheless())
		}
		if p.NoCache = true; !p.cacheless() {
			t.Errorf("%s takes steps from a cache that nobody wants", on.Name)
		}
	}
}

// A base that may read more than the Dockerfile says is built on with all of the context.
func TestClassicSendsMoreToBasesThatSteer(t *testing.T) {
	for env, want := range map[string]bool{"PATH=/bin": false, "TARGETARCH=x": true} {
		p := planOn(t, docker20, Solve{Platform: platform(t, "linux/arm64"), SetPlatform: true, ReadsBy: []string{"TARGETARCH"}, Dockerfile: []byte("FROM busybox:1\n")},
			map[string]string{"busybox:1 linux/arm64": "B"})
		base := p.bases.known["busybox:1 linux/arm64"]
		base.Env = []string{env}
		p.bases.known["busybox:1 linux/arm64"] = base
		if _, err := p.rewrite(t.Context()); err != nil || p.whole != want {
			t.Errorf("%s: %v, %v", env, p.whole, err)
		}
	}
}

// A build request has one value for the argument of a base's ONBUILD and for the
// Dockerfile's of that name.
func TestClassicArgumentsThatClashWithOnBuild(t *testing.T) {
	for lines, refused := range map[string]bool{
		"FROM busybox:1\nARG TARGETARCH=riscv64\n":               true,
		"ARG TARGETARCH=riscv64\nFROM busybox:1\n":               true,
		"FROM busybox:1\nARG TARGETARCH\n":                       false,
		"FROM busybox:1\nARG TARGETARCH=arm64\n":                 false,
		"FROM busybox:1\nARG TARGETOS=none FOO=1\n":              false,
		"FROM busybox:1\nFROM scratch\nARG TARGETARCH=riscv64\n": false,
	} {
		p := planOn(t, docker20, Solve{Platform: platform(t, "linux/arm64"), SetPlatform: true, Unneeded: []int{1}, Dockerfile: []byte(lines)},
			map[string]string{"busybox:1 linux/arm64": "B"})
		waits(p, "ARG TARGETARCH FOO")
		if _, err := p.rewrite(t.Context()); errors.Is(err, ErrUnsupported) != refused || (err != nil) != refused {
			t.Errorf("%q: %v", lines, err)
		}
	}
	p := planOn(t, docker20, Solve{Platform: platform(t, "linux/arm64"), SetPlatform: true, BuildArgs: map[string]string{"TARGETARCH": "s390x"},
		Dockerfile: []byte("FROM busybox:1\nARG TARGETARCH=riscv64\n")}, map[string]string{"busybox:1 linux/arm64": "B"})
	waits(p, "ARG TARGETARCH")
	if _, err := p.rewrite(t.Context()); err != nil || *p.buildArgs()["TARGETARCH"] != "s390x" {
		t.Errorf("the caller's own value is for both: %v", err)
	}
}

// What this road cannot honour is told, and nothing that nobody has asked for.
func TestClassicNotices(t *testing.T) {
	const syntax, epoch = "the classic builder does not read the syntax line (a/b:1)", "the classic builder does not know SOURCE_DATE_EPOCH"
	for _, test := range []struct {
		first   string
		builtin bool
		epoch   *time.Time
		want    string
	}{
		{"", false, nil, ""},
		{"# syntax=a/b:1\n", false, nil, syntax},
		{"# syntax=a/b:1\n", true, nil, ""},
		{"", false, &time.Time{}, epoch},
		{"# syntax=a/b:1\n", false, &time.Time{}, syntax + ", " + epoch},
	} {
		var told []string
		p := planOn(t, docker20, Solve{Dockerfile: []byte(test.first + "FROM scratch\n"), Builtin: test.builtin, Epoch: test.epoch}, nil)
		p.emit = func(e Event) { told = append(told, e.(Notice).Text) }
		if p.notices(); strings.Join(told, ", ") != test.want {
			t.Errorf("%+v: told %q", test, told)
		}
	}
}

// An interrupt is told as what it is, whatever it broke off; a verdict is told all the same.
func TestInterruptsComeBeforeWhatTheyCaused(t *testing.T) {
	verdict := errors.New("a lie")
	ended, end := context.WithTimeout(t.Context(), 0)
	defer end()
	for _, test := range []struct {
		ctx       context.Context
		err, want error
	}{
		{t.Context(), context.Canceled, context.Canceled}, // of this solve alone
		{ended, context.Canceled, context.DeadlineExceeded},
		{ended, verdict, verdict},
		{ended, nil, nil},
	} {
		if got := orCancelled(test.ctx, test.err); got != test.want {
			t.Errorf("%v, ended %t: %v", test.err, test.ctx == ended, got)
		}
	}
}

func TestClassicContexts(t *testing.T) {
	for name, given := range map[string]Context{
		"a secret":           {Secrets: []Secret{{ID: "x"}}},
		"ssh":                {SSH: []SSH{{}}},
		"a second directory": {Named: []Named{{Name: "x", Source: "../x"}}},
	} {
		if _, err := classicContexts(given); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	images, err := classicContexts(Context{Named: []Named{{Name: "Tools", Source: "docker-image://registry.example/tools:2"}}})
	if err != nil || len(images) != 1 || images["tools"] != "registry.example/tools:2" {
		t.Errorf("an image: %v, %v", images, err)
	}
}
