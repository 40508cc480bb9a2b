package dockerfile

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// What a COPY, an ADD or a mount names of the context is known where it can be nothing else. The build is one for arm/v7.
func TestCopies(t *testing.T) {
	for name, test := range map[string]struct {
		src  string
		o    Options
		want []string
	}{
		"by name":                       {d(`FROM scratch`, `COPY a ./b/../c/ /d /to/`, `ADD ["e f", "/"]`), Options{}, []string{"2 a", "2 c", "2 d", "3 e f"}},
		"all of it":                     {d(`FROM scratch`, `COPY . /`, `COPY / /`), Options{}, nil},
		"no higher than it":             {d(`FROM scratch`, `COPY ../a /`), Options{}, []string{"2 a"}},
		"mounted":                       {d(`FROM scratch`, `ARG TARGETARCH`, `RUN --mount=type=bind,source=./go.mod,target=go.mod --mount=src=a-$TARGETARCH,dst=/a --mount=target=/b true`), Options{}, []string{"3 go.mod", "3 a-arm"}},
		"mounted otherwise":             {d(`FROM scratch AS x`, `FROM scratch`, `RUN --mount=type=cache,source=a,target=/a --mount=from=x,source=b,target=/b --mount=source=$C,target=/c --mount=type=$T,source=d,target=/d true`), Options{}, nil},
		"by the platform":               {d(`FROM scratch`, `ARG TARGETARCH`, `ARG TARGETVARIANT`, `COPY app-${TARGETARCH}$TARGETVARIANT /app`), Options{}, []string{"4 app-armv7"}},
		"... that nobody declares":      {d(`ARG TARGETARCH`, `FROM scratch`, `COPY app-$TARGETARCH /app`), Options{}, nil},
		"... that may be another":       {d(`FROM scratch`, `ARG TARGETARCH=arm`, `COPY app-$TARGETARCH /app`), Options{}, nil},
		"... that is given":             {d(`FROM scratch`, `ARG TARGETARCH=y`, `COPY app-$TARGETARCH /app`), Options{Args: map[string]string{"TARGETARCH": "x"}}, []string{"3 app-x"}},
		"... and is a pattern":          {d(`FROM scratch`, `ARG D`, `COPY $D /app`), Options{Args: map[string]string{"D": "x*"}}, nil},
		"... that a base may have":      {d(`FROM base AS a`, `FROM a`, `ARG D`, `COPY $D /app`), Options{Args: map[string]string{"D": "x"}}, nil},
		"... that the environment has":  {d(`FROM scratch`, `ARG TARGETARCH`, `ENV TARGETARCH=x`, `COPY app-$TARGETARCH /app`), Options{}, nil},
		"by arguments":                  {d(`FROM scratch`, `ARG D=x`, `ARG TARGETARCH`, `COPY $D/a ${D}-$TARGETARCH "$D" /`), Options{}, []string{"4 x/a", "4 x-arm"}},
		"... that a base may set":       {d(`FROM base`, `ARG D=x`, `ARG TARGETARCH`, `COPY $D/a ${D}-$TARGETARCH a-$TARGETARCH /`), Options{}, []string{"4 a-arm"}},
		"... to be a pattern":           {d(`FROM scratch`, `ARG D=x*`, `COPY $D /`), Options{}, nil},
		"patterns":                      {d(`FROM scratch`, `COPY a* b? [c] d\e f/*.jar /`), Options{}, nil},
		"written here":                  {d(`FROM scratch`, `COPY <<F /f`, `text`, `F`), Options{}, nil},
		"addresses":                     {d(`FROM scratch`, `ADD https://x/a git@x:y.git http://x/y.git#v1 github.com/x/y /`), Options{}, nil},
		"parts":                         {d(`FROM scratch`, `COPY --parents a/b /`, `COPY --exclude=*.md c /`, `ADD --exclude=*.md d /`), Options{}, nil},
		"from elsewhere":                {d(`FROM scratch AS x`, `FROM scratch`, `COPY --from=x a /`, `COPY --from=nginx b /`, `COPY --from=0 c /`), Options{Contexts: []string{"lib"}}, nil},
		"from a named context":          {d(`FROM scratch`, `COPY --from=lib /a b* /`, `RUN --mount=from=lib,source=b/,target=/b true`), Options{Contexts: []string{"lib"}}, []string{"2 lib a", "3 lib b"}},
		"... that takes a stage":        {d(`FROM scratch AS lib`, `COPY a /`, `FROM scratch`, `COPY --from=lib b /`), Options{Contexts: []string{"lib"}}, []string{"4 lib b"}},
		"... by its number":             {d(`FROM scratch AS lib`, `FROM scratch`, `COPY --from=0 a /`, `FROM scratch`, `COPY --from=1 b /`, `COPY --from=0 c /`), Options{Contexts: []string{"lib"}}, []string{"3 lib a", "6 lib c"}},
		"of a stage that nobody needs":  {d(`FROM scratch AS dev`, `COPY a /`, `FROM scratch`), Options{}, nil},
		"of a context's stage":          {d(`FROM scratch AS x`, `COPY a /`, `FROM x`), Options{Contexts: []string{"x"}}, nil},
		"later":                         {d(`FROM scratch AS x`, `ONBUILD COPY a /`, `FROM x`), Options{}, []string{"2 a"}},
		"patterns of a classic one":     {d(`FROM scratch AS x`, `COPY a* ./b? /`, `COPY c* d /`, `ADD e* https://x/?y /`, `COPY --from=x f* /`, `COPY $F* "g*" /`, `FROM scratch`), Options{Classic: true, Every: true}, []string{"2 [a* b?]", "3 d"}},
		"... of a stage it has to have": {d(`FROM scratch AS dev`, `COPY a /`, `FROM scratch AS x`, `FROM scratch`, `COPY b /`), Options{Classic: true, Every: true, Target: "x"}, []string{"2 a"}},
		"patterns as they are written":  {d(`FROM scratch`, `COPY a/../b* ./c//d* /e* /`, `ADD f* /`), Options{Classic: true, Every: true}, []string{"2 [a/../b* c//d* e*]", "3 [f*]"}},
		"... and as Podman reads them":  {d(`FROM scratch`, `COPY a/../b* ./c//d* /e* /`, `ADD f* /`), Options{Classic: true}, []string{"2 [b* c/d* e*]", "3 [f*]"}},
		"a stage a classic one keeps":   {d(`FROM scratch AS lib`, `COPY a /`, `FROM lib`), Options{Classic: true, Contexts: []string{"lib"}}, []string{"2 a"}},
		"not here":                      {d(`FROM scratch`, `ONBUILD COPY a /`), Options{}, nil},
	} {
		o := armOnAmd(t)
		o.Args, o.Contexts, o.Target, o.Classic, o.Every = test.o.Args, test.o.Contexts, test.o.Target, test.o.Classic, test.o.Every
		copies, err := read(t, test.src).Copies(Target, o)
		var got []string
		for _, c := range copies {
			got = append(got, strings.TrimSuffix(strings.Join(strings.Fields(fmt.Sprint(c.Line, " ", c.From, " ", c.Path, c.Patterns)), " "), "[]"))
		}
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, test.want)
		}
	}
}

// What waits in an image is told of at the FROM that names it.
func TestCopiesOfABase(t *testing.T) {
	o := armOnAmd(t)
	o.OnBuild = map[string][]string{"docker.io/library/base:latest": {"RUN true", "COPY a /"}}
	copies, err := read(t, d(`FROM scratch AS x`, `FROM base`)).Copies(Target, o)
	if want := []Copy{{Line: 2, Text: "ONBUILD COPY a /", Path: "a"}}; err != nil || !reflect.DeepEqual(copies, want) {
		t.Errorf("got %+v, %v, want %+v", copies, err, want)
	}
}
