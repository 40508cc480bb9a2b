package dockerfile

import (
	"fmt"
	"reflect"
	"testing"
)

// What holds for one architecture is told of in builds for another, and nothing is told of files that know what they do. The
// build is one for arm/v7 by an amd64 engine.
func TestAdvice(t *testing.T) {
	const byHand, own = ": choose it by ARG TARGETARCH or uname -m", " has each platform's own"
	for name, test := range map[string]struct {
		src  string
		o    Options
		want []string
	}{
		"a platform under the image":    {d(`FROM --platform=linux/amd64 alpine`, `RUN true`), Options{}, []string{"1 FROM --platform=linux/amd64 puts the image on a base for linux/amd64: leave the flag out"}},
		"the engine's":                  {d(`FROM --platform=$BUILDPLATFORM python AS base`, `FROM base`), Options{}, []string{"1 FROM --platform=$BUILDPLATFORM puts the image on a base for linux/amd64: leave the flag out"}},
		"a lesser one of the same":      {d(`FROM --platform=linux/arm/v6 alpine`), Options{}, nil},
		"a platform beside the image":   {d(`FROM --platform=linux/amd64 node AS ui`, `RUN npm run build`, `FROM --platform=$TARGETPLATFORM nginx`, `COPY --from=ui /dist /`), Options{}, nil},
		"a stage that nobody needs":     {d(`FROM amd64/alpine AS dev`, `ADD https://x/a-amd64.tar /`, `FROM alpine`), Options{}, nil},
		"an official image for one":     {d(`FROM amd64/alpine:3`), Options{}, []string{"1 FROM amd64/alpine:3 is for linux/amd64 by its name: FROM alpine:3" + own}},
		"... in full":                   {d(`FROM docker.io/arm64v8/alpine`), Options{}, []string{"1 FROM docker.io/arm64v8/alpine is for linux/arm64 by its name: FROM alpine" + own}},
		"... of the right one":          {d(`FROM arm32v7/alpine`), Options{}, nil},
		"somebody of that name":         {d(`FROM x64/alpine`), Options{}, nil},
		"a tag for one":                 {d(`FROM me/base:1-arm64v8`), Options{}, []string{"1 FROM me/base:1-arm64v8 is for linux/arm64 by its name: take a base for all platforms, or write a Dockerfile for each (DOCKERFILE=Dockerfile.{arch})"}},
		"a tag that says nothing":       {d(`FROM me/base:x86`), Options{}, nil},
		"a tag by an argument of BUILD": {d(`FROM me/base:1-${BUILDARCH}`), Options{}, []string{"1 FROM me/base:1-${BUILDARCH} is for linux/amd64 by its name: take a base for all platforms, or write a Dockerfile for each (DOCKERFILE=Dockerfile.{arch})"}},
		"a toolchain for one":           {d(`FROM me/rust:amd64 AS build`, `ARG TARGETARCH`, `RUN cargo build`, `ADD https://x/protoc-x86_64.zip /`, `FROM scratch`, `COPY --from=build /a /`), Options{}, nil},

		"the base by an argument": {d(`ARG ARCH=amd64`, `FROM ${ARCH}/alpine`), Options{}, []string{"1 ARG ARCH is amd64 for all platforms: give each its own, as BUILD_ARGS=ARCH={docker} does"}},
		"... that is given":       {d(`ARG ARCH=amd64`, `FROM ${ARCH}/alpine`), Options{Args: map[string]string{"ARCH": "arm32v7"}}, nil},
		"its platform by one":     {d(`ARG ARCH="amd64"`, `FROM --platform=linux/$ARCH alpine`), Options{}, []string{"1 ARG ARCH is amd64 for all platforms: give each its own, as BUILD_ARGS=ARCH={arch} does"}},
		"... in a tag":            {d(`ARG ARCH=aarch64`, `FROM me/base:$ARCH-1`), Options{}, []string{"1 ARG ARCH is aarch64 for all platforms: give each its own, as BUILD_ARGS=ARCH={uname} does"}},
		"a base by an argument":   {d(`ARG BASE=arm64v8/alpine:3`, `FROM $BASE`), Options{}, []string{"1 ARG BASE is arm64v8/alpine:3 for all platforms: give each its own, as BUILD_ARGS=BASE={docker}/alpine:3 does"}},
		"... that is given each":  {d(`ARG BASE=arm64v8/alpine:3`, `FROM $BASE`), Options{Args: map[string]string{"BASE": "arm32v7/alpine:3"}}, nil},
		"... for a stage beside":  {d(`ARG BASE=me/rust:amd64`, `FROM $BASE AS b`, `RUN cargo build`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"an add-on's base":        {d(`ARG BUILD_FROM=ghcr.io/home-assistant/amd64-base:3.21`, `FROM ${BUILD_FROM}`), Options{}, []string{"1 ARG BUILD_FROM is ghcr.io/home-assistant/amd64-base:3.21 for all platforms: give each its own, as BUILD_ARGS=BUILD_FROM=ghcr.io/home-assistant/{hass}-base:3.21 does"}},
		"an add-on's machine":     {d(`FROM alpine`, `ARG BUILD_ARCH=amd64`, `RUN fetch $BUILD_ARCH`), Options{}, []string{"2 ARG BUILD_ARCH is amd64 for all platforms: give each its own, as BUILD_ARGS=BUILD_ARCH={hass} does"}},
		"... without a value":     {d(`FROM alpine`, `ARG BUILD_ARCH`, `RUN fetch $BUILD_ARCH`), Options{}, []string{"2 ARG BUILD_ARCH has no value: BUILD_ARGS=BUILD_ARCH={hass} gives it each platform's"}},
		"files by an argument":    {d(`ARG ARCH=amd64`, `FROM alpine`, `ARG ARCH`, `COPY app-$ARCH /app`), Options{}, []string{"1 ARG ARCH is amd64 for all platforms: give each its own, as BUILD_ARGS=ARCH={arch} does"}},
		"... in Debian's words":   {d(`FROM alpine`, `ARG ARCH=ppc64el`, `ADD https://x/a_${ARCH}.deb /`), Options{}, []string{"2 ARG ARCH is ppc64el for all platforms: give each its own, as BUILD_ARGS=ARCH={debian} does"}},
		"... in Node's words":     {d(`FROM alpine`, `ARG ARCH=x64`, `RUN wget node-$ARCH`), Options{}, []string{"2 ARG ARCH is x64 for all platforms: declare ARG TARGETARCH in its place, which has each platform's own"}},
		"one without a value":     {d(`FROM golang AS b`, `ARG APP_ARCH`, `RUN make $APP_ARCH`, `FROM scratch`, `COPY --from=b /a /`), Options{}, []string{"2 ARG APP_ARCH has no value: BUILD_ARGS=APP_ARCH={arch} gives it each platform's, or {uname}, {debian}, {docker} other words for it"}},
		"one that has a way out":  {d(`FROM alpine`, `ARG APP_ARCH`, `RUN fetch ${APP_ARCH:-$(uname -m)}`), Options{}, nil},
		"one for a label":         {d(`FROM alpine`, `ARG ARCH=amd64`, `LABEL arch=$ARCH`), Options{}, nil},
		"one that nobody uses":    {d(`ARG ARCH=amd64`, `FROM alpine`, `RUN echo $ARCH`), Options{}, nil},
		"one that is given by us": {d(`FROM golang AS b`, `ARG GOARCH=amd64`, `RUN go build -o a-$GOARCH`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"one of BuildKit's":       {d(`FROM alpine`, `ARG TARGETARCH=amd64`, `RUN fetch $TARGETARCH`), Options{}, nil},
		"one with another value":  {d(`FROM alpine`, `ARG SEARCH`, `ARG V=amd64-1`, `RUN grep $V x`), Options{}, nil},

		"one that ends so":  {d(`FROM alpine`, `ARG SEARCH`, `RUN grep $SEARCH x`), Options{}, nil},
		"a platform by one": {d(`ARG PLATFORM=linux/amd64`, `FROM --platform=$PLATFORM alpine`), Options{}, []string{"1 ARG PLATFORM is linux/amd64 for all platforms: ARG TARGETPLATFORM in its place has each its own"}},

		"one below FROM":                   {d(`ARG APP_ARCH`, `FROM alpine`, `ARG APP_ARCH`, `RUN fetch $APP_ARCH`), Options{}, []string{"3 ARG APP_ARCH has no value: BUILD_ARGS=APP_ARCH={arch} gives it each platform's, or {uname}, {debian}, {docker} other words for it"}},
		"one twice":                        {d(`ARG ARCH=amd64`, `FROM me/base-$ARCH`, `ARG ARCH="amd64"`, `COPY app-$ARCH /`), Options{}, []string{"1 ARG ARCH is amd64 for all platforms: give each its own, as BUILD_ARGS=ARCH={arch} does"}},
		"one of a stage that nobody needs": {d(`FROM alpine AS dev`, `ARG ARCH=amd64`, `RUN fetch $ARCH`, `FROM alpine`), Options{}, nil},

		"a fixed GOARCH":         {d(`FROM golang AS b`, `RUN CGO_ENABLED=0 GOARCH=amd64 go build`, `FROM scratch`, `COPY --from=b /a /`), Options{}, []string{"2 GOARCH=amd64 compiles for linux/amd64: declare ARG GOARCH in its place, which" + own}},
		"... in the environment": {d(`FROM golang AS b`, `ENV GOOS=linux GOARCH="amd64"`, `RUN go build`, `FROM scratch`, `COPY --from=b /a /`), Options{}, []string{"2 GOARCH=amd64 compiles for linux/amd64: declare ARG GOARCH in its place, which" + own}},
		"several of them":        {d(`FROM golang AS b`, `RUN GOARCH=amd64 go build -o a`, `RUN GOARCH=arm go build -o b`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"... for Windows beside": {d(`FROM golang AS b`, `RUN GOOS=windows GOARCH=amd64 go build -o a.exe && GOARCH=$TARGETARCH go build`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"... that was chosen":    {d(`FROM golang AS b`, `RUN if [ $V = 2 ]; then GOARCH=amd64 go build; else go build; fi`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"the right one":          {d(`FROM golang AS b`, `RUN GOARCH=arm go build`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"go build on the engine's platform": {d(`FROM --platform=$BUILDPLATFORM golang AS b`, `RUN go mod download`, `RUN go build -o /a`, `FROM scratch`, `COPY --from=b /a /`), Options{},
			[]string{"3 go build compiles for linux/amd64 here: declare ARG TARGETARCH, and set GOARCH=$TARGETARCH"}},
		"... after what it generates": {d(`FROM --platform=$BUILDPLATFORM golang AS b`, `RUN go build -o /bin/gen ./gen`, `RUN go generate ./...`, `RUN go build -o /a`, `FROM scratch`, `COPY --from=b /a /`), Options{},
			[]string{"4 go build compiles for linux/amd64 here: declare ARG TARGETARCH, and set GOARCH=$TARGETARCH"}},
		"... of tools for the compiler": {d(`FROM --platform=$BUILDPLATFORM golang AS gen`, `RUN go build -o /bin/gen ./gen && go generate`, `FROM --platform=$BUILDPLATFORM golang AS b`, `ARG TARGETARCH`, `COPY --from=gen /src /src`, `RUN GOARCH=$TARGETARCH go build -o /a`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"... by way of another stage": {d(`FROM --platform=$BUILDPLATFORM golang AS b`, `RUN go build -o /a`, `FROM --platform=$BUILDPLATFORM alpine AS pack`, `COPY --from=b /a /`, `RUN upx /a`, `FROM scratch`, `COPY --from=pack /a /`), Options{},
			[]string{"2 go build compiles for linux/amd64 here: declare ARG TARGETARCH, and set GOARCH=$TARGETARCH"}},
		"a GOARCH for the generator":      {d(`FROM golang AS b`, `RUN GOARCH=amd64 CGO_ENABLED=0 go generate ./... && GOARCH="amd64" go run ./gen`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"... that was told":               {d(`FROM --platform=$BUILDPLATFORM golang AS a`, `ARG TARGETARCH`, `ENV GOARCH=$TARGETARCH`, `FROM a AS b`, `RUN go build -o /a`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"emulation without need":          {d(`FROM golang AS b`, `ARG TARGETARCH`, `RUN GOARCH=$TARGETARCH go build`, `FROM scratch`, `COPY --from=b /a /`), Options{}, []string{"1 FROM --platform=$BUILDPLATFORM lets stage b compile without emulation"}},
		"... with another compiler":       {d(`FROM gcc AS b`, `ARG TARGETARCH`, `RUN make $TARGETARCH`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"... on a base by platform":       {d(`FROM me/golang-$TARGETARCH AS b`, `ARG TARGETARCH`, `RUN GOARCH=$TARGETARCH go build`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"... on the engine's own":         {d(`FROM golang AS b`, `ARG TARGETARCH`, `RUN GOARCH=$TARGETARCH go build`, `FROM scratch`, `COPY --from=b /a /`), Options{Platform: platform(t, "amd64")}, nil},
		"a download":                      {d(`FROM alpine`, `RUN apk add curl && \`, `  curl -L https://x/v1/app-1-linux-amd64.tar.gz | tar xz`), Options{}, []string{"2 app-1-linux-amd64.tar.gz is for linux/amd64" + byHand}},
		"... in an image on a wrong base": {d(`FROM amd64/alpine`, `ADD https://x/app-amd64.zip /`), Options{}, []string{"1 FROM amd64/alpine is for linux/amd64 by its name: FROM alpine" + own, "2 app-amd64.zip is for linux/amd64" + byHand}},
		"... without a name":              {d(`FROM alpine`, `ADD https://x/v1/x86_64 /app`), Options{}, []string{"2 https://x/v1/x86_64 is for linux/amd64" + byHand}},
		"... by a variable":               {d(`FROM alpine`, `ENV V=1 \`, `  URL=https://x/app_${V}_x86-64.zip`), Options{}, []string{"2 app_${V}_x86-64.zip is for linux/amd64" + byHand}},
		"... with its checksum":           {d(`FROM alpine`, `ADD https://x/app-amd64.tgz /`, `ADD https://x/app-amd64.tgz.sha256 /`, `RUN wget https://x/app-amd64.tgz.asc`), Options{}, []string{"2 app-amd64.tgz is for linux/amd64" + byHand}},
		"... in a heredoc":                {d(`FROM alpine`, `RUN <<E`, `wget https://x/app-aarch64.zip`, `E`), Options{}, []string{"2 app-aarch64.zip is for linux/arm64" + byHand}},
		"... beside the right one":        {d(`FROM alpine`, `RUN wget https://x/app-amd64 https://x/app-armv7`), Options{}, nil},
		"... of two others":               {d(`FROM alpine`, `RUN wget https://x/app-amd64 https://x/app-arm64`), Options{}, nil},
		"... of one that was chosen":      {d(`FROM alpine`, `RUN if [ "$(uname -m)" = x86_64 ]; then wget https://x/app-amd64; fi`), Options{}, nil},
		"... of a list":                   {d(`FROM alpine`, `RUN wget https://x/main/x86_64/APKINDEX.tar.gz`), Options{}, nil},
		"... for Windows":                 {d(`FROM alpine`, `ADD https://x/app-windows-amd64.zip https://x/app-win-x64.zip https://x/setup_x64.exe https://x/app-osx-x64.zip /`), Options{}, nil},
		"... of one for each":             {d(`FROM alpine`, `ADD https://x/app-amd64 /app-x86_64`, `ADD https://x/app-armhf /app-armv7l`, `RUN mv /app-$(uname -m) /app`), Options{}, nil},
		"... by the shell's arch":         {d(`FROM alpine`, "RUN test `arch` = armv7l || wget https://x/app-amd64"), Options{}, nil},
		"... on the engine's":             {d(`FROM --platform=$BUILDPLATFORM alpine AS b`, `ADD https://x/protoc-x86_64.zip /`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"... by a stage of its own":       {d(`FROM alpine AS b`, `ADD https://x/app-amd64.zip /`, `FROM scratch`, `COPY --from=b /a /`), Options{}, []string{"2 app-amd64.zip is for linux/amd64" + byHand}},
		"the engine's emulator":           {d(`FROM arm32v7/alpine`, `COPY tmp/qemu-arm-static /usr/bin/`, `RUN true`), Options{}, []string{"2 qemu-arm-static is for the engine, and refused in the image: leave it out, the QEMU that `emulation` registers needs no copy"}},
		"... beside the image":            {d(`FROM arm32v7/alpine AS b`, `COPY qemu-arm-static /usr/bin/`, `FROM scratch`, `COPY --from=b /a /`), Options{}, nil},
		"... that goes again":             {d(`FROM arm32v7/alpine`, `COPY qemu-arm-static /usr/bin/`, `RUN rm /usr/bin/qemu-*`), Options{}, nil},
		"... on its own machine":          {d(`FROM alpine`, `COPY qemu-arm-static /usr/bin/`), Options{Platform: platform(t, "amd64")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := armOnAmd(t)
			o.Args = test.o.Args
			if test.o.Platform.OS != "" {
				o.Platform = test.o.Platform
			}
			f := read(t, test.src)
			choice, err := f.Choose(Auto, o)
			if err != nil {
				t.Fatal(err)
			}
			advice, err := f.Advice(choice.Strategy, o)
			var got []string
			for _, a := range advice {
				got = append(got, fmt.Sprintf("%d %s", a.Line, a.Text))
			}
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %q, %v\nwant %q", got, err, test.want)
			}
			if native, err := f.Advice(Native, o); err != nil || native != nil {
				t.Errorf("all on the engine's platform is wanted: %v, %v", native, err)
			}
		})
	}
}

// What is compiled on the engine's platform, as was asked for, is not emulated.
func TestAdviceOnCross(t *testing.T) {
	f := read(t, d(`FROM golang AS b`, `ARG TARGETARCH`, `RUN GOARCH=$TARGETARCH go build`, `FROM scratch`, `COPY --from=b /a /`))
	if advice, err := f.Advice(Cross, armOnAmd(t)); err != nil || advice != nil {
		t.Errorf("%v, %v", advice, err)
	}
}
