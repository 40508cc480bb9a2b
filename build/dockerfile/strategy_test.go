package dockerfile

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The Dockerfiles are of the kinds that people have. want is auto's choice; pins are the FROM lines that cross pins
// and runs the RUN lines that stay on the foreign platform, both under that choice.
func TestAuto(t *testing.T) {
	tests := []struct {
		name string
		src  string
		o    Options
		want Strategy
		why  string
		pins []int
		runs []int
	}{
		{
			name: "go of 2019",
			src: d(`ARG GOARCH=amd64`, `FROM golang:1.12 AS build`, `ARG GOARCH`, `WORKDIR /src`, `COPY . .`,
				`RUN CGO_ENABLED=0 GOARCH=${GOARCH} go build -o /app .`, `FROM scratch`, `COPY --from=build /app /app`, `ENTRYPOINT ["/app"]`),
			want: Cross, why: "stage build declares ARG GOARCH (line 3)", pins: []int{2},
		},
		{
			name: "go of 2019 with stages by index",
			src:  d(`FROM golang`, `ARG GOARCH`, `RUN go build`, `FROM alpine:3.9`, `RUN apk add --no-cache tzdata`, `COPY --from=0 /app /app`),
			want: Cross, why: "stage 0 declares ARG GOARCH (line 2)", pins: []int{1}, runs: []int{5},
		},
		{
			name: "global GOARCH alone does not count",
			src:  d(`ARG GOARCH=amd64`, `FROM ${GOARCH}/alpine`, `COPY app-$GOARCH /app`),
			want: Target, why: "no stage that is needed declares ARG GOARCH",
		},
		{
			name: "go with TARGETARCH",
			src: d(`FROM --platform=$BUILDPLATFORM golang:1.26 AS build`, `ARG TARGETOS TARGETARCH`, `RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /app`,
				`FROM gcr.io/distroless/static`, `COPY --from=build /app /`),
			want: Target, why: "the Dockerfile uses BUILDPLATFORM (line 1)",
		},
		{
			name: "BUILDPLATFORM alone",
			src:  d(`FROM --platform=$BUILDPLATFORM node:22 AS ui`, `RUN npm ci`, `FROM nginx`, `COPY --from=ui /dist /usr/share/nginx/html`),
			want: Target, why: "the Dockerfile uses BUILDPLATFORM (line 1)",
		},
		{
			name: "xx",
			src: d(`FROM --platform=$BUILDPLATFORM tonistiigi/xx:1.6 AS xx`, `FROM --platform=$BUILDPLATFORM alpine AS build`, `COPY --from=xx / /`,
				`ARG TARGETPLATFORM`, `RUN apk add clang && xx-apk add gcc`, `RUN xx-clang -o /hello hello.c`, `FROM alpine`, `COPY --from=build /hello /bin/`),
			want: Target, why: "the Dockerfile uses BUILDPLATFORM (line 1)",
		},
		{
			name: "TARGETARCH beside GOARCH",
			src:  d(`FROM golang AS build`, `ARG GOARCH`, `ARG TARGETARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			want: Target, why: "the Dockerfile uses TARGETARCH (line 3)", runs: []int{4},
		},
		{
			name: "TARGETARCH in a FROM beside GOARCH",
			src:  d(`FROM golang-$TARGETARCH AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			want: Target, why: "the Dockerfile uses TARGETARCH (line 1)", runs: []int{3},
		},
		{
			name: "the first use of several",
			src:  d(`ARG B=$TARGETOS`, `FROM golang-$TARGETARCH AS build`, `ARG TARGETPLATFORM`),
			want: Target, why: "the Dockerfile uses TARGETOS (line 1)",
		},
		{
			name: "TARGETARCH that a stage does not declare is empty there",
			src:  d(`FROM golang AS build`, `ARG GOARCH`, `ARG X=$TARGETARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			want: Cross, why: "stage build declares ARG GOARCH (line 2)", pins: []int{1},
		},
		{
			name: "RUN of the stage below",
			src:  d(`FROM alpine AS base`, `RUN apk add tini`, `FROM base`, `RUN true`),
			want: Target, why: "no stage that is needed declares ARG GOARCH", runs: []int{2, 4},
		},
		{
			name: "global default with TARGETARCH",
			src:  d(`ARG BASE=alpine-$TARGETARCH`, `FROM $BASE`),
			want: Target, why: "the Dockerfile uses TARGETARCH (line 1)",
		},
		{
			name: "python",
			src:  d(`FROM python:3.12-slim`, `WORKDIR /app`, `COPY requirements.txt .`, `RUN pip install -r requirements.txt`, `COPY . .`, `CMD ["python", "app.py"]`),
			want: Target, why: "no stage that is needed declares ARG GOARCH", runs: []int{4},
		},
		{
			name: "node in two stages",
			src: d(`FROM node:22 AS deps`, `WORKDIR /app`, `COPY package*.json ./`, `RUN npm ci`, `FROM node:22-slim`, `WORKDIR /app`, `COPY --from=deps /app/node_modules node_modules`,
				`COPY . .`, `CMD ["node", "index.js"]`),
			want: Target, runs: []int{4},
		},
		{
			name: "rust",
			src:  d(`FROM rust:1.85 AS build`, `WORKDIR /src`, `COPY . .`, `RUN cargo build --release`, `FROM debian:12-slim`, `COPY --from=build /src/target/release/app /usr/local/bin/`),
			want: Target, runs: []int{4},
		},
		{
			name: "c",
			src: d(`FROM debian:12 AS build`, `RUN apt-get update \`, `    && apt-get install -y gcc libc6-dev`, `COPY hello.c .`, `RUN gcc -static -o /hello hello.c`, `FROM scratch`,
				`COPY --from=build /hello /`, `CMD ["/hello"]`),
			want: Target, runs: []int{2, 5},
		},
		{
			name: "a data stage keeps the target platform",
			src: d(`FROM alpine AS certs`, `RUN apk add ca-certificates`, `FROM golang AS build`, `ARG GOARCH`, `RUN go build -o /app`, `FROM scratch`,
				`COPY --from=certs /etc/ssl /etc/ssl`, `COPY --from=build /app /`),
			want: Cross, pins: []int{3}, runs: []int{2},
		},
		{
			name: "a stage is built on the compiling root",
			src:  d(`FROM golang AS base`, `RUN apt-get install -y git`, `FROM base AS build`, `ARG GOARCH`, `RUN go build -o /app`, `FROM scratch`, `COPY --from=build /app /`),
			want: Cross, why: "stage build declares ARG GOARCH (line 4)", pins: []int{1},
		},
		{
			name: "modules are downloaded beside the compiling stage",
			src: d(`FROM golang AS base`, `FROM base AS modules`, `RUN go mod download`, `FROM base AS build`, `COPY --from=modules /go /go`, `ARG GOARCH`, `RUN go build -o /app`,
				`FROM scratch`, `COPY --from=build /app /`),
			want: Cross, pins: []int{1},
		},
		{
			name: "a root is needed by the compiler and by the final image",
			src:  d(`FROM alpine AS base`, `FROM base AS build`, `ARG GOARCH`, `RUN go build`, `FROM base`, `COPY --from=build /app /`),
			want: Target, why: "FROM alpine is needed on both platforms: stage build compiles on it (line 2)", runs: []int{4},
		},
		{
			name: "a root is needed by the compiler and by a data stage",
			src: d(`FROM golang AS base`, `FROM base AS data`, `RUN make-database`, `FROM base AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`,
				`COPY --from=build /app /`, `COPY --from=data /db /db`),
			want: Target, why: "stage data (line 2) has files of the target's platform on it", runs: []int{3, 6},
		},
		{
			name: "the data stage of the data stage counts too",
			src: d(`FROM golang AS base`, `FROM base AS data`, `FROM alpine AS pack`, `COPY --from=data /db /db`, `FROM base AS build`, `ARG GOARCH`, `RUN go build`,
				`FROM scratch`, `COPY --from=build /app /`, `COPY --from=pack /db /db`),
			want: Target, why: "stage data (line 2)", runs: []int{7},
		},
		{
			name: "ONBUILD of the stage below, and not of the one below that",
			src:  d(`FROM alpine AS base`, `ONBUILD RUN apk add tini`, `ONBUILD COPY --from=0 /a /`, `FROM base AS app`, `RUN true`, `FROM app`, `RUN false`),
			runs: []int{2, 5, 7}, want: Target,
		},
		{
			name: "ONBUILD that takes the compiler's files",
			src:  d(`FROM golang AS build`, `ARG GOARCH`, `RUN go build`, `FROM alpine AS base`, `ONBUILD COPY --from=build /a /`, `FROM base`),
			want: Cross, pins: []int{1},
		},
		{
			name: "all in one stage",
			src:  d(`FROM golang`, `ARG GOARCH`, `RUN go build -o /app`, `CMD ["/app"]`),
			want: Target, why: "stage 0 declares ARG GOARCH (line 2), and no FROM is left to pin", runs: []int{3},
		},
		{
			name: "the compiling stage has a platform of its own",
			src:  d(`FROM --platform=linux/amd64 golang AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			want: Target, why: "no FROM is left to pin",
		},
		{
			name: "the compiling stage is not needed",
			src:  d(`FROM golang AS dev`, `ARG GOARCH`, `RUN go build`, `FROM alpine`, `RUN true`),
			want: Target, why: "no stage that is needed", runs: []int{5},
		},
		{
			name: "TARGET says which stages are needed",
			src:  d(`FROM golang AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch AS app`, `COPY --from=build /a /`, `FROM alpine AS debug`, `RUN apk add gdb`, `COPY --from=build /a /`),
			o:    Options{Target: "App"},
			want: Cross, pins: []int{1},
		},
		{
			name: "a compiling stage that is the target",
			src:  d(`FROM golang AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			o:    Options{Target: "build"},
			want: Target, runs: []int{3},
		},
		{
			name: "base by ARG",
			src:  d(`ARG GO=1.12`, `ARG IMAGE=golang:${GO}`, `FROM ${IMAGE} as build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			want: Cross, pins: []int{3},
		},
		{
			name: "the ARG names a stage",
			src:  d(`ARG VARIANT=full`, `FROM golang AS full`, `FROM $VARIANT AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			want: Cross, pins: []int{2},
		},
		{
			name: "a build-arg changes what the ARG names",
			src:  d(`ARG VARIANT=full`, `FROM golang AS full`, `FROM $VARIANT AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			o:    Options{Args: map[string]string{"VARIANT": "golang:alpine"}},
			want: Cross, pins: []int{3},
		},
		{
			name: "the base is a named context",
			src:  d(`FROM toolchain AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			o:    Options{Contexts: []string{"toolchain"}},
			want: Target, why: "no FROM is left to pin", runs: []int{3},
		},
		{
			name: "a named context replaces the stage",
			src:  d(`FROM golang AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			o:    Options{Contexts: []string{"build"}},
			want: Target, why: "no stage that is needed declares ARG GOARCH",
		},
		{
			name: "a named context in full form",
			src:  d(`FROM golang AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			o:    Options{Contexts: []string{"docker.io/library/golang:latest"}},
			want: Target, runs: []int{3},
		},
		{
			name: "an image per architecture is not pinned",
			src:  d(`ARG GOARCH=amd64`, `FROM ${GOARCH}/golang AS build`, `ARG GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			want: Target, why: "no FROM is left to pin", runs: []int{4},
		},
		{
			name: "files by RUN --mount",
			src: d(`FROM golang AS build`, `ARG GOARCH`, `RUN --mount=type=cache,target=/root/.cache go build`, `FROM alpine`,
				`RUN --mount=type=bind,from=build,target=/b cp /b/app /app`),
			want: Cross, pins: []int{1}, runs: []int{5},
		},
		{
			name: "ARG with several names",
			src:  d(`FROM golang AS build`, `ARG GOOS=linux GOARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`),
			want: Cross, pins: []int{1},
		},
		{
			name: "two compilers",
			src: d(`FROM golang AS a`, `ARG GOARCH`, `RUN go build`, `FROM golang:alpine AS b`, `ARG GOARCH`, `RUN go build`, `FROM scratch`,
				`COPY --from=a /a /`, `COPY --from=b /b /`),
			want: Cross, pins: []int{1, 4},
		},
		{
			name: "the final stage declares it too",
			src:  d(`FROM golang AS build`, `ARG GOARCH`, `RUN go build`, `FROM alpine`, `ARG GOARCH`, `RUN echo $GOARCH`, `COPY --from=build /a /`),
			want: Cross, pins: []int{1}, runs: []int{6},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := read(t, test.src)
			o := armOnAmd(t)
			o.Target, o.Args, o.Contexts = test.o.Target, test.o.Args, test.o.Contexts
			choice, err := f.Choose(Auto, o)
			if err != nil {
				t.Fatal(err)
			}
			if choice.Strategy != test.want || !strings.Contains(choice.Why, test.why) {
				t.Errorf("chose %s because %q, want %s because %q", choice.Strategy, choice.Why, test.want, test.why)
			}
			if got := pinLines(t, f, choice.Strategy, o); !reflect.DeepEqual(got, test.pins) {
				t.Errorf("pinned lines %v, want %v", got, test.pins)
			}
			if got := runLines(t, f, choice.Strategy, o); !reflect.DeepEqual(got, test.runs) {
				t.Errorf("foreign RUN lines %v, want %v", got, test.runs)
			}
		})
	}
}

func pinLines(t *testing.T, f *File, s Strategy, o Options) (lines []int) {
	t.Helper()
	if s != Cross {
		return nil
	}
	rewrite, err := f.Cross(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rewrite.Pins {
		lines = append(lines, p.Line)
	}
	return lines
}

func runLines(t *testing.T, f *File, s Strategy, o Options) (lines []int) {
	t.Helper()
	runs, err := f.ForeignRuns(s, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		lines = append(lines, r.Line)
	}
	return lines
}

func TestAskedForCross(t *testing.T) {
	modern := d(`FROM golang AS build`, `ARG TARGETARCH`, `RUN GOARCH=$TARGETARCH go build`, `FROM scratch`, `COPY --from=build /a /`)
	if got := pinLines(t, read(t, modern), Cross, armOnAmd(t)); !reflect.DeepEqual(got, []int{1}) {
		t.Errorf("a stage that declares TARGETARCH: pinned %v", got)
	}
	rust := d(`FROM rust AS build`, `ARG TRIPLE`, `RUN cargo build --target $TRIPLE`, `FROM scratch`, `COPY --from=build /a /`)
	o := armOnAmd(t)
	if _, err := read(t, rust).Choose(Cross, o); err == nil {
		t.Error("an argument of nobody's marked a compiling stage")
	}
	o.Arch = []string{"TRIPLE"}
	if got := pinLines(t, read(t, rust), Cross, o); !reflect.DeepEqual(got, []int{1}) {
		t.Errorf("a placeholder argument: pinned %v", got)
	}
	if choice, _ := read(t, rust).Choose(Auto, o); choice.Strategy != Target {
		t.Errorf("auto took a placeholder argument for a cross compiler: %+v", choice)
	}
	pinned := d(`FROM --platform=$BUILDPLATFORM golang AS build`, `ARG TARGETARCH`, `RUN go build`, `FROM scratch`, `COPY --from=build /a /`)
	if rewrite, err := read(t, pinned).Cross(armOnAmd(t)); err != nil || string(rewrite.Source) != pinned {
		t.Errorf("a file that pins by itself: %v", err)
	}
}

func TestRefusedCross(t *testing.T) {
	o := armOnAmd(t)
	_, err := read(t, d(`FROM python`, `RUN pip install x`)).Choose(Cross, o)
	at(t, err, 0, "nothing can be cross-built", "STRATEGY=target")
	both := read(t, d(`FROM alpine AS base`, `FROM base AS build`, `ARG GOARCH`, `FROM base`, `COPY --from=build /a /`))
	_, err = both.Choose(Cross, o)
	at(t, err, 1, "FROM alpine is needed on both platforms", "stage build", "line 2")
	_, err = both.Cross(o)
	at(t, err, 1, "STRATEGY=target")
	_, err = both.ForeignRuns(Cross, o)
	at(t, err, 1, "both platforms")
}

func TestAskedForOthers(t *testing.T) {
	f := read(t, d(`FROM golang AS build`, `ARG GOARCH`, `RUN go build`, `FROM alpine`, `RUN true`, `COPY --from=build /a /`))
	for strategy, want := range map[Strategy][]int{Target: {3, 5}, Native: nil, Cross: {5}} {
		choice, err := f.Choose(strategy, armOnAmd(t))
		if err != nil || choice.Strategy != strategy || choice.Why == "" {
			t.Errorf("%s: %+v, %v", strategy, choice, err)
		}
		if got := runLines(t, f, strategy, armOnAmd(t)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: foreign RUN lines %v, want %v", strategy, got, want)
		}
	}
	if _, err := f.Choose("fast", armOnAmd(t)); err == nil {
		t.Error("an unknown strategy was taken")
	}
	if _, err := f.ForeignRuns(Auto, armOnAmd(t)); err == nil {
		t.Error("an undecided strategy was taken")
	}
}

func TestForeignRunsSayWhatAndWhere(t *testing.T) {
	f := read(t, d(`FROM alpine AS base`, `RUN apk add \`, `# why`, `   tini   &&  true`, `FROM base`, `RUN x`,
		`FROM --platform=linux/386 alpine AS unneeded`, `RUN true`))
	runs, err := f.ForeignRuns(Target, Options{Target: "base", Build: platform(t, "amd64"), Platform: platform(t, "arm64")})
	want := []Run{{Line: 2, Text: "RUN apk add tini && true", Stage: "base", Platform: platform(t, "arm64")}}
	if err != nil || !reflect.DeepEqual(runs, want) {
		t.Errorf("got %+v, %v, want %+v", runs, err, want)
	}
	runs, err = f.ForeignRuns(Native, Options{Build: platform(t, "amd64"), Platform: platform(t, "arm64")})
	if err != nil || len(runs) != 1 || runs[0].Platform.Architecture != "386" {
		t.Errorf("a --platform in the file holds natively too: %+v, %v", runs, err)
	}
	if same := runLines(t, f, Target, Options{Target: "base", Build: platform(t, "arm64"), Platform: platform(t, "arm64/v8")}); same != nil {
		t.Errorf("the engine's own platform is foreign to it: lines %v", same)
	}
}

// An instruction is told in one line, of 80 letters at most.
func TestShort(t *testing.T) {
	for code, want := range map[string]string{
		"RUN a \\\n  b":                     "RUN a \\ b",
		"RUN " + strings.Repeat("ä", 76):    "RUN " + strings.Repeat("ä", 76),
		"RUN " + strings.Repeat("ä", 77):    "RUN " + strings.Repeat("ä", 73) + "...",
		"RUN\t" + strings.Repeat("ä ", 100): "RUN " + strings.Repeat("ä ", 36) + "ä...",
	} {
		if got := short(code); got != want {
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
}

func TestBases(t *testing.T) {
	f := read(t, d(`ARG GOARCH=amd64`, `FROM golang:1.12 AS build`, `ARG GOARCH`, `COPY --from=busybox /bin/sh /sh`, `RUN go build`,
		`FROM unneeded AS u`, `FROM ${GOARCH}/alpine`, `COPY --from=build /a /`, `COPY --from=busybox /x /`, `COPY --from=scratch / /`))
	names := func(s Strategy) (all []string) {
		bases, err := f.Bases(s, Options{Build: platform(t, "amd64"), Platform: platform(t, "arm64")})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range bases {
			all = append(all, fmt.Sprintf("%d %s %s %s", b.Line, b.Stage, b.Image, b.Platform.Architecture))
		}
		return all
	}
	for strategy, want := range map[Strategy][]string{
		Cross:  {"2 build docker.io/library/golang:1.12 amd64", "4 build docker.io/library/busybox:latest arm64", "7 2 docker.io/arm64/alpine:latest arm64"},
		Target: {"2 build docker.io/library/golang:1.12 arm64", "4 build docker.io/library/busybox:latest arm64", "7 2 docker.io/arm64/alpine:latest arm64"},
		Native: {"2 build docker.io/library/golang:1.12 amd64", "4 build docker.io/library/busybox:latest amd64", "7 2 docker.io/arm64/alpine:latest amd64"},
	} {
		if got := names(strategy); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", strategy, got, want)
		}
	}
}

// A named context in an image's place is wanted for the platforms that the image would be; where the build takes none, for none.
func TestContextsHaveThePlatformsOfTheirPlaces(t *testing.T) {
	f := read(t, d(`FROM --platform=$BUILDPLATFORM base AS build`, `COPY --from=files a /`, `FROM --platform=$BUILDPLATFORM alpine AS gone`,
		`COPY --from=never a /`, `FROM lib AS u`, `FROM scratch`, `COPY --from=build a /`, `RUN --mount=from=gone,target=/x true`, `COPY --from=lib b /`))
	o := Options{Build: platform(t, "amd64"), Platform: platform(t, "arm64"), Contexts: []string{"base", "files", "gone", "never", "lib", "nowhere"}}
	for strategy, want := range map[Strategy][]string{
		Target: {"base amd64", "files arm64", "gone amd64", "lib arm64"},
		Native: {"base amd64", "files amd64", "gone amd64", "lib amd64"},
	} {
		contexts, err := f.Contexts(strategy, o)
		var got []string
		for _, c := range contexts {
			got = append(got, c.Name+" "+c.Platform.Architecture)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, %v; want %q", strategy, got, err, want)
		}
	}
}

func TestBuildArgs(t *testing.T) {
	f := read(t, d(`ARG GOARCH=amd64`, `FROM golang`, `ARG GOOS`, `ARG GOARM=5`, `ARG TARGETARCH`, `ARG BUILDPLATFORM`, `ARG OTHER`))
	for name, want := range map[string]map[string]string{
		"arm/v6": {"GOOS": "linux", "GOARCH": "arm", "GOARM": "6"},
		"arm64":  {"GOOS": "linux", "GOARCH": "arm64"},
	} {
		if got := f.BuildArgs(platform(t, name)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := read(t, d(`FROM golang`)).BuildArgs(platform(t, "arm64")); len(got) != 0 {
		t.Errorf("undeclared arguments are given: %v", got)
	}
}

// A classic builder builds what stands above the target, needed or not, and takes a name from below for an image's.
func TestBasesOfAClassicBuilder(t *testing.T) {
	f := read(t, d(`FROM alpine AS dev`, `RUN true`, `COPY --from=app / /`, `FROM debian AS app`, `FROM fedora AS below`))
	o := Options{Build: platform(t, "amd64"), Platform: platform(t, "arm64"), Target: "app", Classic: true, Every: true}
	bases, err := f.Bases(Target, o)
	var got []string
	for _, b := range bases {
		got = append(got, b.Image+b.Hint)
	}
	want := []string{"docker.io/library/alpine:latest", "docker.io/library/app:latestno stage above is called app (the one at line 4 is below)", "docker.io/library/debian:latest"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if lines := runLines(t, f, Target, o); !reflect.DeepEqual(lines, []int{2}) {
		t.Errorf("foreign RUN lines %v", lines)
	}
}

// Podman takes two stages of one name, and the one above is meant.
func TestBasesBesideTwoOfOneName(t *testing.T) {
	f := read(t, d(`FROM scratch AS x`, `FROM scratch AS y`, `COPY --from=x / /`, `FROM scratch AS x`, `COPY --from=y / /`))
	if bases, err := f.Bases(Target, Options{Classic: true}); err != nil || len(bases) > 0 {
		t.Errorf("%+v, %v", bases, err)
	}
}

// Docker's classic builder leaves out what stands below the target alone, other builders all that the target does not need.
func TestUnneeded(t *testing.T) {
	const head = "ARG S=u\nFROM alpine AS u\nFROM alpine AS x\n"
	const waiting = "ARG S=u\nFROM alpine AS u\nFROM alpine AS x\nONBUILD COPY --from=u / /\n"
	for rest, want := range map[string]string{
		head + "FROM alpine":                                 "[0 1]",
		head + "FROM u":                                      "[1]",
		head + "FROM $S":                                     "[1]",
		head + "FROM alpine\nCOPY --from=U / /":              "[1]",
		head + "FROM alpine\nCOPY --from=0 / /":              "[1]",
		head + "FROM alpine\nRUN --mount=type=bind,from=u x": "[1]",
		head + "FROM alpine\nRUN echo from=u":                "[0 1]",
		head + "FROM u AS y\nFROM x":                         "[0 2]",
		head + "COPY --from=u / /\nFROM alpine":              "[0 1]",
		head + "FROM alpine AS target\nFROM u":               "[0 1 3]",
		waiting + "FROM x":                                   "[]",
		waiting + "FROM alpine\nCOPY --from=x / /":           "[0]",
	} {
		o := Options{Classic: true}
		if strings.Contains(rest, "target") {
			o.Target = "target"
		}
		for _, o.Every = range []bool{false, true} {
			if o.Every {
				want = map[bool]string{true: "[3]", false: "[]"}[o.Target != ""]
			}
			if got, err := read(t, rest+"\n").Unneeded(Target, o); err != nil || fmt.Sprint(got) != want {
				t.Errorf("%s\nevery %t: %v, %v, want %s", rest, o.Every, got, err, want)
			}
		}
	}
}

// What is pulled is what stands in a FROM or --from that is needed, and is neither a stage, nor scratch, nor a named context.
func TestBasesThatAreNone(t *testing.T) {
	for _, test := range []struct {
		src  string
		o    Options
		want []string
	}{
		{d(`FROM scratch AS a`, `FROM alpine AS b`, `FROM b`, `COPY --from=a / /`), Options{}, []string{"docker.io/library/alpine:latest"}},
		{d(`FROM base AS x`, `FROM x`, `COPY --from=src / /`), Options{Contexts: []string{"base", "src"}}, nil},
		{d(`FROM alpine`), Options{Contexts: []string{"docker.io/library/alpine:latest"}}, nil},
		{d(`FROM golang AS x`, `COPY --from=busybox / /`, `FROM alpine`, `COPY --from=x / /`), Options{Contexts: []string{"x"}}, []string{"docker.io/library/busybox:latest", "docker.io/library/alpine:latest"}},
		{d(`ARG TARGETARCH`, `FROM alpine-$TARGETARCH`), Options{}, []string{"docker.io/library/alpine-arm64:latest"}},
		{d(`ARG V`, `FROM alpine:$V`), Options{Args: map[string]string{"V": "3"}}, []string{"docker.io/library/alpine:3"}},
		{d(`FROM alpine`, `COPY --from=$X / /`), Options{}, []string{"docker.io/library/alpine:latest"}},
	} {
		test.o.Build, test.o.Platform = platform(t, "amd64"), platform(t, "arm64")
		bases, err := read(t, test.src).Bases(Target, test.o)
		var got []string
		for _, b := range bases {
			got = append(got, b.Image)
		}
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s%q, %v; want %q", test.src, got, err, test.want)
		}
	}
	_, err := read(t, d(`FROM scratch`, `FROM alpine`, `COPY --from=2 / /`)).Bases(Target, Options{})
	at(t, err, 3, "--from=2 is no other stage: there are 2, counted from 0")
}

// A platform is understood as it is written.
func TestPlatformsAsWritten(t *testing.T) {
	aarch64, x86 := ocispec.Platform{OS: "linux", Architecture: "aarch64"}, ocispec.Platform{OS: "linux", Architecture: "x86_64"}
	f := read(t, d(`FROM alpine-$TARGETARCH-$BUILDARCH`, `ARG GOARCH`))
	if got := f.BuildArgs(aarch64)["GOARCH"]; got != "arm64" {
		t.Errorf("GOARCH=%s", got)
	}
	if bases, err := f.Bases(Target, Options{Build: x86, Platform: aarch64}); err != nil || len(bases) != 1 || bases[0].Image != "docker.io/library/alpine-arm64-amd64:latest" {
		t.Errorf("%+v, %v", bases, err)
	}
}

func TestHints(t *testing.T) {
	for name, test := range map[string]struct {
		src    string
		want   string
		likely bool
	}{
		"copied from a slip":         {d(`FROM scratch AS build`, `FROM scratch`, `COPY --from=biuld / /`), "no stage is called biuld (did you mean build?)", true},
		"mounted from a slip":        {d(`FROM scratch AS build`, `FROM scratch`, `RUN --mount=from=biuld,target=/x true`), "no stage is called biuld (did you mean build?)", true},
		"copied from something else": {d(`FROM scratch AS build`, `FROM scratch AS x`, `COPY --from=assets / /`), "no stage is called assets (there are build, x)", false},
		"copied where none has one":  {d(`FROM scratch`, `COPY --from=assets / /`), "no stage is called assets (none has a name)", false},
		"built on a slip":            {d(`FROM scratch AS build`, `FROM biuld`), "no stage is called biuld (did you mean build?)", true},
		"built on one below":         {d(`FROM b AS a`, `FROM a AS b`), "no stage above is called b (the one at line 2 is below)", true},
		"built on its own name":      {d(`FROM golang AS golang`), "", false},
		"built on an image":          {d(`FROM scratch AS build`, `FROM alpine`), "", false},
		"copied from an image":       {d(`FROM scratch AS build`, `FROM scratch`, `COPY --from=build:1 / /`), "", false},
	} {
		bases, err := read(t, test.src).Bases(Target, Options{})
		if err != nil || len(bases) != 1 || bases[0].Hint != test.want || bases[0].Likely != test.likely {
			t.Errorf("%s: %+v, %v, want %q", name, bases, err, test.want)
		}
	}
}
